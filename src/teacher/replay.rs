//! A teacher that answers from a recording (see [`record`](super::record)): the same inputs get the same products, and
//! what was never recorded is unanswered. Nothing is asked, so a replayed run costs nothing and needs no network.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::record::{Call, Line, Said, VERSION};
use super::{PromptKind, Teacher, TeacherError};
use crate::data::jsonl::rows;
use crate::data::{DataError, Place};
use crate::domain::{Diagnosis, Question};

/// What was asked, question, inputs, attempt.
type Key = (String, String, String, u32);

/// The teacher of a recording.
#[derive(Debug)]
pub struct ReplayTeacher {
    name: String,
    file: String,
    prompts: BTreeMap<String, String>,
    answers: HashMap<Key, Said>,
}

impl ReplayTeacher {
    /// Reads a recording; of several answers to the same call the last one counts.
    ///
    /// # Errors
    /// A file that cannot be read, or the line that is damaged.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let file = path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
        let mut read = Self { name: "a recording".into(), file, prompts: BTreeMap::new(), answers: HashMap::new() };
        for (line, row) in rows::<Line>(path)?.0 {
            match row {
                Line::About { version, teacher, prompts } if version == VERSION => {
                    read.name = teacher;
                    read.prompts = prompts;
                }
                Line::About { version, .. } => {
                    let reason =
                        format!("recordings of version {version} are not known; this Footbridge knows {VERSION}");
                    return Err(DataError::At { path: path.to_owned(), place: Place::Line(line), reason });
                }
                Line::Answer { ask, question, inputs, attempt, said } => {
                    read.answers.insert((ask, question, inputs, attempt), said);
                }
            }
        }
        Ok(read)
    }

    /// The recorded answer to a call, as `take` reads it.
    fn answer<P>(
        &self,
        question: &Question,
        call: Call<'_>,
        attempt: u32,
        take: impl Fn(&Said) -> Option<P>,
    ) -> Result<P, TeacherError> {
        let ask = call.kind().name();
        let key = (ask.to_owned(), question.id.clone(), call.inputs(question), attempt);
        let (id, file) = (&question.id, &self.file);
        match self.answers.get(&key) {
            Some(Said::Unanswered(reason)) => Err(TeacherError::Unanswered(reason.clone())),
            Some(said) => take(said).ok_or_else(|| {
                TeacherError::Unanswered(format!("{file} holds another kind of answer to {ask} of question `{id}`"))
            }),
            None => Err(TeacherError::Unanswered(format!(
                "{file} holds no answer to {ask} of question `{id}` with these inputs, attempt {}",
                attempt.saturating_add(1)
            ))),
        }
    }
}

fn text(said: &Said) -> Option<String> {
    if let Said::Text(text) = said { Some(text.clone()) } else { None }
}

fn score(said: &Said) -> Option<f64> {
    if let Said::Score(score) = said { Some(*score) } else { None }
}

impl Teacher for ReplayTeacher {
    /// The name of the recorded teacher: its products are its own.
    fn name(&self) -> &str {
        &self.name
    }

    fn prompt(&self, kind: PromptKind) -> Option<String> {
        self.prompts.get(kind.name()).cloned()
    }

    fn trace(&self, question: &Question, attempt: u32) -> Result<String, TeacherError> {
        self.answer(question, Call::Trace, attempt, text)
    }

    fn importance(
        &self,
        question: &Question,
        steps: &[String],
        index: usize,
        attempt: u32,
    ) -> Result<f64, TeacherError> {
        self.answer(question, Call::Importance(steps, index), attempt, score)
    }

    fn jumpiness(
        &self,
        question: &Question,
        steps: &[String],
        index: usize,
        attempt: u32,
    ) -> Result<f64, TeacherError> {
        self.answer(question, Call::Jumpiness(steps, index), attempt, score)
    }

    fn compress(&self, question: &Question, prefix: &str, step: &str, attempt: u32) -> Result<String, TeacherError> {
        self.answer(question, Call::Edit(PromptKind::Compress, prefix, step), attempt, text)
    }

    fn expand(&self, question: &Question, prefix: &str, step: &str, attempt: u32) -> Result<String, TeacherError> {
        self.answer(question, Call::Edit(PromptKind::Expand, prefix, step), attempt, text)
    }

    fn localize(&self, question: &Question, prefix: &str, step: &str, attempt: u32) -> Result<String, TeacherError> {
        self.answer(question, Call::Edit(PromptKind::Localize, prefix, step), attempt, text)
    }

    fn diagnose(
        &self,
        question: &Question,
        response: &str,
        reference: Option<&str>,
        attempt: u32,
    ) -> Result<Diagnosis, TeacherError> {
        self.answer(question, Call::Diagnose(response, reference), attempt, |said| match said {
            Said::Diagnosis(diagnosis) => Some(diagnosis.clone()),
            _ => None,
        })
    }
}

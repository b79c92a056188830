//! Every product of a teacher as a line of a JSON Lines file, from which [`ReplayTeacher`](super::ReplayTeacher) answers
//! later without asking anybody.
//!
//! A line names what was asked (the prompt's name), the question, the hash of everything the teacher was given, and the
//! attempt. A product is written before it is handed on, so that a recording holds whatever a session holds.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Conversation, PromptKind, Teacher, TeacherError};
use crate::domain::{Diagnosis, Question};

/// Version of the lines.
pub const VERSION: u32 = 1;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "line", deny_unknown_fields)]
pub enum Line {
    /// Who answers from here on.
    About {
        /// [`VERSION`].
        version: u32,
        /// Name of the teacher.
        teacher: String,
        /// Name of each of its prompts to the prompt's hash; empty for rules.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        prompts: BTreeMap<String, String>,
    },
    /// A product, or that there is none.
    Answer {
        /// What was asked, as the prompts are named.
        ask: String,
        /// Id of the question.
        question: String,
        /// Hash of everything the teacher was given.
        inputs: String,
        /// Counted from 0.
        attempt: u32,
        /// What came back.
        said: Said,
    },
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// A trace or an edit.
    Text(String),
    /// A judge's score.
    Score(f64),
    /// A diagnosis.
    Diagnosis(Diagnosis),
    /// No usable answer, and why.
    Unanswered(String),
}

/// What a teacher is asked, with everything it is given beside the question.
#[derive(Clone, Copy, Debug)]
pub enum Call<'a> {
    /// A worked solution.
    Trace,
    /// The importance of a step among all steps.
    Importance(&'a [String], usize),
    /// The jumpiness of a step behind those before it.
    Jumpiness(&'a [String], usize),
    /// An edit (its prompt) of a step behind a prefix.
    Edit(PromptKind, &'a str, &'a str),
    /// The diagnosis of a response, with a reference.
    Diagnose(&'a str, Option<&'a str>),
}

impl Call<'_> {
    /// The prompt it is asked with.
    pub fn kind(&self) -> PromptKind {
        match self {
            Call::Trace => PromptKind::Trace,
            Call::Importance(..) => PromptKind::Importance,
            Call::Jumpiness(..) => PromptKind::Jumpiness,
            Call::Edit(kind, ..) => *kind,
            Call::Diagnose(..) => PromptKind::Diagnosis,
        }
    }

    /// The first 16 hex digits of the SHA-256 over all inputs.
    pub fn inputs(&self, question: &Question) -> String {
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        };
        add(&question.text);
        add(&question.gold);
        match self {
            Call::Trace => {}
            Call::Importance(steps, index) | Call::Jumpiness(steps, index) => {
                steps.iter().for_each(|step| add(step.trim()));
                add(&index.to_string());
            }
            Call::Edit(_, prefix, step) => [prefix, step].into_iter().for_each(|part| add(part.trim())),
            Call::Diagnose(response, reference) => {
                add(response);
                add(reference.unwrap_or_default());
            }
        }
        let mut digest = hex::encode(hash.finalize());
        digest.truncate(16);
        digest
    }

    /// The line that keeps `said`.
    pub fn line(&self, question: &Question, attempt: u32, said: Said) -> Line {
        let (ask, inputs) = (self.kind().name().to_owned(), self.inputs(question));
        Line::Answer { ask, question: question.id.clone(), inputs, attempt, said }
    }
}

/// The line that says who answers: a teacher and its prompts.
pub fn about(teacher: &dyn Teacher) -> Line {
    let teachers = PromptKind::ALL.into_iter().filter(|kind| kind.is_teachers());
    let hash = |kind: PromptKind| Some((kind.name().to_owned(), teacher.prompt(kind)?));
    Line::About { version: VERSION, teacher: teacher.name().to_owned(), prompts: teachers.filter_map(hash).collect() }
}

/// A teacher whose products are written down.
pub struct RecordingTeacher {
    path: PathBuf,
    file: File,
    /// Held while a line is written.
    turn: Mutex<()>,
    teacher: Box<dyn Teacher>,
}

impl RecordingTeacher {
    /// Records `teacher` at the end of the file at `path`. Of several answers to the same call the last one counts. A last
    /// line that was cut off is taken away. When a product is handed on, its line is on the disk.
    ///
    /// # Errors
    /// [`TeacherError::Unusable`] if the file cannot be opened or written, or is there and is no recording.
    pub fn new(teacher: Box<dyn Teacher>, path: &Path) -> Result<Self, TeacherError> {
        let about = about(&*teacher);
        let file = open(path)?;
        let recording = Self { path: path.to_owned(), file, turn: Mutex::new(()), teacher };
        recording.write(&about)?;
        Ok(recording)
    }

    fn write(&self, line: &Line) -> Result<(), TeacherError> {
        let mut text = serde_json::to_string(line).map_err(|error| TeacherError::Unusable(error.to_string()))?;
        text.push('\n');
        // Whoever panicked here had written a whole line or none.
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let written = (&self.file).write_all(text.as_bytes());
        // Several threads may wait for the disk at once.
        drop(turn);
        written.and_then(|()| self.file.sync_data()).map_err(|error| unwritable(&self.path, &error))
    }

    /// Writes down what came back and hands it on. An error that stops the run is no answer.
    fn note<P: Clone>(
        &self,
        question: &Question,
        call: Call<'_>,
        attempt: u32,
        outcome: Result<P, TeacherError>,
        said: impl Fn(P) -> Said,
    ) -> Result<P, TeacherError> {
        match &outcome {
            Ok(product) => self.write(&call.line(question, attempt, said(product.clone())))?,
            Err(error) if !error.stops_the_run() => {
                self.write(&call.line(question, attempt, Said::Unanswered(error.to_string())))?;
            }
            Err(_) => {}
        }
        outcome
    }
}

impl Teacher for RecordingTeacher {
    fn name(&self) -> &str {
        self.teacher.name()
    }

    fn concurrency(&self) -> usize {
        self.teacher.concurrency()
    }

    fn prompt(&self, kind: PromptKind) -> Option<String> {
        self.teacher.prompt(kind)
    }

    fn trace(&self, question: &Question, attempt: u32) -> Result<String, TeacherError> {
        self.note(question, Call::Trace, attempt, self.teacher.trace(question, attempt), Said::Text)
    }

    fn importance(
        &self,
        question: &Question,
        steps: &[String],
        index: usize,
        attempt: u32,
    ) -> Result<f64, TeacherError> {
        let outcome = self.teacher.importance(question, steps, index, attempt);
        self.note(question, Call::Importance(steps, index), attempt, outcome, Said::Score)
    }

    fn jumpiness(
        &self,
        question: &Question,
        steps: &[String],
        index: usize,
        attempt: u32,
    ) -> Result<f64, TeacherError> {
        let outcome = self.teacher.jumpiness(question, steps, index, attempt);
        self.note(question, Call::Jumpiness(steps, index), attempt, outcome, Said::Score)
    }

    fn compress(&self, question: &Question, prefix: &str, step: &str, attempt: u32) -> Result<String, TeacherError> {
        let call = Call::Edit(PromptKind::Compress, prefix, step);
        self.note(question, call, attempt, self.teacher.compress(question, prefix, step, attempt), Said::Text)
    }

    fn expand(&self, question: &Question, prefix: &str, step: &str, attempt: u32) -> Result<String, TeacherError> {
        let call = Call::Edit(PromptKind::Expand, prefix, step);
        self.note(question, call, attempt, self.teacher.expand(question, prefix, step, attempt), Said::Text)
    }

    fn localize(&self, question: &Question, prefix: &str, step: &str, attempt: u32) -> Result<String, TeacherError> {
        let call = Call::Edit(PromptKind::Localize, prefix, step);
        self.note(question, call, attempt, self.teacher.localize(question, prefix, step, attempt), Said::Text)
    }

    fn diagnose(
        &self,
        question: &Question,
        response: &str,
        reference: Option<&str>,
        attempt: u32,
    ) -> Result<Diagnosis, TeacherError> {
        let outcome = self.teacher.diagnose(question, response, reference, attempt);
        self.note(question, Call::Diagnose(response, reference), attempt, outcome, Said::Diagnosis)
    }

    fn neutral(&self, seed: u64) -> Result<Box<dyn Iterator<Item = Conversation> + '_>, TeacherError> {
        self.teacher.neutral(seed)
    }
}

/// Opens the file behind its last whole line. A file that is there and does not begin as recordings do is left as it is.
fn open(path: &Path) -> Result<File, TeacherError> {
    let unwritable = |error: io::Error| unwritable(path, &error);
    let mut options = OpenOptions::new();
    let mut file = options.read(true).write(true).create(true).truncate(false).open(path).map_err(unwritable)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(unwritable)?;
    let is_line = |line: &[u8]| serde_json::from_slice::<Line>(line).is_ok();
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if !bytes.is_empty() && !is_line(first) {
        return Err(TeacherError::Unusable(format!(
            "teacher.record: {} is there and is no recording of a teacher, and is left as it is; name another file",
            path.display()
        )));
    }
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if is_line(&bytes[whole..]) {
        // Whole, but for its end: written by another hand.
        return file.write_all(b"\n").map(|()| file).map_err(unwritable);
    }
    let whole = whole as u64;
    file.set_len(whole).and_then(|()| file.seek(SeekFrom::Start(whole))).map_err(unwritable)?;
    Ok(file)
}

fn unwritable(path: &Path, error: &io::Error) -> TeacherError {
    TeacherError::Unusable(format!("teacher.record: {} cannot be written: {error}", path.display()))
}

//! What is said to the student and to the teacher: one template per purpose, embedded in the program, replaceable by the
//! files of a folder, each named by the hash of its text.
//!
//! The hash goes into the provenance of every score, since a score under another prompt is another measurement
//! (reading.md, row 3), and onto every product. Questions, prefixes and answers are values: whatever stands in them is
//! never read as a template. A session keeps the files it began with, so that it stays true to itself.

mod kind;
mod template;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use minijinja::{Value, context};
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use kind::PromptKind;
use template::Template;

use crate::domain::{AskKind, Diagnosis, Message, Question};

/// Which wording of the student's prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PromptSet {
    /// The small vocabulary of the generated world.
    World,
    /// Ordinary English, for real data and real checkpoints.
    Standard,
}

/// A template that does not work; says where.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{place}: {reason}")]
pub struct PromptError {
    /// File and, where it is known, line.
    place: String,
    /// What is wrong and what is expected.
    reason: String,
}

/// The templates of one wording.
#[derive(Debug)]
pub struct Prompts {
    set: PromptSet,
    /// In the order of [`PromptKind::ALL`].
    templates: Vec<Template>,
}

/// The ending of template files.
const ENDING: &str = "j2";

impl Prompts {
    /// The wording of the generated world.
    ///
    /// # Errors
    /// As [`Prompts::new`].
    pub fn world() -> Result<Self, PromptError> {
        Self::new(PromptSet::World)
    }

    /// The wording for real data.
    ///
    /// # Errors
    /// As [`Prompts::new`].
    pub fn standard() -> Result<Self, PromptError> {
        Self::new(PromptSet::Standard)
    }

    /// The built-in templates of `set`.
    ///
    /// # Errors
    /// A template that fails its checks.
    pub fn new(set: PromptSet) -> Result<Self, PromptError> {
        let template = |kind: PromptKind| {
            let (folder, source) = kind.source(set);
            Template::new(kind, source.to_owned(), format!("prompts/{folder}/{}.{ENDING}", kind.name()))
        };
        Ok(Self { set, templates: PromptKind::ALL.into_iter().map(template).collect::<Result<_, _>>()? })
    }

    /// These prompts with the files of `folder` in place of those of the same name.
    ///
    /// # Errors
    /// The folder or a file that cannot be read, a file whose name is no prompt's, a template that fails its checks.
    pub fn overridden(mut self, folder: &Path) -> Result<Self, PromptError> {
        for (kind, path) in files(folder)? {
            let source = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
            self.templates[kind as usize] = Template::new(kind, source, path.display().to_string())?;
        }
        Ok(self)
    }

    /// These prompts with another text for one of them; `place` is named where it does not work.
    ///
    /// # Errors
    /// A template that fails its checks, with its line.
    pub fn replaced(mut self, kind: PromptKind, text: String, place: String) -> Result<Self, PromptError> {
        self.templates[kind as usize] = Template::new(kind, text, place)?;
        Ok(self)
    }

    /// Writes every template into `folder`, which is made where it is missing; a file that is there stays as it is.
    ///
    /// # Errors
    /// What the system says, with the file.
    pub fn write(&self, folder: &Path) -> Result<(), PromptError> {
        fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        for kind in PromptKind::ALL {
            let path = folder.join(format!("{}.{ENDING}", kind.name()));
            if !path.exists() {
                // Under another name first: a file cut off by a kill would stay, and be asked with.
                let fresh = folder.join(format!(".{}.{ENDING}.part", kind.name()));
                fs::write(&fresh, self.source(kind)).map_err(|error| unwritable(&path, &error))?;
                fs::rename(&fresh, &path).map_err(|error| unwritable(&path, &error))?;
            }
        }
        Ok(())
    }

    /// Which wording this is.
    pub fn set(&self) -> PromptSet {
        self.set
    }

    /// The text of a template.
    pub fn source(&self, kind: PromptKind) -> &str {
        &self.templates[kind as usize].source
    }

    /// Where a template came from: its file, or its place among the built-in ones.
    pub fn place(&self, kind: PromptKind) -> &str {
        &self.templates[kind as usize].place
    }

    /// The first 12 hex digits of the SHA-256 of the template's text.
    pub fn hash(&self, kind: PromptKind) -> String {
        hash(self.source(kind))
    }

    /// The hash of the prompt that questions are asked with, for the provenance of scores.
    pub fn student_hash(&self) -> String {
        self.hash(PromptKind::Question)
    }

    /// The hash of the prompt that questions of this kind are asked with.
    pub fn asking_hash(&self, ask: AskKind) -> String {
        self.hash(PromptKind::asking(ask))
    }

    /// The conversation that asks `question`, up to the student's turn.
    ///
    /// # Errors
    /// A rendered prompt that is longer than any model reads; so of every method below.
    pub fn ask(&self, question: &Question) -> Result<Vec<Message>, PromptError> {
        Ok(vec![Message::user(self.student(question)?)])
    }

    /// The user turn that asks `question`.
    pub fn student(&self, question: &Question) -> Result<String, PromptError> {
        self.user(PromptKind::asking(question.ask), context! { question => question.text })
    }

    /// The user turn that asks for the step after `prefix`, the processed steps so far; may be empty.
    pub fn local(&self, question: &Question, prefix: &str) -> Result<String, PromptError> {
        self.user(PromptKind::Local, context! { question => question.text, prefix => prefix.trim_end() })
    }

    /// The user turn that asks for the first error of `response`.
    pub fn diagnose(&self, question: &Question, response: &str) -> Result<String, PromptError> {
        self.user(PromptKind::Diagnose, context! { question => question.text, response => response.trim_end() })
    }

    /// The answer to [`Prompts::diagnose`] that is trained on: error type, first error, why (eq. 18).
    pub fn diagnosis_target(&self, diagnosis: &Diagnosis) -> Result<String, PromptError> {
        self.user(PromptKind::DiagnosisTarget, context! { diagnosis })
    }

    /// The user turn that asks for the right step after `prefix`, what the failed answer says before its first error;
    /// may be empty.
    pub fn repair(&self, question: &Question, prefix: &str, diagnosis: &Diagnosis) -> Result<String, PromptError> {
        let prefix = prefix.trim_end();
        self.user(PromptKind::Repair, context! { question => question.text, prefix, diagnosis })
    }

    /// The user turn that asks for a new short solution.
    pub fn new_trace(&self, question: &Question) -> Result<String, PromptError> {
        self.user(PromptKind::NewTrace, context! { question => question.text })
    }

    /// The conversation that asks the teacher for a worked solution.
    pub fn trace(&self, question: &Question) -> Result<Vec<Message>, PromptError> {
        self.render(PromptKind::Trace, context! { question => question.text })
    }

    /// The conversation that asks the judge how much step `index` matters: the steps with it and without it.
    pub fn importance(&self, question: &Question, steps: &[String], index: usize) -> Result<Vec<Message>, PromptError> {
        let step = steps.get(index).map_or("", |step| step.trim());
        let others = steps.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, step)| step);
        let values = context! {
            question => question.text,
            gold => question.gold,
            trace => joined(steps.iter()),
            without => joined(others),
            step,
        };
        self.render(PromptKind::Importance, values)
    }

    /// The conversation that asks the judge how far step `index` jumps from the steps before it.
    pub fn jumpiness(&self, question: &Question, steps: &[String], index: usize) -> Result<Vec<Message>, PromptError> {
        let step = steps.get(index).map_or("", |step| step.as_str());
        self.stepwise(PromptKind::Jumpiness, question, &joined(steps.iter().take(index)), step)
    }

    /// The conversation that asks the teacher for an edit of `step` (`kind` is Compress, Expand or Localize) after the
    /// processed `prefix`.
    pub fn stepwise(
        &self,
        kind: PromptKind,
        question: &Question,
        prefix: &str,
        step: &str,
    ) -> Result<Vec<Message>, PromptError> {
        self.render(kind, context! { question => question.text, prefix => prefix.trim_end(), step => step.trim() })
    }

    /// The conversation that asks the teacher for the diagnosis of a failed `response`; `reference` is a verified
    /// solution, where there is one (reading.md, row 44).
    pub fn diagnosis(
        &self,
        question: &Question,
        response: &str,
        reference: Option<&str>,
    ) -> Result<Vec<Message>, PromptError> {
        let values = context! {
            question => question.text,
            gold => question.gold,
            response => response.trim_end(),
            reference => reference.unwrap_or("").trim_end(),
        };
        self.render(PromptKind::Diagnosis, values)
    }

    /// The one turn of a prompt that the student is asked.
    fn user(&self, kind: PromptKind, values: Value) -> Result<String, PromptError> {
        Ok(self.render(kind, values)?.pop().map(|message| message.content).unwrap_or_default())
    }

    fn render(&self, kind: PromptKind, values: Value) -> Result<Vec<Message>, PromptError> {
        self.templates[kind as usize].render(kind, &values)
    }
}

/// The first 12 hex digits of the SHA-256 of a template's text.
pub fn hash(text: &str) -> String {
    let mut digest = hex::encode(Sha256::digest(text.as_bytes()));
    digest.truncate(12);
    digest
}

/// Checks a text as a template of this kind; `place` is named where it does not work.
///
/// # Errors
/// What fails, with its line.
pub fn check(kind: PromptKind, text: &str, place: &str) -> Result<(), PromptError> {
    Template::new(kind, text.to_owned(), place.to_owned()).map(drop)
}

fn joined<'a>(steps: impl Iterator<Item = &'a String>) -> String {
    steps.map(|step| step.trim()).collect::<Vec<_>>().join("\n")
}

/// The templates of a folder, in the order of their names. Hidden files are passed over.
fn files(folder: &Path) -> Result<Vec<(PromptKind, PathBuf)>, PromptError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let (path, file) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if file.starts_with('.') || file == "README.md" {
            continue;
        }
        let fault = |reason: String| PromptError { place: path.display().to_string(), reason };
        let stem = file.strip_suffix(&format!(".{ENDING}"));
        let Some(kind) = stem.and_then(PromptKind::named) else {
            return Err(fault(format!("no prompt has this name; the nearest is {}.{ENDING}", nearest(&file))));
        };
        // A link could lead to a file that was never meant to be read to anybody.
        if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            return Err(fault("a prompt is a plain file, not a link or a folder".into()));
        }
        found.push((kind, path));
    }
    found.sort();
    Ok(found)
}

/// The name of a prompt most like `name`.
pub fn nearest(name: &str) -> &'static str {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_lowercase();
    let likeness = |kind: &PromptKind| strsim::normalized_damerau_levenshtein(&stem, kind.name());
    PromptKind::ALL.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).map_or("", |kind| kind.name())
}

fn unreadable(path: &Path, error: &io::Error) -> PromptError {
    PromptError { place: path.display().to_string(), reason: format!("cannot be read: {error}") }
}

fn unwritable(path: &Path, error: &io::Error) -> PromptError {
    PromptError { place: path.display().to_string(), reason: format!("cannot be written: {error}") }
}

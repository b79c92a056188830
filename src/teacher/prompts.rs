//! What is said to the student: one template per purpose, embedded in the program, each named by the hash of its text.
//!
//! The hash goes into the provenance of every score, since a score under another prompt is another measurement
//! (reading.md, row 3). Questions, prefixes and answers are values: whatever stands in them is never read as a
//! template.

use std::fmt;

use minijinja::{Environment, UndefinedBehavior, context};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::domain::{AskKind, Diagnosis, Message, Question};

/// Which wording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PromptSet {
    /// The small vocabulary of the generated world.
    World,
    /// Ordinary English, for real data and real checkpoints.
    Standard,
}

/// What a template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PromptKind {
    /// The question, as it is always asked.
    Question,
    /// The question, with its answer asked for in a box.
    QuestionBoxed,
    /// The question with its options, with a letter asked for.
    QuestionChoice,
    /// Question and processed prefix, to the next step (reading.md, row 19).
    Local,
    /// Question and failed answer, to its first error (eq. 18).
    Diagnose,
    /// The answer to that: error type, first error, why.
    DiagnosisTarget,
    /// Question, prefix, first error and hint, to the right next step (eq. 18).
    Repair,
    /// Question, to a new short solution (eq. 18).
    NewTrace,
}

impl PromptKind {
    /// All of them.
    pub const ALL: [PromptKind; 8] = [
        PromptKind::Question,
        PromptKind::QuestionBoxed,
        PromptKind::QuestionChoice,
        PromptKind::Local,
        PromptKind::Diagnose,
        PromptKind::DiagnosisTarget,
        PromptKind::Repair,
        PromptKind::NewTrace,
    ];

    /// How a question of this kind is asked.
    pub fn asking(ask: AskKind) -> Self {
        match ask {
            AskKind::Answer => PromptKind::Question,
            AskKind::Boxed => PromptKind::QuestionBoxed,
            AskKind::Choice => PromptKind::QuestionChoice,
        }
    }

    /// Its file's name without the ending.
    pub fn name(self) -> &'static str {
        match self {
            PromptKind::Question => "question",
            PromptKind::QuestionBoxed => "question-boxed",
            PromptKind::QuestionChoice => "question-choice",
            PromptKind::Local => "local",
            PromptKind::Diagnose => "diagnose",
            PromptKind::DiagnosisTarget => "diagnosis-target",
            PromptKind::Repair => "repair",
            PromptKind::NewTrace => "new-trace",
        }
    }

    fn source(self, set: PromptSet) -> &'static str {
        macro_rules! embedded {
            ($name:literal) => {
                match set {
                    PromptSet::World => include_str!(concat!("../../prompts/world/", $name, ".j2")),
                    PromptSet::Standard => include_str!(concat!("../../prompts/standard/", $name, ".j2")),
                }
            };
        }
        match self {
            PromptKind::Question => embedded!("question"),
            // The generated world has numbers only, so there is one wording of these.
            PromptKind::QuestionBoxed => include_str!("../../prompts/standard/question-boxed.j2"),
            PromptKind::QuestionChoice => include_str!("../../prompts/standard/question-choice.j2"),
            PromptKind::Local => embedded!("local"),
            PromptKind::Diagnose => embedded!("diagnose"),
            PromptKind::DiagnosisTarget => embedded!("diagnosis-target"),
            PromptKind::Repair => embedded!("repair"),
            PromptKind::NewTrace => embedded!("new-trace"),
        }
    }
}

/// A template that does not work.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("prompt template `{name}`: {reason}")]
pub struct PromptError {
    name: &'static str,
    reason: String,
}

/// The templates of one wording.
pub struct Prompts {
    set: PromptSet,
    environment: Environment<'static>,
}

impl fmt::Debug for Prompts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompts").field("set", &self.set).finish_non_exhaustive()
    }
}

impl Prompts {
    /// The wording of the generated world.
    pub fn world() -> Result<Self, PromptError> {
        Self::new(PromptSet::World)
    }

    /// The wording for real data.
    pub fn standard() -> Result<Self, PromptError> {
        Self::new(PromptSet::Standard)
    }

    /// The templates of `set`. A variable that a template names and nobody gives is an error, never an empty text.
    pub fn new(set: PromptSet) -> Result<Self, PromptError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        for kind in PromptKind::ALL {
            environment.add_template(kind.name(), kind.source(set)).map_err(|error| failure(kind, &error))?;
        }
        Ok(Self { set, environment })
    }

    /// Which wording this is.
    pub fn set(&self) -> PromptSet {
        self.set
    }

    /// The first 12 hex digits of the SHA-256 of the template's text.
    pub fn hash(&self, kind: PromptKind) -> String {
        let mut digest = hex::encode(Sha256::digest(kind.source(self.set).as_bytes()));
        digest.truncate(12);
        digest
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
    pub fn ask(&self, question: &Question) -> Result<Vec<Message>, PromptError> {
        Ok(vec![Message::user(self.student(question)?)])
    }

    /// The user turn that asks `question`.
    pub fn student(&self, question: &Question) -> Result<String, PromptError> {
        self.render(PromptKind::asking(question.ask), context! { question => question.text })
    }

    /// The user turn that asks for the step after `prefix`, the processed steps so far; may be empty.
    pub fn local(&self, question: &Question, prefix: &str) -> Result<String, PromptError> {
        self.render(PromptKind::Local, context! { question => question.text, prefix => prefix.trim_end() })
    }

    /// The user turn that asks for the first error of `response`.
    pub fn diagnose(&self, question: &Question, response: &str) -> Result<String, PromptError> {
        self.render(PromptKind::Diagnose, context! { question => question.text, response => response.trim_end() })
    }

    /// The answer to [`Prompts::diagnose`] that is trained on: error type, first error, why (eq. 18).
    pub fn diagnosis_target(&self, diagnosis: &Diagnosis) -> Result<String, PromptError> {
        self.render(PromptKind::DiagnosisTarget, context! { diagnosis })
    }

    /// The user turn that asks for the right step after `prefix`, what the failed answer says before its first error;
    /// may be empty.
    pub fn repair(&self, question: &Question, prefix: &str, diagnosis: &Diagnosis) -> Result<String, PromptError> {
        let prefix = prefix.trim_end();
        self.render(PromptKind::Repair, context! { question => question.text, prefix, diagnosis })
    }

    /// The user turn that asks for a new short solution.
    pub fn new_trace(&self, question: &Question) -> Result<String, PromptError> {
        self.render(PromptKind::NewTrace, context! { question => question.text })
    }

    fn render(&self, kind: PromptKind, values: minijinja::Value) -> Result<String, PromptError> {
        let template = self.environment.get_template(kind.name()).map_err(|error| failure(kind, &error))?;
        template.render(values).map_err(|error| failure(kind, &error))
    }
}

fn failure(kind: PromptKind, error: &minijinja::Error) -> PromptError {
    PromptError { name: kind.name(), reason: format!("{error:#}") }
}

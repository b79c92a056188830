//! Who writes traces, judges steps, edits them and diagnoses failures.
//!
//! A teacher answers in text. Whatever it says is a proposal: the caller parses scores strictly onto the grid, checks
//! that a trace reaches the gold answer and that a diagnosis holds what it must, and asks again or leaves it to the
//! researcher where a check fails. That goes for rules as for models, so the rule-based teacher of the generated
//! world passes through the same gates.

use thiserror::Error;

use crate::domain::{Diagnosis, Question};

pub mod cache;
pub mod chat;
pub mod model;
pub mod openai;
pub mod pretraining;
pub mod prompts;
pub mod record;
pub mod replay;
pub mod rules;
pub mod usage;

pub use cache::{AnswerStore, CacheSettings, Cached, Stored};
pub use chat::{Chat, ChatRequest, Completion};
pub use model::{ModelSettings, ModelTeacher};
pub use openai::OpenAi;
pub use pretraining::Conversation;
pub use prompts::{PromptError, PromptKind, PromptSet, Prompts};
pub use record::RecordingTeacher;
pub use replay::ReplayTeacher;
pub use rules::RuleTeacher;
pub use usage::{Meter, Usage};

/// One who teaches. Step texts are those of the splitter; white space around them does not count. `attempt` is counted
/// from 0 per product: a product that fails its checks is asked for again with the next one.
pub trait Teacher: Send + Sync {
    /// Names the teacher in records, as in `rules`.
    fn name(&self) -> &str;

    /// Products that may be asked for at once, each from its own thread; rules need one.
    fn concurrency(&self) -> usize {
        1
    }

    /// Hash of the prompt that products of this kind are asked with; rules are asked without.
    fn prompt(&self, _kind: PromptKind) -> Option<String> {
        None
    }

    /// A full solution of `question` whose last line is `#### answer`; another `attempt` is another solution.
    fn trace(&self, question: &Question, attempt: u32) -> Result<String, TeacherError>;

    /// Importance I of step `index` of a trace (eq. 5): what the judge said, to be checked against the grid
    /// {0, .25, .5, .75, 1}.
    fn importance(
        &self,
        question: &Question,
        steps: &[String],
        index: usize,
        attempt: u32,
    ) -> Result<f64, TeacherError>;

    /// Jumpiness J of step `index` beside the steps before it (eq. 7), likewise; 0 for the first step.
    fn jumpiness(&self, question: &Question, steps: &[String], index: usize, attempt: u32)
    -> Result<f64, TeacherError>;

    /// `step` said shorter after the processed `prefix`; empty where nothing of it is worth keeping. Another `attempt` at an
    /// edit is another text, here as below.
    fn compress(&self, question: &Question, prefix: &str, step: &str, attempt: u32) -> Result<String, TeacherError>;

    /// `step` with the reasoning it jumps over.
    fn expand(&self, question: &Question, prefix: &str, step: &str, attempt: u32) -> Result<String, TeacherError>;

    /// `step` said so that a small student can follow; may be `step` itself (reading.md, row 18).
    fn localize(&self, question: &Question, prefix: &str, step: &str, attempt: u32) -> Result<String, TeacherError>;

    /// The diagnosis of a failed `response` (eq. 17), not yet checked. `reference` is a trace that reaches the gold
    /// answer, where there is one (reading.md, row 44).
    fn diagnose(
        &self,
        question: &Question,
        response: &str,
        reference: Option<&str>,
        attempt: u32,
    ) -> Result<Diagnosis, TeacherError>;

    /// More of what the student was pre-trained on, for the neutral arm; endless, and another for every `seed`. Only a
    /// teacher that knows the student's pre-training has it.
    fn neutral(&self, _seed: u64) -> Result<Box<dyn Iterator<Item = Conversation> + '_>, TeacherError> {
        Err(TeacherError::NoNeutralText(self.name().to_owned()))
    }
}

/// Why a teacher has no answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TeacherError {
    /// The rules know only the problems of their own world.
    #[error("the rule-based teacher does not know question `{0}`; it teaches the generated world only")]
    UnknownQuestion(String),
    /// The rules know only lines they could have written.
    #[error("the rule-based teacher does not recognise this step of question `{question}`: \"{step}\"")]
    UnknownStep {
        /// Which question.
        question: String,
        /// The step, shortened.
        step: String,
    },
    /// A step was asked for that the trace does not have.
    #[error("step {index} was asked for, but the trace of question `{question}` has {steps}")]
    NoSuchStep {
        /// Which question.
        question: String,
        /// Counted from 0.
        index: usize,
        /// How many there are.
        steps: usize,
    },
    /// There is nothing to diagnose.
    #[error("the response to question `{0}` reaches the right answer; there is no error to diagnose")]
    NothingWrong(String),
    /// There is no pre-training mix to draw from.
    #[error(
        "the teacher `{0}` does not know what the student was pre-trained on; the neutral arm needs the generated world"
    )]
    NoNeutralText(String),
    /// A template failed.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// A model gave no usable answer, however often it was asked: this product is lost, the next may not be.
    #[error("{0}")]
    Unanswered(String),
    /// The budget is spent; calls under way were let finish.
    #[error("{0}")]
    BudgetSpent(String),
    /// No call can succeed: a wrong key, a wrong address, a model that is not there.
    #[error("{0}")]
    Unusable(String),
    /// The run was stopped while an answer was awaited.
    #[error("stopped while the teacher was asked")]
    Cancelled,
}

impl TeacherError {
    /// Whether the run must stop. Otherwise only this product is lost, and goes to review with the error as its reason:
    /// also where the rules are asked about a text that a researcher wrote.
    pub fn stops_the_run(&self) -> bool {
        use TeacherError::{NoSuchStep, NothingWrong, Unanswered, UnknownStep};
        !matches!(self, Unanswered(_) | UnknownStep { .. } | NoSuchStep { .. } | NothingWrong(_))
    }
}

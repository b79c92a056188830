//! The way back from a training text: everything that stands behind it, as data.
//!
//! | file | idea |
//! |---|---|
//! | `mod` | what there is to say, as types |
//! | `find` | an id to its text; the nearest ids of one that is not there |
//! | `gather` | the records behind a text |
//! | `decisions` | who changed those records, when and why, from the audit log |
//!
//! Records are read as they stand now; what they were at the time of the training is in `decisions`.

mod decisions;
mod find;
mod gather;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use decisions::Decision;
pub use find::nearest;
pub use gather::{lineage, lineage_of};

use super::preview::offer;
use crate::domain::{Diagnosis, Message, Question, Rollout};
use crate::recipe::SamplingRecipe;
use crate::session::SessionError;

/// Why the way back cannot be shown.
#[derive(Debug, Error)]
pub enum LineageError {
    /// The session could not be read.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Nothing has this id.
    #[error("no training text has the id `{id}`{}", offer(.near))]
    Unknown {
        /// As asked for.
        id: String,
        /// The nearest ids.
        near: Vec<String>,
    },
}

/// Everything behind one training text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// The session.
    pub session: String,
    /// The text itself.
    pub text: TrainingText,
    /// The question it stems from, with its gold answer; `None` for neutral text.
    pub question: Option<Question>,
    /// The student's answers it goes back to.
    pub rollouts: Vec<RolloutsBehind>,
    /// The teacher's trace.
    pub trace: Option<TraceBehind>,
    /// The trace's steps: scores and what was done with each.
    pub steps: Option<StepsBehind>,
    /// The diagnosed failure.
    pub failure: Option<FailureBehind>,
    /// Who wrote and changed those records, oldest first.
    pub decisions: Vec<Decision>,
    /// Prompts by their hashes.
    pub prompts: Vec<PromptBehind>,
    /// The checkpoint that was trained on the text, its parent, and so on back to the base.
    pub checkpoints: Vec<CheckpointBehind>,
    /// Records that the text names and the session does not have.
    pub missing: Vec<String>,
}

/// A training text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingText {
    /// Its id: `i1/local/train-0042/03`.
    pub id: String,
    /// Its record's key: stage and position.
    pub key: String,
    /// What it is for.
    pub kind: String,
    /// The stage that trains on it.
    pub stage: String,
    /// Tokens it trains.
    pub tokens: u32,
    /// The conversation.
    pub messages: Vec<Message>,
    /// Keys of the records it was made from.
    pub lineage: Vec<String>,
}

/// The student's answers to the question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RolloutsBehind {
    /// Key of the record.
    pub key: String,
    /// Right answers, k.
    pub correct: u32,
    /// Answers, n.
    pub n: u32,
    /// Band of k and n by the recipe's edges; only where the stage bands questions.
    pub band: Option<String>,
    /// The verifier that judged them.
    pub verifier: String,
    /// Hash of the prompt they were asked with.
    pub prompt: String,
    /// The checkpoint that answered.
    pub checkpoint: String,
    /// How they were drawn.
    pub sampling: SamplingRecipe,
    /// All of them.
    pub rollouts: Vec<Rollout>,
}

/// The teacher's trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceBehind {
    /// Key of the record.
    pub key: String,
    /// Who wrote it.
    pub teacher: String,
    /// Attempts it took.
    pub attempts: u32,
    /// Where it stands.
    pub standing: Standing,
    /// The whole text.
    pub text: String,
}

/// Where a teacher's product stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// `approved`, `review`, … as stored; empty where the record has none.
    pub status: String,
    /// Why, where it was said.
    pub reason: Option<String>,
}

/// The steps of a hard trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepsBehind {
    /// Checkpoint under which D was measured.
    pub checkpoint: String,
    /// Threshold of importance.
    pub tau_i: f64,
    /// Threshold of jumpiness.
    pub tau_j: f64,
    /// Threshold of difficulty in force, nats per token; `None` before it was fixed.
    pub tau_d: Option<f64>,
    /// Where τ_D comes from.
    pub tau_d_source: Option<String>,
    /// Where the bridged trace stands.
    pub standing: Standing,
    /// In order.
    pub steps: Vec<StepBehind>,
}

/// One step: what it was, what it scored, what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepBehind {
    /// As the teacher wrote it.
    pub text: String,
    /// Importance I; `None` where the judge gave no usable answer.
    pub importance: Option<f64>,
    /// Jumpiness J.
    pub jumpiness: Option<f64>,
    /// Difficulty D, nats per token.
    pub difficulty: f64,
    /// Its tokens.
    pub tokens: u32,
    /// The chosen operation; `None` before the bridge.
    pub action: Option<String>,
    /// Why, in words.
    pub reason: Option<String>,
    /// After the edit; empty when it was dropped.
    pub edited: Option<String>,
    /// Whether it is also trained on its own.
    pub local: bool,
}

/// A diagnosed failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailureBehind {
    /// Key of the record.
    pub key: String,
    /// Index of the near-miss among the rollouts, from 0.
    pub near_miss: u32,
    /// Its score (eq. 30).
    pub score: f64,
    /// Whether it repeats itself.
    pub repetition: bool,
    /// The failed answer.
    pub response: String,
    /// The part of it before the first error.
    pub prefix: String,
    /// What the teacher said.
    pub diagnosis: Option<Diagnosis>,
    /// The verified trace the teacher was given beside it.
    pub reference: Option<String>,
    /// Where the diagnosis stands.
    pub standing: Standing,
}

/// A prompt behind the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptBehind {
    /// What was asked with it.
    pub of: String,
    /// First 12 hex digits of the SHA-256 of its template.
    pub hash: String,
    /// Whether the session recorded it. If not, it is the wording of this program for the same purpose, which is the
    /// run's as far as the recorded hashes agree.
    pub recorded: bool,
}

/// A checkpoint on the way back to the base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointBehind {
    /// Its id.
    pub id: String,
    /// Hash of the recipe; empty for the base.
    pub recipe: String,
    /// Hash of what it was trained on; empty for the base.
    pub data: String,
    /// SHA-256 of its weights; empty for the base.
    pub weights: String,
}

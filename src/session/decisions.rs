//! Where products stand, and what researchers decided about them.
//!
//! A product holds its standing and its last decision; the journal holds every value it ever had, with author, time and
//! reason. The record of a decision adds what neither has: what was decided together, and the way back.

use serde::{Deserialize, Serialize};

use super::{Author, Value};

/// Where a teacher's product stands. SFT reads approved and edited products only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "status")]
pub enum Status {
    /// Passed its checks, waits for the gate.
    Proposed,
    /// May be trained on as the teacher wrote it.
    Approved,
    /// A researcher changed it, and it passed its checks: may be trained on.
    Edited,
    /// A researcher does not want it; never trained on.
    Rejected {
        /// Why.
        reason: String,
    },
    /// Failed a check, or something about it needs a look; never trained on as it is.
    Review {
        /// What failed.
        reason: String,
    },
}

impl Status {
    /// Whether SFT may read the product.
    pub fn may_train(&self) -> bool {
        matches!(self, Status::Approved | Status::Edited)
    }

    /// The word for it, as stored and shown.
    pub fn name(&self) -> &'static str {
        match self {
            Status::Proposed => "proposed",
            Status::Approved => "approved",
            Status::Edited => "edited",
            Status::Rejected { .. } => "rejected",
            Status::Review { .. } => "review",
        }
    }

    /// Why it was rejected or put into review.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Status::Rejected { reason } | Status::Review { reason } => Some(reason),
            Status::Proposed | Status::Approved | Status::Edited => None,
        }
    }
}

/// Who decided last on a product, when and why. Products without it stand as the checks left them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// Who.
    pub by: Author,
    /// When, in unix milliseconds.
    pub at: u64,
    /// Why, where it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One decision of a researcher, on one or many products. Key: its number, eight digits. The products hold the values in
/// force and the journal holds all they ever had; what is kept here is the way back, so that an undo reads one record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReviewDecision {
    /// Who, when, why.
    #[serde(flatten)]
    pub decided: Decided,
    /// What was decided, in words.
    pub line: String,
    /// Whether it takes back or restores another one.
    pub kind: DecisionKind,
    /// What it changed.
    pub changes: Vec<DecidedChange>,
}

/// What a decision is to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecisionKind {
    /// A new one.
    Made,
    /// Takes back the decision of this number.
    Undo(u64),
    /// Restores the decision of this number.
    Redo(u64),
}

/// One product that a decision changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecidedChange {
    /// Table and key of the product: `bridge/train-0042`.
    pub product: String,
    /// The fields that were other before, with their values then; `null` where a field was not there.
    pub before: Value,
    /// Hash of the value the decision left, by which a change from elsewhere is noticed.
    pub left: String,
}

/// A prompt of the session that a researcher changed after its start. Key: the prompt's name. The session's own file holds
/// the text in force; the journal holds every change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptChange {
    /// Who, when, why.
    #[serde(flatten)]
    pub decided: Decided,
    /// The text as it was.
    pub before: String,
    /// The text from here on.
    pub text: String,
    /// Hash of that text, as products name it.
    pub hash: String,
}

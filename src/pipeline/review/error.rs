//! Why a request was refused, in one line.

use thiserror::Error;

use super::product::ProductId;
use crate::session::SessionError;

/// Why a request was refused. Nothing was changed.
#[derive(Debug, Error)]
pub enum ReviewError {
    /// The session could not be read or written.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The session's recipe does not read.
    #[error(transparent)]
    Recipe(#[from] crate::recipe::RecipeError),
    /// No such product.
    #[error("there is no {0}; `footbridge review list` names what there is")]
    NoSuch(ProductId),
    /// The question of a product is not in the session.
    #[error("question `{0}` is not in this session")]
    NoQuestion(String),
    /// No such step.
    #[error("question `{question}` has {steps} steps, so there is no step {step}; steps are counted from 1")]
    NoStep {
        /// Question id.
        question: String,
        /// As asked for.
        step: usize,
        /// How many there are.
        steps: usize,
    },
    /// The product, as it stands or as it would stand, fails a check.
    #[error("{product}: {fault}")]
    Check {
        /// The product.
        product: ProductId,
        /// What is wrong with it.
        fault: String,
    },
    /// A score outside its range.
    #[error("{0}")]
    Score(String),
    /// An operation needs a text, and nobody is there to write it.
    #[error(
        "{action} of step {step} needs a text: none was made before, and {why}; give one (`--text`), or choose keep or drop"
    )]
    NeedsText {
        /// The operation.
        action: &'static str,
        /// Which step, from 1.
        step: usize,
        /// Why the teacher does not write it.
        why: String,
    },
    /// A teacher is needed and none is at hand, or it had no answer.
    #[error("the teacher was not of help: {0}")]
    Teacher(String),
    /// A rejection without a reason.
    #[error("a rejection needs a reason")]
    NoReason,
    /// Nothing fits the filter, or everything already stands so.
    #[error("nothing to decide: {0}")]
    Nothing(String),
    /// The product was changed by something that is no decision.
    #[error("{0} was changed by something else since that decision; it cannot be restored")]
    ChangedSince(ProductId),
    /// The request does not fit the product.
    #[error("{0}")]
    Unfit(String),
}

impl ReviewError {
    /// Whether the session itself failed, which stops a run. A refusal does not.
    pub fn stops_the_run(&self) -> bool {
        matches!(self, Self::Session(_))
    }
}

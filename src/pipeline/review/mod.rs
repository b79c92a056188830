//! What a researcher may decide about the teacher's products, as commands over a session.
//!
//! A [`Request`] says who wants what; [`apply`] checks it, changes the products it names and those that follow from them
//! (an override changes the bridged trace and its local samples, of that question only), and writes everything as one
//! frame of the journal together with the decision. It needs no screen and no run: a run applies requests between two
//! items and at its gates ([`live`]), the shell applies them to a session that stands still ([`offline`]).
//!
//! Decisions are only ever added. An undo is a decision that restores what stood before ([`history`]).

mod act;
mod again;
mod bulk;
mod check;
pub mod desk;
mod diagnosis;
mod error;
pub mod history;
mod list;
pub mod live;
mod measure;
pub mod offline;
mod overrule;
mod product;
pub mod rebridge;
mod rescore;
mod trained;

pub use act::{Act, Chosen, Request, ScoreName, Which};
pub use check::check;
pub use desk::{Desk, Losses, StepLosses};
pub use diagnosis::FIELDS;
pub use error::ReviewError;
pub use list::{Filter, list};
pub use measure::EngineLosses;
pub use product::{Kind, Product, ProductId};

/// What a request did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Number of the decision.
    pub decision: u64,
    /// What was decided, in words.
    pub line: String,
    /// The products it changed, in order.
    pub products: Vec<ProductId>,
    /// What the researcher should know: a score that was not measured, a stage that has trained on the product.
    pub notes: Vec<String>,
}

/// Applies one request, all or nothing.
///
/// # Errors
/// A [`ReviewError`] that says why it was refused; nothing is changed then.
pub fn apply(desk: &Desk<'_>, request: &Request) -> Result<Applied, ReviewError> {
    let changes = match &request.act {
        Act::Approve { what } => bulk::approve(desk, what)?,
        Act::Reject { what } => bulk::reject(desk, what, request.reason.as_deref())?,
        Act::EditTrace { question, text } => rescore::edit_trace(desk, question, text)?,
        Act::SetScore { question, step, score, value } => rescore::set_score(desk, question, *step, *score, *value)?,
        Act::OverrideAction { question, step, action, local, text } => {
            overrule::action(desk, question, *step, (*action, *local), text.as_deref())?
        }
        Act::OverrideActions { steps } => overrule::actions(desk, steps)?,
        Act::EditStep { question, step, text } => overrule::text(desk, question, *step, text)?,
        Act::SplitStep { question, step, at } => rescore::split(desk, question, *step, *at)?,
        Act::MergeSteps { question, step } => rescore::merge(desk, question, *step)?,
        Act::EditDiagnosis { product, fields } => diagnosis::edit(desk, product, fields)?,
        Act::AskAgain { product, step } => again::ask(desk, product, *step)?,
        Act::Undo { of } => return history::undo(desk, request, of.as_ref()),
        Act::Redo { of } => return history::redo(desk, request, of.as_ref()),
    };
    history::record(desk, request, changes)
}

//! Requests to a session that stands still: open, apply, close. Whoever can help without a run is called only where the
//! request needs it.

use std::sync::Arc;

use super::act::Act;
use super::desk::Desk;
use super::error::ReviewError;
use super::measure::EngineLosses;
use super::product::Kind;
use super::{Applied, Request, apply};
use crate::pipeline::context::StageError;
use crate::pipeline::engine::Engine;
use crate::pipeline::teaching::{self, Teaching};
use crate::recipe::Recipe;
use crate::session::Session;
use crate::teacher::{Prompts, Teacher};

/// Applies a request to a session that no run holds. The recipe's teacher is asked where the request needs one, and the
/// student measures D where steps change; where they cannot be had, it is said why.
///
/// # Errors
/// As [`apply`].
pub fn decide(session: &Session, recipe: &Recipe, request: &Request) -> Result<Applied, ReviewError> {
    let mut desk = Desk::new(session, recipe)?;
    if !may_ask(&request.act) {
        return apply(&desk, request);
    }
    let prompts = prompts(session, recipe).map_err(|error| ReviewError::Unfit(error.to_string()))?;
    let teacher = teacher(recipe, &prompts);
    match &teacher {
        Ok(teacher) => desk.teacher = Some(teacher.as_ref()),
        Err(error) => desk.absent = Some(error.to_string()),
    }
    if !may_measure(&request.act) {
        return apply(&desk, request);
    }
    match Engine::start(&recipe.student, 1) {
        Ok(engine) => {
            let student = EngineLosses { engine: &engine, session, prompts: &prompts };
            desk.student = Some(&student);
            apply(&desk, request)
        }
        // Without a student the scores go to review, and it is said.
        Err(_) => apply(&desk, request),
    }
}

/// The session's prompts.
fn prompts(session: &Session, recipe: &Recipe) -> Result<Arc<Prompts>, StageError> {
    let begun_with = teaching::prompts(&teaching::resumed(recipe, session))?;
    Ok(Arc::new(teaching::prompts_of(session, begun_with)?))
}

/// The recipe's teacher. Its answers are in the products it makes here, not in the session's store of answers.
fn teacher(recipe: &Recipe, prompts: &Arc<Prompts>) -> Result<Box<dyn Teacher>, StageError> {
    Ok(Teaching::prepare(recipe, 1, &mut |_| ())?.try_out(recipe, prompts, |chat| chat)?)
}

/// Whether a teacher may be of help.
fn may_ask(act: &Act) -> bool {
    match act {
        Act::OverrideAction { text, .. } => text.is_none(),
        Act::EditTrace { .. } | Act::SetScore { .. } | Act::SplitStep { .. } | Act::MergeSteps { .. } => true,
        Act::AskAgain { .. } | Act::OverrideActions { .. } => true,
        Act::Approve { .. } | Act::Reject { .. } | Act::EditStep { .. } | Act::EditDiagnosis { .. } => false,
        Act::Undo { .. } | Act::Redo { .. } => false,
    }
}

/// Whether D of a step may change.
fn may_measure(act: &Act) -> bool {
    match act {
        Act::EditTrace { .. } | Act::SplitStep { .. } => true,
        Act::AskAgain { product, .. } => product.kind == Kind::Trace,
        _ => false,
    }
}

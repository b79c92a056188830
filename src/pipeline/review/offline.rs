//! Requests to a session that stands still: open, apply, close. Whoever can help without a run is called only where the
//! request needs it.

use super::act::Act;
use super::desk::Desk;
use super::error::ReviewError;
use super::measure::EngineLosses;
use super::product::Kind;
use super::{Applied, Request, apply};
use crate::pipeline::engine::Engine;
use crate::pipeline::material::world_of;
use crate::recipe::Recipe;
use crate::session::Session;
use crate::teacher::{Prompts, RuleTeacher};

/// Applies a request to a session that no run holds. The rules help where the questions are theirs, and the student
/// measures D where steps change.
///
/// # Errors
/// As [`apply`].
pub fn decide(session: &Session, recipe: &Recipe, request: &Request) -> Result<Applied, ReviewError> {
    let mut desk = Desk::new(session, recipe)?;
    let world = recipe.data.source == "world";
    let rules = if world && may_ask(&request.act) {
        let world = world_of(recipe).map_err(|error| ReviewError::Unfit(error.to_string()))?;
        Some(RuleTeacher::new(world, recipe.seed))
    } else {
        None
    };
    desk.teacher = rules.as_ref().map(|rules| rules as _);
    if !may_measure(&request.act) {
        return apply(&desk, request);
    }
    let prompts = if world { Prompts::world() } else { Prompts::standard() };
    match (Engine::start(&recipe.student, 1), prompts) {
        (Ok(engine), Ok(prompts)) => {
            let student = EngineLosses { engine: &engine, session, prompts: &prompts };
            desk.student = Some(&student);
            apply(&desk, request)
        }
        // Without a student the scores go to review, and it is said.
        _ => apply(&desk, request),
    }
}

/// Whether a teacher may be of help.
fn may_ask(act: &Act) -> bool {
    match act {
        Act::OverrideAction { text, .. } => text.is_none(),
        Act::EditTrace { .. } | Act::SetScore { .. } | Act::SplitStep { .. } | Act::MergeSteps { .. } => true,
        Act::AskAgain { .. } => true,
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

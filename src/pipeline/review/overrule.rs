//! A researcher chooses a step's operation, or writes its text. Only the bridged trace of that question and its local
//! samples are built anew; scores and trace stay.

use std::collections::BTreeMap;

use super::act::Chosen;
use super::desk::{Desk, standing};
use super::error::ReviewError;
use super::history::Changes;
use super::product::{Kind, Product, ProductId};
use super::rebridge::{Built, Ground, Hint, Wanted, build};
use crate::domain::bridging::needs_text;
use crate::domain::{Action, Decision, Question};
use crate::recipe::Gate;
use crate::session::records::{BridgedTrace, ScoredStep, Status};

pub(super) fn action(
    desk: &Desk<'_>,
    id: &str,
    step: usize,
    (action, local): (Action, Option<bool>),
    text: Option<&str>,
) -> Result<Changes, ReviewError> {
    let mut bridge = desk.bridge(id)?;
    let at = place(id, step, bridge.steps.len())?;
    let was = bridge.steps[at].action;
    let mut hints: Vec<Hint> = bridge.steps.iter().map(Hint::of).collect();
    if text.is_some() && !needs_text(action) {
        return Err(ReviewError::Unfit(format!(
            "{} takes no text; choose compress, expand or localize to write your own",
            action.as_str()
        )));
    }
    hints[at].fixed = Some(chosen(&bridge, at, action, local));
    if let Some(text) = text {
        hints[at].texts.insert(action, own(text, action, step)?);
    }
    rebuild(desk, &mut bridge, hints)?;
    let line = format!("step {step} of {id}: {} → {}", was.as_str(), action.as_str());
    Ok(Changes::one(line, ProductId::new(Kind::Bridge, id), Product::Bridge(bridge)))
}

/// The operations of many steps. A question that cannot be built so stays as it is, which is noted; where none can, the
/// first refusal is the answer.
pub(super) fn actions(desk: &Desk<'_>, steps: &[Chosen]) -> Result<Changes, ReviewError> {
    let mut by_question: BTreeMap<&str, Vec<&Chosen>> = BTreeMap::new();
    for step in steps {
        by_question.entry(&step.question).or_default().push(step);
    }
    let (mut changes, mut refused, mut changed) = (Changes::default(), Vec::new(), 0);
    for (id, steps) in &by_question {
        match many(desk, id, steps) {
            Ok(bridge) => {
                changed += steps.len();
                changes.put(ProductId::new(Kind::Bridge, *id), Product::Bridge(bridge));
            }
            Err(ReviewError::Session(error)) => return Err(error.into()),
            Err(error) => refused.push(error),
        }
    }
    changes.notes.extend(refused.iter().map(|error| format!("left as it is: {error}")));
    if changes.is_empty() {
        let nothing = || ReviewError::Nothing("no step was named".into());
        return Err(refused.into_iter().next().unwrap_or_else(nothing));
    }
    changes.line = format!("chose the operation of {changed} steps of {} questions", by_question.len() - refused.len());
    Ok(changes)
}

/// One question with several steps chosen.
fn many(desk: &Desk<'_>, id: &str, steps: &[&Chosen]) -> Result<BridgedTrace, ReviewError> {
    let mut bridge = desk.bridge(id)?;
    let mut hints: Vec<Hint> = bridge.steps.iter().map(Hint::of).collect();
    for Chosen { step, action, local, .. } in steps {
        let at = place(id, *step, hints.len())?;
        hints[at].fixed = Some(chosen(&bridge, at, *action, *local));
    }
    rebuild(desk, &mut bridge, hints)?;
    Ok(bridge)
}

/// A researcher's decision on a step. Whether an expanded step is a local sample stays as it was where it isn't said.
fn chosen(bridge: &BridgedTrace, at: usize, action: Action, local: Option<bool>) -> Decision {
    let was = bridge.steps[at].action;
    let old_local = bridge.bridged.locals.iter().any(|l| l.step == at);
    let with_local = local.unwrap_or(action == Action::Expand && was == Action::Expand && old_local);
    let why = format!("chosen by hand instead of {}", was.as_str());
    let why = if was == action { "confirmed by hand".to_string() } else { why };
    Decision::overruled(action, with_local, &why)
}

pub(super) fn text(desk: &Desk<'_>, id: &str, step: usize, text: &str) -> Result<Changes, ReviewError> {
    let mut bridge = desk.bridge(id)?;
    let at = place(id, step, bridge.steps.len())?;
    let action = bridge.steps[at].action;
    if !needs_text(action) {
        return Err(ReviewError::Unfit(format!(
            "step {step} of {id} is {}, so it has no text of its own; choose compress, expand or localize with your text, \
             or edit the trace",
            if action == Action::Keep { "kept" } else { "dropped" }
        )));
    }
    let mut hints: Vec<Hint> = bridge.steps.iter().map(Hint::of).collect();
    hints[at].texts.insert(action, own(text, action, step)?);
    rebuild(desk, &mut bridge, hints)?;
    let line = format!("wrote step {step} of {id}");
    Ok(Changes::one(line, ProductId::new(Kind::Bridge, id), Product::Bridge(bridge)))
}

/// The position of a step counted from 1.
pub(super) fn place(question: &str, step: usize, steps: usize) -> Result<usize, ReviewError> {
    let missing = || ReviewError::NoStep { question: question.into(), step, steps };
    step.checked_sub(1).filter(|at| *at < steps).ok_or_else(missing)
}

/// A hand-written text; only a compressed step may be empty.
fn own(text: &str, action: Action, step: usize) -> Result<String, ReviewError> {
    let text = text.trim();
    if text.is_empty() && action != Action::Compress {
        return Err(ReviewError::Unfit(format!("the text of step {step} is empty; choose drop to leave the step out")));
    }
    Ok(text.to_string())
}

/// Builds a bridge that the researcher changed.
fn rebuild(desk: &Desk<'_>, bridge: &mut BridgedTrace, hints: Vec<Hint>) -> Result<(), ReviewError> {
    let question = desk.question(&bridge.question)?;
    let (trace, scores) = (desk.trace(&bridge.question)?, desk.scores(&bridge.question)?);
    let Built { steps, bridged, fault } = rebuilt(desk, &question, (&trace.text, &scores.steps), (hints, 0))?;
    if let Some(fault) = super::check::answer(desk, &bridged.text, &question) {
        return Err(ReviewError::Check { product: ProductId::new(Kind::Bridge, &question.id), fault });
    }
    bridge.status = match fault {
        Some(reason) => Status::Review { reason },
        None => Status::Edited,
    };
    (bridge.steps, bridge.bridged) = (steps, bridged);
    Ok(())
}

/// The bridge of a question from what is known; what is not known is asked of the teacher at hand. An edit that was made
/// before comes back the same from the answers that are kept; another `attempt` gives another.
pub(super) fn rebuilt(
    desk: &Desk<'_>,
    question: &Question,
    (trace, steps): (&str, &[ScoredStep]),
    (hints, attempt): (Vec<Hint>, u32),
) -> Result<Built, ReviewError> {
    let ground = Ground {
        question,
        trace,
        steps,
        thresholds: &desk.thresholds()?,
        removed: &desk.recipe.bridge.without,
        max_steps: desk.recipe.bridge.max_steps,
        verifier: desk.verifier,
    };
    build(&ground, hints, |wanted: &Wanted<'_>| {
        let needs = |why: String| ReviewError::NeedsText { action: wanted.action.as_str(), step: wanted.step + 1, why };
        let teacher = desk.teacher.ok_or_else(|| needs(desk.nobody()))?;
        wanted.ask(teacher, question, attempt).map(Ok).map_err(|error| needs(error.to_string()))
    })
}

/// Where a bridge stands after what it was built from was changed. One that reads as before keeps its standing.
pub(super) fn follow(old: &BridgedTrace, built: &Built, gate: Gate) -> Status {
    let same = old.bridged == built.bridged;
    match (&old.status, &built.fault) {
        (Status::Rejected { .. }, _) => old.status.clone(),
        (_, Some(reason)) => Status::Review { reason: reason.clone() },
        (Status::Edited, None) => Status::Edited,
        (Status::Proposed | Status::Approved, None) if same => old.status.clone(),
        (_, None) => standing(None, gate),
    }
}

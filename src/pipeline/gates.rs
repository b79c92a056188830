//! Gates stand after bridge decisions and after diagnoses: `auto` lets pass what passed its checks, `review` waits for
//! the researcher. While it waits, requests for review are applied; it is passed by a command, not by the last decision.
//! Passing approves what still waits, leaving approves nothing. What is not approved or edited then stays out, and is
//! counted.

use super::context::{Context, StageError, Summary};
use super::control::AtGate;
use super::events::{Event, Level, StageKind};
use super::review::{Act, Filter, Kind, Request, ReviewError, Which, apply, list};
use crate::session::records::Status;

/// Waits at the gate behind this stage, if one stands there and something waits; then says what stays out.
///
/// # Errors
/// A run that was cancelled, a session that cannot be read or written.
pub fn pass(cx: &Context, summary: Summary) -> Result<Summary, StageError> {
    let Some(here) = here(cx) else { return Ok(summary) };
    cx.attend()?;
    let pending = waiting(cx, &here)?;
    if pending > 0 {
        cx.control.close_gate();
        wait(cx, &here, pending)?;
    }
    Ok(Summary { text: summary.text + &left_out(cx, &here)?, ..summary })
}

/// What stands at the gate behind this stage.
fn here(cx: &Context) -> Option<Filter> {
    let of = |kind| Filter { kind: Some(kind), ..Filter::default() };
    match cx.stage.kind {
        StageKind::Bridge => Some(of(Kind::Bridge)),
        StageKind::Recycle => Some(Filter { iteration: Some(cx.stage.iteration), ..of(Kind::Recycled) }),
        _ => None,
    }
}

fn waiting(cx: &Context, here: &Filter) -> Result<u64, StageError> {
    let proposed = Filter { status: Some(Status::Proposed.name().into()), ..here.clone() };
    Ok(list(cx.session, &proposed)?.len() as u64)
}

fn wait(cx: &Context, here: &Filter, mut pending: u64) -> Result<(), StageError> {
    loop {
        cx.emit.send(Event::GateWaiting { stage: cx.stage.clone(), pending });
        match cx.control.wait_for_gate()? {
            AtGate::Review => {
                cx.attend()?;
                pending = waiting(cx, here)?;
            }
            AtGate::Pass => {
                let approved = approve(cx, here)?;
                cx.emit.log(Level::Info, format!("{}: {approved} products approved by the researcher", cx.stage));
                return Ok(());
            }
            AtGate::Leave => {
                cx.emit.log(Level::Info, format!("{}: left with {pending} products unapproved", cx.stage));
                return Ok(());
            }
        }
    }
}

/// Approves what waits here, as one decision that can be taken back; gives how many it were.
fn approve(cx: &Context, here: &Filter) -> Result<usize, StageError> {
    let act = Act::Approve { what: Which::All(here.clone()) };
    let request = Request { by: None, reason: Some("passed the gate".into()), act };
    match cx.with_desk(|desk| apply(desk, &request)) {
        Ok(applied) => Ok(applied.products.len()),
        Err(ReviewError::Session(error)) => Err(error.into()),
        Err(ReviewError::Nothing(_)) => Ok(0),
        Err(error) => Err(cx.nothing(error.to_string())),
    }
}

/// What of this stage nobody trains on, in words.
fn left_out(cx: &Context, here: &Filter) -> Result<String, StageError> {
    let mut counts = [("rejected", 0), ("in review", 0), ("unapproved", 0)];
    for (_, product) in list(cx.session, here)? {
        match product.status() {
            Status::Rejected { .. } => counts[0].1 += 1,
            Status::Review { .. } if cx.stage.kind == StageKind::Bridge => counts[1].1 += 1,
            Status::Proposed => counts[2].1 += 1,
            // The stage counts its own reviews.
            Status::Review { .. } | Status::Approved | Status::Edited => {}
        }
    }
    let said = counts.iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{n} {what}"));
    let said = said.collect::<Vec<_>>().join(", ");
    Ok(if said.is_empty() { said } else { format!("; not trained on: {said}") })
}

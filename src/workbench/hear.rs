//! How what is known of the run changes with what it says. No clock, no terminal, no channel is touched here.

use std::time::Duration;

use super::stages::{StageRow, StageState};
use super::state::{Phase, State};
use super::text;
use crate::pipeline::events::{Event, Level, Outcome, StageId};

/// Takes in what the run said at `now`.
pub fn hear(state: &mut State, event: Event, now: Duration) {
    state.now = state.now.max(now);
    let now = state.now;
    match event {
        Event::RunStarted { session, seed, stages } => {
            state.session = text::printable(&session);
            state.seed = Some(seed);
            state.stages = stages.into_iter().map(StageRow::waiting).collect();
            work(state);
        }
        Event::StageStarted { stage, done, total, unit } => {
            state.gate = None;
            state.stand_or_go();
            row(state, &stage).start(done, total, &unit, now);
            work(state);
        }
        Event::StageProgress { stage, done, total, tokens, rate } => {
            row(state, &stage).progress(done, total, tokens, rate, now);
        }
        Event::StageFinished { stage, summary, seconds, tokens } => {
            row(state, &stage).finish(&summary, seconds, tokens);
            state.gate = state.gate.take().filter(|(gate, _)| *gate != stage);
            let name = row(state, &stage).name();
            let out = if summary.is_empty() { "done" } else { &summary };
            state.log.push(now, Level::Info, &format!("{name}: {out}"));
        }
        Event::Metric { stage, step, name, value } => {
            if !state.curves.add(&stage, step, &text::printable(&name), value) {
                state.log.push(now, Level::Warn, &format!("{name} of step {step} is not a number"));
            }
        }
        Event::Log { level, message } => state.log.push(now, level, &message),
        Event::GateWaiting { stage, pending } => {
            let name = row(state, &stage).name();
            state.log.push(now, Level::Info, &format!("{name}: {} wait for approval", text::count(pending)));
            state.gate = Some((stage, pending));
        }
        Event::Decided { line, notes, .. } => {
            state.log.push(now, Level::Info, &line);
            notes.iter().for_each(|note| state.log.push(now, Level::Warn, note));
        }
        Event::Refused { reason } => state.log.push(now, Level::Warn, &format!("refused: {reason}")),
        Event::Paused => state.phase = if state.phase == Phase::Stopping { Phase::Stopping } else { Phase::Paused },
        Event::Resumed => {
            if state.phase != Phase::Stopping {
                state.phase = Phase::Running;
            }
        }
        Event::RunFinished { outcome, seconds } => end(state, outcome, Some(seconds)),
    }
    state.stand_or_go();
}

/// The run is at work, unless something else was asked of it.
fn work(state: &mut State) {
    if state.phase == Phase::Starting {
        state.phase = Phase::Running;
    }
}

/// The row of a stage; one that was never announced is added at the end.
fn row<'a>(state: &'a mut State, stage: &StageId) -> &'a mut StageRow {
    let at = state.stages.iter().position(|row| row.id == *stage).unwrap_or_else(|| {
        state.stages.push(StageRow::waiting(stage.clone()));
        state.stages.len() - 1
    });
    &mut state.stages[at]
}

/// The run is over, after `seconds` of work where that is known.
pub fn end(state: &mut State, outcome: Outcome, seconds: Option<f64>) {
    if state.phase.over() {
        return;
    }
    let left_at = if matches!(outcome, Outcome::Failed { .. }) { StageState::Failed } else { StageState::Stopped };
    for row in state.stages.iter_mut().filter(|row| matches!(row.state, StageState::Running(_))) {
        row.state = left_at;
    }
    let worked = seconds.map_or(state.now, text::seconds);
    let took = text::clock(worked);
    match &outcome {
        Outcome::Done => state.log.push(state.now, Level::Info, &format!("the run is complete after {took}")),
        Outcome::Cancelled => state.log.push(state.now, Level::Info, &format!("stopped after {took}")),
        Outcome::Failed { reason } => state.log.push(state.now, Level::Error, &format!("the run failed: {reason}")),
    }
    if outcome != Outcome::Done {
        let resume = format!("go on with: {}", state.resume);
        state.log.push(state.now, Level::Info, &resume);
    }
    (state.ended, state.gate) = (Some(worked), None);
    state.phase = Phase::Ended(outcome);
}

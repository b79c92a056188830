//! How the screen's knowledge changes: a pure function from state and message to state and effects. No clock, no
//! terminal, no channel is touched here.

use std::time::Duration;

use crossterm::event::{KeyEvent, KeyEventKind};

use super::action::{self, Action};
use super::stages::{StageRow, StageState};
use super::state::{Layer, Pane, Phase, State};
use super::text;
use crate::pipeline::events::{Command, Event, Level, Outcome, StageId};

/// Entries or lines that a page key moves.
const PAGE: isize = 10;

/// What can happen to the screen.
#[derive(Clone, Debug)]
pub enum Msg {
    /// The run said something.
    Run(Event),
    /// The run's thread returned.
    Ended(Outcome),
    /// A key was pressed.
    Key(KeyEvent),
    /// Time passed.
    Tick,
}

/// What the screen wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Tell the run.
    Send(Command),
    /// Close the screen.
    Leave,
    /// Forget what is on the terminal and draw everything.
    Redraw,
}

/// Takes in what happened at `now` (time since the screen opened) and says what is to be done.
pub fn update(state: &mut State, msg: Msg, now: Duration) -> Vec<Effect> {
    state.now = state.now.max(now);
    match msg {
        Msg::Run(event) => hear(state, event),
        Msg::Ended(outcome) => end(state, outcome, None),
        Msg::Key(key) if key.kind == KeyEventKind::Release => vec![],
        Msg::Key(key) => match action::action_for(state, &key) {
            Some(action) => act(state, action),
            None => vec![],
        },
        Msg::Tick => vec![],
    }
}

fn hear(state: &mut State, event: Event) -> Vec<Effect> {
    let now = state.now;
    match event {
        Event::RunStarted { session, seed, stages } => {
            state.session = text::printable(&session);
            state.seed = Some(seed);
            state.stages = stages.into_iter().map(StageRow::waiting).collect();
            work(state);
        }
        Event::StageStarted { stage, done, total, unit } => {
            row(state, &stage).start(done, total, &unit, now);
            state.gate = None;
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
            state.stages.iter_mut().for_each(|row| row.skip_pause(now));
            if state.phase != Phase::Stopping {
                state.phase = Phase::Running;
            }
        }
        Event::RunFinished { outcome, seconds } => return end(state, outcome, Some(seconds)),
    }
    vec![]
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

fn end(state: &mut State, outcome: Outcome, seconds: Option<f64>) -> Vec<Effect> {
    if state.phase.over() {
        return vec![];
    }
    let asked = state.phase == Phase::Stopping;
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
    state.layers.retain(|layer| *layer != Layer::AskStop);
    (state.ended, state.gate) = (Some(worked), None);
    let leave = asked && outcome == Outcome::Cancelled;
    state.phase = Phase::Ended(outcome);
    if leave { vec![Effect::Leave] } else { vec![] }
}

fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Quit => return quit(state),
        Action::Stop => return stop(state),
        Action::Pause => return pause(state),
        Action::PassGate => {
            state.gate = None;
            return vec![Effect::Send(Command::PassGate)];
        }
        Action::Redraw => return vec![Effect::Redraw],
        Action::Help => state.layers.push(Layer::Help { scroll: 0 }),
        Action::Close => drop(state.layers.pop()),
        Action::NextPane | Action::PreviousPane => {
            state.pane = if state.pane == Pane::Log { Pane::Stages } else { Pane::Log };
        }
        Action::NextCurve => next_curve(state),
        Action::Down => scroll(state, 1),
        Action::Up => scroll(state, -1),
        Action::PageDown => scroll(state, PAGE),
        Action::PageUp => scroll(state, -PAGE),
        Action::Top => scroll(state, isize::MIN),
        Action::Bottom => scroll(state, isize::MAX),
    }
    vec![]
}

fn quit(state: &mut State) -> Vec<Effect> {
    match state.phase {
        Phase::Ended(_) | Phase::Stopping => vec![Effect::Leave],
        _ => {
            state.layers.retain(|layer| *layer != Layer::AskStop);
            state.layers.push(Layer::AskStop);
            vec![]
        }
    }
}

fn stop(state: &mut State) -> Vec<Effect> {
    state.layers.clear();
    if state.phase.over() {
        return vec![Effect::Leave];
    }
    state.phase = Phase::Stopping;
    state.log.push(state.now, Level::Info, "stopping after the current step");
    vec![Effect::Send(Command::Cancel)]
}

fn pause(state: &mut State) -> Vec<Effect> {
    match state.phase {
        Phase::Running => {
            state.phase = Phase::Pausing;
            vec![Effect::Send(Command::Pause)]
        }
        Phase::Pausing => {
            state.phase = Phase::Running;
            vec![Effect::Send(Command::Resume)]
        }
        Phase::Paused => vec![Effect::Send(Command::Resume)],
        _ => vec![],
    }
}

fn next_curve(state: &mut State) {
    let Some((family, name)) = state.main_curve() else { return };
    let all = state.curves.all();
    let at = all.iter().position(|curve| curve.family == family && curve.name == name).unwrap_or(0);
    let next = &all[(at + 1) % all.len()];
    state.chosen_curve = Some((next.family, next.name.clone()));
}

/// Scrolls what lies on top, else the focused pane.
fn scroll(state: &mut State, by: isize) {
    let current = state.current().unwrap_or(0);
    let last = state.stages.len().saturating_sub(1);
    match (state.layers.last_mut(), state.pane) {
        (Some(Layer::Help { scroll }), _) => *scroll = scroll.saturating_add_signed(by).min(super::view::help_lines()),
        (Some(Layer::AskStop), _) => {}
        (None, Pane::Log) if by == isize::MAX => state.log.to_bottom(),
        (None, Pane::Log) => state.log.scroll(by),
        (None, Pane::Stages) if by == isize::MAX => state.selected_stage = None,
        (None, Pane::Stages) => {
            let to = state.selected_stage.unwrap_or(current).saturating_add_signed(by);
            state.selected_stage = Some(to.min(last));
        }
    }
}

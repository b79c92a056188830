//! The update function, message by message.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use footbridge::pipeline::events::{Command, Event, Level, Outcome, StageKind};
use footbridge::workbench::action::hints;
use footbridge::workbench::stages::StageState;
use footbridge::workbench::state::{Layer, Pane, Phase, State};
use footbridge::workbench::update::{Effect, Msg, update};

use super::script::{ended, played, run_until, stage};

pub fn press(c: char) -> Msg {
    key(KeyCode::Char(c), KeyModifiers::NONE)
}

pub fn key(code: KeyCode, modifiers: KeyModifiers) -> Msg {
    Msg::Key(KeyEvent::new(code, modifiers))
}

fn control_c() -> Msg {
    key(KeyCode::Char('c'), KeyModifiers::CONTROL)
}

/// Effects of one message, at the state's own time.
pub fn tell(state: &mut State, msg: Msg) -> Vec<Effect> {
    let now = state.now;
    update(state, msg, now)
}

fn running() -> State {
    played(run_until(11, 0.5))
}

#[test]
fn q_asks_before_a_running_run_is_stopped() {
    let mut state = running();
    assert_eq!(tell(&mut state, press('q')), []);
    assert_eq!(state.layer(), Some(Layer::AskStop));
    assert_eq!(tell(&mut state, press('n')), []);
    assert_eq!((state.layer(), &state.phase), (None, &Phase::Running));
    tell(&mut state, press('q'));
    assert_eq!(tell(&mut state, press('y')), [Effect::Send(Command::Cancel)]);
    assert_eq!((state.layer(), &state.phase), (None, &Phase::Stopping));
    let (_, event) = ended(Outcome::Cancelled, 4.0);
    assert_eq!(tell(&mut state, Msg::Run(event)), [Effect::Leave]);
}

#[test]
fn q_while_stopping_leaves_at_once() {
    let mut state = running();
    tell(&mut state, press('q'));
    tell(&mut state, press('y'));
    assert_eq!(tell(&mut state, press('q')), [Effect::Leave]);
}

#[test]
fn three_times_control_c_leaves_whatever_is_on_screen() {
    let mut state = running();
    tell(&mut state, press('?'));
    assert_eq!(tell(&mut state, control_c()), []);
    assert_eq!(tell(&mut state, control_c()), [Effect::Send(Command::Cancel)]);
    assert_eq!(tell(&mut state, control_c()), [Effect::Leave]);
}

#[test]
fn a_run_that_is_over_stays_on_screen_until_q() {
    for outcome in [Outcome::Done, Outcome::Cancelled, Outcome::Failed { reason: "no space".into() }] {
        let mut state = running();
        let (_, event) = ended(outcome.clone(), 9.0);
        assert_eq!(tell(&mut state, Msg::Run(event)), []);
        assert_eq!(tell(&mut state, Msg::Ended(outcome.clone())), []);
        assert_eq!(state.phase, Phase::Ended(outcome));
        assert_eq!(tell(&mut state, press('q')), [Effect::Leave]);
    }
}

#[test]
fn a_run_that_ends_while_the_question_is_open_closes_it() {
    let mut state = running();
    tell(&mut state, press('q'));
    tell(&mut state, Msg::Ended(Outcome::Done));
    assert_eq!(state.layer(), None);
}

#[test]
fn a_thread_that_returns_without_a_last_event_is_an_ending() {
    let mut state = running();
    let reason = "a defect".to_string();
    tell(&mut state, Msg::Ended(Outcome::Failed { reason: reason.clone() }));
    assert_eq!(state.phase, Phase::Ended(Outcome::Failed { reason }));
    assert_eq!(state.stages[11].state, StageState::Failed);
    assert_eq!(state.log.alarms(), (1, 1));
}

#[test]
fn p_pauses_and_goes_on() {
    let mut state = running();
    assert_eq!(tell(&mut state, press('p')), [Effect::Send(Command::Pause)]);
    assert_eq!(state.phase, Phase::Pausing);
    tell(&mut state, Msg::Run(Event::Paused));
    assert_eq!(state.phase, Phase::Paused);
    assert!(!state.phase.ticking(), "a paused screen must not redraw");
    assert_eq!(tell(&mut state, press('p')), [Effect::Send(Command::Resume)]);
    tell(&mut state, Msg::Run(Event::Resumed));
    assert_eq!(state.phase, Phase::Running);
    tell(&mut state, press('p'));
    assert_eq!(tell(&mut state, press('p')), [Effect::Send(Command::Resume)]);
    assert_eq!(state.phase, Phase::Running);
}

#[test]
fn a_waiting_gate_is_passed_with_a() {
    let mut state = running();
    assert_eq!(tell(&mut state, press('a')), []);
    let gate = stage(1, StageKind::Bridge, "");
    tell(&mut state, Msg::Run(Event::GateWaiting { stage: gate.clone(), pending: 3 }));
    assert!(hints(&state).iter().any(|(key, label)| key == "a" && label.contains("approve")));
    assert_eq!(tell(&mut state, press('a')), [Effect::Send(Command::PassGate)]);
    assert_eq!(state.gate, None);
    assert!(!hints(&state).iter().any(|(key, _)| key == "a"));
}

#[test]
fn help_is_a_layer_that_escape_leaves() {
    let mut state = running();
    tell(&mut state, press('?'));
    assert_eq!(state.layer(), Some(Layer::Help { scroll: 0 }));
    tell(&mut state, press('j'));
    assert_eq!(state.layer(), Some(Layer::Help { scroll: 1 }));
    tell(&mut state, key(KeyCode::Esc, KeyModifiers::NONE));
    assert_eq!(state.layer(), None);
    assert_eq!(tell(&mut state, key(KeyCode::Esc, KeyModifiers::NONE)), []);
}

#[test]
fn scroll_keys_act_on_the_focused_pane() {
    let mut state = running();
    let lines = |state: &State| state.log.upwards().count();
    let all = lines(&state);
    tell(&mut state, press('k'));
    assert_eq!((lines(&state), state.log.below()), (all - 1, 1));
    tell(&mut state, press('G'));
    assert_eq!(lines(&state), all);
    tell(&mut state, key(KeyCode::Tab, KeyModifiers::NONE));
    assert_eq!(state.pane, Pane::Stages);
    tell(&mut state, press('k'));
    assert_eq!(state.selected_stage, Some(10));
    tell(&mut state, key(KeyCode::PageDown, KeyModifiers::NONE));
    assert_eq!(state.selected_stage, Some(19));
    tell(&mut state, press('g'));
    assert_eq!(state.selected_stage, Some(0));
    tell(&mut state, press('G'));
    assert_eq!(state.selected_stage, None);
}

#[test]
fn c_shows_one_curve_after_the_other_and_comes_round() {
    let mut state = running();
    let mut seen = vec![state.main_curve().unwrap().1.to_string()];
    assert_eq!(seen, ["reward"]);
    for _ in 0..state.curves.all().len() {
        tell(&mut state, press('c'));
        seen.push(state.main_curve().unwrap().1.to_string());
    }
    assert_eq!(seen.first(), seen.last());
    assert!(seen.contains(&"loss".to_string()) && seen.contains(&"kl".to_string()));
}

#[test]
fn releases_of_keys_and_unknown_keys_do_nothing() {
    let mut state = running();
    let before = format!("{state:?}");
    let release = KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release);
    assert_eq!(tell(&mut state, Msg::Key(release)), []);
    assert_eq!(tell(&mut state, key(KeyCode::F(9), KeyModifiers::ALT)), []);
    assert_eq!(format!("{state:?}"), before);
}

#[test]
fn a_metric_that_is_no_number_is_warned_about_and_not_drawn() {
    let mut state = running();
    let id = stage(1, StageKind::Grpo, "");
    let (warnings, _) = state.log.alarms();
    tell(&mut state, Msg::Run(Event::Metric { stage: id, step: 9, name: "grad-norm".into(), value: f64::NAN }));
    assert_eq!(state.log.alarms().0, warnings + 1);
    assert!(state.curves.all().iter().all(|curve| curve.name != "grad-norm"));
}

#[test]
fn stages_that_were_never_announced_are_shown_too() {
    let mut state = State::new("s", "");
    let id = stage(3, StageKind::Grpo, "");
    let progress = Event::StageProgress { stage: id.clone(), done: 2, total: 9, tokens: 5, rate: 1.0 };
    update(&mut state, Msg::Run(progress), Duration::from_secs(1));
    assert_eq!((state.stages.len(), &state.stages[0].id, state.stages[0].done), (1, &id, 2));
}

#[test]
fn time_never_runs_backwards() {
    let mut state = running();
    let now = state.now;
    update(&mut state, Msg::Tick, Duration::ZERO);
    assert_eq!(state.now, now);
    update(&mut state, Msg::Run(Event::Log { level: Level::Info, message: "x".into() }), now * 2);
    assert_eq!(state.now, now * 2);
}

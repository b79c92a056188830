//! What follows from keys and events while a run is at work, message by message.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use footbridge::pipeline::events::{Command, Event, Level, Outcome, StageKind};
use footbridge::workbench::shell::{Effect, Msg};
use footbridge::workbench::stages::StageState;
use footbridge::workbench::state::Phase;

use super::script::{ended, played, run_until, stage};
use crate::workbench::stand::{Stand, dark};

fn running() -> Stand {
    played(run_until(11, 0.5))
}

#[test]
fn q_asks_before_a_running_run_is_stopped() {
    let mut stand = running();
    assert_eq!(stand.keys("q"), []);
    assert_eq!(stand.shell.depth(), 1);
    assert_eq!(stand.keys("n"), []);
    assert_eq!((stand.shell.depth(), &stand.shell.run().phase), (0, &Phase::Running));
    assert_eq!(stand.keys("qy"), [Effect::Send(Command::Cancel)]);
    assert_eq!((stand.shell.depth(), &stand.shell.run().phase), (0, &Phase::Stopping));
    let (_, event) = ended(Outcome::Cancelled, 4.0);
    assert_eq!(stand.tell(Msg::Run(event)), [Effect::Leave]);
}

#[test]
fn q_while_stopping_asks_whether_to_leave_at_once() {
    let mut stand = running();
    stand.keys("qy");
    assert_eq!(stand.keys("q"), []);
    assert_eq!(stand.keys("y"), [Effect::Leave]);
}

#[test]
fn control_c_again_and_again_leaves_whatever_is_on_screen() {
    let mut stand = running();
    stand.keys("?");
    assert_eq!(stand.keys("<ctrl-c><ctrl-c>"), []);
    assert_eq!(stand.keys("<ctrl-c>"), [Effect::Send(Command::Cancel)]);
    assert_eq!(stand.keys("<ctrl-c><ctrl-c>"), [Effect::Leave]);
}

#[test]
fn a_run_that_is_over_stays_on_screen_until_q() {
    for outcome in [Outcome::Done, Outcome::Cancelled, Outcome::Failed { reason: "no space".into() }] {
        let mut stand = running();
        let (_, event) = ended(outcome.clone(), 9.0);
        assert_eq!(stand.tell(Msg::Run(event)), []);
        assert_eq!(stand.tell(Msg::Ended(outcome.clone())), []);
        assert_eq!(stand.shell.run().phase, Phase::Ended(outcome));
        assert_eq!(stand.keys("q"), [Effect::Leave]);
    }
}

#[test]
fn a_run_that_ends_while_the_question_is_open_closes_it() {
    let mut stand = running();
    stand.keys("q");
    stand.tell(Msg::Ended(Outcome::Done));
    assert_eq!(stand.shell.depth(), 0);
}

#[test]
fn a_thread_that_returns_without_a_last_event_is_an_ending() {
    let mut stand = running();
    let reason = "a defect".to_string();
    stand.tell(Msg::Ended(Outcome::Failed { reason: reason.clone() }));
    let run = stand.shell.run();
    assert_eq!(run.phase, Phase::Ended(Outcome::Failed { reason }));
    assert_eq!(run.stages[11].state, StageState::Failed);
    assert_eq!(run.log.alarms(), (1, 1));
}

#[test]
fn p_pauses_and_goes_on() {
    let mut stand = running();
    assert_eq!(stand.keys("p"), [Effect::Send(Command::Pause)]);
    assert_eq!(stand.shell.run().phase, Phase::Pausing);
    stand.tell(Msg::Run(Event::Paused));
    assert_eq!(stand.shell.run().phase, Phase::Paused);
    assert!(!stand.shell.run().phase.ticking(), "a paused screen must not redraw");
    assert_eq!(stand.keys("p"), [Effect::Send(Command::Resume)]);
    stand.tell(Msg::Run(Event::Resumed));
    assert_eq!(stand.shell.run().phase, Phase::Running);
    assert_eq!(stand.keys("pp"), [Effect::Send(Command::Pause), Effect::Send(Command::Resume)]);
    assert_eq!(stand.shell.run().phase, Phase::Running);
}

#[test]
fn a_waiting_gate_is_passed_after_a_question() {
    let mut stand = running();
    assert_eq!(stand.keys("<ctrl-a>"), []);
    assert_eq!(stand.shell.depth(), 0);
    let gate = stage(1, StageKind::Bridge, "");
    stand.tell(Msg::Run(Event::GateWaiting { stage: gate, pending: 3 }));
    assert!(stand.screen(120, 40).contains("^A approve what waits"));
    assert_eq!(stand.keys("<ctrl-a>n"), []);
    assert_eq!(stand.keys("<ctrl-a>y"), [Effect::Send(Command::PassGate)]);
    assert_eq!(stand.shell.run().gate, None);
    assert!(!stand.screen(120, 40).contains("^A"));
}

#[test]
fn releases_of_keys_and_unknown_keys_do_nothing() {
    let mut stand = running();
    let before = format!("{:?}", stand.shell.run().phase);
    let release = KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release);
    assert_eq!(stand.tell(Msg::Key(release)), []);
    assert_eq!(stand.press(KeyCode::F(9), KeyModifiers::ALT), []);
    assert_eq!((stand.shell.depth(), format!("{:?}", stand.shell.run().phase)), (0, before));
}

#[test]
fn a_metric_that_is_no_number_is_warned_about_and_not_drawn() {
    let mut stand = running();
    let id = stage(1, StageKind::Grpo, "");
    let (warnings, _) = stand.shell.run().log.alarms();
    stand.tell(Msg::Run(Event::Metric { stage: id, step: 9, name: "grad-norm".into(), value: f64::NAN }));
    let run = stand.shell.run();
    assert_eq!(run.log.alarms().0, warnings + 1);
    assert!(run.curves.all().iter().all(|curve| curve.name != "grad-norm"));
}

#[test]
fn stages_that_were_never_announced_are_shown_too() {
    let mut stand = Stand::live(dark());
    let id = stage(3, StageKind::Grpo, "");
    stand.tell(Msg::Run(Event::StageProgress { stage: id.clone(), done: 2, total: 9, tokens: 5, rate: 1.0 }));
    let stages = &stand.shell.run().stages;
    assert_eq!((stages.len(), &stages[0].id, stages[0].done), (1, &id, 2));
}

#[test]
fn time_never_runs_backwards() {
    let mut stand = running();
    let now = stand.shell.run().now;
    stand.shell.update(Msg::Tick, Duration::ZERO);
    assert_eq!(stand.shell.run().now, now);
    let log = Event::Log { level: Level::Info, message: "x".into() };
    stand.shell.update(Msg::Run(log), now * 2);
    assert_eq!(stand.shell.run().now, now * 2);
}

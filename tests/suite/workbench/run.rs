//! Run: the stages in full, the run at a glance, and what can be told to it.

use footbridge::pipeline::events::{Command, Event, Level, Outcome, StageKind};
use footbridge::session::Author;
use footbridge::session::{Batch, Sessions};
use footbridge::teacher::Usage;
use footbridge::workbench::house::Launch;
use footbridge::workbench::pane::PaneId;
use footbridge::workbench::shell::{Effect, Msg};
use footbridge::workbench::state::Phase;

use super::stand::{Stand, dark};
use crate::faces::script::{ended, run_until, stage};

fn at_grpo() -> Stand {
    Stand::live(dark()).play(run_until(18, 0.6))
}

#[test]
fn a_selected_stage_is_told_in_full() {
    let mut stand = Stand::pane(PaneId::Run);
    stand.keys("sgj");
    insta::assert_snapshot!("stage_80x24", stand.screen(80, 24));
    insta::assert_snapshot!("stage_120x40", stand.screen(120, 40));
    insta::assert_snapshot!("stage_40x10", stand.screen(40, 10));
    assert!(stand.screen(80, 24).contains("complete, "));
    stand.keys("<esc>");
    assert!(!stand.screen(80, 24).contains("complete, "));
}

#[test]
fn a_run_at_work_tells_time_left_speed_and_memory() {
    let mut stand = at_grpo();
    let shown = stand.screen(120, 40);
    assert!(shown.contains("left") && shown.contains("tok/s"), "{shown}");
    stand.wait(2);
    let shown = stand.screen(160, 40);
    assert!(shown.contains("memory 280.0 MiB, peak 360.0 MiB"), "{shown}");
}

#[test]
fn what_the_teacher_took_stands_at_its_stage_and_in_sum() {
    let mut stand = Stand::small();
    let session = Sessions::at(stand.home.path()).open(super::stand::SMALL).unwrap();
    let mut batch = Batch::new(Author::Pipeline);
    let usage =
        Usage { calls: 40, prompt_tokens: 9_000, completion_tokens: 1_000, cost: 0.5, cached: 3, ..Usage::default() };
    batch.put("1-traces/trace", &usage);
    batch.put("1-recycle/diagnosis", &Usage { calls: 2, cost: 0.25, ..Usage::default() });
    session.write(batch).unwrap();
    drop(session);
    stand.goto(PaneId::Run);
    stand.wait(2);
    let shown = stand.screen(140, 40);
    assert!(shown.contains("teacher 42 calls, 10.0k tokens, cost 0.75, 3 from the cache"), "{shown}");
    stand.keys("sg");
    let found = (0..30).any(|_| {
        let shown = stand.screen(140, 40);
        stand.keys("j");
        shown.contains("teacher: 40 calls, 10.0k tokens, cost 0.50")
    });
    assert!(found);
    assert!(stand.shell.run().stages.iter().any(|row| row.id.kind == StageKind::Traces));
}

#[test]
fn stopping_asks_stays_and_goes_on_again() {
    let mut stand = at_grpo();
    stand.keys("x");
    assert!(stand.screen(80, 24).contains("stop this run?"));
    assert!(stand.keys("n").is_empty());
    let effects = stand.keys("xy");
    assert!(matches!(effects[..], [Effect::Send(Command::Cancel)]), "{effects:?}");
    assert_eq!(stand.shell.run().phase, Phase::Stopping);
    let effects = stand.tell(Msg::Run(ended(Outcome::Cancelled, 60.0).1));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Leave)));
    assert!(stand.screen(80, 24).contains("stopped after"));
    let effects = stand.keys("r");
    assert!(matches!(&effects[..], [Effect::Launch(Launch::Resume { name })] if name == "demo-1"), "{effects:?}");
}

#[test]
fn a_run_at_work_or_complete_is_not_resumed() {
    let mut stand = at_grpo();
    assert!(stand.keys("r").is_empty());
    let mut stand = Stand::pane(PaneId::Run);
    assert!(stand.keys("r").is_empty() && stand.keys("x").is_empty());
}

#[test]
fn a_gate_is_left_as_it_is_once_that_is_meant() {
    let mut stand = Stand::live(dark()).play(run_until(4, 1.0));
    assert!(stand.keys("L").is_empty());
    stand.tell(Msg::Run(Event::GateWaiting { stage: stage(1, StageKind::Bridge, ""), pending: 12 }));
    let waiting = stand.screen(100, 30);
    assert!(waiting.contains("waits for you: bridge 12 to approve"), "{waiting}");
    let hints = stand.screen(40, 10).lines().last().unwrap().to_string();
    assert!(hints.contains("^A approve all") && hints.contains("q stop"), "{hints}");
    assert!(!waiting.contains(" left"), "a run that waits has no time left to tell: {waiting}");
    stand.keys("L");
    assert!(stand.screen(100, 30).contains("12 products of"));
    let effects = stand.keys("y");
    assert!(matches!(effects[..], [Effect::Send(Command::LeaveGate)]), "{effects:?}");
}

#[test]
fn errors_say_where_they_are_read_and_go_once_they_were() {
    let mut stand = Stand::pane(PaneId::Run);
    stand.screen(100, 30);
    stand.keys("j4");
    let say = |stand: &mut Stand, level, message: &str| {
        drop(stand.tell(Msg::Run(Event::Log { level, message: message.to_string() })));
    };
    say(&mut stand, Level::Error, "the disk is full");
    let shown = stand.screen(100, 30);
    assert!(shown.contains("1 error  2 shows it"), "{shown}");
    assert!(stand.screen(40, 10).contains("1 error"), "{}", stand.screen(40, 10));
    (0..100).for_each(|at| say(&mut stand, Level::Info, &format!("line {at}")));
    stand.screen(100, 30);
    // In the log, but so far up that it is not in sight.
    stand.keys("2");
    stand.screen(100, 30);
    stand.keys("s");
    assert!(stand.screen(100, 30).contains("1 error  v shows it"), "{}", stand.screen(100, 30));
    stand.keys("v");
    assert!(stand.screen(100, 30).contains("the disk is full"));
    stand.keys("v");
    assert!(!stand.screen(100, 30).contains("1 error"), "{}", stand.screen(100, 30));
    say(&mut stand, Level::Error, "the disk is full again");
    assert!(stand.screen(100, 30).contains("1 error"));
}

#[test]
fn a_click_selects_a_stage() {
    let mut stand = Stand::pane(PaneId::Run);
    let shown = stand.screen(120, 40);
    let row = shown.lines().position(|line| line.contains("traces")).unwrap() as u16;
    stand.click(8, row);
    let shown = stand.screen(120, 40);
    assert!(shown.lines().nth(row.into()).unwrap().starts_with('▌'), "{shown}");
}

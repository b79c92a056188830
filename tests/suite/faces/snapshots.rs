//! What the terminal shows: the screen's real escape codes, read back through a vt100 parser.

use footbridge::pipeline::events::{Event, Outcome, StageKind};
use footbridge::workbench::look::Look;
use footbridge::workbench::probe::ColourLevel;
use footbridge::workbench::shell::{Effect, Msg};
use footbridge::workbench::state::Phase;
use footbridge::workbench::theme::Theme;

use super::script::{ended, played, run_until, stage};
use crate::workbench::stand::{Stand, ascii, dark};

#[test]
fn empty() {
    insta::assert_snapshot!(Stand::live(dark()).screen(80, 24));
}

#[test]
fn sampling_at_the_beginning() {
    insta::assert_snapshot!(played(run_until(1, 0.4)).screen(80, 24));
}

#[test]
fn grpo_of_the_second_iteration() {
    let mut state = played(run_until(18, 0.6));
    insta::assert_snapshot!("grpo_80x24", state.screen(80, 24));
    insta::assert_snapshot!("grpo_120x40", state.screen(120, 40));
    let mut plain = Stand::live(ascii()).play(run_until(18, 0.6));
    insta::assert_snapshot!("grpo_ascii_80x24", plain.screen(80, 24));
    insta::assert_snapshot!("grpo_40x10", state.screen(40, 10));
}

#[test]
fn finished() {
    let mut events = run_until(20, 0.0);
    events.push(ended(Outcome::Done, 178.0));
    let mut state = played(events);
    insta::assert_snapshot!("finished_80x24", state.screen(80, 24));
    insta::assert_snapshot!("finished_120x40", state.screen(120, 40));
}

#[test]
fn failed() {
    let mut events = run_until(11, 0.5);
    let reason =
        "sessions/demo-1/checkpoints: the disk is full (12 MB are needed, 3 MB are free); free some space, then resume";
    events.push(ended(Outcome::Failed { reason: reason.into() }, 91.0));
    insta::assert_snapshot!(played(events).screen(80, 24));
}

#[test]
fn a_gate_waits() {
    let mut events = run_until(4, 1.0);
    events.push((0.1, Event::GateWaiting { stage: stage(1, StageKind::Bridge, ""), pending: 276 }));
    insta::assert_snapshot!(played(events).screen(80, 24));
}

#[test]
fn help_and_the_question_before_stopping() {
    let mut state = played(run_until(11, 0.5));
    state.keys("?");
    insta::assert_snapshot!("help_80x24", state.screen(80, 24));
    state.keys("<esc>q");
    assert_eq!(state.shell.depth(), 1);
    insta::assert_snapshot!("ask_80x24", state.screen(80, 24));
    insta::assert_snapshot!("ask_40x10", state.screen(40, 10));
}

#[test]
fn tiny() {
    let mut state = played(run_until(11, 0.5));
    insta::assert_snapshot!("tiny_1x1", state.screen(1, 1));
    insta::assert_snapshot!("tiny_39x3", state.screen(39, 3));
    insta::assert_snapshot!("tiny_12x2", state.screen(12, 2));
}

#[test]
fn ascii_means_ascii() {
    for events in [vec![], run_until(11, 0.7), run_until(20, 0.0)] {
        let mut stand = Stand::live(ascii()).play(events);
        for (columns, rows) in [(80, 24), (120, 40), (40, 10), (10, 3)] {
            let text = stand.screen(columns, rows);
            assert!(text.is_ascii(), "{text}");
        }
    }
}

#[test]
fn no_color_writes_no_colour() {
    let sets_colour = |look: Look| {
        let mut stand = Stand::live(look).play(run_until(18, 0.6));
        let text = String::from_utf8(stand.bytes(120, 40)).unwrap();
        let codes = text.split("\u{1b}[").filter_map(|part| part.split_once('m')).map(|(code, _)| code.to_string());
        codes.filter(|code| code.starts_with("38;") || code.starts_with("48;")).count()
    };
    assert_eq!(sets_colour(Look::new(Theme::dark(ColourLevel::None), false)), 0);
    assert!(sets_colour(dark()) > 20);
}

#[test]
fn hostile_text_reaches_no_terminal() {
    let mut stand = Stand::live(dark());
    let hostile = "\u{1b}[2J\u{1b}]52;c;aGk=\u{7}\u{202e}evil\r\n".to_string();
    let mut id = stage(1, StageKind::Evaluate, &hostile);
    id.of.clone_from(&hostile);
    for event in [
        Event::RunStarted { session: hostile.clone(), seed: 1, stages: vec![id.clone()] },
        Event::StageStarted { stage: id.clone(), done: 0, total: 9, unit: hostile.clone() },
        Event::Metric { stage: id.clone(), step: 1, name: hostile.clone(), value: 1.0 },
        Event::Log { level: footbridge::pipeline::events::Level::Error, message: hostile.clone() },
        Event::StageFinished { stage: id, summary: hostile.clone(), seconds: 1.0, tokens: 1 },
        Event::RunFinished { outcome: Outcome::Failed { reason: hostile }, seconds: 1.0 },
    ] {
        stand.tell(Msg::Run(event));
    }
    let written = String::from_utf8(stand.bytes(120, 40)).unwrap();
    for forbidden in ["\u{1b}]", "\u{1b}[2J", "\u{7}", "\u{9b}", "\u{202e}"] {
        assert!(!written.contains(forbidden), "{forbidden:?}");
    }
    assert!(matches!(stand.shell.run().phase, Phase::Ended(_)));
    assert_eq!(stand.keys("q"), [Effect::Leave]);
}

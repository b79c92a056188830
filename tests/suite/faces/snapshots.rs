//! What the terminal shows: the screen's real escape codes, read back through a vt100 parser.

use footbridge::pipeline::events::{Command, Event, Outcome, StageKind};
use footbridge::workbench::look::Look;
use footbridge::workbench::probe::ColourLevel;
use footbridge::workbench::state::{Layer, Phase, State};
use footbridge::workbench::theme::Theme;
use footbridge::workbench::update::{Effect, Msg};
use footbridge::workbench::view;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::script::{ended, played, run_until, stage};
use super::updates::{press, tell};

/// The bytes of one frame on an empty terminal.
fn bytes(state: &State, look: &Look, columns: u16, rows: u16) -> Vec<u8> {
    let viewport = Viewport::Fixed(Rect::new(0, 0, columns, rows));
    let mut written = Vec::new();
    let backend = CrosstermBackend::new(&mut written);
    let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
    terminal.draw(|frame| view::draw(frame.buffer_mut(), state, look)).unwrap();
    drop(terminal);
    written
}

fn screen(state: &State, look: &Look, columns: u16, rows: u16) -> String {
    let mut parser = vt100::Parser::new(rows, columns, 0);
    parser.process(&bytes(state, look, columns, rows));
    let lines: Vec<String> = parser.screen().rows(0, columns).map(|row| row.trim_end().to_string()).collect();
    lines.join("\n")
}

fn dark() -> Look {
    Look::new(Theme::dark(ColourLevel::True), false)
}

fn ascii() -> Look {
    Look::new(Theme::dark(ColourLevel::None), true)
}

#[test]
fn empty() {
    insta::assert_snapshot!(screen(&State::new("demo-1", "cpu"), &dark(), 80, 24));
}

#[test]
fn sampling_at_the_beginning() {
    insta::assert_snapshot!(screen(&played(run_until(1, 0.4)), &dark(), 80, 24));
}

#[test]
fn grpo_of_the_second_iteration() {
    let state = played(run_until(18, 0.6));
    insta::assert_snapshot!("grpo_80x24", screen(&state, &dark(), 80, 24));
    insta::assert_snapshot!("grpo_120x40", screen(&state, &dark(), 120, 40));
    insta::assert_snapshot!("grpo_ascii_80x24", screen(&state, &ascii(), 80, 24));
    insta::assert_snapshot!("grpo_40x10", screen(&state, &dark(), 40, 10));
}

#[test]
fn finished() {
    let mut events = run_until(20, 0.0);
    events.push(ended(Outcome::Done, 178.0));
    let state = played(events);
    insta::assert_snapshot!("finished_80x24", screen(&state, &dark(), 80, 24));
    insta::assert_snapshot!("finished_120x40", screen(&state, &dark(), 120, 40));
}

#[test]
fn failed() {
    let mut events = run_until(11, 0.5);
    let reason =
        "sessions/demo-1/checkpoints: the disk is full (12 MB are needed, 3 MB are free); free some space, then resume";
    events.push(ended(Outcome::Failed { reason: reason.into() }, 91.0));
    insta::assert_snapshot!(screen(&played(events), &dark(), 80, 24));
}

#[test]
fn a_gate_waits() {
    let mut events = run_until(4, 1.0);
    events.push((0.1, Event::GateWaiting { stage: stage(1, StageKind::Bridge, ""), pending: 276 }));
    insta::assert_snapshot!(screen(&played(events), &dark(), 80, 24));
}

#[test]
fn help_and_the_question_before_stopping() {
    let mut state = played(run_until(11, 0.5));
    tell(&mut state, press('?'));
    insta::assert_snapshot!("help_80x24", screen(&state, &dark(), 80, 24));
    state.layers.clear();
    tell(&mut state, press('q'));
    assert_eq!(state.layer(), Some(Layer::AskStop));
    insta::assert_snapshot!("ask_80x24", screen(&state, &dark(), 80, 24));
    insta::assert_snapshot!("ask_40x10", screen(&state, &dark(), 40, 10));
}

#[test]
fn tiny() {
    let state = played(run_until(11, 0.5));
    insta::assert_snapshot!("tiny_1x1", screen(&state, &dark(), 1, 1));
    insta::assert_snapshot!("tiny_39x3", screen(&state, &dark(), 39, 3));
    insta::assert_snapshot!("tiny_12x2", screen(&state, &dark(), 12, 2));
}

#[test]
fn ascii_means_ascii() {
    for state in [State::new("demo-1", "cpu"), played(run_until(11, 0.7)), played(run_until(20, 0.0))] {
        for (columns, rows) in [(80, 24), (120, 40), (40, 10), (10, 3)] {
            let text = screen(&state, &ascii(), columns, rows);
            assert!(text.is_ascii(), "{text}");
        }
    }
}

#[test]
fn no_color_writes_no_colour() {
    let state = played(run_until(18, 0.6));
    let plain = String::from_utf8(bytes(&state, &Look::new(Theme::dark(ColourLevel::None), false), 120, 40)).unwrap();
    let sets_colour = |text: &str| {
        let codes = text.split("\u{1b}[").filter_map(|part| part.split_once('m')).map(|(code, _)| code.to_string());
        codes.filter(|code| code.starts_with("38;") || code.starts_with("48;")).count()
    };
    assert_eq!(sets_colour(&plain), 0);
    let coloured = String::from_utf8(bytes(&state, &dark(), 120, 40)).unwrap();
    assert!(sets_colour(&coloured) > 20);
}

#[test]
fn hostile_text_reaches_no_terminal() {
    let mut state = State::new("x\u{1b}]0;owned\u{7}", "cpu\u{9b}2J");
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
        tell(&mut state, Msg::Run(event));
    }
    let written = String::from_utf8(bytes(&state, &dark(), 120, 40)).unwrap();
    for forbidden in ["\u{1b}]", "\u{1b}[2J", "\u{7}", "\u{9b}", "\u{202e}"] {
        assert!(!written.contains(forbidden), "{forbidden:?}");
    }
    assert!(matches!(state.phase, Phase::Ended(_)));
    assert_eq!(tell(&mut state, press('q')), [Effect::Leave]);
    assert_ne!(Effect::Leave, Effect::Send(Command::Cancel));
}

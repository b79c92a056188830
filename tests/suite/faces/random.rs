//! Random keys and events on random screens: nothing panics, and whatever comes, the run can be left.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use footbridge::pipeline::events::{Event, Level, Outcome, StageId, StageKind};
use footbridge::workbench::look::Look;
use footbridge::workbench::probe::ColourLevel;
use footbridge::workbench::shell::{Effect, Msg};
use footbridge::workbench::theme::Theme;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::workbench::stand::Stand;

fn key(code: KeyCode, modifiers: KeyModifiers) -> Msg {
    Msg::Key(KeyEvent::new(code, modifiers))
}

fn stages() -> impl Strategy<Value = StageId> {
    let kinds = prop::sample::select(vec![
        StageKind::Difficulty,
        StageKind::SftBridged,
        StageKind::Grpo,
        StageKind::Evaluate,
        StageKind::Recycle,
    ]);
    (0u32..3, kinds, "[a-z]{0,3}").prop_map(|(iteration, kind, of)| StageId { iteration, kind, of })
}

fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -2.0..2.0f64,
        1 => prop::num::f64::ANY,
        1 => Just(f64::NAN),
        1 => Just(f64::MAX),
    ]
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Done),
        Just(Outcome::Cancelled),
        any::<String>().prop_map(|reason| Outcome::Failed { reason })
    ]
}

fn events() -> impl Strategy<Value = Event> {
    let name = prop::sample::select(vec!["reward", "reward-above-before", "kl", "loss"]).prop_map(String::from);
    let level = prop::sample::select(vec![Level::Info, Level::Warn, Level::Error]);
    let steps = prop_oneof![4 => 0u64..50, 1 => any::<u64>()];
    prop_oneof![
        (any::<String>(), any::<u64>(), prop::collection::vec(stages(), 0..9))
            .prop_map(|(session, seed, stages)| Event::RunStarted { session, seed, stages }),
        (stages(), any::<u64>(), any::<u64>(), any::<String>())
            .prop_map(|(stage, done, total, unit)| Event::StageStarted { stage, done, total, unit }),
        (stages(), 0u64..99, 0u64..99, any::<u64>(), numbers())
            .prop_map(|(stage, done, total, tokens, rate)| Event::StageProgress { stage, done, total, tokens, rate }),
        (stages(), any::<String>(), numbers(), any::<u64>())
            .prop_map(|(stage, summary, seconds, tokens)| Event::StageFinished { stage, summary, seconds, tokens }),
        (stages(), steps, name, numbers()).prop_map(|(stage, step, name, value)| Event::Metric {
            stage,
            step,
            name,
            value
        }),
        (level, any::<String>()).prop_map(|(level, message)| Event::Log { level, message }),
        (stages(), any::<u64>()).prop_map(|(stage, pending)| Event::GateWaiting { stage, pending }),
        Just(Event::Paused),
        Just(Event::Resumed),
        (outcomes(), numbers()).prop_map(|(outcome, seconds)| Event::RunFinished { outcome, seconds }),
    ]
}

fn keys() -> impl Strategy<Value = Msg> {
    let bound = prop::sample::select("qpac?jkgGyn ".chars().map(KeyCode::Char).collect::<Vec<_>>());
    let named = prop::sample::select(vec![
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Esc,
        KeyCode::Enter,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Home,
        KeyCode::End,
    ]);
    let code = prop_oneof![bound, named, any::<char>().prop_map(KeyCode::Char)];
    (code, any::<bool>())
        .prop_map(|(code, control)| key(code, if control { KeyModifiers::CONTROL } else { KeyModifiers::NONE }))
}

fn messages() -> impl Strategy<Value = Msg> {
    prop_oneof![
        4 => events().prop_map(Msg::Run),
        4 => keys(),
        1 => Just(Msg::Tick),
        1 => outcomes().prop_map(Msg::Ended),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_the_way_out_stays_open(
        messages in prop::collection::vec((messages(), 0u64..5_000), 0..60),
        columns in 1u16..160,
        rows in 1u16..60,
        ascii in any::<bool>(),
    ) {
        let look = Look::new(Theme::light(ColourLevel::Ansi16), ascii);
        let mut stand = Stand::live(look);
        let mut now = Duration::ZERO;
        for (msg, after) in messages {
            now += Duration::from_millis(after);
            stand.shell.update(msg, now);
            let mut buf = Buffer::empty(Rect::new(0, 0, columns, rows));
            stand.shell.draw(&mut buf);
        }
        let mut said = Vec::new();
        for _ in 0..100 {
            said.extend(stand.shell.update(key(KeyCode::Char('c'), KeyModifiers::CONTROL), now));
        }
        prop_assert!(said.contains(&Effect::Leave), "{said:?} in {:?}", stand.shell.run().phase);
    }
}

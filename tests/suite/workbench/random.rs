//! A hundred thousand keys, clicks, pastes and resizes, drawn from a seed, over a session with everything in it: nothing
//! panics, no layer is stuck, and the way out stays open.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use footbridge::session::Sessions;
use footbridge::workbench::house::House;
use footbridge::workbench::jobs::Jobs;
use footbridge::workbench::keymap::{self, Keymap};
use footbridge::workbench::shell::{Effect, Msg, Shell};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::stand::{SMALL, dark, small_home};
use crate::faces::script::run_until;

/// Keys of each half: on a session that stands still, where decisions are really made, and under a run at work.
const KEYS: usize = 50_000;

/// Layers that may still open by answers that were asked for before.
const LATE: usize = 3;

struct Monkey {
    shell: Shell,
    notices: Receiver<()>,
    dice: StdRng,
    now: Duration,
    keys: Vec<KeyEvent>,
}

impl Monkey {
    fn new(home: &std::path::Path, seed: u64) -> Self {
        let (say, notices) = channel();
        let jobs = Jobs::threads(Arc::new(move || {
            let _ = say.send(());
        }));
        let house = House { files: home.join("files"), ..House::new(Sessions::at(home), None) };
        std::fs::create_dir_all(&house.files).unwrap();
        let shell = Shell::new(house, dark(), Keymap::default(), jobs);
        Self { shell, notices, dice: StdRng::seed_from_u64(seed), now: Duration::ZERO, keys: bound_keys() }
    }

    fn tell(&mut self, msg: Msg) -> Vec<Effect> {
        let mut effects = self.shell.update(msg, self.now);
        while self.notices.try_recv().is_ok() {
            effects.extend(self.shell.update(Msg::Notice, self.now));
        }
        for effect in effects.clone() {
            match effect {
                Effect::Edit { text, .. } if self.dice.random() => {
                    drop(self.shell.update(Msg::Edited(Ok(text)), self.now))
                }
                Effect::Edit { .. } => drop(self.shell.update(Msg::Edited(Err("no editor".into())), self.now)),
                Effect::Launch(_) => self.shell.not_launched("nothing is begun here"),
                _ => {}
            }
        }
        effects
    }

    fn step(&mut self, at: usize) {
        self.now += Duration::from_millis(self.dice.random_range(0..30));
        let msg = match self.dice.random_range(0..100) {
            0 => Msg::Paste("a\u{1b}[2Jb\nrho<0.5 \u{202e}".to_string()),
            1..=3 => Msg::Mouse(self.mouse()),
            4 => Msg::Tick,
            5..=20 => Msg::Key(KeyEvent::new(KeyCode::Char(self.dice.random_range(' '..='~')), KeyModifiers::NONE)),
            _ => Msg::Key(*self.keys.choose(&mut self.dice).unwrap()),
        };
        self.tell(msg);
        if at.is_multiple_of(7) {
            let (columns, rows) = (self.dice.random_range(1..220), self.dice.random_range(1..60));
            let mut buf = Buffer::empty(Rect::new(0, 0, columns, rows));
            self.shell.draw(&mut buf);
        }
    }

    fn mouse(&mut self) -> MouseEvent {
        let kinds = [MouseEventKind::Down(MouseButton::Left), MouseEventKind::ScrollDown, MouseEventKind::ScrollUp];
        let kind = *kinds.choose(&mut self.dice).unwrap();
        let (column, row) = (self.dice.random_range(0..220), self.dice.random_range(0..60));
        MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }
    }

    /// Esc leaves one layer; so many leave all.
    fn no_layer_is_stuck(&mut self) {
        // One more for each layer that a late answer brings.
        for _ in 0..=self.shell.depth() + LATE {
            self.tell(Msg::Key(KeyEvent::from(KeyCode::Esc)));
        }
        assert_eq!(self.shell.depth(), 0, "a layer is stuck over {:?}", self.shell.focus());
    }

    fn play(&mut self) {
        for at in 0..KEYS {
            self.step(at);
            if at.is_multiple_of(500) {
                self.no_layer_is_stuck();
            }
        }
        self.no_layer_is_stuck();
        let interrupt = || Msg::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
        let left = (0..8).any(|_| self.tell(interrupt()).contains(&Effect::Leave));
        assert!(left, "there is no way out of {:?}", self.shell.run().phase);
    }
}

/// Every key that is bound to anything, and those of layers.
fn bound_keys() -> Vec<KeyEvent> {
    let mut keys: Vec<KeyEvent> = "yn \t".chars().map(|c| KeyEvent::from(KeyCode::Char(c))).collect();
    keys.extend(
        [KeyCode::Enter, KeyCode::Enter, KeyCode::Esc, KeyCode::Backspace, KeyCode::Delete].map(KeyEvent::from),
    );
    let usual = Keymap::default();
    keys.extend(keymap::all().flat_map(|bound| usual.keys(bound).iter().map(|key| key.event()).collect::<Vec<_>>()));
    keys
}

#[test]
fn a_hundred_thousand_keys() {
    let home = small_home();
    let mut still = Monkey::new(home.path(), 1);
    still.shell.open(SMALL);
    still.play();
    let home = small_home();
    let mut busy = Monkey::new(home.path(), 2);
    busy.shell.attach(SMALL, std::sync::Weak::new(), "footbridge resume small", "cpu");
    for (after, event) in run_until(15, 0.5) {
        busy.now += Duration::from_secs_f64(after);
        busy.tell(Msg::Run(event));
    }
    busy.play();
}

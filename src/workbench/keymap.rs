//! Which keys ask for which action. Every table of actions brings its first keys; a file may give others.

use std::collections::HashMap;

use crokey::KeyCombination;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::action::{Action, Bound, MOVES, SHELL};
use super::pane::PaneId;
use super::panes;

/// A key with its modifiers, in one spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(KeyCombination);

impl Key {
    /// The key of a terminal's event.
    pub fn of(event: &KeyEvent) -> Self {
        Self::one(event.code, event.modifiers)
    }

    /// A key as it is written: `k`, `K`, `ctrl-d`, `shift-tab`, `?`.
    ///
    /// # Errors
    /// In words, when it is no key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut letters = text.chars();
        if let (Some(letter), None) = (letters.next(), letters.next()) {
            return Ok(Self::one(KeyCode::Char(letter), KeyModifiers::NONE));
        }
        match crokey::parse(text) {
            Ok(KeyCombination { codes: crokey::OneToThree::One(code), modifiers }) => Ok(Self::one(code, modifiers)),
            Ok(_) | Err(_) => Err(format!(
                "`{text}` is no key; write keys like `k`, `K`, `?`, `ctrl-d`, `shift-tab`, `f5` or `enter`"
            )),
        }
    }

    /// Terminals report shift in several ways; here a capital letter is shift enough, and other characters are what they
    /// are.
    fn one(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let kept = modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let shift = kept.contains(KeyModifiers::SHIFT);
        let (code, modifiers) = match code {
            KeyCode::Char(c) if kept.contains(KeyModifiers::CONTROL) => {
                (KeyCode::Char(c.to_ascii_lowercase()), kept - KeyModifiers::SHIFT)
            }
            KeyCode::Char(c) if shift => (KeyCode::Char(c.to_ascii_uppercase()), kept - KeyModifiers::SHIFT),
            KeyCode::Tab if shift => (KeyCode::BackTab, kept - KeyModifiers::SHIFT),
            KeyCode::BackTab => (code, kept - KeyModifiers::SHIFT),
            other => (other, kept),
        };
        Self(KeyCombination::one_key(code, modifiers))
    }

    /// An event of this key, as a terminal sends it.
    pub fn event(self) -> KeyEvent {
        let crokey::OneToThree::One(code) = self.0.codes else { return KeyEvent::from(KeyCode::Null) };
        KeyEvent::new(code, self.0.modifiers)
    }

    /// How it is written on the screen.
    pub fn name(self) -> String {
        let crokey::OneToThree::One(code) = self.0.codes else { return self.0.to_string() };
        let name = match code {
            KeyCode::Char(' ') => "Space".to_string(),
            KeyCode::Char(c) if self.0.modifiers.contains(KeyModifiers::CONTROL) => {
                return format!("^{}", c.to_ascii_uppercase());
            }
            KeyCode::Char(c) => c.to_string(),
            KeyCode::BackTab => "Shift-Tab".to_string(),
            KeyCode::PageDown => "PgDn".to_string(),
            KeyCode::PageUp => "PgUp".to_string(),
            KeyCode::Up => "↑".to_string(),
            KeyCode::Down => "↓".to_string(),
            KeyCode::Left => "←".to_string(),
            KeyCode::Right => "→".to_string(),
            KeyCode::F(n) => format!("F{n}"),
            other => format!("{other:?}"),
        };
        let held =
            |modifier: KeyModifiers, word: &'static str| if self.0.modifiers.contains(modifier) { word } else { "" };
        format!(
            "{}{}{}{name}",
            held(KeyModifiers::CONTROL, "^"),
            held(KeyModifiers::ALT, "Alt-"),
            held(KeyModifiers::SHIFT, "Shift-")
        )
    }
}

/// Which keys ask for which action.
#[derive(Clone, Debug)]
pub struct Keymap {
    keys: HashMap<&'static str, Vec<Key>>,
}

impl Default for Keymap {
    fn default() -> Self {
        let mut keys = HashMap::new();
        for bound in all() {
            // A test holds every built-in key against `parse`.
            keys.insert(bound.id, bound.keys.iter().filter_map(|key| Key::parse(key).ok()).collect());
        }
        Self { keys }
    }
}

/// Every action there is, pane by pane, then moving about, then the workbench's own.
pub fn all() -> impl Iterator<Item = &'static Bound> {
    PaneId::ALL.into_iter().flat_map(panes::bindings).chain(MOVES).chain(SHELL)
}

/// The table of an action.
pub fn bound(action: Action) -> Option<&'static Bound> {
    all().find(|bound| bound.action == action)
}

impl Keymap {
    /// The keymap of this user: the built-in one, changed by a file where there is one.
    ///
    /// # Errors
    /// In words, with file and line, when the file can't be used.
    pub fn usual() -> Result<Self, String> {
        Ok(Self::default())
    }

    /// The keys of an action, the one that is hinted at first.
    pub fn keys(&self, bound: &Bound) -> &[Key] {
        self.keys.get(bound.id).map_or(&[], Vec::as_slice)
    }

    /// Other keys for an action.
    pub fn set(&mut self, bound: &Bound, keys: Vec<Key>) {
        self.keys.insert(bound.id, keys);
    }

    /// What a key asks for in a pane: its own actions first, then moving about, then the workbench's.
    pub fn action(&self, pane: PaneId, key: Key, mut available: impl FnMut(Action) -> bool) -> Option<Action> {
        [panes::bindings(pane), MOVES, SHELL]
            .into_iter()
            .flatten()
            .find(|bound| self.keys(bound).contains(&key) && available(bound.action))
            .map(|bound| bound.action)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_key_is_a_key_and_every_action_has_one_name() {
        let mut ids = std::collections::HashSet::new();
        for bound in all() {
            assert!(ids.insert(bound.id), "{} stands twice", bound.id);
            for key in bound.keys {
                Key::parse(key).unwrap();
            }
        }
    }

    #[test]
    fn no_key_is_bound_twice_in_one_table() {
        for table in PaneId::ALL.map(panes::bindings).into_iter().chain([MOVES, SHELL]) {
            let keys: Vec<_> = table.iter().flat_map(|bound| bound.keys).map(|key| Key::parse(key).unwrap()).collect();
            for (at, key) in keys.iter().enumerate() {
                assert!(!keys[at + 1..].contains(key), "{} is bound twice", key.name());
            }
        }
    }

    #[test]
    fn the_ways_in_which_terminals_tell_shift_are_one_key() {
        let key = |code, modifiers| Key::of(&KeyEvent::new(code, modifiers));
        let (none, shift, control) = (KeyModifiers::NONE, KeyModifiers::SHIFT, KeyModifiers::CONTROL);
        for (written, seen) in [
            ("K", key(KeyCode::Char('K'), shift)),
            ("K", key(KeyCode::Char('K'), none)),
            ("shift-k", key(KeyCode::Char('K'), none)),
            ("?", key(KeyCode::Char('?'), shift)),
            ("|", key(KeyCode::Char('|'), none)),
            ("shift-tab", key(KeyCode::BackTab, shift)),
            ("ctrl-d", key(KeyCode::Char('d'), control)),
            ("-", key(KeyCode::Char('-'), none)),
        ] {
            assert_eq!(Key::parse(written).unwrap(), seen, "{written}");
        }
        assert!(Key::parse("ctrl-nothing").unwrap_err().contains("`ctrl-nothing` is no key"));
        let names = ["ctrl-c", "?", "pagedown", "f1", "space", "K"].map(|key| Key::parse(key).unwrap().name());
        assert_eq!(names, ["^C", "?", "PgDn", "F1", "Space", "K"]);
    }
}

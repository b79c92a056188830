//! A key with its modifiers: read, written in files, named on the screen.

use crokey::KeyCombination;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::workbench::look::Glyphs;

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

    /// How it is written on the screen.
    pub fn name(self, glyphs: &Glyphs) -> String {
        let [up, down, left, right] = glyphs.arrows;
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
            KeyCode::Up => up.to_string(),
            KeyCode::Down => down.to_string(),
            KeyCode::Left => left.to_string(),
            KeyCode::Right => right.to_string(),
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
    /// How keymap files write it: what [`Key::parse`] reads.
    pub fn written(self) -> String {
        let crokey::OneToThree::One(code) = self.0.codes else { return self.0.to_string() };
        let modifiers = self.0.modifiers;
        let mut out = String::new();
        for (modifier, word) in [(KeyModifiers::CONTROL, "ctrl-"), (KeyModifiers::ALT, "alt-")] {
            if modifiers.contains(modifier) {
                out.push_str(word);
            }
        }
        if modifiers.contains(KeyModifiers::SHIFT) || code == KeyCode::BackTab {
            out.push_str("shift-");
        }
        match code {
            KeyCode::Char(' ') => out.push_str("space"),
            KeyCode::Char(c) if c.is_ascii_uppercase() && !modifiers.is_empty() => {
                out.push_str("shift-");
                out.push(c.to_ascii_lowercase());
            }
            KeyCode::Char(c) => out.push(c),
            KeyCode::BackTab => out.push_str("tab"),
            KeyCode::F(n) => out.push_str(&format!("f{n}")),
            other => out.push_str(&format!("{other:?}").to_ascii_lowercase()),
        }
        out
    }

    /// The event that a terminal sends for it.
    pub fn event(self) -> KeyEvent {
        match self.0.codes {
            crokey::OneToThree::One(code) => KeyEvent::new(code, self.0.modifiers),
            _ => KeyEvent::from(KeyCode::Null),
        }
    }
}

/// Keys as they are pressed one after another: letters stand for themselves, other keys stand in angle brackets, as in
/// `3jj<enter><ctrl-d>`; `<lt>` is `<`.
///
/// # Errors
/// In words, when something in brackets is no key.
pub fn script(text: &str) -> Result<Vec<KeyEvent>, String> {
    let (mut keys, mut rest) = (Vec::new(), text);
    while let Some(letter) = rest.chars().next() {
        let (name, after) = match rest.strip_prefix('<').map(|inside| inside.split_once('>')) {
            Some(Some((name, after))) => (name, after),
            Some(None) => return Err(format!("`{rest}` has no closing >; a < alone is written <lt>")),
            None => rest.split_at(letter.len_utf8()),
        };
        let name = if name == "lt" && rest.starts_with('<') { "<" } else { name };
        keys.push(Key::parse(name)?.event());
        rest = after;
    }
    Ok(keys)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::workbench::keymap::all;
    use crate::workbench::look::Look;
    use crate::workbench::probe::ColourLevel;
    use crate::workbench::theme::Theme;

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
    }

    #[test]
    fn names_on_the_screen_are_short_and_in_ascii_where_asked_for() {
        let theme = Theme::dark(ColourLevel::None);
        let (wide, ascii) = (Look::new(theme.clone(), false).glyphs, Look::new(theme, true).glyphs);
        let names = ["ctrl-c", "?", "pagedown", "f1", "space", "K", "up"].map(|key| Key::parse(key).unwrap());
        assert_eq!(names.map(|key| key.name(&wide)), ["^C", "?", "PgDn", "F1", "Space", "K", "↑"]);
        assert!(names.iter().all(|key| key.name(&ascii).is_ascii()));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let odd = ["ctrl-alt-x", "alt-shift-k", "shift-f5", "ctrl-space", "ctrl--", "<", "\"", "ü", "delete"];
        for text in all().flat_map(|bound| bound.keys).copied().chain(odd) {
            let key = Key::parse(text).unwrap();
            assert_eq!(Key::parse(&key.written()).unwrap(), key, "{text} became {}", key.written());
        }
    }

    #[test]
    fn scripts_are_keys_one_after_another() {
        let keys: Vec<_> = script("3J<enter><lt><ctrl-d>ü").unwrap().iter().map(|key| Key::of(key).written()).collect();
        assert_eq!(keys, ["3", "J", "enter", "<", "ctrl-d", "ü"]);
        assert!(script("a<ente>").unwrap_err().contains("`ente` is no key"));
        assert!(script("a<").unwrap_err().contains("<lt>"));
    }
}

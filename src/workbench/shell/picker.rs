//! A list narrowed down by typing: the command palette, and every choice that a pane offers.

use crossterm::event::{Event as TerminalEvent, KeyEvent};
use frizbee::{Config, Matcher};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use crate::workbench::text;

/// A list, what was typed, and which of the items that fit is chosen.
#[derive(Debug)]
pub struct Picker {
    items: Vec<String>,
    /// Columns of each item.
    columns: Vec<usize>,
    typed: Input,
    fitting: Vec<usize>,
    /// Columns of the widest item that fits.
    widest: usize,
    at: usize,
}

impl Picker {
    /// Everything fits at first; `at` is chosen.
    pub fn new(items: Vec<String>, at: usize) -> Self {
        let fitting = (0..items.len()).collect();
        // Measured once: there may be thousands, and they are drawn with every frame.
        let columns: Vec<usize> = items.iter().map(|item| text::width(item)).collect();
        let widest = columns.iter().copied().max().unwrap_or(0);
        let at = at.min(items.len().saturating_sub(1));
        Self { at, items, columns, typed: Input::default(), fitting, widest }
    }

    /// What was typed.
    pub fn typed(&self) -> &Input {
        &self.typed
    }

    /// The items that fit, best first, as indices.
    pub fn fitting(&self) -> &[usize] {
        &self.fitting
    }

    /// An item.
    pub fn item(&self, at: usize) -> &str {
        self.items.get(at).map_or("", String::as_str)
    }

    /// Columns of the widest item that fits.
    pub fn widest(&self) -> usize {
        self.widest
    }

    /// Place of the chosen one among those that fit.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The chosen item, as an index.
    pub fn chosen(&self) -> Option<usize> {
        self.fitting.get(self.at).copied()
    }

    /// Moves the choice.
    pub fn step(&mut self, by: isize) {
        self.at = self.at.saturating_add_signed(by).min(self.fitting.len().saturating_sub(1));
    }

    /// A key that is typed.
    pub fn key(&mut self, key: KeyEvent) {
        let before = self.typed.value().to_string();
        self.typed.handle_event(&TerminalEvent::Key(key));
        if self.typed.value() != before {
            self.narrow();
        }
    }

    /// Text that was pasted.
    pub fn paste(&mut self, pasted: &str) {
        let line = format!("{}{}", self.typed.value(), text::printable(pasted));
        self.typed = Input::new(line);
        self.narrow();
    }

    fn narrow(&mut self) {
        self.at = 0;
        self.fitting = if self.typed.value().trim().is_empty() {
            (0..self.items.len()).collect()
        } else {
            let matches = Matcher::from_query(self.typed.value(), &Config::default()).match_list(&self.items);
            matches.iter().map(|found| found.index as usize).collect()
        };
        self.widest = self.fitting.iter().filter_map(|at| self.columns.get(*at)).copied().max().unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyCode;

    use super::*;

    fn typed(picker: &mut Picker, text: &str) {
        text.chars().for_each(|c| picker.key(KeyEvent::from(KeyCode::Char(c))));
    }

    #[test]
    fn typing_narrows_the_list_and_chooses_the_best() {
        let items = ["keep the step", "compress the step", "show the bridge"].map(String::from).to_vec();
        let mut picker = Picker::new(items, 2);
        assert_eq!((picker.chosen(), picker.fitting().len(), picker.widest()), (Some(2), 3, 17));
        typed(&mut picker, "bridge");
        assert_eq!((picker.chosen(), picker.widest()), (Some(2), 15));
        typed(&mut picker, "qqq");
        assert_eq!((picker.chosen(), picker.widest()), (None, 0));
        picker.step(5);
        (0..9).for_each(|_| picker.key(KeyEvent::from(KeyCode::Backspace)));
        picker.step(99);
        assert_eq!(picker.chosen(), Some(2));
        picker.paste("compress\u{1b}[2J");
        assert_eq!(picker.chosen(), Some(1));
    }

    #[test]
    fn an_empty_list_has_nothing_to_choose() {
        let mut picker = Picker::new(vec![], 3);
        picker.step(1);
        typed(&mut picker, "x");
        assert_eq!(picker.chosen(), None);
    }
}

//! What lies over the panes: questions, text fields, choices, the palette, the help. Keys go to the layer on top; Esc
//! leaves that one and no other.

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};
use ratatui::text::Span;
use ratatui_textarea::{TextArea, WrapMode};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::picker::Picker;
use crate::workbench::action::Action;
use crate::workbench::look::Glyphs;
use crate::workbench::pane::{Ask, PaneId, Reply};
use crate::workbench::text;

/// Who asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Owner {
    /// A pane, with its own token.
    Pane(PaneId, u32),
    /// The workbench itself.
    Shell(Purpose),
}

/// What the workbench itself asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Purpose {
    /// Stop the run?
    Stop,
    /// Leave although the run is stopping?
    Leave,
    /// Which command.
    Command,
    /// Which theme.
    Theme,
    /// Only shown.
    Help,
    /// Where a table goes.
    SaveTable,
    /// Where a picture goes.
    SaveScreen,
    /// Let the gate pass?
    Gate,
}

/// One layer.
pub struct Layer {
    /// Who hears the answer.
    pub owner: Owner,
    /// A few words above.
    pub title: String,
    /// What is shown and typed.
    pub body: Body,
}

/// What is shown and typed.
#[expect(missing_docs, reason = "the fields are those of `Ask`, with what was typed so far")]
pub enum Body {
    /// Yes or no.
    Confirm { lines: Vec<String>, yes: String },
    /// A line of text, with a remark under it; `live` is what stood there at first where every change is told.
    Line { input: Input, live: Option<String>, remark: String },
    /// Several lines of text.
    Lines { area: Box<TextArea<'static>> },
    /// One of several.
    Choose { picker: Picker },
    /// One of the actions.
    Palette { picker: Picker, actions: Vec<Action> },
    /// Text to read.
    Read { lines: Vec<Vec<Span<'static>>>, scroll: usize },
}

/// What a key did to a layer.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// It stays.
    Stay,
    /// It stays, and what was typed is told.
    Tell(Reply),
    /// It closes with an answer.
    Close(Reply),
    /// It closes without an answer; what stood there before is told once more, so that nothing stays half-typed.
    Restore(String),
    /// It closes, and this is done.
    Do(Action),
}

impl Layer {
    /// The layer of a question; `None` where it takes a program of its own.
    pub fn of(owner: Owner, ask: Ask) -> Option<Self> {
        let (title, body) = match ask {
            Ask::Confirm { title, lines, yes } => (title, Body::Confirm { lines, yes }),
            Ask::Line { title, text, live } => {
                let input = Input::new(text::printable(&text));
                (title, Body::Line { input, live: live.then_some(text), remark: String::new() })
            }
            Ask::Lines { title, text } => (title, Body::Lines { area: Box::new(lines_of(&text)) }),
            Ask::Choose { title, items, at } => {
                let items = items.iter().map(|item| text::printable(item)).collect();
                (title, Body::Choose { picker: Picker::new(items, at) })
            }
            Ask::Read { title, lines } => (title, Body::Read { lines, scroll: 0 }),
            Ask::Editor { .. } => return None,
        };
        Some(Self { owner, title: text::printable(&title), body })
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent) -> Outcome {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let interrupt = control && key.code == KeyCode::Char('c');
        if interrupt && matches!(self.owner, Owner::Shell(Purpose::Stop | Purpose::Leave)) {
            return Outcome::Close(Reply::Yes);
        }
        if key.code == KeyCode::Esc || interrupt || control && key.code == KeyCode::Char('g') {
            return self.leave();
        }
        match &mut self.body {
            Body::Confirm { .. } => confirm(key),
            Body::Line { input, live, .. } => line(input, live.is_some(), key),
            Body::Lines { area } => lines(area, key),
            Body::Choose { picker } => match pick(picker, key) {
                true => picker.chosen().map_or(Outcome::Stay, |at| Outcome::Close(Reply::Chosen(at))),
                false => Outcome::Stay,
            },
            Body::Palette { picker, actions } => match pick(picker, key) {
                true => picker.chosen().and_then(|at| actions.get(at)).map_or(Outcome::Stay, |&act| Outcome::Do(act)),
                false => Outcome::Stay,
            },
            Body::Read { lines, scroll } => read(lines.len(), scroll, key),
        }
    }

    /// Takes a key while it is not drawn: it can be left, and nothing is answered that could not be read.
    pub fn key_unseen(&mut self, key: KeyEvent) -> Outcome {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc | KeyCode::Char('q') => self.leave(),
            KeyCode::Char('c' | 'g') if control => self.key(key),
            _ => Outcome::Stay,
        }
    }

    /// It is left. What was typed into a live line took effect at once, and is taken back.
    pub fn leave(&self) -> Outcome {
        match &self.body {
            Body::Line { input, live: Some(first), .. } if input.value() != first => Outcome::Restore(first.clone()),
            _ => Outcome::Close(Reply::Dismissed),
        }
    }

    /// Takes pasted text.
    pub fn paste(&mut self, pasted: &str) -> Outcome {
        match &mut self.body {
            Body::Line { input, live, .. } => {
                for c in text::printable(pasted).chars() {
                    input.handle(tui_input::InputRequest::InsertChar(c));
                }
                typing(input, live.is_some())
            }
            Body::Lines { area } => {
                area.insert_str(text::printable_lines(pasted));
                Outcome::Stay
            }
            Body::Choose { picker } | Body::Palette { picker, .. } => {
                picker.paste(pasted);
                Outcome::Stay
            }
            Body::Confirm { .. } | Body::Read { .. } => Outcome::Stay,
        }
    }

    /// The keys that do something here, for the hint line.
    pub fn hints(&self, glyphs: &Glyphs) -> Vec<(String, String)> {
        let hint = |key: &str, label: &str| (key.to_string(), label.to_string());
        match &self.body {
            Body::Confirm { yes, .. } => vec![hint("y", yes), hint("n", "no")],
            Body::Line { .. } => vec![hint("Enter", "done"), hint("Esc", "leave it")],
            Body::Lines { .. } => {
                vec![hint("^S", "done"), hint("^U", "undo"), hint("^R", "redo"), hint("Esc", "leave it")]
            }
            Body::Choose { .. } | Body::Palette { .. } => {
                vec![
                    hint("Enter", "choose"),
                    hint(glyphs.up_down, "move"),
                    hint("type", "to narrow down"),
                    hint("Esc", "leave it"),
                ]
            }
            Body::Read { .. } => vec![hint("Esc", "close"), hint(glyphs.up_down, "scroll")],
        }
    }
}

fn lines_of(text: &str) -> TextArea<'static> {
    let mut area = TextArea::new(text::printable_lines(text).split('\n').map(String::from).collect());
    area.set_wrap_mode(WrapMode::WordOrGlyph);
    area
}

fn confirm(key: KeyEvent) -> Outcome {
    match key.code {
        KeyCode::Char('y' | 'Y') | KeyCode::Enter => Outcome::Close(Reply::Yes),
        KeyCode::Char('n' | 'N' | 'q') => Outcome::Close(Reply::Dismissed),
        _ => Outcome::Stay,
    }
}

fn line(input: &mut Input, live: bool, key: KeyEvent) -> Outcome {
    if key.code == KeyCode::Enter {
        return Outcome::Close(Reply::Text(input.value().to_string()));
    }
    let before = input.value().to_string();
    input.handle_event(&TerminalEvent::Key(key));
    if input.value() == before { Outcome::Stay } else { typing(input, live) }
}

fn typing(input: &Input, live: bool) -> Outcome {
    if live { Outcome::Tell(Reply::Typing(input.value().to_string())) } else { Outcome::Stay }
}

fn lines(area: &mut TextArea<'static>, key: KeyEvent) -> Outcome {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('s') if control => Outcome::Close(Reply::Text(area.lines().join("\n"))),
        _ => {
            area.input(key);
            Outcome::Stay
        }
    }
}

/// Moves or narrows down; true when the choice is made.
fn pick(picker: &mut Picker, key: KeyEvent) -> bool {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Enter => return true,
        KeyCode::Down => picker.step(1),
        KeyCode::Up => picker.step(-1),
        KeyCode::Char('n') if control => picker.step(1),
        KeyCode::Char('p') if control => picker.step(-1),
        KeyCode::PageDown => picker.step(10),
        KeyCode::PageUp => picker.step(-10),
        _ => picker.key(key),
    }
    false
}

fn read(count: usize, scroll: &mut usize, key: KeyEvent) -> Outcome {
    let by = match key.code {
        KeyCode::Char('q' | '?') | KeyCode::Enter | KeyCode::F(1) => return Outcome::Close(Reply::Dismissed),
        KeyCode::Down | KeyCode::Char('j') => 1,
        KeyCode::Up | KeyCode::Char('k') => -1,
        KeyCode::PageDown | KeyCode::Char(' ' | 'd') => 10,
        KeyCode::PageUp | KeyCode::Char('u') => -10,
        KeyCode::Home | KeyCode::Char('g') => isize::MIN,
        KeyCode::End | KeyCode::Char('G') => isize::MAX,
        _ => 0,
    };
    *scroll = scroll.saturating_add_signed(by).min(count);
    Outcome::Stay
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn layer(ask: Ask) -> Layer {
        Layer::of(Owner::Pane(PaneId::Bridge, 7), ask).unwrap()
    }

    fn key(code: KeyCode) -> KeyEvent {
        KeyEvent::from(code)
    }

    #[test]
    fn a_line_tells_what_is_typed_and_ends_with_enter() {
        let mut layer = layer(Ask::Line { title: "filter".into(), text: "ba".into(), live: true });
        assert_eq!(layer.key(key(KeyCode::Char('n'))), Outcome::Tell(Reply::Typing("ban".into())));
        assert_eq!(layer.paste("d\u{1b}[31m\n"), Outcome::Tell(Reply::Typing("band ".into())));
        assert_eq!(layer.key(key(KeyCode::Enter)), Outcome::Close(Reply::Text("band ".into())));
        assert_eq!(layer.key(key(KeyCode::Esc)), Outcome::Restore("ba".into()));
        (0..3).for_each(|_| drop(layer.key(key(KeyCode::Backspace))));
        assert_eq!(layer.key(key(KeyCode::Esc)), Outcome::Close(Reply::Dismissed), "it stands as it stood");
    }

    #[test]
    fn esc_leaves_every_layer() {
        let lines = || vec!["one".to_string(), "two".to_string()];
        for ask in [
            Ask::Confirm { title: String::new(), lines: lines(), yes: "delete".into() },
            Ask::Line { title: String::new(), text: String::new(), live: false },
            Ask::Lines { title: String::new(), text: "a\nb".into() },
            Ask::Choose { title: String::new(), items: lines(), at: 1 },
            Ask::Read { title: String::new(), lines: vec![] },
        ] {
            let mut layer = layer(ask);
            layer.key(key(KeyCode::Char('x')));
            layer.key(key(KeyCode::Down));
            assert_eq!(layer.key(key(KeyCode::Esc)), Outcome::Close(Reply::Dismissed));
        }
        assert!(Layer::of(Owner::Shell(Purpose::Help), Ask::Editor { text: String::new(), extension: "md" }).is_none());
    }

    #[test]
    fn several_lines_are_kept_and_choices_are_told_by_index() {
        let mut text = layer(Ask::Lines { title: String::new(), text: "4w = 60\n".into() });
        text.paste("so ");
        let save = KeyEvent::new(KeyCode::Char('s'), KeyModifiers::CONTROL);
        assert_eq!(text.key(save), Outcome::Close(Reply::Text("so 4w = 60\n".into())));
        let items = ["keep", "drop"].map(String::from).to_vec();
        let mut choice = layer(Ask::Choose { title: String::new(), items, at: 0 });
        choice.key(key(KeyCode::Down));
        assert_eq!(choice.key(key(KeyCode::Enter)), Outcome::Close(Reply::Chosen(1)));
    }

    #[test]
    fn only_yes_is_yes() {
        let ask = || Ask::Confirm { title: String::new(), lines: vec![], yes: "delete".into() };
        assert_eq!(layer(ask()).key(key(KeyCode::Char('y'))), Outcome::Close(Reply::Yes));
        assert_eq!(layer(ask()).key(key(KeyCode::Char('n'))), Outcome::Close(Reply::Dismissed));
        assert_eq!(layer(ask()).key(key(KeyCode::Char('d'))), Outcome::Stay);
    }
}

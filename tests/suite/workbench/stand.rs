//! The workbench without a terminal, over a copy of the small session in `tests/fixtures/session`: keys in, cells out.

use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use footbridge::pipeline::events::Event;
use footbridge::session::{NewSession, Session, Sessions};
use footbridge::workbench::house::House;
use footbridge::workbench::jobs::Jobs;
use footbridge::workbench::keymap::Keymap;
use footbridge::workbench::look::Look;
use footbridge::workbench::pane::PaneId;
use footbridge::workbench::probe::ColourLevel;
use footbridge::workbench::shell::{Effect, Msg, Shell};
use footbridge::workbench::theme::Theme;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use tempfile::TempDir;

/// Name of the small session.
pub const SMALL: &str = "small";

/// The workbench on its stand.
pub struct Stand {
    pub home: TempDir,
    pub shell: Shell,
    pub now: Duration,
    /// Everything it wanted done since the stand was made.
    pub effects: Vec<Effect>,
}

/// The look that most pictures are taken in.
pub fn dark() -> Look {
    Look::new(Theme::dark(ColourLevel::True), false)
}

/// Without colours and in ASCII.
pub fn ascii() -> Look {
    Look::new(Theme::dark(ColourLevel::None), true)
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A folder of sessions with a copy of the small one in it, under its own name.
pub fn small_home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let from = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/session");
    let to = home.path().join(SMALL);
    std::fs::create_dir_all(&to).unwrap();
    copy(&from.join("journal"), &to.join("journal"));
    for name in ["recipe.toml", "meta.json", "state.json"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
    home
}

impl Stand {
    /// With the small session open, as dark as most researchers like it.
    pub fn small() -> Self {
        let mut stand = Self::with(small_home(), dark());
        stand.shell.open(SMALL);
        stand.tell(Msg::Notice);
        stand
    }

    /// The same, with one pane in sight.
    pub fn pane(pane: PaneId) -> Self {
        let mut stand = Self::small();
        stand.goto(pane);
        stand
    }

    /// With no session open, over a folder of sessions.
    pub fn with(home: TempDir, look: Look) -> Self {
        let house = House { files: home.path().into(), status, ..House::new(Sessions::at(home.path()), None) };
        let shell = Shell::new(house, look, Keymap::default(), Jobs::at_once());
        Self { home, shell, now: Duration::from_secs(1), effects: Vec::new() }
    }

    /// With a run at work that says what the test tells it to: session `demo-1`, in which nothing is written.
    pub fn live(look: Look) -> Self {
        let home = tempfile::tempdir().unwrap();
        let recipe = footbridge::recipe::Recipe::preset("demo").unwrap().to_toml();
        let new = NewSession { recipe: &recipe, seed: 7 };
        drop(Sessions::at(home.path()).create("demo-1", &new).unwrap());
        let mut stand = Self::with(home, look);
        stand.shell.attach("demo-1", Weak::new(), "footbridge resume demo-1", "cpu");
        stand.now = Duration::ZERO;
        stand
    }

    /// Events, each so many seconds after the one before.
    pub fn play(mut self, events: Vec<(f64, Event)>) -> Self {
        for (after, event) in events {
            self.now += Duration::from_secs_f64(after);
            self.effects.extend(self.shell.update(Msg::Run(event), self.now));
        }
        self
    }

    /// No sessions at all.
    pub fn empty() -> Self {
        Self::with(tempfile::tempdir().unwrap(), dark())
    }

    /// The session as it is on disk.
    pub fn session(&self) -> Session {
        Sessions::at(self.home.path()).open_read_only(SMALL).unwrap()
    }

    /// Shows a pane by its number key.
    pub fn goto(&mut self, pane: PaneId) {
        let digit = char::from_digit((pane.index() as u32 + 1) % 10, 10).unwrap();
        self.press(KeyCode::Char(digit), KeyModifiers::NONE);
        assert_eq!(self.shell.focus(), pane);
    }

    /// Something happens; 20 ms pass.
    pub fn tell(&mut self, msg: Msg) -> Vec<Effect> {
        self.now += Duration::from_millis(20);
        let effects = self.shell.update(msg, self.now);
        self.effects.extend(effects.clone());
        effects
    }

    /// Time passes, in ticks of a second.
    pub fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += Duration::from_secs(1);
            self.tell(Msg::Tick);
        }
    }

    pub fn press(&mut self, code: KeyCode, modifiers: KeyModifiers) -> Vec<Effect> {
        self.tell(Msg::Key(KeyEvent::new(code, modifiers)))
    }

    /// Keys as they are written: letters stand for themselves, others in angle brackets: `3jj<enter><esc><ctrl-s><space>`.
    pub fn keys(&mut self, keys: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut rest = keys;
        while let Some(first) = rest.chars().next() {
            let (code, modifiers, used) = match rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
                Some((name, _)) => {
                    let (code, modifiers) = named(name);
                    (code, modifiers, name.len() + 2)
                }
                None => (KeyCode::Char(first), KeyModifiers::NONE, first.len_utf8()),
            };
            effects.extend(self.press(code, modifiers));
            rest = &rest[used..];
        }
        effects
    }

    /// A click of the left button.
    pub fn click(&mut self, column: u16, row: u16) -> Vec<Effect> {
        let kind = MouseEventKind::Down(MouseButton::Left);
        self.tell(Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
    }

    /// What the terminal shows, by way of the escape codes that are written to it.
    pub fn screen(&mut self, columns: u16, rows: u16) -> String {
        let parser = self.terminal(columns, rows);
        let lines: Vec<String> = parser.screen().rows(0, columns).map(|row| row.trim_end().to_string()).collect();
        lines.join("\n")
    }

    /// The bytes of one frame on an empty terminal.
    pub fn bytes(&mut self, columns: u16, rows: u16) -> Vec<u8> {
        let viewport = Viewport::Fixed(Rect::new(0, 0, columns, rows));
        let mut written = Vec::new();
        let backend = CrosstermBackend::new(&mut written);
        let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
        terminal.draw(|frame| self.shell.draw(frame.buffer_mut())).unwrap();
        drop(terminal);
        written
    }

    /// The terminal after one frame.
    pub fn terminal(&mut self, columns: u16, rows: u16) -> vt100::Parser {
        let mut parser = vt100::Parser::new(rows, columns, 0);
        parser.process(&self.bytes(columns, rows));
        parser
    }
}

fn named(name: &str) -> (KeyCode, KeyModifiers) {
    if let Some(letter) = name.strip_prefix("ctrl-") {
        return (KeyCode::Char(letter.chars().next().unwrap()), KeyModifiers::CONTROL);
    }
    let code = match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "shift-tab" => KeyCode::BackTab,
        "space" => KeyCode::Char(' '),
        "lt" => KeyCode::Char('<'),
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "pageup" => KeyCode::PageUp,
        "pagedown" => KeyCode::PageDown,
        "backspace" => KeyCode::Backspace,
        "delete" => KeyCode::Delete,
        other => panic!("no key is called {other}"),
    };
    (code, KeyModifiers::NONE)
}

/// The same process on every machine.
fn status() -> Result<String, String> {
    Ok("VmHWM:\t  368640 kB\nVmRSS:\t  286720 kB\n".to_string())
}

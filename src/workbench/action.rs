//! One enum of everything a key, the palette or the mouse can ask for. Each pane brings a part of it, with the table that
//! says what an action is called and which keys it has at first; hints, help, palette and keymap files all read these
//! tables, so they can't drift apart.

use super::pane::PaneId;
use super::panes;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each part is explained where it is declared")]
pub enum Action {
    Shell(Shell),
    Move(Move),
    Home(panes::home::Do),
    Run(panes::run::Do),
    Questions(panes::questions::Do),
    Bridge(panes::bridge::Do),
    Recycle(panes::recycle::Do),
    Rewards(panes::rewards::Do),
    Rollouts(panes::rollouts::Do),
    Evaluation(panes::evaluation::Do),
    DataSets(panes::datasets::Do),
    Prompts(panes::prompts::Do),
}

/// One line of a table of actions.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// Its name in keymap files: `bridge.keep`.
    pub id: &'static str,
    /// The action.
    pub action: Action,
    /// What it is called, in a few words.
    pub label: &'static str,
    /// Its keys at first: `k`, `K`, `ctrl-d`, `shift-tab`, `enter`, `?`; the first is the one that is hinted at.
    pub keys: &'static [&'static str],
    /// Whether it is worth a place in the hint line.
    pub hint: bool,
}

/// A line of a table that is worth a hint.
pub const fn hint(id: &'static str, action: Action, label: &'static str, keys: &'static [&'static str]) -> Bound {
    Bound { id, action, label, keys, hint: true }
}

/// A line of a table.
pub const fn bind(id: &'static str, action: Action, label: &'static str, keys: &'static [&'static str]) -> Bound {
    Bound { id, action, label, keys, hint: false }
}

/// Moving about, the same in every pane. A pane's own keys come first, so a pane may use `k` for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table below says what each is")]
pub enum Move {
    Down,
    Up,
    Left,
    Right,
    PageDown,
    PageUp,
    Top,
    Bottom,
    Enter,
    Back,
}

/// Keys of moving about.
pub const MOVES: &[Bound] = &[
    bind("move.down", Action::Move(Move::Down), "down", &["down", "j"]),
    bind("move.up", Action::Move(Move::Up), "up", &["up", "k"]),
    bind("move.left", Action::Move(Move::Left), "left", &["left", "h"]),
    bind("move.right", Action::Move(Move::Right), "right", &["right", "l"]),
    bind("move.page-down", Action::Move(Move::PageDown), "page down", &["pagedown", "ctrl-d", "ctrl-f"]),
    bind("move.page-up", Action::Move(Move::PageUp), "page up", &["pageup", "ctrl-u", "ctrl-b"]),
    bind("move.top", Action::Move(Move::Top), "to the top", &["g", "home"]),
    bind("move.bottom", Action::Move(Move::Bottom), "to the bottom", &["G", "end"]),
    bind("move.enter", Action::Move(Move::Enter), "open", &["enter"]),
    bind("move.back", Action::Move(Move::Back), "back", &["esc", "backspace"]),
];

/// What the workbench itself does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table below says what each is")]
pub enum Shell {
    Quit,
    Help,
    Palette,
    Pane(PaneId),
    NextTile,
    PreviousTile,
    NextPane,
    PreviousPane,
    SplitRight,
    SplitBelow,
    CloseTile,
    Zoom,
    Wider,
    Narrower,
    Pause,
    PassGate,
    Redraw,
    Theme,
    Copy,
    SaveTable,
    SaveScreen,
    Cancel,
}

/// The workbench's own table.
pub const SHELL: &[Bound] = &[
    hint("quit", Action::Shell(Shell::Quit), "leave", &["q", "ctrl-c"]),
    hint("palette", Action::Shell(Shell::Palette), "commands", &[":", "ctrl-p"]),
    bind("next-tile", Action::Shell(Shell::NextTile), "next tile or pane", &["tab"]),
    bind("previous-tile", Action::Shell(Shell::PreviousTile), "tile or pane before", &["shift-tab"]),
    bind("next-pane", Action::Shell(Shell::NextPane), "next pane", &["]"]),
    bind("previous-pane", Action::Shell(Shell::PreviousPane), "pane before", &["["]),
    bind("pane-1", Action::Shell(Shell::Pane(PaneId::Home)), "home", &["1"]),
    bind("pane-2", Action::Shell(Shell::Pane(PaneId::Run)), "run", &["2"]),
    bind("pane-3", Action::Shell(Shell::Pane(PaneId::Questions)), "questions", &["3"]),
    bind("pane-4", Action::Shell(Shell::Pane(PaneId::Bridge)), "bridge", &["4"]),
    bind("pane-5", Action::Shell(Shell::Pane(PaneId::Recycle)), "recycle", &["5"]),
    bind("pane-6", Action::Shell(Shell::Pane(PaneId::Rewards)), "rewards", &["6"]),
    bind("pane-7", Action::Shell(Shell::Pane(PaneId::Rollouts)), "rollouts", &["7"]),
    bind("pane-8", Action::Shell(Shell::Pane(PaneId::Evaluation)), "evaluation", &["8"]),
    bind("pane-9", Action::Shell(Shell::Pane(PaneId::DataSets)), "data sets", &["9"]),
    bind("pane-10", Action::Shell(Shell::Pane(PaneId::Prompts)), "prompts", &["0"]),
    bind("split-right", Action::Shell(Shell::SplitRight), "split to the right", &["|"]),
    bind("split-below", Action::Shell(Shell::SplitBelow), "split below", &["_"]),
    bind("close-tile", Action::Shell(Shell::CloseTile), "close this tile", &["ctrl-x"]),
    bind("zoom", Action::Shell(Shell::Zoom), "zoom this tile, or back", &["z"]),
    bind("wider", Action::Shell(Shell::Wider), "more room for this tile", &[">"]),
    bind("narrower", Action::Shell(Shell::Narrower), "less room for this tile", &["<"]),
    bind("pause", Action::Shell(Shell::Pause), "pause", &["p"]),
    bind("pass-gate", Action::Shell(Shell::PassGate), "approve what waits, and go on", &["ctrl-a"]),
    bind("theme", Action::Shell(Shell::Theme), "another theme", &["ctrl-t"]),
    bind("copy", Action::Shell(Shell::Copy), "copy", &["y"]),
    bind("save-table", Action::Shell(Shell::SaveTable), "save the table", &["ctrl-s"]),
    bind("save-screen", Action::Shell(Shell::SaveScreen), "save the screen as SVG", &["ctrl-o"]),
    bind("cancel", Action::Shell(Shell::Cancel), "give up a slow query", &["ctrl-g"]),
    bind("redraw", Action::Shell(Shell::Redraw), "draw everything anew", &["ctrl-l"]),
    hint("help", Action::Shell(Shell::Help), "help", &["?", "f1"]),
];

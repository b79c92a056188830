//! One enum of everything a key can ask for. Key bindings, the hint line and the help all read the same table, so they
//! can't drift apart.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::state::{Layer, Phase, State};

/// What a key can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Leave, or ask whether to stop a run that is at work.
    Quit,
    /// Pause, or go on.
    Pause,
    /// Let the waiting gate pass.
    PassGate,
    /// Open or close the help.
    Help,
    /// To the next pane.
    NextPane,
    /// To the pane before.
    PreviousPane,
    /// Show another curve.
    NextCurve,
    /// One line down.
    Down,
    /// One line up.
    Up,
    /// One page down.
    PageDown,
    /// One page up.
    PageUp,
    /// To the top.
    Top,
    /// To the bottom.
    Bottom,
    /// Draw everything anew.
    Redraw,
    /// Close the layer.
    Close,
    /// Yes, stop the run.
    Stop,
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    control: bool,
}

/// One line of a keymap.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// What it does.
    pub action: Action,
    /// Any of these keys.
    pub keys: &'static [Key],
    /// Whether it is worth a place in the hint line.
    pub hint: bool,
}

const fn key(c: char) -> Key {
    Key { code: KeyCode::Char(c), control: false }
}

const fn control(c: char) -> Key {
    Key { code: KeyCode::Char(c), control: true }
}

const fn code(code: KeyCode) -> Key {
    Key { code, control: false }
}

const fn bind(action: Action, keys: &'static [Key]) -> Binding {
    Binding { action, keys, hint: false }
}

const fn hint(action: Action, keys: &'static [Key]) -> Binding {
    Binding { action, keys, hint: true }
}

const SCROLL: [Binding; 6] = [
    bind(Action::Down, &[key('j'), code(KeyCode::Down)]),
    bind(Action::Up, &[key('k'), code(KeyCode::Up)]),
    bind(Action::PageDown, &[code(KeyCode::PageDown), key(' '), control('d'), control('f')]),
    bind(Action::PageUp, &[code(KeyCode::PageUp), control('u'), control('b')]),
    bind(Action::Top, &[key('g'), code(KeyCode::Home)]),
    bind(Action::Bottom, &[key('G'), code(KeyCode::End)]),
];

const PANES: &[Binding] = &[
    hint(Action::Quit, &[key('q'), control('c')]),
    hint(Action::PassGate, &[key('a')]),
    hint(Action::Pause, &[key('p')]),
    hint(Action::NextCurve, &[key('c')]),
    hint(Action::NextPane, &[code(KeyCode::Tab)]),
    bind(Action::PreviousPane, &[code(KeyCode::BackTab)]),
    hint(Action::Down, SCROLL[0].keys),
    hint(Action::Up, SCROLL[1].keys),
    SCROLL[2],
    SCROLL[3],
    SCROLL[4],
    SCROLL[5],
    bind(Action::Redraw, &[control('l')]),
    hint(Action::Help, &[key('?'), code(KeyCode::F(1))]),
];

const HELP: &[Binding] = &[
    hint(Action::Close, &[code(KeyCode::Esc), key('?'), key('q'), code(KeyCode::Enter), code(KeyCode::F(1))]),
    hint(Action::Down, SCROLL[0].keys),
    hint(Action::Up, SCROLL[1].keys),
    SCROLL[2],
    SCROLL[3],
    SCROLL[4],
    SCROLL[5],
    bind(Action::Quit, &[control('c')]),
    bind(Action::Redraw, &[control('l')]),
];

const ASK: &[Binding] = &[
    hint(Action::Stop, &[key('y'), code(KeyCode::Enter), control('c')]),
    hint(Action::Close, &[key('n'), code(KeyCode::Esc), key('q')]),
    bind(Action::Redraw, &[control('l')]),
];

/// The keymap of what lies on top.
pub fn keymap(layer: Option<Layer>) -> &'static [Binding] {
    match layer {
        None => PANES,
        Some(Layer::Help { .. }) => HELP,
        Some(Layer::AskStop) => ASK,
    }
}

/// What a key asks for here and now, if anything.
pub fn action_for(state: &State, event: &KeyEvent) -> Option<Action> {
    let pressed = Key { code: event.code, control: event.modifiers.contains(KeyModifiers::CONTROL) };
    keymap(state.layer())
        .iter()
        .find(|binding| binding.keys.contains(&pressed) && available(binding.action, state))
        .map(|binding| binding.action)
}

/// Whether an action makes sense now; what does not is neither hinted at nor done.
pub fn available(action: Action, state: &State) -> bool {
    match action {
        Action::Pause => matches!(state.phase, Phase::Running | Phase::Pausing | Phase::Paused),
        Action::PassGate => state.gate.is_some() && !state.phase.over(),
        Action::NextCurve => state.curves.all().len() > 1,
        _ => true,
    }
}

/// What an action is called now, for the hint line and the help.
pub fn label(action: Action, state: &State) -> &'static str {
    match action {
        Action::Quit if state.phase.over() => "leave",
        Action::Quit if state.phase == Phase::Stopping => "leave at once",
        Action::Quit => "stop",
        Action::Pause if matches!(state.phase, Phase::Paused | Phase::Pausing) => "go on",
        Action::Pause => "pause",
        Action::PassGate => "approve what waits",
        Action::Help => "help",
        Action::NextPane => "next pane",
        Action::PreviousPane => "pane before",
        Action::NextCurve => "other curve",
        Action::Down => "down",
        Action::Up => "up",
        Action::PageDown => "page down",
        Action::PageUp => "page up",
        Action::Top => "oldest",
        Action::Bottom => "newest",
        Action::Redraw => "draw anew",
        Action::Close if state.layer() == Some(Layer::AskStop) => "go on",
        Action::Close => "close",
        Action::Stop => "stop the run",
    }
}

/// How a key is written.
pub fn key_name(key: Key) -> String {
    let name = match key.code {
        KeyCode::Char(' ') => "Space".to_string(),
        KeyCode::Char(c) if key.control => return format!("^{}", c.to_ascii_uppercase()),
        KeyCode::Char(c) => c.to_string(),
        KeyCode::BackTab => "Shift-Tab".to_string(),
        KeyCode::PageDown => "PgDn".to_string(),
        KeyCode::PageUp => "PgUp".to_string(),
        KeyCode::F(n) => format!("F{n}"),
        other => format!("{other:?}"),
    };
    if key.control { format!("^{name}") } else { name }
}

/// The hints for what lies on top: key and label, in the order of the keymap.
pub fn hints(state: &State) -> Vec<(String, &'static str)> {
    keymap(state.layer())
        .iter()
        .filter(|binding| binding.hint && available(binding.action, state))
        .filter_map(|binding| Some((key_name(*binding.keys.first()?), label(binding.action, state))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_bound_twice_in_one_keymap() {
        for map in [PANES, HELP, ASK] {
            let keys: Vec<Key> = map.iter().flat_map(|binding| binding.keys.iter().copied()).collect();
            for (at, key) in keys.iter().enumerate() {
                assert!(!keys[at + 1..].contains(key), "{} is bound twice", key_name(*key));
            }
        }
    }

    #[test]
    fn keys_have_names_a_person_reads() {
        let names = [control('c'), key('?'), code(KeyCode::PageDown), code(KeyCode::F(1)), key(' ')].map(key_name);
        assert_eq!(names, ["^C", "?", "PgDn", "F1", "Space"]);
    }
}

//! Which keys ask for which action. Every table of actions brings its first keys; a file may give others.

mod file;
mod key;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

pub use file::{KeysError, Problem, section};
pub use key::{Key, script};

use super::action::{Action, Bound, MOVES, SHELL};
use super::pane::PaneId;
use super::panes;
use super::probe::Surroundings;

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

/// Its place in the user's folder of settings.
const FILE: &str = "footbridge/keys.toml";

/// Every table, with the keys of which each must be alone: a pane's own, moving about, the workbench's.
pub fn tables() -> impl Iterator<Item = &'static [Bound]> {
    PaneId::ALL.into_iter().map(panes::bindings).chain([MOVES, SHELL])
}

/// Every action there is, pane by pane, then moving about, then the workbench's own.
pub fn all() -> impl Iterator<Item = &'static Bound> {
    tables().flatten()
}

/// The table of an action.
pub fn bound(action: Action) -> Option<&'static Bound> {
    all().find(|bound| bound.action == action)
}

impl Keymap {
    /// The keymap of this user: the built-in one, changed by the file that was asked for, that `FOOTBRIDGE_KEYS` names, or
    /// that lies in the user's folder of settings.
    ///
    /// # Errors
    /// When a file that was named is not there, or when one can't be used: everything wrong in it, with its line.
    pub fn usual(around: &Surroundings, asked: Option<&Path>) -> Result<Self, KeysError> {
        let named = Some(&around.keys).filter(|path| !path.is_empty()).map(PathBuf::from);
        let usual = || around.settings.as_ref().map(|folder| folder.join(FILE)).filter(|path| path.exists());
        match asked.map(Path::to_path_buf).or(named).or_else(usual) {
            Some(path) => Self::load(&path),
            None => Ok(Self::default()),
        }
    }

    /// The built-in keymap, changed by a file.
    ///
    /// # Errors
    /// When it can't be read, or everything wrong in it, with its line.
    pub fn load(path: &Path) -> Result<Self, KeysError> {
        let shown = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|source| KeysError::Unreadable { path: shown.clone(), source })?;
        Self::parse(&text, &shown)
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
        assert_eq!(file::twice(&Keymap::default()), Vec::<String>::new());
    }
}

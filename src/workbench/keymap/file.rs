//! Keymap files: TOML that gives actions other keys, read against the tables of actions, so that everything wrong in a file
//! is found in one reading, with its line.

use std::fmt::Write;

use strsim::normalized_damerau_levenshtein as likeness;
use toml::de::{DeTable, DeValue};

use super::{Key, Keymap, all, tables};
use crate::workbench::action::Bound;

/// Actions that must have a key: without them nobody gets out, or finds out how.
const NEEDED: [&str; 2] = ["quit", "help"];

/// The section of actions that hold in every pane.
const EVERYWHERE: &str = "everywhere";

/// Why a keymap file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// It can't be read.
    #[error("keys {path}: {source}")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Everything wrong in it, a line each.
    #[error("{}", listed(.0))]
    Invalid(Vec<Problem>),
}

/// Something wrong in a keymap file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which file.
    pub path: String,
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong there, and what would be right.
    pub text: String,
}

fn listed(problems: &[Problem]) -> String {
    let lines: Vec<String> =
        problems.iter().map(|problem| format!("keys {}:{}: {}", problem.path, problem.line, problem.text)).collect();
    lines.join("\n")
}

/// The section and the name under which a file gives an action its keys.
pub fn section(bound: &Bound) -> (&'static str, &'static str) {
    bound.id.split_once('.').unwrap_or((EVERYWHERE, bound.id))
}

impl Keymap {
    /// The built-in keymap, changed by the text of a file; `path` is named in its problems.
    ///
    /// # Errors
    /// Everything wrong in it, with its line.
    pub fn parse(text: &str, path: &str) -> Result<Self, KeysError> {
        let mut reader = Reader { text, path, keymap: Self::default(), lines: Vec::new(), problems: Vec::new() };
        reader.document();
        reader.alone();
        reader.problems.sort_by_key(|problem| problem.line);
        if reader.problems.is_empty() { Ok(reader.keymap) } else { Err(KeysError::Invalid(reader.problems)) }
    }

    /// The whole keymap as a file.
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        let mut current = "";
        for bound in all() {
            let (section, name) = section(bound);
            if section != current {
                let _ = write!(out, "{}[{section}]\n", if current.is_empty() { "" } else { "\n" });
                current = section;
            }
            let keys: Vec<String> =
                self.keys(bound).iter().map(|key| toml::Value::String(key.written()).to_string()).collect();
            let _ = writeln!(out, "{name} = [{}] # {}", keys.join(", "), bound.label);
        }
        out
    }
}

/// One file while it is read.
struct Reader<'t> {
    text: &'t str,
    path: &'t str,
    keymap: Keymap,
    /// The lines on which actions were given keys, by id.
    lines: Vec<(&'static str, usize)>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn document(&mut self) {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let line = self.line(error.span().map_or(0, |span| span.start));
            self.report(line, format!("this is not TOML: {}", error.message()));
        }
        if !errors.is_empty() {
            return;
        }
        for (section, value) in table.get_ref() {
            let line = self.line(section.span().start);
            match value.get_ref() {
                DeValue::Table(table) => self.section(section.get_ref(), table),
                _ => self.report(line, format!("`{}` is in no section; write [everywhere] above", section.get_ref())),
            }
        }
    }

    fn section(&mut self, section: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let line = self.line(name.span().start);
            match all().find(|bound| self::section(bound) == (section, name.get_ref())) {
                Some(bound) => self.action(bound, line, value.get_ref()),
                None => {
                    let (section, name) = nearest(section, name.get_ref());
                    self.report(line, format!("there is no such action; the nearest is {name} in [{section}]"));
                }
            }
        }
    }

    fn action(&mut self, bound: &'static Bound, line: usize, value: &DeValue<'_>) {
        let written: Option<Vec<&str>> = match value {
            DeValue::String(key) => Some(vec![key]),
            DeValue::Array(keys) => keys.iter().map(|key| key.get_ref().as_str()).collect(),
            _ => None,
        };
        let Some(written) = written else {
            return self.report(line, "write a key, as \"k\", or several, as [\"k\", \"ctrl-k\"]".to_string());
        };
        let mut keys = Vec::new();
        for text in written {
            match Key::parse(text) {
                Ok(key) => keys.push(key),
                Err(why) => self.report(line, why),
            }
        }
        if keys.is_empty() && NEEDED.contains(&bound.id) && matches!(value, DeValue::Array(_)) {
            self.report(line, format!("{} must have a key", bound.id));
        }
        self.keymap.set(bound, keys);
        self.lines.push((bound.id, line));
    }

    /// Every key is alone in its table.
    fn alone(&mut self) {
        for (first, second, key) in doubles(&self.keymap) {
            let line = |bound: &Bound| self.lines.iter().find(|(id, _)| *id == bound.id).map(|(_, line)| *line);
            // The later of the two lines; what the file says nothing of stands by its built-in key.
            let Some(at) = line(second).max(line(first)) else { continue };
            let (this, other) = if line(second) == Some(at) { (second, first) } else { (first, second) };
            let words = match this.id == other.id {
                true => format!("`{}` stands twice", key.written()),
                false => format!("`{}` also is {}; give that another key, or none: []", key.written(), other.id),
            };
            self.report(at, words);
        }
    }

    fn line(&self, at: usize) -> usize {
        self.text.get(..at).unwrap_or(self.text).matches('\n').count() + 1
    }

    fn report(&mut self, line: usize, text: String) {
        self.problems.push(Problem { path: self.path.to_string(), line, text });
    }
}

/// Keys that two actions of one table share, or one action has twice.
fn doubles(keymap: &Keymap) -> Vec<(&'static Bound, &'static Bound, Key)> {
    let mut found = Vec::new();
    for table in tables() {
        let keys: Vec<_> =
            table.iter().flat_map(|bound| keymap.keys(bound).iter().map(move |key| (bound, *key))).collect();
        for (at, (first, key)) in keys.iter().enumerate() {
            let again = keys[at + 1..].iter().find(|(_, other)| other == key);
            found.extend(again.map(|(second, key)| (*first, *second, *key)));
        }
    }
    found
}

/// The same in words, for a test of the built-in tables.
#[cfg(test)]
pub(super) fn twice(keymap: &Keymap) -> Vec<String> {
    let words = |(a, b, key): &(&Bound, &Bound, Key)| format!("{} is {} and {}", key.written(), a.id, b.id);
    doubles(keymap).iter().map(words).collect()
}

/// The action most like a misspelt one; being in the same section counts for it.
fn nearest(section: &str, name: &str) -> (&'static str, &'static str) {
    let score = |bound: &Bound| {
        let (known_section, known) = self::section(bound);
        likeness(name, known) + 0.4 * likeness(section, known_section)
    };
    let best = all().max_by(|a, b| score(a).total_cmp(&score(b)));
    best.map_or((EVERYWHERE, "help"), self::section)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::workbench::action::{Action, Shell};
    use crate::workbench::pane::PaneId;

    fn problems(text: &str) -> Vec<String> {
        match Keymap::parse(text, "keys.toml") {
            Ok(_) => vec![],
            Err(error) => error.to_string().lines().map(str::to_string).collect(),
        }
    }

    #[test]
    fn a_file_gives_actions_other_keys_and_leaves_the_rest() {
        let keymap =
            Keymap::parse("[everywhere]\nquit = \"ctrl-q\"\nzoom = []\n[move]\ndown = [\"down\", \"n\"]\n", "k");
        let keymap = keymap.unwrap();
        let action = |key: &str| keymap.action(PaneId::Run, Key::parse(key).unwrap(), |_| true);
        assert_eq!(action("ctrl-q"), Some(Action::Shell(Shell::Quit)));
        assert_eq!((action("q"), action("z"), action("j")), (None, None, None));
        assert_eq!(action("n"), Some(Action::Move(crate::workbench::action::Move::Down)));
        assert_eq!(action("?"), Some(Action::Shell(Shell::Help)));
    }

    #[test]
    fn the_written_keymap_is_read_as_the_same() {
        let (usual, mut other) = (Keymap::default(), Keymap::default());
        for bound in all() {
            other.set(bound, vec![]);
        }
        assert_eq!(other.keys(all().next().unwrap()), []);
        other = Keymap::parse(&usual.to_toml(), "written").unwrap();
        for bound in all() {
            assert_eq!(other.keys(bound), usual.keys(bound), "{}", bound.id);
        }
    }

    #[test]
    fn everything_wrong_is_told_with_its_line() {
        let text = "[everywhere]\nquitt = \"x\"\nhelp = []\nzoom = \"ctrl-nothing\"\ncopy = 3\n\n[mov]\nupp = \"u\"\n";
        let said = problems(text);
        let wanted = [
            "keys keys.toml:2: there is no such action; the nearest is quit in [everywhere]",
            "keys keys.toml:3: help must have a key",
            "keys keys.toml:4: `ctrl-nothing` is no key",
            "keys keys.toml:5: write a key, as \"k\"",
            "keys keys.toml:8: there is no such action; the nearest is up in [move]",
        ];
        assert_eq!(said.len(), wanted.len(), "{said:#?}");
        for (line, wanted) in said.iter().zip(wanted) {
            assert!(line.starts_with(wanted), "{line}");
        }
        assert!(problems("quit = \"x\"\n")[0].contains(":1: `quit` is in no section"));
        assert!(problems("[everywhere\n")[0].contains(":1: this is not TOML"));
    }

    #[test]
    fn a_key_is_alone_in_its_table_but_a_pane_may_take_one_of_the_shells() {
        assert_eq!(
            problems("[everywhere]\ncopy = \"z\"\n"),
            ["keys keys.toml:2: `z` also is zoom; give that another key, or none: []"]
        );
        assert_eq!(problems("[everywhere]\ncopy = \"z\"\nzoom = \"y\"\n"), Vec::<String>::new());
        assert_eq!(problems("[everywhere]\ncopy = [\"y\", \"y\"]\n"), ["keys keys.toml:2: `y` stands twice"]);
        assert_eq!(problems("[move]\ndown = \"q\"\n"), Vec::<String>::new());
    }
}

//! Where things lie in a session's folder, and which names are allowed.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::SessionError;
use super::files;

/// A checked session name: 1 to 64 of `A-Z a-z 0-9 - _ .`, beginning with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionName(String);

impl SessionName {
    /// Checks a name; the error says which rule it breaks.
    pub fn new(name: &str) -> Result<Self, SessionError> {
        match name_fault(name) {
            None => Ok(Self(name.to_owned())),
            Some(reason) => Err(SessionError::BadName { name: name.escape_debug().to_string(), reason }),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text cannot be a folder name of ours; checkpoints follow the same rule.
pub(crate) fn name_fault(name: &str) -> Option<&'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() {
        Some("it is empty")
    } else if name.len() > 64 {
        Some("it is too long")
    } else if !name.chars().all(allowed) {
        Some("it holds a character that is not allowed")
    } else if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        Some("it must begin with a letter or a digit")
    } else if name.ends_with('.') {
        Some("it must not end with a dot")
    } else {
        None
    }
}

/// A text as part of a session's name: other characters than letters, digits, `.`, `-` and `_` become `-`.
pub fn session_word(text: &str) -> String {
    const LONGEST: usize = 40;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let word: String = text.chars().map(|c| if allowed(c) { c } else { '-' }).take(LONGEST).collect();
    let word = word.trim_matches(['.', '-', '_']);
    if word.is_empty() { "run".into() } else { word.into() }
}

/// The paths of one session.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub name: SessionName,
    pub dir: PathBuf,
}

impl Layout {
    pub fn new(root: &Path, name: &SessionName) -> Self {
        Self { name: name.clone(), dir: root.join(name.as_str()) }
    }

    pub fn recipe(&self) -> PathBuf {
        self.dir.join("recipe.toml")
    }

    /// The text of the recipe, and the file it stands in.
    pub fn recipe_text(&self) -> Result<(String, PathBuf), SessionError> {
        let path = self.recipe();
        match String::from_utf8(files::read(&path)?) {
            Ok(text) => Ok((text, path)),
            Err(_) => Err(SessionError::Meta { path, what: "the recipe is not UTF-8 text".into() }),
        }
    }

    pub fn meta(&self) -> PathBuf {
        self.dir.join("meta.json")
    }

    pub fn state(&self) -> PathBuf {
        self.dir.join("state.json")
    }

    pub fn journal(&self) -> PathBuf {
        self.dir.join("journal")
    }

    pub fn store(&self) -> PathBuf {
        self.dir.join("store")
    }

    pub fn checkpoints(&self) -> PathBuf {
        self.dir.join("checkpoints")
    }

    pub fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["demo", "a", "run-2.b_C", "1-sft-medium", &"x".repeat(64)] {
            assert!(SessionName::new(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", ".hidden", "a/b", "a\\b", "ä", "a b", "-x", "a.", "a\0", &"x".repeat(65)] {
            assert!(SessionName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn any_text_becomes_part_of_a_name() {
        assert_eq!((session_word("my run!"), session_word("…")), ("my-run".into(), "run".into()));
    }
}

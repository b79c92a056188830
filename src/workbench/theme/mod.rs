//! Colours by meaning, read from TOML (`themes/`), brought down to what the terminal shows.
//!
//! `meanings` says which meanings there are; a theme file gives each its [`ink`]. A built-in theme sets every meaning; a
//! file of a user's may say `extends = "dark"` and set only some. Without colours no file matters: the table of meanings
//! says what bold, dim, underlined and reversed stand for then. `told` says which meaning operations, bands and standings
//! have.

pub mod ink;
mod meanings;
mod told;
pub mod vision;

use std::fmt;

use super::probe::ColourLevel;
pub use ink::Rgb;
use meanings::File;
pub use meanings::{Meaning, Theme};

/// The built-in themes and their files.
const BUILT_IN: [(&str, &str); 5] = [
    ("dark", include_str!("../../../themes/dark.toml")),
    ("light", include_str!("../../../themes/light.toml")),
    ("safe", include_str!("../../../themes/safe.toml")),
    ("safe-light", include_str!("../../../themes/safe-light.toml")),
    ("contrast", include_str!("../../../themes/contrast.toml")),
];

/// A theme that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// The file can't be read.
    #[error("theme {path}: {source}; built in are {}", BuiltIn)]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no theme.
    #[error("theme {path}:{line}: {message}")]
    Malformed {
        /// Which file.
        path: String,
        /// Which line, from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// It extends a theme that there is not.
    #[error("theme {path}: extends `{base}`, which is not built in; built in are {}", BuiltIn)]
    Base {
        /// Which file.
        path: String,
        /// What it names.
        base: String,
    },
    /// It extends nothing and leaves meanings out.
    #[error("theme {path}: {missing} not set; set every meaning, or begin with extends = \"dark\"")]
    Incomplete {
        /// Which file.
        path: String,
        /// What is missing, with `is` or `are`.
        missing: String,
    },
}

/// The names of the built-in themes, as a sentence lists them.
struct BuiltIn;

impl fmt::Display for BuiltIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = names().iter().map(|name| format!("`{name}`")).collect();
        let (last, others) = names.split_last().ok_or(fmt::Error)?;
        write!(f, "{} and {last}", others.join(", "))
    }
}

/// Names of the built-in themes.
pub fn names() -> &'static [&'static str] {
    &["dark", "light", "safe", "safe-light", "contrast"]
}

/// The file of a built-in theme, as written.
pub fn source(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

impl Theme {
    /// The theme for dark backgrounds.
    pub fn dark(level: ColourLevel) -> Self {
        Self::built_in("dark", level)
    }

    /// The theme for light backgrounds.
    pub fn light(level: ColourLevel) -> Self {
        Self::built_in("light", level)
    }

    /// A built-in theme; without any colours when there is none of that name.
    fn built_in(name: &str, level: ColourLevel) -> Self {
        // A test holds every built-in file against `read`.
        let file = source(name).and_then(|text| toml::from_str(text).ok()).unwrap_or_default();
        Self::of(&file, level)
    }

    /// A built-in theme by its name, or the path of a TOML file like `themes/dark.toml`.
    ///
    /// # Errors
    /// When the file can't be read, is no theme (with the line), or leaves out what it must set.
    pub fn load(name: &str, level: ColourLevel) -> Result<Self, ThemeError> {
        if names().contains(&name) {
            return Ok(Self::built_in(name, level));
        }
        let text = std::fs::read_to_string(name)
            .map_err(|source| ThemeError::Unreadable { path: name.to_string(), source })?;
        Ok(Self::of(&read(&text, name)?, level))
    }
}

/// The text of a theme file, with what it extends.
fn read(text: &str, path: &str) -> Result<File, ThemeError> {
    let path = path.to_string();
    let mut file: File = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            let line = text.get(..at).unwrap_or(text).matches('\n').count() + 1;
            return Err(ThemeError::Malformed { path, line, message: error.message().to_string() });
        }
    };
    if let Some(base) = file.extends.take() {
        let Some(text) = source(&base) else { return Err(ThemeError::Base { path, base }) };
        file = file.over(read(text, &base)?);
    }
    match file.missing().as_slice() {
        [] => Ok(file),
        [one] => Err(ThemeError::Incomplete { path, missing: format!("`{one}` is") }),
        many => Err(ThemeError::Incomplete { path, missing: format!("`{}` are", many.join("`, `")) }),
    }
}

#[cfg(test)]
mod tests;

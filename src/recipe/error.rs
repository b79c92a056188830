//! What can be wrong with a recipe, each on one line that says where.

use std::{fmt, path::PathBuf};

/// Why there is no recipe.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// No preset of this name.
    #[error(
        "there is no preset {name:?}; the nearest is \"{nearest}\", and a recipe of your own is named as a file: my.toml"
    )]
    UnknownPreset {
        /// As it was asked for.
        name: String,
        /// The most similar preset.
        nearest: String,
    },
    /// The recipe was read but does not hold; every problem that was found, one a line.
    #[error("{}", lines(.0))]
    Invalid(Vec<Problem>),
}

/// One thing wrong in a recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file or preset; empty for a recipe that came from none.
    pub file: String,
    /// Line in it, from 1; absent where the value is not in the file.
    pub line: Option<usize>,
    /// What was found, what is wrong with it, what to do.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.as_str(), self.line) {
            ("", _) => write!(to, "{}", self.text),
            (file, None) => write!(to, "{file}: {}", self.text),
            (file, Some(line)) => write!(to, "{file}:{line}: {}", self.text),
        }
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

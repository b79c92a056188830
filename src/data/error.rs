//! What can be wrong with a file of questions, each on one line: where it is and what to do.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

/// Where in a file something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A line of a text file, counted from 1.
    Line(usize),
    /// A row of a file that has no lines, counted from 1.
    Row(usize),
}

impl Place {
    /// Its number.
    pub fn number(self) -> usize {
        match self {
            Place::Line(number) | Place::Row(number) => number,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(number) => write!(f, "line {number}"),
            Place::Row(number) => write!(f, "row {number}"),
        }
    }
}

/// Why questions could not be read; nothing of the file is used then.
#[derive(Debug, Error)]
pub enum DataError {
    /// The file cannot be opened or read.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file as a whole is not what it should be.
    #[error("{path}: {reason}", path = .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// Something in it is not what it should be.
    #[error("{path}{at}: {reason}", path = .path.display(), at = after_path(*.place))]
    At {
        /// Which file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// What is wrong and what to do.
        reason: String,
    },
    /// There is nothing in it.
    #[error("{path} holds no rows; it is empty or its download was cut short", path = .path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
    },
    /// A benchmark whose file is not there.
    #[error("{name} is not in {folder}; get it by `footbridge data fetch {name} --to {folder}`, or put its file there as {known}", folder = .folder.display())]
    Absent {
        /// The benchmark.
        name: &'static str,
        /// Where it was looked for.
        folder: PathBuf,
        /// The names its file is known under.
        known: String,
    },
    /// The request itself makes no sense.
    #[error("{0}")]
    Asked(String),
}

fn after_path(place: Place) -> String {
    match place {
        Place::Line(number) => format!(":{number}"),
        Place::Row(number) => format!(": row {number}"),
    }
}

//! The small files of a session: what it is, and one line on how far it has come.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::{Result, SessionError};
use super::files;

/// Version of the folder's layout and of the journal's format. 2: frames may have large values beside their text; what
/// version 1 wrote reads as it is.
pub(crate) const SCHEMA: u32 = 2;

/// What a new session is made from.
#[derive(Clone, Debug)]
pub struct NewSession<'a> {
    /// The whole recipe as TOML; kept as `recipe.toml`.
    pub recipe: &'a str,
    /// Seed of the run.
    pub seed: u64,
}

/// `meta.json`: written when the session is made, and when it gets another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Version of the folder's layout.
    pub schema: u32,
    /// Its name.
    pub name: String,
    /// Unix time in milliseconds.
    pub created: u64,
    /// Seed of the run.
    pub seed: u64,
    /// Version of the program that made it.
    pub program: String,
}

impl Meta {
    pub(crate) fn new(name: &str, seed: u64) -> Self {
        let program = env!("CARGO_PKG_VERSION").to_owned();
        Self { schema: SCHEMA, name: name.to_owned(), created: files::unix_millis(), seed, program }
    }

    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = files::read(path)?;
        let fault = |what: String| SessionError::Meta { path: path.to_path_buf(), what };
        let meta: Meta = serde_json::from_slice(&bytes)
            .map_err(|e| fault(format!("this is not the description of a session ({e}); restore it from a copy")))?;
        if meta.schema > SCHEMA {
            let what =
                format!("the session has layout {}, this Footbridge knows {SCHEMA}; use a newer one", meta.schema);
            return Err(fault(what));
        }
        Ok(meta)
    }
}

/// `state.json`: how far the run has come, for lists. Not part of the records; may lag behind after a crash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateLine {
    /// One short line, for example `iteration 2, grpo 30/60`.
    pub line: String,
    /// Whether every stage is complete.
    pub finished: bool,
}

impl StateLine {
    pub(crate) fn read(path: &Path) -> Option<Self> {
        std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())
    }
}

pub(crate) fn to_json<T: Serialize>(path: &Path, value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(value).map_err(|e| SessionError::Meta { path: path.to_path_buf(), what: e.to_string() })
}

//! Typed rows from JSON Lines files, such as stored generations.
//!
//! Every row counts: a file that is cut short or damaged is refused with the line at fault, never read in part.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::error::DataError;
use super::json::plainly;
use super::text::{Lines, fault};

/// The rows of a JSON Lines file with their line numbers, counted from 1, and the SHA-256 of the file in hex. Blank
/// lines are passed over.
///
/// # Errors
/// What is wrong and where.
pub fn rows<T: DeserializeOwned>(path: &Path) -> Result<(Vec<(usize, T)>, String), DataError> {
    let mut lines = Lines::open(path)?;
    let mut rows = Vec::new();
    while let Some((line, text)) = lines.next()? {
        if !text.trim().is_empty() {
            rows.push((line, serde_json::from_str(text).map_err(|error| fault(path, line, plainly(&error)))?));
        }
    }
    if rows.is_empty() { Err(DataError::Empty { path: path.to_owned() }) } else { Ok((rows, lines.sha256())) }
}

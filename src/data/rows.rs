//! Rows of any file: JSON Lines, a JSON array, CSV (also tab-separated) or parquet, as maps from field to value.
//!
//! Each row knows its place, so that whatever is wrong with it can be said with file and line. A file is read whole or
//! refused.

use std::fmt;
use std::path::Path;

use serde_json::{Map, Value};

use super::error::{DataError, Place};
use super::{columnar, delimited, json, text};

/// The fields of a row, in the order of the file.
pub type Fields = Map<String, Value>;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    JsonLines,
    /// One array of JSON objects.
    Json,
    /// Comma-separated values with a line of names.
    Csv,
    /// The same, separated by tabs.
    Tsv,
    /// Apache Parquet.
    Parquet,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Format::JsonLines => "JSON Lines",
            Format::Json => "JSON array",
            Format::Csv => "CSV",
            Format::Tsv => "TSV",
            Format::Parquet => "parquet",
        })
    }
}

/// A file, read.
#[derive(Clone, Debug)]
pub struct Rows {
    /// How it is written.
    pub format: Format,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Its rows; never empty.
    pub rows: Vec<(Place, Fields)>,
}

impl Rows {
    /// Reads a file by its ending.
    ///
    /// # Errors
    /// What is wrong and where; see [`DataError`].
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let read = match ending.as_str() {
            "jsonl" | "ndjson" => json::lines(path)?,
            "json" => json::file(path)?,
            "csv" => delimited::file(path, Format::Csv)?,
            "tsv" => delimited::file(path, Format::Tsv)?,
            "parquet" => columnar::file(path)?,
            _ => {
                // Absent and foreign files are answered for what they are, before their name is.
                text::Lines::open(path)?;
                let reason = "its name should end in .jsonl, .json, .csv, .tsv or .parquet, which says how it is read";
                return Err(DataError::File { path: path.to_owned(), reason: reason.into() });
            }
        };
        if read.rows.is_empty() { Err(DataError::Empty { path: path.to_owned() }) } else { Ok(read) }
    }
}

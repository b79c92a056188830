//! Questions from JSON Lines files in the layout of GSM8K: `{"question": "…", "answer": "worked solution\n#### 42"}`.
//!
//! Every row counts: a file that is cut short or damaged is refused with the line at fault, never read in part.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::domain::Question;

/// Why a file could not be read; says where.
#[derive(Debug, Error)]
pub enum DataError {
    /// The file cannot be opened or is not UTF-8.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A line is not what it should be.
    #[error("{path}:{line}: {reason}", path = .path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong and what is expected.
        reason: String,
    },
    /// There is nothing in it.
    #[error("{path} holds no rows; each line should be one JSON object", path = .path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
    },
}

/// The rows of a JSON Lines file with their line numbers, counted from 1. Blank lines are passed over.
pub fn rows<T: DeserializeOwned>(path: &Path) -> Result<Vec<(usize, T)>, DataError> {
    let bytes = std::fs::read(path).map_err(|source| DataError::Unreadable { path: path.to_owned(), source })?;
    let mut rows = Vec::new();
    for (index, raw) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let fail = |reason: String| DataError::Line { path: path.to_owned(), line: index + 1, reason };
        let text = std::str::from_utf8(raw).map_err(|_| fail("not UTF-8 text".to_owned()))?;
        let text = if index == 0 { text.trim_start_matches('\u{feff}') } else { text };
        if text.trim().is_empty() {
            continue;
        }
        rows.push((index + 1, serde_json::from_str(text).map_err(|error| fail(plainly(&error)))?));
    }
    if rows.is_empty() { Err(DataError::Empty { path: path.to_owned() }) } else { Ok(rows) }
}

/// What serde says, without its own count of lines: within a row it is always line 1.
fn plainly(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    match error.classify() {
        serde_json::error::Category::Data => text.to_owned(),
        _ => format!("not a JSON object: {text} at column {}", error.column()),
    }
}

#[derive(serde::Deserialize)]
struct Row {
    #[serde(default)]
    id: Option<String>,
    question: String,
    answer: String,
}

/// Reads questions. Ids are the file's stem and the line number, or the row's own `id`; `gold` is what follows the last
/// `####`, without commas and currency signs.
pub fn questions(path: &Path) -> Result<Vec<Question>, DataError> {
    let stem = path.file_stem().map_or_else(|| "row".to_owned(), |stem| stem.to_string_lossy().into_owned());
    let mut seen = std::collections::HashMap::new();
    let mut questions = Vec::new();
    for (line, row) in rows::<Row>(path)? {
        let fail = |reason: String| DataError::Line { path: path.to_owned(), line, reason };
        if row.question.trim().is_empty() {
            return Err(fail("`question` is empty".to_owned()));
        }
        let gold =
            gold(&row.answer).ok_or_else(|| fail("`answer` does not end with a line `#### answer`".to_owned()))?;
        let id = row.id.unwrap_or_else(|| format!("{stem}-{line:05}"));
        if let Some(first) = seen.insert(id.clone(), line) {
            return Err(fail(format!("the id `{id}` was used on line {first} already")));
        }
        questions.push(Question { id, text: row.question, gold, solution: Some(row.answer), steps: None });
    }
    Ok(questions)
}

/// The final answer of a worked solution.
fn gold(answer: &str) -> Option<String> {
    let (_, after) = answer.rsplit_once("####")?;
    let gold: String = after.trim().chars().filter(|c| !matches!(c, ',' | '$')).collect();
    let gold = gold.trim();
    (!gold.is_empty() && !gold.contains('\n')).then(|| gold.to_owned())
}

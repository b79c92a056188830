//! Where the questions come from, beside their number.

use std::fmt;

use super::table::{Table, wrapped};
use crate::export::report::Results;

/// Hexadecimal digits of a hash that are shown; all of them are in the JSON form.
const DIGITS: usize = 12;

pub(super) fn write(results: &Results, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if results.sources.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(["questions", "N", "of", "verifier", "prompt", "sha256", "file"]).left(&[0, 3, 4, 5, 6]);
    for source in &results.sources {
        let of = &source.of;
        let file = of.path.rsplit(['/', '\\']).next().unwrap_or_default();
        table.row([
            of.split.clone(),
            of.used.to_string(),
            of.rows.to_string(),
            of.verifier.clone(),
            source.prompt.clone(),
            of.sha256.chars().take(DIGITS).collect(),
            file.to_string(),
        ]);
    }
    writeln!(f, "\nQuestions, their number and the file they come from\n{table}")?;
    for source in &results.sources {
        for note in &source.of.notes {
            writeln!(f, "{}", wrapped(&format!("{}: {note}", source.of.split)))?;
        }
    }
    Ok(())
}

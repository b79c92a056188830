//! Sessions side by side, as `footbridge report --beside` draws them: the checkpoints they share, and what one has over
//! the other on the same questions.

use crate::evaluate::Change;
use crate::export::{Beside, beside};
use crate::recipe::{Loaded, Recipe};
use crate::session::{Session, Sessions};
use crate::workbench::jobs::Cancel;
use crate::workbench::text;

/// Reads a session and others, and compares them.
///
/// # Errors
/// In words, when one can't be read or their figures can't stand beside each other.
pub fn read(sessions: &Sessions, this: &str, others: &[String], cancel: &Cancel) -> Result<Vec<String>, String> {
    let ours = opened(sessions, this)?;
    let mut theirs = Vec::new();
    for name in others {
        cancel.check()?;
        theirs.push(opened(sessions, name)?);
    }
    let report = beside((&ours.0, &ours.1), &theirs).map_err(|error| error.to_string())?;
    Ok(report.beside.as_ref().map_or_else(Vec::new, lines))
}

fn opened(sessions: &Sessions, name: &str) -> Result<(Session, Recipe), String> {
    let session = sessions.open_read_only(name).map_err(|error| error.to_string())?;
    let (text, path) = session.recipe().map_err(|error| error.to_string())?;
    let recipe = Loaded::parse(&text, &path.display().to_string()).map_err(|error| error.to_string())?.recipe;
    Ok((session, recipe))
}

/// The table, and the notes below it.
fn lines(side: &Beside) -> Vec<String> {
    let Some((ours, others)) = side.sessions.split_first() else { return Vec::new() };
    let mut lines = Vec::new();
    for other in others {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(format!("{} ({}, seed {})", ours.session, ours.arm, ours.seed));
        lines.push(format!("beside {} ({}, seed {})", other.session, other.arm, other.seed));
        lines.push(String::new());
        let wide = ours.rows.iter().map(|row| text::width(&row.row.checkpoint)).max().unwrap_or(0).max(10);
        lines.push(format!("{:<wide$}  {:>6}  {:>6}  difference of means, 95 %", "checkpoint", "this", "other"));
        for row in &ours.rows {
            let id = &row.row.checkpoint;
            let Some(theirs) = other.rows.iter().find(|row| row.row.checkpoint == *id) else { continue };
            let before = format!("{}:{id}", other.session);
            let found = side.differences.iter().find(|found| found.after == *id && found.before == before);
            let difference = found.and_then(|found| found.changes.mean.as_ref()).map_or(String::new(), change);
            let (mine, other) = (100.0 * row.row.mean.value, 100.0 * theirs.row.mean.value);
            lines.push(format!("{id:<wide$}  {mine:>6.1}  {other:>6.1}  {difference}").trim_end().to_string());
        }
    }
    if !side.notes.is_empty() {
        lines.push(String::new());
        lines.extend(side.notes.iter().flat_map(|note| text::wrap(&text::printable(note), 76)));
    }
    lines
}

fn change(change: &Change) -> String {
    let Change { value, low, high, within_noise, .. } = change;
    let noise = if *within_noise { "  within noise" } else { "" };
    format!("{:+.1} [{:+.1}, {:+.1}]{noise}", 100.0 * value, 100.0 * low, 100.0 * high)
}

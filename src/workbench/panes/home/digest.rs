//! What a session found, in a few lines: read from its journal in the background, one session at a time, and kept.

use std::path::Path;

use crate::export::gather;
use crate::pipeline::begun::recipe_of;
use crate::session::Sessions;
use crate::workbench::jobs::Cancel;

/// Journals above this many bytes are not read for the list; opening the session reads them.
const MOST: u64 = 64 << 20;

/// What a session found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Digest {
    /// Complete stages, and all of them.
    pub stages: [usize; 2],
    /// Checkpoint, mean accuracy over the reported splits, accuracy on dev; in percent.
    pub rows: Vec<(String, f64, Option<f64>)>,
    /// The best on dev.
    pub best: Option<String>,
    /// Products that wait for a look.
    pub in_review: usize,
    /// Money that a model teacher took.
    pub cost: f64,
    /// Why there is nothing more, where there isn't.
    pub note: Option<String>,
}

impl Digest {
    /// The result in a few words: what the base had, and what the best checkpoint has.
    pub fn headline(&self) -> Option<String> {
        let first = self.rows.first()?;
        let best = self.best.as_ref().and_then(|best| self.rows.iter().find(|row| row.0 == *best));
        Some(match best.or(self.rows.last()).filter(|row| row.0 != first.0) {
            Some(best) => format!("{:.1} to {:.1} % ({})", first.1, best.1, best.0),
            None => format!("{:.1} % ({})", first.1, first.0),
        })
    }
}

/// Reads it.
///
/// # Errors
/// In words, when the session can't be read.
pub fn read(sessions: &Sessions, name: &str, cancel: &Cancel) -> Result<Digest, String> {
    cancel.check()?;
    if bytes(&sessions.root().join(name).join("journal")) > MOST {
        let note = Some("its records are many; open it to see what it found".to_string());
        return Ok(Digest { note, ..Digest::default() });
    }
    let session = sessions.open_read_only(name).map_err(|error| error.to_string())?;
    cancel.check()?;
    let recipe = recipe_of(&session)?;
    let report = gather(&session, &recipe).map_err(|error| error.to_string())?;
    let row = |row: &crate::export::CheckpointRow| {
        let dev = row.splits.get("dev").map(|measure| 100.0 * measure.accuracy.value);
        (row.checkpoint.clone(), 100.0 * row.mean.value, dev)
    };
    Ok(Digest {
        stages: report.stages,
        rows: report.results.checkpoints.iter().map(row).collect(),
        best: report.results.best,
        in_review: report.results.in_review,
        cost: report.spending.values().map(|usage| usage.cost).sum(),
        note: None,
    })
}

fn bytes(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_names_base_and_best() {
        let row = |id: &str, mean| (id.to_string(), mean, None);
        let mut digest = Digest { rows: vec![row("base", 77.2)], ..Digest::default() };
        assert_eq!(digest.headline().as_deref(), Some("77.2 % (base)"));
        digest.rows.extend([row("1-grpo", 82.14), row("2-grpo", 81.0)]);
        digest.best = Some("1-grpo".into());
        assert_eq!(digest.headline().as_deref(), Some("77.2 to 82.1 % (1-grpo)"));
        assert_eq!(Digest::default().headline(), None);
    }
}

//! The sessions as the list shows them: from summaries and recipes, never from journals.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::pipeline::begun::described;
use crate::recipe::Recipe;
use crate::session::{Activity, SessionError, SessionSummary, Sessions};
use crate::workbench::jobs::Cancel;
use crate::workbench::text;

/// One session.
#[derive(Clone, Debug)]
pub struct Row {
    /// Name, activity, how far, size, last change.
    pub summary: SessionSummary,
    /// How long ago it last changed, in words.
    pub ago: String,
    /// What it was made from; in words why that is not known.
    pub made: Result<Arc<Made>, String>,
}

/// What a session was made from. That never changes.
#[derive(Clone, Debug)]
pub struct Made {
    /// When, unix time in milliseconds.
    pub created: u64,
    /// The run.
    pub recipe: Recipe,
    /// The preset it is nearest to.
    pub preset: &'static str,
    /// The settings in which it differs from that, with both values; seed and arm apart.
    pub differences: Vec<(&'static str, String, String)>,
}

impl Made {
    /// `demo`, `demo +3`; an evaluation is nothing but one.
    pub fn of(&self) -> String {
        match self.differences.len() {
            _ if self.recipe.iterations == 0 => "evaluation".to_string(),
            0 => self.preset.to_string(),
            count => format!("{} +{count}", self.preset),
        }
    }
}

impl Row {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.summary.name
    }

    /// Who runs it, where somebody does.
    pub fn holder(&self) -> Option<&str> {
        match &self.summary.activity {
            Activity::Running(holder) => Some(holder),
            _ => None,
        }
    }

    /// One word for what it is doing.
    pub fn activity(&self) -> &'static str {
        match self.summary.activity {
            Activity::Running(_) => "running",
            Activity::Stopped => "stopped",
            Activity::Done => "done",
            Activity::Unreadable(_) => "damaged",
        }
    }
}

/// What was read of recipes before, by session and the time it was made.
pub type Known = Arc<Mutex<HashMap<String, Arc<Made>>>>;

/// All sessions: those at work first, then the last changed.
///
/// # Errors
/// In words, when the folder can't be read.
pub fn read(sessions: &Sessions, known: &Known, cancel: &Cancel) -> Result<Vec<Row>, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let mut rows = Vec::new();
    for name in sessions.names().map_err(|error| error.to_string())? {
        cancel.check()?;
        let summary = match sessions.summary(&name) {
            Ok(summary) => summary,
            // Removed or renamed a moment ago.
            Err(SessionError::Unknown { .. }) => continue,
            Err(error) => return Err(error.to_string()),
        };
        let ago = ago(now.saturating_sub(summary.changed));
        rows.push(Row { ago, made: made(sessions, &name, known), summary });
    }
    let order = |row: &Row| (row.holder().is_none(), std::cmp::Reverse(row.summary.changed));
    rows.sort_by_key(order);
    Ok(rows)
}

fn made(sessions: &Sessions, name: &str, known: &Known) -> Result<Arc<Made>, String> {
    let (meta, recipe) = described(sessions, name)?;
    let key = format!("{name}/{}", meta.created);
    if let Some(made) = known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Ok(Arc::clone(made));
    }
    let (preset, _) = recipe.nearest_preset().map_err(|error| error.to_string())?;
    let base = Recipe::preset(preset).map_err(|error| error.to_string())?;
    let mut differences = recipe.differences(&base);
    differences.retain(|(key, ..)| !["seed", "arm"].contains(key));
    let made = Arc::new(Made { created: meta.created, recipe, preset, differences });
    known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&made));
    Ok(made)
}

/// A time that has passed, in words.
fn ago(millis: u64) -> String {
    match millis / 1000 {
        0..60 => "now".to_string(),
        s if s < 172_800 => text::span((s.max(120)) as f64),
        s => format!("{} d", s / 86_400),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::session::NewSession;

    #[test]
    fn rows_tell_what_a_session_was_made_from() {
        let dir = tempfile::tempdir().unwrap();
        let sessions = Sessions::at(dir.path());
        let mut recipe = Recipe::preset("demo").unwrap();
        (recipe.seed, recipe.grpo.lr) = (5, 2e-4);
        let held = sessions.create("a", &NewSession { recipe: &recipe.to_toml(), seed: 5 }).unwrap();
        drop(sessions.create("b", &NewSession { recipe: "nonsense", seed: 1 }).unwrap());
        let rows = read(&sessions, &Known::default(), &Cancel::default()).unwrap();
        assert_eq!((rows[0].name(), rows[0].activity()), ("a", "running"));
        assert!(rows[0].holder().unwrap().contains("process"));
        assert_eq!(rows[0].made.as_ref().unwrap().of(), "demo +1");
        assert_eq!((rows[1].name(), rows[1].activity(), rows[1].ago.as_str()), ("b", "stopped", "now"));
        assert!(rows[1].made.is_err());
        drop(held);
    }

    #[test]
    fn times_are_told_in_one_unit() {
        for (seconds, words) in [(3, "now"), (70, "2 min"), (600, "10 min"), (90_000, "25.0 h"), (260_000, "3 d")] {
            assert_eq!(ago(seconds * 1000), words);
        }
    }
}

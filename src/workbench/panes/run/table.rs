//! The stages as a table that can be saved.

use serde_json::{Value, json};

use super::vitals::Kept;
use crate::workbench::sheet::Sheet;
use crate::workbench::stages::{StageRow, StageState};

/// The columns.
const COLUMNS: [&str; 12] = [
    "stage",
    "state",
    "done",
    "total",
    "unit",
    "seconds",
    "tokens",
    "summary",
    "calls",
    "teacher-tokens",
    "cost",
    "checkpoint-bytes",
];

/// The stages with what is kept of them.
pub fn sheet(stages: &[StageRow], kept: Option<&Kept>) -> Sheet {
    let row = |stage: &StageRow| -> Vec<Value> {
        let key = stage.id.key();
        let usage = kept.and_then(|kept| kept.spent.get(&key));
        let (state, seconds) = match stage.state {
            StageState::Waiting => ("waiting", None),
            StageState::Running(_) => ("running", None),
            StageState::Done(took) => ("done", Some(took.as_secs_f64())),
            StageState::Stopped => ("stopped", None),
            StageState::Failed => ("failed", None),
        };
        vec![
            json!(key),
            json!(state),
            json!(stage.done),
            json!(stage.total),
            json!(stage.unit),
            json!(seconds),
            json!(stage.tokens),
            json!(stage.summary),
            json!(usage.map(|usage| usage.calls)),
            json!(usage.map(crate::teacher::Usage::tokens)),
            json!(usage.map(|usage| usage.cost)),
            json!(kept.and_then(|kept| kept.checkpoints.get(&key))),
        ]
    };
    Sheet { name: "stages".into(), columns: COLUMNS.map(String::from).to_vec(), rows: stages.iter().map(row).collect() }
}

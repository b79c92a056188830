//! The rollouts that are shown as a table.

use serde_json::{Value, json};

use super::reading::{Opened, Place};
use crate::workbench::sheet::Sheet;

/// A row per sample of every group.
pub fn sheet(opened: &Opened) -> Sheet {
    let names = ["place", "question", "group", "sample", "reward", "advantage", "answer", "tokens", "end", "text"];
    let place = match &opened.place {
        Place::Step(stage, step) => format!("{stage}/{step}"),
        Place::Question(id) => id.clone(),
    };
    let mut rows = Vec::new();
    for group in &opened.groups {
        for (at, sample) in group.samples.iter().enumerate() {
            rows.push(vec![
                json!(place),
                json!(group.question),
                json!(group.name),
                json!(at),
                json!(sample.reward),
                sample.advantage.map_or(Value::Null, |value| json!(value)),
                json!(sample.answer),
                json!(sample.tokens),
                json!(if sample.cut { "cut" } else { "end" }),
                json!(sample.text),
            ]);
        }
    }
    Sheet { name: "rollouts".to_string(), columns: names.map(String::from).into(), rows }
}

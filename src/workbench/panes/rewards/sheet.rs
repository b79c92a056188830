//! The curves in sight as a table, and the values at the cursor as text.

use serde_json::{Value, json};

use super::Rewards;
use super::beside::{Beside, Standing};
use super::chart::{GROUPS, SHARES};
use crate::workbench::curves::Family;
use crate::workbench::sheet::Sheet;
use crate::workbench::text;
use crate::workbench::training::Book;

/// A row per step in sight: every value as measured and smoothed, and the large chart's of the sessions beside.
pub fn sheet(pane: &Rewards) -> Option<Sheet> {
    let (family, total) = (pane.family(), pane.total());
    if total == 0 {
        return None;
    }
    let names = values(pane);
    let charts = pane.charts();
    let large = pane.large(&charts);
    let mut columns: Vec<String> = ["step", "stage", "step of the stage"].map(String::from).to_vec();
    columns.extend(names.iter().flat_map(|name| [name.clone(), format!("{name} smoothed")]));
    // What was measured otherwise is not put beside, as it is not drawn.
    let drawn = |other: &&Beside| matches!(other.standing(&pane.book, family, large, 0), Standing::Shown(_));
    let beside: Vec<_> = pane.beside.iter().filter(drawn).collect();
    columns.extend(beside.iter().flat_map(|other| {
        let name = format!("{}: {large}", text::printable(&other.name));
        [name.clone(), format!("{name} smoothed")]
    }));
    let [low, high] = pane.view.range(total);
    let row = |step: u64| {
        let place = pane.book.place(family, step);
        let stage = place.map_or(Value::Null, |(leg, _)| json!(leg.stage.key()));
        let mut row = vec![json!(step), stage, place.map_or(Value::Null, |(_, own)| json!(own))];
        row.extend(names.iter().flat_map(|name| pair(&pane.book, family, name, step)));
        row.extend(beside.iter().flat_map(|other| pair(&other.book, family, large, step)));
        row
    };
    let kind = if family == Family::Sft { "sft" } else { "rl" };
    Some(Sheet { name: format!("{kind}-steps"), columns, rows: (low..=high).map(row).collect() })
}

/// The values at the cursor, a line each.
pub fn copied(pane: &Rewards) -> Option<(String, String)> {
    let (family, total) = (pane.family(), pane.total());
    let step = pane.view.cursor(total)?;
    let mut lines = vec![format!("step\t{step}")];
    for name in values(pane) {
        if let Some((raw, smooth)) = pane.book.at(family, &name, step) {
            lines.push(format!("{name}\t{raw}\tsmoothed {smooth}"));
        }
    }
    Some((format!("the values of step {step}"), lines.join("\n") + "\n"))
}

/// Names of the measured values, in the order of the charts.
fn values(pane: &Rewards) -> Vec<String> {
    let mut names = Vec::new();
    for name in pane.charts() {
        match name.as_str() {
            GROUPS => names.extend(SHARES.map(String::from)),
            _ => names.push(name),
        }
    }
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn pair(book: &Book, family: Family, name: &str, step: u64) -> [Value; 2] {
    book.at(family, name, step).map_or([Value::Null, Value::Null], |(raw, smooth)| [json!(raw), json!(smooth)])
}

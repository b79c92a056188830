//! What is known of the selected session or preset, in words.

use ratatui::style::Style;

use super::list::{Item, List};
use super::rows::{Made, Row};
use crate::recipe::{Recipe, preset_about};
use crate::session::{Activity, show_size, show_time};
use crate::workbench::pane::Seen;
use crate::workbench::text;
use crate::workbench::theme::Theme;

/// Words and their style.
pub type Paragraph = (String, Style);

/// Settings that are named of those that differ.
const NAMED: usize = 6;

/// Name of what is told of.
pub fn title(list: &List) -> String {
    match list.selected() {
        Some(Item::Session(name)) => text::printable(&name),
        Some(Item::Preset(name)) => format!("preset {name}"),
        None => String::new(),
    }
}

/// What is known of the selected item.
pub fn of(list: &List, seen: &Seen<'_>) -> Vec<Paragraph> {
    let paragraphs = match list.selected() {
        Some(Item::Session(name)) => list.row(&name).map_or_else(Vec::new, |row| session(row, list, seen)),
        Some(Item::Preset(name)) => preset(name, &seen.look.theme),
        None => Vec::new(),
    };
    paragraphs.into_iter().map(|(words, style)| (text::printable(&words), style)).collect()
}

fn session(row: &Row, list: &List, seen: &Seen<'_>) -> Vec<Paragraph> {
    let theme = &seen.look.theme;
    let mut told = vec![activity(row, seen)];
    match &row.made {
        Ok(made) => told.extend(recipe(made, theme)),
        Err(why) => told.push((format!("its recipe can't be read: {why}"), theme.bad)),
    }
    match list.digest(row.name()) {
        Some(Ok(digest)) => {
            let [done, all] = digest.stages;
            let mut facts = vec![format!("{done} of {all} stages are complete")];
            if digest.in_review > 0 {
                facts.push(format!("{} products wait for a look", text::count(digest.in_review as u64)));
            }
            if digest.cost > 0.0 {
                facts.push(format!("the teacher took {:.2}", digest.cost));
            }
            told.push((digest.note.clone().unwrap_or_else(|| facts.join("; ")), theme.text));
            let row = |(id, mean, dev): &(String, f64, Option<f64>)| {
                let dev = dev.map_or(String::new(), |dev| format!(" (dev {dev:.1})"));
                let best = if digest.best.as_ref() == Some(id) { ", best on dev" } else { "" };
                format!("{id} {mean:.1}{dev}{best}")
            };
            if !digest.rows.is_empty() {
                let rows: Vec<String> = digest.rows.iter().map(row).collect();
                told.push((format!("greedy accuracy, %: {}", rows.join("; ")), theme.text));
            }
        }
        Some(Err(why)) => told.push((format!("its results can't be read: {why}"), theme.bad)),
        None if list.is_finding() => told.push(("reading what it found".to_string(), theme.dim)),
        None => {}
    }
    told
}

fn activity(row: &Row, seen: &Seen<'_>) -> Paragraph {
    let theme = &seen.look.theme;
    let here = seen.session == Some(row.name()) && !seen.run.phase.over();
    let line = if row.summary.line.is_empty() { "before its first stage" } else { &row.summary.line };
    let rest = format!("{line}; {}, changed {}", show_size(row.summary.bytes), show_time(row.summary.changed));
    match &row.summary.activity {
        Activity::Running(_) if here => (format!("at work here, {rest}"), theme.running),
        Activity::Running(holder) => {
            (format!("{holder} has it; it can be looked at and not changed from here; {rest}"), theme.running)
        }
        Activity::Stopped => (format!("stopped, {rest}"), theme.warn),
        Activity::Done => (format!("done, {rest}"), theme.good),
        Activity::Unreadable(why) => {
            (format!("{why}; `footbridge sessions check {}` says more", row.name()), theme.bad)
        }
    }
}

fn recipe(made: &Made, theme: &Theme) -> Vec<Paragraph> {
    let r = &made.recipe;
    let mut told = vec![(
        format!(
            "{}; {}; arm {}, seed {}; made {}",
            made.of(),
            taught(r),
            r.arm.name(),
            r.seed,
            show_time(made.created)
        ),
        theme.text,
    )];
    if !made.differences.is_empty() && r.iterations > 0 {
        let named = made.differences.iter().take(NAMED).map(|(key, ours, base)| format!("{key} {ours} ({base})"));
        let more = made.differences.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let named: Vec<String> = named.collect();
        told.push((format!("differs from {} in {}{more}", made.preset, named.join(", ")), theme.dim));
    }
    told
}

/// Student, questions and teacher of a recipe.
fn taught(recipe: &Recipe) -> String {
    let teacher = &recipe.teacher;
    let model = if teacher.model.is_empty() { String::new() } else { format!(" {}", teacher.model) };
    let iterations = match recipe.iterations {
        0 => "evaluation only".to_string(),
        1 => "1 iteration".to_string(),
        n => format!("{n} iterations"),
    };
    format!(
        "student {}, questions {}, teacher {}{model}, {iterations}",
        recipe.student.path, recipe.data.source, teacher.kind
    )
}

fn preset(name: &str, theme: &Theme) -> Vec<Paragraph> {
    let mut told = vec![(preset_about(name), theme.text)];
    if let Ok(recipe) = Recipe::preset(name) {
        told.push((taught(&recipe), theme.text));
        if !recipe.teacher.api_key_env.is_empty() {
            let words = format!("the teacher's key is read from the variable {}", recipe.teacher.api_key_env);
            told.push((words, theme.dim));
        }
    }
    told
}

//! `footbridge run --dry-run`: what a run would take on this machine. Reads the questions, loads the student, measures it
//! for a few seconds, and makes nothing.

use super::exit::{Exit, Failure};
use super::out;
use crate::export::{Table, wrapped};
use crate::pipeline::forecast::{Forecast, StageForecast, Work};
use crate::pipeline::outlook::{Counted, Outlook};
use crate::recipe::Recipe;
use crate::workbench::text::{self, span};

/// Counts, measures, prints.
pub fn run(recipe: &Recipe, threads: usize, json: bool) -> Result<Exit, Failure> {
    let counted = Counted::of(recipe, threads).map_err(Failure::usage)?;
    if counted.outlook.memory.fits {
        out::stderr("measuring this machine with the student, at most about 20 seconds");
    }
    let told = counted.measured(&|| true).map_err(Failure::failed)?;
    let _ = if json {
        out::json(&serde_json::to_string_pretty(&told).map_err(Failure::failed)?)?
    } else {
        out::stdout(&table(&told, recipe))?
    };
    Ok(Exit::Done)
}

fn table(told: &Outlook, recipe: &Recipe) -> String {
    let Forecast { train, evaluated, stages, expected, most, .. } = &told.questions;
    let splits: Vec<String> = evaluated.iter().map(|(name, n)| format!("{name} {n}")).collect();
    let first = format!(
        "student {} · {} parameters · {train} training questions · measured on {}",
        told.student,
        text::count(told.parameters as u64),
        splits.join(", ")
    );
    let header = ["stage", "samples", "calls", "tokens", "time", "at most: samples", "calls", "tokens", "time"];
    let mut table = Table::new(header);
    let total = StageForecast { stage: "all".into(), expected: *expected, most: *most };
    for row in stages.iter().chain([&total]) {
        let cells = |work: &Work| {
            let tokens = work.sampled_tokens + work.read_tokens + work.trained_tokens;
            let time = span(told.speeds.seconds_of(work));
            [number(work.samples), number(work.calls), number(tokens), time]
        };
        table.row([row.stage.clone()].into_iter().chain(cells(&row.expected)).chain(cells(&row.most)));
    }
    let lines: Vec<String> = notes(told, recipe).iter().map(|note| wrapped(note)).collect();
    format!("{}\n\n{table}\n\n{}\n", wrapped(&first), lines.join("\n"))
}

/// What the figures rest on.
fn notes(told: &Outlook, recipe: &Recipe) -> Vec<String> {
    let s = &told.speeds;
    let [disk, most_disk] = told.session_bytes.map(size);
    vec![
        told.questions.assumed.said(),
        format!(
            "at most: every question hard and failed, {} steps, {} tokens an answer; a product that fails its checks is \
             asked for again up to {} times",
            recipe.bridge.max_steps, recipe.difficulty.sampling.max_new_tokens, recipe.teacher.max_retries
        ),
        told.memory.said.clone(),
        format!(
            "this machine, measured in {:.0} s: sampling {} tokens/s, reading {}, training {}; waiting for the teacher is \
             not in the times",
            s.seconds,
            number(s.sampling),
            number(s.reading),
            number(s.training)
        ),
        format!("session on disk: about {disk}, at most {most_disk}"),
    ]
}

/// A count as people say it; nothing for none.
fn number(count: f64) -> String {
    if count < 0.5 { "·".into() } else { text::short(count) }
}

fn size(bytes: f64) -> String {
    match bytes {
        b if b < 1e6 => format!("{:.0} kB", b / 1e3),
        b if b < 1e9 => format!("{:.0} MB", b / 1e6),
        b => format!("{:.1} GB", b / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        assert_eq!([5e5, 2.4e7, 3e9].map(size), ["500 kB", "24 MB", "3.0 GB"]);
    }
}

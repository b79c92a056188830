//! `footbridge run --dry-run`: what a run would take on this machine. Reads the questions, loads the student, measures it
//! for a few seconds, and makes nothing.

use serde::Serialize;

use super::exit::{Exit, Failure};
use super::out;
use crate::domain::Verifier;
use crate::export::{Table, wrapped};
use crate::pipeline::engine::Engine;
use crate::pipeline::forecast::{Forecast, StageForecast, Work, forecast};
use crate::pipeline::material::Material;
use crate::pipeline::memory::{Batch, Demand, available, fit, plan as memory_plan};
use crate::pipeline::plan::plan;
use crate::pipeline::supported::supported;
use crate::pipeline::teaching::prompts;
use crate::pipeline::trial::{Speeds, measure};
use crate::recipe::Recipe;
use crate::student::ModelConfig;
use crate::workbench::text;

/// Prompts whose length is measured.
const SAMPLE: usize = 200;
/// Bytes that a sampled token takes in the session, in journal and store together (`footbridge sessions bench`).
const BYTES_PER_TOKEN: f64 = 1.5;
/// Bytes of a number in a checkpoint; a running stage keeps weights and two moments.
const BYTES_PER_WEIGHT: f64 = 4.0;

/// Everything that is told.
#[derive(Debug, Serialize)]
struct Told {
    student: String,
    parameters: usize,
    memory: Memory,
    questions: Forecast,
    speeds: Speeds,
    /// Seconds of student work, expected and at most; waiting for the teacher is not in it.
    seconds: [f64; 2],
    /// Bytes of the session, expected and at most.
    session_bytes: [f64; 2],
}

/// What the run needs of memory at its largest moment, worked out for the longest texts that the recipe allows.
#[derive(Debug, Serialize)]
struct Memory {
    bytes: u64,
    available: Option<u64>,
    fits: bool,
    /// In words, with the settings that would make it fit where it does not.
    said: String,
}

/// Counts, measures, prints.
pub fn run(recipe: &Recipe, threads: usize, json: bool) -> Result<Exit, Failure> {
    supported(recipe).map_err(Failure::usage)?;
    let verifier: Verifier = recipe.data.verifier.parse().map_err(Failure::usage)?;
    let material = Material::of(recipe, verifier).map_err(Failure::usage)?;
    let prompts = prompts(recipe).map_err(Failure::failed)?;
    let engine = Engine::start(&recipe.student, threads).map_err(Failure::usage)?;
    let questions = material.train.iter().chain(material.evaluated.iter().flat_map(|split| &split.questions));
    let (mut tokens, mut lengths) = (0, Vec::new());
    for question in questions.take(SAMPLE) {
        let prompt = prompts.ask(question).map_err(Failure::failed)?;
        let length = engine.text().encode_prompt(&prompt).map_err(Failure::failed)?.len();
        tokens += length;
        lengths.push((length, prompt));
    }
    let counted = lengths.len().max(1);
    lengths.sort_by_key(|(length, _)| *length);
    let Some((_, prompt)) = lengths.get(counted / 2) else {
        return Err(Failure::usage("there is no question to measure with"));
    };
    let forecast = forecast(recipe, &material, tokens as f64 / counted as f64);
    let memory = memory(recipe, &engine.text().config, threads);
    let speeds = if memory.fits {
        out::stderr("measuring this machine with the student, at most about 20 seconds");
        measure(&engine, recipe, prompt).map_err(Failure::failed)?
    } else {
        Speeds::UNKNOWN
    };
    let parameters = engine.text().model.parameter_count();
    let trained = plan(recipe).iter().filter(|stage| stage.kind.trains()).count();
    let bytes = |work: &Work| {
        let checkpoints = (trained as f64 + 3.0 * f64::from(u8::from(trained > 0))) * parameters as f64;
        work.sampled_tokens * BYTES_PER_TOKEN + checkpoints * BYTES_PER_WEIGHT
    };
    let told = Told {
        student: recipe.student.path.clone(),
        parameters,
        memory,
        seconds: [&forecast.expected, &forecast.most].map(|work| seconds(work, &speeds)),
        session_bytes: [&forecast.expected, &forecast.most].map(bytes),
        questions: forecast,
        speeds,
    };
    let printed =
        if json { serde_json::to_string_pretty(&told).map_err(Failure::failed)? + "\n" } else { table(&told, recipe) };
    let _ = out::stdout(&printed)?;
    Ok(Exit::Done)
}

fn memory(recipe: &Recipe, config: &ModelConfig, threads: usize) -> Memory {
    let mut demand = Demand::of(recipe, config, threads);
    if recipe.iterations == 0 {
        (demand.sft, demand.grpo) = (Batch::default(), Batch::default());
    }
    let whole = memory_plan(config, &demand);
    let available = available::available();
    let bytes = whole.bytes();
    let fits = available.is_none_or(|there| bytes <= there);
    let advice = available.filter(|_| !fits).and_then(|there| fit(recipe, config, threads, there).err());
    let said = advice.map_or_else(|| whole.to_string(), |too_large| too_large.to_string());
    Memory { bytes, available, fits, said }
}

/// Seconds of student work.
fn seconds(work: &Work, speeds: &Speeds) -> f64 {
    work.sampled_tokens / speeds.sampling + work.read_tokens / speeds.reading + work.trained_tokens / speeds.training
}

fn table(told: &Told, recipe: &Recipe) -> String {
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
            let time = span(seconds(work, &told.speeds));
            [number(work.samples), number(work.calls), number(tokens), time]
        };
        table.row([row.stage.clone()].into_iter().chain(cells(&row.expected)).chain(cells(&row.most)));
    }
    let lines: Vec<String> = notes(told, recipe).iter().map(|note| wrapped(note)).collect();
    format!("{}\n\n{table}\n\n{}\n", wrapped(&first), lines.join("\n"))
}

/// What the figures rest on.
fn notes(told: &Told, recipe: &Recipe) -> Vec<String> {
    let (a, s) = (&told.questions.assumed, &told.speeds);
    let [disk, most_disk] = told.session_bytes.map(size);
    vec![
        format!(
            "expected: {:.0} % medium and {:.0} % hard (Table 4), {:.0} % failed before RL, {:.1} steps a trace, {:.0} tokens \
             an answer, {:.0} a prompt (measured)",
            100.0 * a.medium,
            100.0 * a.hard,
            100.0 * a.failed,
            a.steps,
            a.answer,
            a.prompt
        ),
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

/// A span of time in two units at most.
fn span(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() => "?".into(),
        s if s < 0.5 => "·".into(),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3_600.0),
        s => format!("{:.1} d", s / 86_400.0),
    }
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
    fn spans_and_sizes_read_well() {
        let spans = [0.0, 59.6, 600.0, 7_300.0, 200_000.0, f64::INFINITY].map(span);
        assert_eq!(spans, ["·", "60 s", "10 min", "2.0 h", "2.3 d", "?"]);
        assert_eq!([5e5, 2.4e7, 3e9].map(size), ["500 kB", "24 MB", "3.0 GB"]);
    }
}

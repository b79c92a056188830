//! What `footbridge eval` found: a row per benchmark, with its N, file, verifier and prompt beside every figure
//! (reading.md, rows 3, 4 and 9).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::gather::Result;
use crate::evaluate::{DEV, Figures, Tally, average};
use crate::pipeline::plan::{BASE, plan};
use crate::recipe::{Recipe, SamplingRecipe};
use crate::session::Session;
use crate::session::records::{Asked, Sourced, StageDone};

/// The figures of one student.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The session that keeps every answer.
    pub session: String,
    /// The student, as it was asked for.
    pub student: String,
    /// Whether every question is answered.
    pub complete: bool,
    /// Seed of the samples.
    pub seed: u64,
    /// How samples are drawn.
    pub sampling: SamplingRecipe,
    /// Longest greedy answer in tokens.
    pub max_new_tokens: usize,
    /// A row per benchmark, in the order asked for.
    pub benchmarks: Vec<BenchmarkRow>,
    /// The plain mean of the rows.
    pub average: Figures,
}

/// One benchmark.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BenchmarkRow {
    /// Its name.
    pub benchmark: String,
    /// Questions asked for, of `rows` in the file; the figures say how many are answered.
    pub asked: usize,
    /// Questions in the file.
    pub rows: usize,
    /// The file; empty for the generated world.
    pub file: String,
    /// SHA-256 of its bytes; empty for the generated world.
    pub sha256: String,
    /// Verifier of its answers; empty before the first.
    pub verifier: String,
    /// Hash of the prompt; empty before the first answer.
    pub prompt: String,
    /// Accuracy, parse rate, mean@n and pass@k.
    pub figures: Figures,
    /// What a reader should know of the questions.
    pub notes: Vec<String>,
}

/// The figures of a session's untrained student, with pass@k for each of `ks`, finished or not.
///
/// # Errors
/// A session that cannot be read.
pub fn evaluation(session: &Session, recipe: &Recipe, ks: &[u32]) -> Result<Evaluation> {
    let mut sources: Vec<Sourced> = Vec::new();
    for entry in session.scan::<Sourced>("") {
        sources.push(entry?.1);
    }
    sources.sort_by_key(|source| source.place);
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    for entry in session.scan::<Asked>("") {
        *asked.entry(entry?.1.split).or_default() += 1;
    }
    let named = |split: &str| sources.iter().any(|source| source.split == split);
    let made: Vec<String> = asked.keys().filter(|split| !named(split) && *split != "train").cloned().collect();
    let mut rows: Vec<BenchmarkRow> = sources.iter().filter(|source| source.split != "train").map(from_file).collect();
    rows.extend(made.into_iter().map(|benchmark| BenchmarkRow { benchmark, ..BenchmarkRow::default() }));
    rows.retain(|row| row.benchmark != DEV);
    for row in &mut rows {
        row.asked = asked.get(&row.benchmark).copied().unwrap_or(row.asked);
        row.rows = row.rows.max(row.asked);
        count(session, row, ks)?;
    }
    let stages = plan(recipe);
    let first = stages.first().map(|stage| stage.key()).unwrap_or_default();
    Ok(Evaluation {
        session: session.name().into(),
        student: recipe.student.path.clone(),
        complete: session.contains::<StageDone>(&first)?,
        seed: recipe.seed,
        sampling: recipe.evaluate.sampling,
        max_new_tokens: recipe.evaluate.max_new_tokens,
        average: average(&rows.iter().map(|row| row.figures.clone()).collect::<Vec<_>>()),
        benchmarks: rows,
    })
}

fn from_file(source: &Sourced) -> BenchmarkRow {
    BenchmarkRow {
        benchmark: source.split.clone(),
        asked: source.used,
        rows: source.rows,
        file: source.path.clone(),
        sha256: source.sha256.clone(),
        verifier: source.verifier.clone(),
        notes: source.notes.clone(),
        ..BenchmarkRow::default()
    }
}

fn count(session: &Session, row: &mut BenchmarkRow, ks: &[u32]) -> Result<()> {
    let mut tally = Tally::default();
    let prefix = |kind: &str| format!("0-evaluate-{BASE}/{kind}/{}/", row.benchmark);
    let (greedy, sampled) = (prefix("greedy"), prefix("sampled"));
    for entry in session.rollout_briefs(&greedy) {
        let answer = entry?.1;
        tally.greedy(&answer);
        if row.prompt.is_empty() {
            (row.verifier, row.prompt) = (answer.provenance.verifier.clone(), answer.provenance.prompt.clone());
        }
    }
    for entry in session.rollout_briefs(&sampled) {
        tally.sampled(&entry?.1);
    }
    row.figures = tally.figures(ks);
    Ok(())
}

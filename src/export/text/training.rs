//! What lies between the checkpoints: questions, lessons, SFT and GRPO.

use std::fmt;

use super::accuracy::both_ends;
use super::percent;
use super::table::{Table, listed};
use crate::export::report::Results;
use crate::recipe::SamplingRecipe;

/// The bridge actions in the paper's order.
const ACTIONS: [&str; 5] = ["keep", "compress", "expand", "drop", "localize"];

pub(super) fn write(results: &Results, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    questions(results, f)?;
    lessons(results, f)?;
    runs(results, f)
}

fn drawn(letter: char, n: u32, sampling: &SamplingRecipe) -> String {
    format!("{letter}={n} T={} top-p={}", sampling.temperature, sampling.top_p)
}

fn questions(results: &Results, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if !results.bands.is_empty() {
        let mut table = Table::new(["student", "simple", "medium", "hard", "sampling"]).left(&[0, 4]);
        for b in &results.bands {
            let [simple, medium, hard] = b.counts.map(|n| n.to_string());
            table.row([b.checkpoint.clone(), simple, medium, hard, drawn('n', b.n, &b.sampling)]);
        }
        writeln!(f, "\nTraining questions by difficulty\n{table}")?;
    }
    if !results.all_zero.is_empty() {
        let mut table = Table::new(["student", "all-zero", "sampling", "stage"]).left(&[0, 2, 3]);
        // Rows of one sampling stand together; only those can be compared.
        let mut rows: Vec<_> = results.all_zero.iter().collect();
        let place = |z: &crate::export::AllZero| {
            results.all_zero.iter().position(|other| other.group == z.group && other.sampling == z.sampling)
        };
        rows.sort_by_key(|z| place(z));
        for z in rows {
            let how = drawn('G', z.group, &z.sampling);
            table.row([z.checkpoint.clone(), both_ends(&z.share), how, z.stage.clone()]);
        }
        writeln!(f, "\nTraining questions without a right sample, % [95 %]; comparable within one sampling\n{table}")?;
    }
    Ok(())
}

fn lessons(results: &Results, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if !results.actions.is_empty() {
        let all: usize = results.actions.values().sum();
        let part = |a: &str| {
            let n = results.actions.get(a).copied().unwrap_or(0);
            format!("{a} {n} ({} %)", percent(n as f64 / all as f64))
        };
        let parts: Vec<String> = ACTIONS.iter().map(|a| part(a)).collect();
        writeln!(f, "\n{}", listed(&format!("Bridge, {all} steps:"), &parts))?;
    }
    for (iteration, types) in &results.errors {
        let mut types: Vec<_> = types.iter().collect();
        types.sort_by_key(|(error, n)| (std::cmp::Reverse(**n), (*error).clone()));
        let all: usize = types.iter().map(|(_, n)| **n).sum();
        let parts: Vec<String> = types.iter().map(|(error, n)| format!("{error} {n}")).collect();
        let lead = format!("Recycled after iteration {iteration}, {all} failures:");
        writeln!(f, "\n{}", listed(&lead, &parts))?;
    }
    if results.in_review > 0 {
        writeln!(f, "\n{} products of the teacher wait for review and were not trained on", results.in_review)?;
    }
    if !results.samples.is_empty() {
        let mut table = Table::new(["stage", "kind", "texts", "trained tokens"]).left(&[0, 1]);
        let mut last = "";
        for s in &results.samples {
            let stage = if s.stage == last { String::new() } else { s.stage.clone() };
            table.row([stage, s.kind.clone(), s.count.to_string(), s.tokens.to_string()]);
            last = &s.stage;
        }
        writeln!(f, "\nTraining texts\n{table}")?;
    }
    Ok(())
}

fn runs(results: &Results, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if !results.sft.is_empty() {
        let mut table = Table::new(["stage", "updates", "trained tokens", "peak rate", "loss"]);
        for s in &results.sft {
            let loss = format!("{:.3} → {:.3}", s.loss[0], s.loss[1]);
            let row = [s.updates.to_string(), s.tokens.to_string(), format!("{:e}", s.lr), loss];
            table.row(std::iter::once(s.stage.clone()).chain(row));
        }
        writeln!(f, "\nSFT; loss in its first → last quarter, nats a token\n{table}")?;
    }
    if !results.grpo.is_empty() {
        let pair = |[a, b]: [f64; 2]| format!("{a:.3} → {b:.3}");
        let mut table = Table::new(["stage", "steps", "reward", "reward above before", "KL", "tokens"]);
        for g in &results.grpo {
            let length = format!("{:.0} → {:.0}", g.length[0], g.length[1]);
            let rewards = [pair(g.reward), pair(g.above_before), format!("{:.4}", g.kl), length];
            table.row([g.stage.clone(), g.steps.to_string()].into_iter().chain(rewards));
        }
        writeln!(f, "\nGRPO, first → last quarter of the steps; above the same prompts' rate before RL\n{table}")?;
    }
    Ok(())
}

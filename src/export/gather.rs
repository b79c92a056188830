//! Reads a session, finished or not, into a report.

use std::collections::BTreeMap;

use super::report::{AllZero, Bands, CheckpointRow, Grpo, Report, Results, SampleCount, Timing};
use crate::domain::{Band, BandEdges, GroupOutcome};
use crate::evaluate::{Estimate, by_steps, mean_of_columns, measure};
use crate::pipeline::events::{StageId, StageKind};
use crate::pipeline::plan::plan;
use crate::recipe::Recipe;
use crate::session::records::{
    Asked, BridgedTrace, GrpoStep, Prepared, Recycled, RolloutGroup, StageDone, Status, Trace,
};
use crate::session::{Record, Session, SessionError};

type Result<T> = std::result::Result<T, SessionError>;

/// The split that chooses the checkpoint and is not part of the mean.
const DEV: &str = "dev";
/// A fall of the dev split by more than this, in shares, is a warning.
const FALL: f64 = 0.02;

/// The report of a session, as far as it has come.
pub fn gather(session: &Session, recipe: &Recipe) -> Result<Report> {
    let stages = plan(recipe);
    let mut timing = Vec::new();
    for stage in &stages {
        if let Some(done) = session.get::<StageDone>(&stage.key())? {
            let rate = done.tokens as f64 / done.seconds.max(1e-9);
            let StageDone { summary, seconds, tokens } = done;
            timing.push(Timing { stage: stage.key(), seconds, tokens, rate, summary });
        }
    }
    let results = results(session, recipe, &stages)?;
    Ok(Report { session: session.name().into(), complete: timing.len() == stages.len(), results, timing })
}

fn results(session: &Session, recipe: &Recipe, stages: &[StageId]) -> Result<Results> {
    let mut results = Results { seed: recipe.seed, arm: recipe.arm.name().into(), ..Results::default() };
    checkpoints(session, recipe, stages, &mut results)?;
    results.best = best(&results.checkpoints);
    questions(session, recipe, stages, &mut results)?;
    for (_, bridged) in all::<BridgedTrace>(session, "")? {
        for step in &bridged.steps {
            *results.actions.entry(step.action.as_str().into()).or_default() += 1;
        }
        results.in_review += usize::from(is_in_review(&bridged.status));
    }
    for (_, trace) in all::<Trace>(session, "")? {
        results.in_review += usize::from(is_in_review(&trace.status));
    }
    lessons(session, stages, &mut results)?;
    for stage in stages.iter().filter(|s| s.kind == StageKind::Grpo) {
        results.grpo.extend(grpo(session, stage)?);
    }
    warn(&mut results);
    Ok(results)
}

fn is_in_review(status: &Status) -> bool {
    matches!(status, Status::Review { .. })
}

fn all<R: Record>(session: &Session, prefix: &str) -> Result<Vec<(String, R)>> {
    session.scan::<R>(prefix).collect()
}

fn groups(session: &Session, prefix: &str) -> Result<Vec<RolloutGroup>> {
    session.scan::<RolloutGroup>(prefix).map(|item| item.map(|(_, group)| group)).collect()
}

/// A row per evaluation that is complete.
fn checkpoints(session: &Session, recipe: &Recipe, stages: &[StageId], results: &mut Results) -> Result<()> {
    let mut splits: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
    for (_, asked) in all::<Asked>(session, "")? {
        let steps = splits.entry(asked.split.clone()).or_default();
        steps.extend(asked.question.steps.map(|n| (asked.question.id.clone(), n)));
    }
    splits.remove("train");
    for stage in stages.iter().filter(|s| s.kind == StageKind::Evaluate) {
        if !session.contains::<StageDone>(&stage.key())? {
            continue;
        }
        let mut row = CheckpointRow {
            checkpoint: stage.of.clone(),
            splits: BTreeMap::new(),
            mean: Estimate::default(),
            by_steps: BTreeMap::new(),
        };
        for (split, steps) in &splits {
            let of = |kind: &str| groups(session, &format!("{}/{kind}/{split}/", stage.key()));
            let greedy = of("greedy")?;
            if let Some(first) = greedy.first() {
                results.verifier.clone_from(&first.provenance.verifier);
                results.prompt.clone_from(&first.provenance.prompt);
            }
            if split == "test" {
                row.by_steps = by_steps(&greedy, steps);
            }
            row.splits.insert(split.clone(), measure(&greedy, &of("sampled")?, &of("control")?, recipe.evaluate.k));
        }
        let columns: Vec<Estimate> =
            row.splits.iter().filter(|(split, _)| *split != DEV).map(|(_, m)| m.accuracy).collect();
        row.mean = mean_of_columns(&columns);
        results.checkpoints.push(row);
    }
    Ok(())
}

/// The checkpoint with the best dev accuracy; the earliest of equals.
fn best(rows: &[CheckpointRow]) -> Option<String> {
    let mut best: Option<(&str, f64)> = None;
    for row in rows {
        let Some(dev) = row.splits.get(DEV).filter(|m| m.questions > 0) else { continue };
        if best.is_none_or(|(_, accuracy)| dev.accuracy.value > accuracy) {
            best = Some((&row.checkpoint, dev.accuracy.value));
        }
    }
    best.map(|(checkpoint, _)| checkpoint.to_string())
}

/// Bands and all-zero shares of every complete stage that sampled the training questions.
fn questions(session: &Session, recipe: &Recipe, stages: &[StageId], results: &mut Results) -> Result<()> {
    let edges = BandEdges { medium_from: recipe.difficulty.medium_from, simple_from: recipe.difficulty.simple_from };
    for stage in stages {
        let sampled = matches!(stage.kind, StageKind::Difficulty | StageKind::Rollouts);
        if !sampled || !session.contains::<StageDone>(&stage.key())? {
            continue;
        }
        let groups = groups(session, &format!("{}/", stage.key()))?;
        let Some(first) = groups.first() else { continue };
        let (checkpoint, sampling, n) = (first.provenance.checkpoint.clone(), first.sampling, first.n());
        let never = groups.iter().filter(|g| GroupOutcome::of_rollouts(&g.rollouts) == Some(GroupOutcome::AllZero));
        let never = never.count();
        if stage.kind == StageKind::Difficulty {
            let mut counts = [0; 3];
            for group in &groups {
                counts[Band::of(group.correct(), group.n(), &edges) as usize] += 1;
            }
            results.bands.push(Bands { checkpoint, n, sampling, counts, never });
        } else {
            let share = Estimate::share(never, groups.len());
            results.all_zero.push(AllZero { checkpoint, group: n, sampling, share });
        }
    }
    Ok(())
}

fn lessons(session: &Session, stages: &[StageId], results: &mut Results) -> Result<()> {
    for stage in stages {
        let mut kinds: BTreeMap<&'static str, (usize, u64)> = BTreeMap::new();
        for (_, text) in all::<Prepared>(session, &format!("{}/", stage.key()))? {
            let (count, tokens) = kinds.entry(text.sample.kind.as_str()).or_default();
            *count += 1;
            *tokens += u64::from(text.tokens);
        }
        results.samples.extend(kinds.into_iter().map(|(kind, (count, tokens))| SampleCount {
            stage: stage.key(),
            kind: kind.into(),
            count,
            tokens,
        }));
        if stage.kind == StageKind::Recycle && session.contains::<StageDone>(&stage.key())? {
            let mut types: BTreeMap<String, usize> = BTreeMap::new();
            for (_, recycled) in all::<Recycled>(session, &format!("{}/", stage.iteration))? {
                results.in_review += usize::from(is_in_review(&recycled.status));
                let error = recycled.diagnosis.map_or_else(|| "no diagnosis".into(), |d| d.error_type);
                *types.entry(error).or_default() += 1;
            }
            results.errors.push((stage.iteration, types));
        }
    }
    Ok(())
}

/// First and last quarter of a GRPO stage; `None` before its first step.
fn grpo(session: &Session, stage: &StageId) -> Result<Option<Grpo>> {
    let steps: Vec<GrpoStep> = all(session, &format!("{}/", stage.key()))?.into_iter().map(|(_, s)| s).collect();
    if steps.is_empty() {
        return Ok(None);
    }
    let quarter = steps.len().div_ceil(4);
    let (first, last) = (&steps[..quarter], &steps[steps.len() - quarter..]);
    let mean =
        |steps: &[GrpoStep], of: &dyn Fn(&GrpoStep) -> f64| steps.iter().map(of).sum::<f64>() / steps.len() as f64;
    let both = |of: &dyn Fn(&GrpoStep) -> f64| [mean(first, of), mean(last, of)];
    let named = |step: &GrpoStep, name: &str| step.metrics.iter().find(|(n, _)| n == name).map_or(0.0, |(_, v)| *v);
    let length = |step: &GrpoStep| {
        let rollouts: f64 = step.groups.iter().map(|g| f64::from(g.n())).sum();
        step.groups.iter().map(RolloutGroup::tokens).sum::<u64>() as f64 / rollouts.max(1.0)
    };
    Ok(Some(Grpo {
        stage: stage.key(),
        steps: steps.len(),
        reward: both(&|s| s.reward),
        above_before: both(&|s| s.reward_above_before),
        kl: mean(last, &|s| named(s, "kl")),
        length: both(&length),
    }))
}

/// Stages that lowered the dev split (reading.md, row 40).
fn warn(results: &mut Results) {
    for pair in results.checkpoints.windows(2) {
        let [before, after] = pair else { continue };
        let dev = |row: &CheckpointRow| row.splits.get(DEV).map_or(0.0, |m| m.accuracy.value);
        if dev(after) < dev(before) - FALL {
            results.warnings.push(format!(
                "{} lowered the dev split from {:.1} to {:.1} %",
                after.checkpoint,
                100.0 * dev(before),
                100.0 * dev(after)
            ));
        }
    }
}

//! What a report says about the way from one checkpoint to the next: questions, texts, SFT and GRPO.

use std::collections::BTreeMap;

use super::gather::{Result, all, briefs};
use super::report::{AllZero, Bands, Grpo, Results, SampleCount, Sft};
use crate::domain::Band;
use crate::evaluate::Estimate;
use crate::pipeline::events::{StageId, StageKind};
use crate::pipeline::stages::difficulty::edges;
use crate::recipe::Recipe;
use crate::session::Session;
use crate::session::records::{
    BridgedTrace, GrpoStep, Prepared, Recycled, RolloutGroup, SftUpdate, StageDone, Status, Trace,
};

/// Fills in everything but the checkpoints.
pub(super) fn fill(session: &Session, recipe: &Recipe, stages: &[StageId], results: &mut Results) -> Result<()> {
    measured(session, recipe, stages, results)?;
    for (_, bridged) in all::<BridgedTrace>(session, "")? {
        for step in &bridged.steps {
            *results.actions.entry(step.action.as_str().into()).or_default() += 1;
        }
        results.in_review += usize::from(is_in_review(&bridged.status));
    }
    for (_, trace) in all::<Trace>(session, "")? {
        results.in_review += usize::from(is_in_review(&trace.status));
    }
    for stage in stages {
        lessons(session, stage, results)?;
        if stage.kind == StageKind::Grpo {
            results.grpo.extend(grpo(session, stage)?);
        }
    }
    Ok(())
}

/// Fills in the questions' bands, the all-zero shares and the SFT runs: what stands in small records.
pub(super) fn measured(session: &Session, recipe: &Recipe, stages: &[StageId], results: &mut Results) -> Result<()> {
    questions(session, recipe, stages, results)?;
    let sft_stages = [StageKind::SftMedium, StageKind::SftBridged, StageKind::SftRecycled];
    for stage in stages.iter().filter(|stage| sft_stages.contains(&stage.kind)) {
        results.sft.extend(sft(session, stage)?);
    }
    Ok(())
}

fn is_in_review(status: &Status) -> bool {
    matches!(status, Status::Review { .. })
}

/// Bands and all-zero shares of every complete stage that sampled the training questions.
fn questions(session: &Session, recipe: &Recipe, stages: &[StageId], results: &mut Results) -> Result<()> {
    let edges = edges(recipe);
    for stage in stages {
        let sampled = matches!(stage.kind, StageKind::Difficulty | StageKind::Rollouts);
        if !sampled || !session.contains::<StageDone>(&stage.key())? {
            continue;
        }
        let groups = briefs(session, &format!("{}/", stage.key()))?;
        let Some(first) = groups.first() else { continue };
        let (checkpoint, sampling, n) = (first.provenance.checkpoint.clone(), first.sampling, first.n);
        let never = groups.iter().filter(|g| g.n > 0 && g.correct == 0);
        let never = never.count();
        if stage.kind == StageKind::Difficulty {
            let mut counts = [0; 3];
            for group in &groups {
                counts[Band::of(group.correct, group.n, &edges) as usize] += 1;
            }
            let checkpoint = checkpoint.clone();
            results.bands.push(Bands { stage: stage.key(), checkpoint, n, sampling, counts, never });
        }
        let share = Estimate::share(never, groups.len());
        results.all_zero.push(AllZero { stage: stage.key(), checkpoint, group: n, sampling, share });
    }
    Ok(())
}

fn lessons(session: &Session, stage: &StageId, results: &mut Results) -> Result<()> {
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
    Ok(())
}

/// The mean over the first and over the last quarter of the steps. `steps` is not empty.
fn quarters<T>(steps: &[T], of: impl Fn(&T) -> f64) -> [f64; 2] {
    let quarter = steps.len().div_ceil(4);
    let mean = |steps: &[T]| steps.iter().map(&of).sum::<f64>() / steps.len().max(1) as f64;
    [mean(&steps[..quarter]), mean(&steps[steps.len() - quarter..])]
}

/// An SFT run; `None` before its first update.
fn sft(session: &Session, stage: &StageId) -> Result<Option<Sft>> {
    let prefix = format!("{}/", stage.key());
    let updates: Vec<SftUpdate> = all(session, &prefix)?.into_iter().map(|(_, u)| u).collect();
    if updates.is_empty() {
        return Ok(None);
    }
    Ok(Some(Sft {
        stage: stage.key(),
        texts: session.count::<Prepared>(&prefix)? as usize,
        updates: updates.len(),
        tokens: updates.iter().map(|u| u.tokens).sum(),
        lr: updates.iter().map(|u| u.lr).fold(0.0, f64::max),
        loss: quarters(&updates, |u| u.loss),
    }))
}

/// A GRPO stage; `None` before its first step.
fn grpo(session: &Session, stage: &StageId) -> Result<Option<Grpo>> {
    let textless = |mut step: GrpoStep| {
        let rollouts = step.groups.iter_mut().flat_map(|group| &mut group.rollouts);
        rollouts.for_each(|rollout| rollout.text = String::new());
        step
    };
    let steps = session.scan::<GrpoStep>(&format!("{}/", stage.key()));
    let steps = steps.map(|item| item.map(|(_, step)| textless(step))).collect::<Result<Vec<_>>>()?;
    if steps.is_empty() {
        return Ok(None);
    }
    let named = |step: &GrpoStep, name: &str| step.metrics.iter().find(|(n, _)| n == name).map_or(0.0, |(_, v)| *v);
    let length = |step: &GrpoStep| {
        let rollouts: f64 = step.groups.iter().map(|g| f64::from(g.n())).sum();
        step.groups.iter().map(RolloutGroup::tokens).sum::<u64>() as f64 / rollouts.max(1.0)
    };
    Ok(Some(Grpo {
        stage: stage.key(),
        steps: steps.len(),
        reward: quarters(&steps, |s| s.reward),
        above_before: quarters(&steps, |s| s.reward_above_before),
        kl: quarters(&steps, |s| named(s, "kl"))[1],
        length: quarters(&steps, length),
    }))
}

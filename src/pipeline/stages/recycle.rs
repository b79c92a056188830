//! Recycle: of every failed question the near-miss (eqs. 29 to 34), the teacher's diagnosis of its first error (eqs. 16
//! and 17), and the checks that stand before it becomes three lessons (eqs. 18 and 19).

use std::collections::BTreeMap;

use crate::domain::{NearMissSettings, Question, Rollout, check_diagnosis, choose_near_miss, prefix_before};
use crate::pipeline::context::{Context, StageError, Summary, all};
use crate::pipeline::teaching::asked_with;
use crate::recipe::Gate;
use crate::session::records::{Recycled, RolloutGroup, Scores, SplitSets, Status, Trace};
use crate::session::{Author, Batch};
use crate::teacher::PromptKind;

/// Records per frame.
const FRAME: usize = 32;

/// Diagnoses what is missing.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    let iteration = cx.stage.iteration;
    let sets = cx.session.get::<SplitSets>(&format!("{iteration}-split"))?;
    let failed = sets.ok_or_else(|| cx.nothing("the split of this iteration is missing"))?.sets.failed;
    let mut missing = Vec::new();
    for id in &failed {
        if cx.session.get::<Recycled>(&format!("{iteration}/{id}"))?.is_none() {
            missing.push(id);
        }
    }
    let total = failed.len() as u64;
    let mut done = total - missing.len() as u64;
    cx.emit.started(cx.stage, done, total, "failures");
    let settings = settings(cx)?;
    for chunk in missing.chunks(FRAME) {
        cx.control.check()?;
        let mut batch = Batch::new(Author::Pipeline);
        for id in chunk {
            let question = cx.material.find(id).ok_or_else(|| cx.nothing("a failed question is gone"))?;
            let key = format!("{iteration}-rollouts/{id}");
            let group = cx.session.get::<RolloutGroup>(&key)?.ok_or_else(|| cx.nothing("its rollouts are gone"))?;
            batch.put(&format!("{iteration}/{id}"), &diagnose(cx, question, &group.rollouts, &settings)?);
        }
        cx.session.write(batch)?;
        done += chunk.len() as u64;
        cx.emit.progress(cx.stage, done, total, 0);
    }
    summary(cx)
}

/// τ_ℓ and τ_s from the recipe, or this session's means over hard traces (Table 9).
fn settings(cx: &Context) -> Result<NearMissSettings, StageError> {
    let scores = all::<Scores>(cx.session, "")?;
    let n = scores.len().max(1) as f64;
    let mean_tokens = scores.iter().map(|(_, s)| f64::from(s.trace_tokens)).sum::<f64>() / n;
    let mean_steps = scores.iter().map(|(_, s)| s.steps.len() as f64).sum::<f64>() / n;
    Ok(NearMissSettings {
        tau_len: cx.recipe.recycle.tau_len.unwrap_or(mean_tokens).max(1.0),
        tau_steps: cx.recipe.recycle.tau_steps.unwrap_or(mean_steps).max(1.0),
        weights: cx.recipe.recycle.weights,
    })
}

fn diagnose(
    cx: &Context,
    question: &Question,
    rollouts: &[Rollout],
    settings: &NearMissSettings,
) -> Result<Recycled, StageError> {
    let chosen =
        choose_near_miss(rollouts, settings).ok_or_else(|| cx.nothing("a failed question has no wrong rollout"))?;
    let response = &rollouts[chosen.index].text;
    let reference = cx.session.get::<Trace>(&question.id)?.filter(|trace| trace.status == Status::Approved);
    let mut recycled = Recycled {
        question: question.id.clone(),
        near_miss: chosen.index as u32,
        score: chosen.score.score,
        repetition: chosen.repeats,
        response: response.clone(),
        reference: reference.as_ref().map(|trace| format!("trace/{}", trace.question)),
        diagnosis: None,
        excerpt: None,
        prefix: String::new(),
        prompts: asked_with(cx.teacher, &[PromptKind::Diagnosis]),
        status: Status::Review { reason: "no diagnosis".into() },
    };
    for attempt in 0..=cx.recipe.teacher.max_retries {
        let diagnosis =
            cx.teacher.diagnose(question, response, reference.as_ref().map(|trace| trace.text.as_str()), attempt)?;
        let most = cx.recipe.recycle.max_excerpt;
        let checked = check_diagnosis(&diagnosis, response, &question.gold, cx.verifier, most);
        recycled.diagnosis = Some(diagnosis);
        match checked {
            Ok(excerpt) => {
                recycled.excerpt = Some(excerpt);
                recycled.prefix = prefix_before(response, &excerpt).to_string();
                recycled.status = match cx.recipe.gates.diagnosis {
                    Gate::Auto => Status::Approved,
                    Gate::Review => Status::Proposed,
                };
                return Ok(recycled);
            }
            Err(faults) => {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                recycled.status = Status::Review { reason: faults.join("; ") };
            }
        }
    }
    Ok(recycled)
}

fn summary(cx: &Context) -> Result<Summary, StageError> {
    let all = all::<Recycled>(cx.session, &format!("{}/", cx.stage.iteration))?;
    let mut types: BTreeMap<String, usize> = BTreeMap::new();
    for (_, recycled) in &all {
        let error = recycled.diagnosis.as_ref().map_or("no diagnosis", |d| d.error_type.as_str());
        *types.entry(error.to_string()).or_default() += 1;
    }
    let review = all.iter().filter(|(_, r)| matches!(r.status, Status::Review { .. })).count();
    let types: Vec<String> = types.iter().map(|(t, n)| format!("{t} {n}")).collect();
    Ok(Summary { text: format!("{} diagnosed: {}; {review} for review", all.len(), types.join(" · ")), tokens: 0 })
}

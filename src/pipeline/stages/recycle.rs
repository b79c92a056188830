//! Recycle: of every failed question the near-miss (eqs. 29 to 34), the teacher's diagnosis of its first error (eqs. 16
//! and 17), and the checks that stand before it becomes three lessons (eqs. 18 and 19).

use std::collections::BTreeMap;

use crate::domain::{NearMissSettings, Question, Verifier, check_diagnosis, choose_near_miss, prefix_before};
use crate::pipeline::context::{Context, StageError, Summary, all};
use crate::pipeline::frames::Frames;
use crate::pipeline::parallel::parallel;
use crate::pipeline::review::desk::standing;
use crate::pipeline::teaching::asked_with;
use crate::recipe::Recipe;
use crate::session::records::{Recycled, RolloutGroup, Scores, SplitSets, Status, Trace};
use crate::teacher::{PromptKind, Teacher};

/// Diagnoses what is missing, as many failures at once as the teacher allows.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    let iteration = cx.stage.iteration;
    let sets = cx.session.get::<SplitSets>(&format!("{iteration}-split"))?;
    let failed = sets.ok_or_else(|| cx.nothing("the split of this iteration is missing"))?.sets.failed;
    let settings = settings(cx)?;
    let mut missing = Vec::new();
    for id in &failed {
        if !cx.session.contains::<Recycled>(&format!("{iteration}/{id}"))? {
            missing.push(cx.material.find(id).ok_or_else(|| cx.nothing("a failed question is gone"))?);
        }
    }
    let total = failed.len() as u64;
    let mut frames = Frames::new(cx, total - missing.len() as u64, total, "failures");
    let (session, recipe, teacher, verifier) = (cx.session, cx.recipe, cx.teacher, cx.verifier);
    let stage = cx.stage.to_string();
    let nothing = |problem: &str| StageError::Nothing { stage: stage.clone(), problem: problem.into() };
    let outcome = parallel(
        &missing,
        teacher.concurrency(),
        cx.control,
        |question| {
            let key = format!("{iteration}-rollouts/{}", question.id);
            let group = session.get::<RolloutGroup>(&key)?.ok_or_else(|| nothing("its rollouts are gone"))?;
            let reference = session.get::<Trace>(&question.id)?.filter(|trace| trace.status.may_train());
            let chosen = chosen(question, &group, &settings, reference.as_ref());
            let chosen = chosen.ok_or_else(|| nothing("a failed question has no wrong rollout"))?;
            diagnose(question, chosen, reference.as_ref(), (recipe, verifier), teacher)
        },
        |done| {
            if let Some((question, recycled)) = done {
                frames.put(&format!("{iteration}/{}", question.id), &recycled)?;
            }
            frames.attend()
        },
    );
    frames.write()?;
    outcome?;
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

/// The near-miss of a failed question, not yet diagnosed.
fn chosen(
    question: &Question,
    group: &RolloutGroup,
    settings: &NearMissSettings,
    reference: Option<&Trace>,
) -> Option<Recycled> {
    let chosen = choose_near_miss(&group.rollouts, settings)?;
    Some(Recycled {
        question: question.id.clone(),
        near_miss: chosen.index as u32,
        score: chosen.score.score,
        repetition: chosen.repeats,
        response: group.rollouts[chosen.index].text.clone(),
        reference: reference.map(|trace| format!("trace/{}", trace.question)),
        diagnosis: None,
        excerpt: None,
        prefix: String::new(),
        prompts: BTreeMap::new(),
        status: Status::Review { reason: "no diagnosis".into() },
        decided: None,
    })
}

/// Asks until a diagnosis passes its checks, at most as often as the recipe says; what fails them all goes to review with
/// the last faults, and so does a failure that the teacher has no answer to.
fn diagnose(
    question: &Question,
    mut recycled: Recycled,
    reference: Option<&Trace>,
    (recipe, verifier): (&Recipe, Verifier),
    teacher: &dyn Teacher,
) -> Result<Recycled, StageError> {
    let reference = reference.map(|trace| trace.text.as_str());
    recycled.prompts = asked_with(teacher, &[PromptKind::Diagnosis]);
    for attempt in 0..=recipe.teacher.max_retries {
        let diagnosis = match teacher.diagnose(question, &recycled.response, reference, attempt) {
            Ok(diagnosis) => diagnosis,
            Err(error) if error.stops_the_run() => return Err(error.into()),
            Err(error) => {
                recycled.status = Status::Review { reason: error.to_string() };
                return Ok(recycled);
            }
        };
        let checked =
            check_diagnosis(&diagnosis, &recycled.response, &question.gold, verifier, recipe.recycle.max_excerpt);
        recycled.diagnosis = Some(diagnosis);
        match checked {
            Ok(excerpt) => {
                recycled.excerpt = Some(excerpt);
                recycled.prefix = prefix_before(&recycled.response, &excerpt).to_string();
                recycled.status = standing(None, recipe.gates.diagnosis);
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

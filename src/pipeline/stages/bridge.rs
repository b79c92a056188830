//! Bridge: Algorithm 1 on every hard trace. Decisions read the original steps' scores; edits and local samples are built
//! on the steps as processed so far (reading.md, row 11).

use std::collections::BTreeMap;

use crate::domain::steps::separator_of;
use crate::domain::{Action, Decision, EditedStep, Question, Thresholds, assemble, decide, split_answer, split_steps};
use crate::pipeline::context::{Context, StageError, Summary, all};
use crate::pipeline::teaching::asked_with;
use crate::recipe::Gate;
use crate::session::records::{BridgedStep, BridgedTrace, Scores, Status, TauD, Trace};
use crate::session::{Author, Batch};
use crate::teacher::PromptKind;

/// Records per frame.
const FRAME: usize = 32;

/// Bridges what is missing.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    let tau_d = cx.session.get::<TauD>("tau-d")?.ok_or_else(|| cx.nothing("τ_D was never fixed"))?.value;
    let thresholds = Thresholds { tau_i: cx.recipe.bridge.tau_i, tau_j: cx.recipe.bridge.tau_j, tau_d };
    let scored = all::<Scores>(cx.session, "")?;
    let total = scored.len() as u64;
    let mut missing = Vec::new();
    for (id, scores) in scored {
        if cx.session.get::<BridgedTrace>(&id)?.is_none() {
            missing.push(scores);
        }
    }
    let mut done = total - missing.len() as u64;
    cx.emit.started(cx.stage, done, total, "traces");
    for chunk in missing.chunks(FRAME) {
        cx.control.check()?;
        let mut batch = Batch::new(Author::Pipeline);
        for scores in chunk {
            let question = cx.material.find(&scores.question).ok_or_else(|| cx.nothing("a scored question is gone"))?;
            batch.put(&scores.question, &bridge(cx, question, scores, &thresholds)?);
        }
        cx.session.write(batch)?;
        done += chunk.len() as u64;
        cx.emit.progress(cx.stage, done, total, 0);
    }
    summary(cx)
}

fn bridge(
    cx: &Context,
    question: &Question,
    scores: &Scores,
    thresholds: &Thresholds,
) -> Result<BridgedTrace, StageError> {
    let trace = cx.session.get::<Trace>(&question.id)?.ok_or_else(|| cx.nothing("a scored trace is gone"))?;
    let (body, _) = split_answer(&trace.text);
    let separator = separator_of(body, &split_steps(body, cx.recipe.bridge.max_steps));
    let mut unscored = Vec::new();
    let decisions = scores.steps.iter().enumerate().map(|(i, step)| {
        decide(&step.scores, thresholds).map(|d| d.without(&cx.recipe.bridge.without)).unwrap_or_else(|| {
            unscored.push((i + 1).to_string());
            Decision::overruled(Action::Keep, false, "unscored: the judge gave no answer on the grid")
        })
    });
    let decisions: Vec<Decision> = decisions.collect();
    let texts = edit(cx, question, scores, &decisions, separator)?;
    let steps: Vec<EditedStep> = scores
        .steps
        .iter()
        .zip(&decisions)
        .zip(&texts)
        .map(|((step, decision), edited)| EditedStep {
            original: &step.text,
            action: decision.action,
            local_sample: decision.local_sample,
            edited: Some(edited),
        })
        .collect();
    let bridged = assemble(&steps, separator, &question.gold);
    let right = cx.verifier.judge(&bridged.text, &question.gold).correct;
    let status = match &bridged.flagged {
        Some(reason) => Status::Review { reason: reason.clone() },
        None if !unscored.is_empty() => Status::Review { reason: format!("unscored steps: {}", unscored.join(", ")) },
        None if !right => Status::Review { reason: "the bridged text does not reach the gold answer".into() },
        None if cx.recipe.gates.bridge == Gate::Review => Status::Proposed,
        None => Status::Approved,
    };
    let steps = decisions.into_iter().zip(texts);
    let steps = steps.map(|(d, text)| BridgedStep { action: d.action, reason: d.reason, text }).collect();
    let prompts = asked_with(cx.teacher, &[PromptKind::Compress, PromptKind::Expand, PromptKind::Localize]);
    Ok(BridgedTrace { question: question.id.clone(), steps, bridged, prompts, status })
}

/// The teacher's edits, each on top of the steps as processed so far.
fn edit(
    cx: &Context,
    question: &Question,
    scores: &Scores,
    decisions: &[Decision],
    separator: &str,
) -> Result<Vec<String>, StageError> {
    let mut processed: Vec<String> = Vec::new();
    let mut prefix = String::new();
    for (step, decision) in scores.steps.iter().zip(decisions) {
        let text = match decision.action {
            Action::Keep => step.text.clone(),
            Action::Drop => String::new(),
            Action::Compress => cx.teacher.compress(question, &prefix, &step.text)?,
            Action::Expand => cx.teacher.expand(question, &prefix, &step.text)?,
            Action::Localize => cx.teacher.localize(question, &prefix, &step.text)?,
        };
        if !text.is_empty() {
            if !prefix.is_empty() {
                prefix.push_str(separator);
            }
            prefix.push_str(&text);
        }
        processed.push(text);
    }
    Ok(processed)
}

fn summary(cx: &Context) -> Result<Summary, StageError> {
    let all = all::<BridgedTrace>(cx.session, "")?;
    let mut actions: BTreeMap<Action, usize> = BTreeMap::new();
    let mut locals = 0;
    for (_, bridged) in &all {
        locals += bridged.bridged.locals.len();
        for step in &bridged.steps {
            *actions.entry(step.action).or_default() += 1;
        }
    }
    let actions: Vec<String> = actions.iter().map(|(a, n)| format!("{} {n}", a.as_str())).collect();
    Ok(Summary { text: format!("{} · {locals} local samples", actions.join(" · ")), tokens: 0 })
}

//! Bridge: Algorithm 1 on every hard trace. Decisions read the original steps' scores; edits and local samples are built
//! on the steps as processed so far (reading.md, row 11).

use std::collections::BTreeMap;

use crate::domain::bridge::{Decision, Thresholds, assemble, decide};
use crate::domain::steps::{split_answer, split_steps};
use crate::domain::{Action, Question};
use crate::pipeline::context::{Context, StageError, Summary};
use crate::recipe::{Gate, ScoreOn};
use crate::session::{Author, Batch};
use crate::session::records::{Bridged, BridgedStep, Scores, Status, TauD, Trace};

/// Records per frame.
const FRAME: usize = 32;

/// Bridges what is missing.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    if cx.recipe.bridge.score_on == ScoreOn::Processed {
        return Err(StageError::Recipe(
            "bridge.score_on = \"processed\" is not built yet; set it to \"original\" (the default)".into(),
        ));
    }
    let tau_d = cx.session.get::<TauD>("tau-d")?.ok_or_else(|| cx.nothing("τ_D was never fixed"))?.value;
    let thresholds = Thresholds { tau_i: cx.recipe.bridge.tau_i, tau_j: cx.recipe.bridge.tau_j, tau_d };
    let scored = cx.session.scan::<Scores>("")?;
    let total = scored.len() as u64;
    let mut missing = Vec::new();
    for (id, scores) in scored {
        if cx.session.get::<Bridged>(&id)?.is_none() {
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

fn bridge(cx: &Context, question: &Question, scores: &Scores, thresholds: &Thresholds) -> Result<Bridged, StageError> {
    let trace = cx.session.get::<Trace>(&question.id)?.ok_or_else(|| cx.nothing("a scored trace is gone"))?;
    let (body, _) = split_answer(&trace.text);
    let spans = split_steps(body, cx.recipe.bridge.max_steps);
    let originals: Vec<&str> = spans.iter().map(|s| &body[s.start..s.end]).collect();
    let mut decisions: Vec<Decision> = Vec::new();
    let mut unscored = Vec::new();
    for (i, step) in scores.steps.iter().enumerate() {
        match decide(&step.scores, thresholds, &cx.recipe.bridge.without) {
            Some(decision) => decisions.push(decision),
            None => {
                unscored.push(i + 1);
                decisions.push(Decision {
                    action: Action::Keep,
                    local_sample: false,
                    reason: "unscored: the judge gave no answer on the grid".into(),
                });
            }
        }
    }
    let mut edited: Vec<String> = Vec::new();
    for (step, decision) in originals.iter().zip(&decisions) {
        let prefix: Vec<&str> = edited.iter().map(String::as_str).filter(|t| !t.is_empty()).collect();
        let prefix = prefix.join("\n");
        edited.push(match decision.action {
            Action::Keep => (*step).to_string(),
            Action::Drop => String::new(),
            Action::Compress => cx.teacher.compress(question, &prefix, step)?,
            Action::Expand => cx.teacher.expand(question, &prefix, step)?,
            Action::Localize => cx.teacher.localize(question, &prefix, step)?,
        });
    }
    let bridged = assemble(&trace.text, &decisions, &edited, &question.gold);
    let right = cx.verifier.judge(&bridged.text, &question.gold).correct;
    let status = match bridged.flagged {
        Some(reason) => Status::Review { reason },
        None if !unscored.is_empty() => Status::Review { reason: format!("steps {unscored:?} are unscored") },
        None if !right => Status::Review { reason: "the bridged text does not reach the gold answer".into() },
        None if cx.recipe.gates.bridge == Gate::Review => Status::Proposed,
        None => Status::Approved,
    };
    let steps = decisions.into_iter().zip(edited).map(|(d, text)| BridgedStep { action: d.action, reason: d.reason, text });
    let steps = steps.collect();
    Ok(Bridged { question: question.id.clone(), steps, text: bridged.text, locals: bridged.locals, status })
}

fn summary(cx: &Context) -> Result<Summary, StageError> {
    let all = cx.session.scan::<Bridged>("")?;
    let mut actions: BTreeMap<Action, usize> = BTreeMap::new();
    let mut locals = 0;
    for (_, bridged) in &all {
        locals += bridged.locals.len();
        for step in &bridged.steps {
            *actions.entry(step.action).or_default() += 1;
        }
    }
    let actions: Vec<String> = actions.iter().map(|(a, n)| format!("{} {n}", a.name())).collect();
    Ok(Summary { text: format!("{} · {locals} local samples", actions.join(" · ")), tokens: 0 })
}

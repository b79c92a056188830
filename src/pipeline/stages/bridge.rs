//! Bridge: Algorithm 1 on every hard trace. Decisions read the original steps' scores; edits and local samples are built
//! on the steps as processed so far (reading.md, row 11).

use std::collections::BTreeMap;

use crate::domain::{Action, Question, Thresholds, Verifier};
use crate::pipeline::context::{Context, StageError, Summary, all};
use crate::pipeline::frames::Frames;
use crate::pipeline::parallel::parallel;
use crate::pipeline::review::desk::standing;
use crate::pipeline::review::rebridge::{Built, Ground, Wanted, build};
use crate::pipeline::teaching::asked_with;
use crate::recipe::Recipe;
use crate::session::records::{BridgedTrace, Scores, TauD, Trace};
use crate::teacher::{PromptKind, Teacher};

/// Bridges what is missing, as many questions at once as the teacher allows.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    let tau_d = cx.session.get::<TauD>("tau-d")?.ok_or_else(|| cx.nothing("τ_D was never fixed"))?.value;
    let thresholds = Thresholds { tau_i: cx.recipe.bridge.tau_i, tau_j: cx.recipe.bridge.tau_j, tau_d };
    let (mut total, mut missing) = (0, Vec::new());
    for (id, scores) in all::<Scores>(cx.session, "")? {
        let trace = cx.session.get::<Trace>(&id)?.ok_or_else(|| cx.nothing("a scored trace is gone"))?;
        let bridged = cx.session.contains::<BridgedTrace>(&id)?;
        // What was rejected before it was bridged costs no edits.
        if bridged || trace.status.may_train() {
            total += 1;
        }
        if !bridged && trace.status.may_train() {
            let question = cx.material.find(&id).ok_or_else(|| cx.nothing("a scored question is gone"))?;
            missing.push((question, trace, scores));
        }
    }
    let mut frames = Frames::new(cx, total - missing.len() as u64, total, "traces");
    let (recipe, teacher, verifier) = (cx.recipe, cx.teacher, cx.verifier);
    let outcome = parallel(
        &missing,
        teacher.concurrency(),
        cx.control,
        |(question, trace, scores)| bridge(question, (trace, scores), (recipe, &thresholds, verifier), teacher),
        |done| {
            let Some(((question, trace, scores), bridged)) = done else { return frames.attend() };
            let Some((now_trace, now_scores)) = changed(cx, trace, scores)? else {
                frames.put(&question.id, &bridged)?;
                return frames.attend();
            };
            if now_trace.status.may_train() {
                let of = (&now_trace, &now_scores);
                frames.put(&question.id, &bridge(question, of, (recipe, &thresholds, verifier), teacher)?)?;
            }
            frames.attend()
        },
    );
    frames.write()?;
    outcome?;
    summary(cx)
}

/// The trace and its scores as they are now, where a researcher changed them while the teacher was at work on them.
fn changed(cx: &Context, trace: &Trace, scores: &Scores) -> Result<Option<(Trace, Scores)>, StageError> {
    let gone = || cx.nothing("a scored trace is gone");
    let now_trace = cx.session.get::<Trace>(&trace.question)?.ok_or_else(gone)?;
    let now_scores = cx.session.get::<Scores>(&trace.question)?.ok_or_else(gone)?;
    Ok((now_trace != *trace || now_scores != *scores).then_some((now_trace, now_scores)))
}

/// One question. Edits are made each on top of the steps as processed so far; a step whose edit the teacher does not give
/// keeps its text, and the trace goes to review.
fn bridge(
    question: &Question,
    (trace, scores): (&Trace, &Scores),
    (recipe, thresholds, verifier): (&Recipe, &Thresholds, Verifier),
    teacher: &dyn Teacher,
) -> Result<BridgedTrace, StageError> {
    let (removed, max_steps) = (&recipe.bridge.without, recipe.bridge.max_steps);
    let ground =
        Ground { question, trace: &trace.text, steps: &scores.steps, thresholds, removed, max_steps, verifier };
    let Built { steps, bridged, fault } =
        build(&ground, Vec::new(), |wanted: &Wanted| match wanted.ask(teacher, question, 0) {
            Ok(text) => Ok(Ok(text)),
            Err(error) if error.stops_the_run() => Err(StageError::from(error)),
            Err(error) => Ok(Err(error.to_string())),
        })?;
    let status = standing(fault, recipe.gates.bridge);
    let prompts = asked_with(teacher, &[PromptKind::Compress, PromptKind::Expand, PromptKind::Localize]);
    Ok(BridgedTrace { question: question.id.clone(), steps, bridged, prompts, status, decided: None })
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

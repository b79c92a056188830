//! Asking the teacher once more: for a trace, for scores or edits that are open, for a diagnosis. What comes back passes
//! the same checks; what fails them leaves everything as it was.

use super::check::answer;
use super::desk::{Desk, standing};
use super::diagnosis::{place as place_diagnosis, recycled};
use super::error::ReviewError;
use super::history::Changes;
use super::overrule::{follow, place, rebuilt};
use super::product::{Kind, Product, ProductId};
use super::rebridge::Hint;
use super::rescore::{retrace, set_scores};
use crate::domain::Question;
use crate::pipeline::stages::scores::GRID;
use crate::session::records::{ReviewDecision, Status, Trace};
use crate::teacher::{Teacher, TeacherError};

pub(super) fn ask(desk: &Desk<'_>, id: &ProductId, step: Option<usize>) -> Result<Changes, ReviewError> {
    desk.teacher()?;
    match id.kind {
        Kind::Trace => trace(desk, id),
        Kind::Scores => scores(desk, id, step),
        Kind::Bridge => bridge(desk, id, step),
        Kind::Recycled => diagnosis(desk, id),
    }
}

fn trace(desk: &Desk<'_>, id: &ProductId) -> Result<Changes, ReviewError> {
    let (teacher, old) = (desk.teacher()?, desk.trace(&id.key)?);
    let question = desk.question(&id.key)?;
    let from = old.attempts.max(attempts_before(desk, id)?);
    let mut why = String::new();
    for attempt in attempts(desk, from) {
        let text = teacher.trace(&question, attempt).map_err(refusal)?;
        match answer(desk, &text, &question) {
            Some(fault) => why = fault,
            None => {
                let teacher = teacher.name().into();
                let trace =
                    Trace { text, teacher, attempts: attempt.saturating_add(1), status: Status::Approved, ..old };
                return retrace(desk, trace, format!("asked again for {id}"));
            }
        }
    }
    Err(ReviewError::Teacher(format!("none of its new traces passes: {why}")))
}

fn scores(desk: &Desk<'_>, id: &ProductId, step: Option<usize>) -> Result<Changes, ReviewError> {
    let scores = desk.scores(&id.key)?;
    let question = desk.question(&id.key)?;
    let texts: Vec<String> = scores.steps.iter().map(|s| s.text.clone()).collect();
    let wanted: Vec<usize> = match step {
        Some(step) => vec![place(&id.key, step, texts.len())?],
        None => {
            let open = |i: &usize| {
                let of = &scores.steps[*i].scores;
                of.importance.is_none() || of.jumpiness.is_none()
            };
            (0..texts.len()).filter(open).collect()
        }
    };
    if wanted.is_empty() {
        return Err(ReviewError::Nothing(format!("every step of {id} is scored; name a step to have it judged again")));
    }
    let attempt = attempts_before(desk, id)?;
    let mut judged = Vec::new();
    for i in wanted {
        match judge(desk, &question, &texts, i, attempt) {
            (Some(importance), Some(jumpiness), _) => judged.push((i, importance, jumpiness)),
            (.., why) => return Err(ReviewError::Teacher(why.unwrap_or_else(|| "no answer on the grid".into()))),
        }
    }
    set_scores(desk, &question, scores, &judged, format!("asked again for {id}"))
}

fn bridge(desk: &Desk<'_>, id: &ProductId, step: Option<usize>) -> Result<Changes, ReviewError> {
    let mut bridge = desk.bridge(&id.key)?;
    let question = desk.question(&id.key)?;
    let mut hints: Vec<Hint> = bridge.steps.iter().map(Hint::of).collect();
    match step {
        Some(step) => {
            let at = place(&id.key, step, hints.len())?;
            drop(hints[at].texts.remove(&bridge.steps[at].action));
        }
        None if bridge.steps.iter().all(|s| s.unanswered.is_none()) => {
            let text = format!("every step of {id} has its edit; name a step to have it written again");
            return Err(ReviewError::Nothing(text));
        }
        None => {}
    }
    let (trace, scores) = (desk.trace(&id.key)?, desk.scores(&id.key)?);
    let attempt = attempts_before(desk, id)?;
    let built = rebuilt(desk, &question, (&trace.text, &scores.steps), (hints, attempt))?;
    bridge.status = follow(&bridge, &built, desk.recipe.gates.bridge);
    (bridge.steps, bridge.bridged) = (built.steps, built.bridged);
    Ok(Changes::one(format!("asked again for {id}"), id.clone(), Product::Bridge(bridge)))
}

fn diagnosis(desk: &Desk<'_>, id: &ProductId) -> Result<Changes, ReviewError> {
    let (teacher, mut recycled) = (desk.teacher()?, recycled(desk, id)?);
    let question = desk.question(id.question())?;
    let reference = desk.session.get::<Trace>(id.question())?.filter(|trace| trace.status.may_train());
    let from = attempts_before(desk, id)?;
    let mut why = String::new();
    for attempt in attempts(desk, from) {
        let reference = reference.as_ref().map(|trace| trace.text.as_str());
        let diagnosis = teacher.diagnose(&question, &recycled.response, reference, attempt).map_err(refusal)?;
        match place_diagnosis(desk, &mut recycled, &diagnosis, &question) {
            Err(fault) => why = fault.to_string(),
            Ok(()) => {
                recycled.diagnosis = Some(diagnosis);
                recycled.status = standing(None, desk.recipe.gates.diagnosis);
                return Ok(Changes::one(format!("asked again for {id}"), id.clone(), Product::Recycled(recycled)));
            }
        }
    }
    Err(ReviewError::Teacher(format!("none of its new diagnoses passes: {why}")))
}

/// I and J of one step, and why one is missing. Asks as often as the recipe says, from `attempt` on.
pub(super) fn judge(
    desk: &Desk<'_>,
    question: &Question,
    texts: &[String],
    step: usize,
    attempt: u32,
) -> (Option<f64>, Option<f64>, Option<String>) {
    let (importance, unimportant) =
        asked(desk, attempt, |teacher, attempt| teacher.importance(question, texts, step, attempt));
    let (jumpiness, unjumpy) = judge_jumpiness(desk, question, texts, step, attempt);
    (importance, jumpiness, unjumpy.or(unimportant))
}

/// J of one step, and why it is missing; 0 of the first one, without asking.
pub(super) fn judge_jumpiness(
    desk: &Desk<'_>,
    question: &Question,
    texts: &[String],
    step: usize,
    attempt: u32,
) -> (Option<f64>, Option<String>) {
    if step == 0 {
        return (Some(0.0), None);
    }
    asked(desk, attempt, |teacher, attempt| teacher.jumpiness(question, texts, step, attempt))
}

/// A score on the grid, or why there is none.
fn asked(
    desk: &Desk<'_>,
    from: u32,
    ask: impl Fn(&dyn Teacher, u32) -> Result<f64, TeacherError>,
) -> (Option<f64>, Option<String>) {
    let Some(teacher) = desk.teacher else { return (None, Some(desk.nobody())) };
    let mut why = None;
    for attempt in attempts(desk, from) {
        match ask(teacher, attempt) {
            Ok(score) if GRID.contains(&score) => return (Some(score), None),
            Ok(score) => why = Some(format!("the judge said {score}, which is not on the grid")),
            Err(error) => return (None, Some(error.to_string())),
        }
    }
    (None, why)
}

/// The numbers of the attempts that the recipe allows, from this one on.
fn attempts(desk: &Desk<'_>, from: u32) -> std::ops::RangeInclusive<u32> {
    from..=from.saturating_add(desk.recipe.teacher.max_retries)
}

/// How many attempts at a product lie behind: those of its stage, and as many for each decision on it.
fn attempts_before(desk: &Desk<'_>, id: &ProductId) -> Result<u32, ReviewError> {
    let name = id.to_string();
    let mut times = 1;
    for item in desk.session.scan::<ReviewDecision>("") {
        times += u32::from(item?.1.changes.iter().any(|change| change.product == name));
    }
    Ok(desk.recipe.teacher.max_retries.saturating_add(1).saturating_mul(times))
}

fn refusal(error: TeacherError) -> ReviewError {
    ReviewError::Teacher(error.to_string())
}

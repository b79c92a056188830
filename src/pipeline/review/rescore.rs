//! Changes of a trace, of its steps and of their scores, and what follows from them for the bridge.
//!
//! Only what changed is scored again: the judge looks at new texts, D is measured where a student is at hand. Without one,
//! joined steps keep the losses of their tokens; other new steps carry an estimate, and the scores go to review.

use super::act::ScoreName;
use super::again::{judge, judge_jumpiness};
use super::check;
use super::desk::Desk;
use super::error::ReviewError;
use super::history::Changes;
use super::overrule::{follow, place, rebuilt};
use super::product::{Kind, Product, ProductId};
use super::rebridge::Hint;
use crate::domain::steps::{in_code_points, located};
use crate::domain::{Question, StepScores, split_answer, split_steps};
use crate::pipeline::stages::scores::GRID;
use crate::session::records::{BridgedTrace, ScoredStep, Scores, Status, Trace};

/// A step on its way into new scores.
struct Fresh {
    step: ScoredStep,
    /// The step it was before, where it is the same.
    same: Option<usize>,
    /// Its losses are a guess.
    guessed: bool,
}

/// Sets one score.
pub(super) fn set_score(
    desk: &Desk<'_>,
    id: &str,
    step: usize,
    score: ScoreName,
    value: f64,
) -> Result<Changes, ReviewError> {
    let mut scores = desk.scores(id)?;
    let at = place(id, step, scores.steps.len())?;
    let of = &mut scores.steps[at].scores;
    match score {
        ScoreName::I | ScoreName::J if !GRID.contains(&value) => {
            let text = format!("{score:?} must be 0, 0.25, 0.5, 0.75 or 1, not {value}");
            return Err(ReviewError::Score(text));
        }
        ScoreName::D if !(value.is_finite() && value >= 0.0) => {
            return Err(ReviewError::Score(format!("D must be 0 or more nats per token, not {value}")));
        }
        ScoreName::J if at == 0 && value != 0.0 => {
            return Err(ReviewError::Score("J of the first step is 0: nothing comes before it".into()));
        }
        ScoreName::I => of.importance = Some(value),
        ScoreName::J => of.jumpiness = Some(value),
        ScoreName::D => of.difficulty = value,
    }
    let line = format!("step {step} of {id}: {score:?} = {value}");
    with_scores(desk, &desk.question(id)?, scores, line)
}

/// Sets I and J of some steps (position, I, J) as the judge gave them.
pub(super) fn set_scores(
    desk: &Desk<'_>,
    question: &Question,
    mut scores: Scores,
    judged: &[(usize, f64, f64)],
    line: String,
) -> Result<Changes, ReviewError> {
    for (step, importance, jumpiness) in judged {
        let of = &mut scores.steps[*step].scores;
        (of.importance, of.jumpiness) = (Some(*importance), Some(*jumpiness));
    }
    with_scores(desk, question, scores, line)
}

/// The same steps with other scores, and the bridge that follows.
fn with_scores(desk: &Desk<'_>, question: &Question, mut scores: Scores, line: String) -> Result<Changes, ReviewError> {
    scores.status = edited(&scores.steps);
    let mut changes = Changes::of(line);
    let trace = desk.trace(&question.id)?;
    rebridge(desk, question, &trace, &kept(&scores.steps), &mut changes)?;
    changes.put(ProductId::new(Kind::Scores, &question.id), Product::Scores(scores));
    Ok(changes)
}

/// Replaces a trace by the researcher's.
pub(super) fn edit_trace(desk: &Desk<'_>, id: &str, text: &str) -> Result<Changes, ReviewError> {
    let mut trace = desk.trace(id)?;
    trace.text = text.trim().to_string();
    trace.status = Status::Edited;
    retrace(desk, trace, format!("wrote the trace of {id}"))
}

/// A trace with another text, and what follows for its scores and bridge.
pub(super) fn retrace(desk: &Desk<'_>, trace: Trace, line: String) -> Result<Changes, ReviewError> {
    let id = trace.question.clone();
    let question = desk.question(&id)?;
    let named = ProductId::new(Kind::Trace, &id);
    if let Some(fault) = check::answer(desk, &trace.text, &question) {
        return Err(ReviewError::Check { product: named, fault });
    }
    let mut changes = Changes::of(line);
    if let Some(scores) = desk.session.get::<Scores>(&id)? {
        let (body, _) = split_answer(&trace.text);
        let texts = split_steps(body, desk.recipe.bridge.max_steps).into_iter().map(|span| span.of(body).to_string());
        let texts: Vec<String> = texts.collect();
        if texts.is_empty() {
            let fault = "it has no steps before its answer".into();
            return Err(ReviewError::Check { product: named, fault });
        }
        let fresh = matched(&scores.steps, texts);
        rescored(desk, &question, &trace, (scores, fresh), &mut changes, true)?;
    }
    changes.put(named, Product::Trace(trace));
    Ok(changes)
}

/// Cuts a step in two.
pub(super) fn split(desk: &Desk<'_>, id: &str, step: usize, at: usize) -> Result<Changes, ReviewError> {
    let (trace, scores) = (desk.trace(id)?, desk.scores(id)?);
    let position = place(id, step, scores.steps.len())?;
    let whole = &scores.steps[position];
    let cut = whole.text.char_indices().nth(at).map(|(byte, _)| byte).filter(|byte| *byte > 0);
    let parts = cut.map(|byte| (whole.text[..byte].trim().to_string(), whole.text[byte..].trim().to_string()));
    let Some((first, second)) = parts.filter(|(a, b)| !a.is_empty() && !b.is_empty()) else {
        let text = format!("step {step} of {id} cannot be cut at character {at}: both parts must hold text");
        return Err(ReviewError::Unfit(text));
    };
    let share = first.chars().count() as f64 / (first.chars().count() + second.chars().count()) as f64;
    let tokens = ((whole.token_nll.len() as f64 * share).round() as usize).min(whole.token_nll.len());
    let (head, tail) = whole.token_nll.split_at(tokens);
    let mut fresh = kept(&scores.steps);
    let halves = [(first, head), (second, tail)].map(|(text, nll)| {
        let step = unscored(text, nll.to_vec(), whole.scores.difficulty);
        Fresh { step, same: None, guessed: true }
    });
    fresh.splice(position..=position, halves);
    let mut changes = Changes::of(format!("cut step {step} of {id} in two"));
    rescored(desk, &desk.question(id)?, &trace, (scores, fresh), &mut changes, false)?;
    Ok(changes)
}

/// Joins a step with the next.
pub(super) fn merge(desk: &Desk<'_>, id: &str, step: usize) -> Result<Changes, ReviewError> {
    let (trace, scores) = (desk.trace(id)?, desk.scores(id)?);
    let position = place(id, step, scores.steps.len())?;
    place(id, step + 1, scores.steps.len())?;
    let (a, b) = (&scores.steps[position], &scores.steps[position + 1]);
    let texts: Vec<&str> = scores.steps.iter().map(|s| s.text.as_str()).collect();
    let (body, _) = split_answer(&trace.text);
    let between = located(body, &texts).and_then(|spans| body.get(spans[position].text..spans[position + 1].end));
    let text = between.map_or_else(|| format!("{}\n{}", a.text, b.text), |text| text.trim_end().to_string());
    let nll: Vec<f32> = a.token_nll.iter().chain(&b.token_nll).copied().collect();
    let total = a.scores.difficulty * f64::from(a.tokens) + b.scores.difficulty * f64::from(b.tokens);
    let mean = total / f64::from((a.tokens + b.tokens).max(1));
    let mut fresh = kept(&scores.steps);
    fresh.splice(position..=position + 1, [Fresh { step: unscored(text, nll, mean), same: None, guessed: false }]);
    let mut changes = Changes::of(format!("joined steps {step} and {} of {id}", step + 1));
    rescored(desk, &desk.question(id)?, &trace, (scores, fresh), &mut changes, false)?;
    Ok(changes)
}

fn kept(steps: &[ScoredStep]) -> Vec<Fresh> {
    let all = steps.iter().cloned().enumerate();
    all.map(|(i, step)| Fresh { step, same: Some(i), guessed: false }).collect()
}

/// A new step: D is the mean of its losses, or `otherwise` where it has none; the judge has not seen it.
fn unscored(text: String, token_nll: Vec<f32>, otherwise: f64) -> ScoredStep {
    let sum: f64 = token_nll.iter().map(|l| f64::from(*l)).sum();
    let difficulty = if token_nll.is_empty() { otherwise } else { sum / token_nll.len() as f64 };
    let scores = StepScores { importance: None, jumpiness: None, difficulty };
    ScoredStep { text, scores, tokens: token_nll.len() as u32, token_nll }
}

/// Steps of a new text: those that were there before keep their scores, the others guess D from the whole.
fn matched(old: &[ScoredStep], texts: Vec<String>) -> Vec<Fresh> {
    let losses: Vec<f32> = old.iter().flat_map(|s| s.token_nll.iter().copied()).collect();
    let mean = losses.iter().map(|l| f64::from(*l)).sum::<f64>() / losses.len().max(1) as f64;
    let mut free: Vec<bool> = vec![true; old.len()];
    let fresh = texts.into_iter().map(|text| match (0..old.len()).find(|&i| free[i] && old[i].text == text) {
        Some(i) => {
            free[i] = false;
            Fresh { step: old[i].clone(), same: Some(i), guessed: false }
        }
        None => Fresh { step: unscored(text, Vec::new(), mean), same: None, guessed: true },
    });
    fresh.collect()
}

/// Scores what is new, and rebuilds the bridge on it. `moved` says that the trace itself changed, so that D of every step
/// did.
fn rescored(
    desk: &Desk<'_>,
    question: &Question,
    trace: &Trace,
    (mut scores, mut fresh): (Scores, Vec<Fresh>),
    changes: &mut Changes,
    moved: bool,
) -> Result<(), ReviewError> {
    if fresh.len() > desk.recipe.bridge.max_steps {
        let text = format!("a trace has at most {} steps here (bridge.max_steps)", desk.recipe.bridge.max_steps);
        return Err(ReviewError::Unfit(text));
    }
    let texts: Vec<String> = fresh.iter().map(|f| f.step.text.clone()).collect();
    if moved || fresh.iter().any(|f| f.guessed) {
        measure(desk, question, trace, (&mut scores, &mut fresh), changes, moved);
    }
    for (i, new) in fresh.iter_mut().enumerate() {
        if new.same.is_none() {
            let (i_score, j_score, why) = judge(desk, question, &texts, i, 0);
            (new.step.scores.importance, new.step.scores.jumpiness) = (i_score, j_score);
            changes.notes.extend(why.map(|why| format!("step {} is not judged: {why}", i + 1)));
        } else if i == 0 {
            new.step.scores.jumpiness = Some(0.0);
        } else if new.same == Some(0) {
            // The 0 that it had as the first step was nobody's judgement.
            let (j_score, why) = judge_jumpiness(desk, question, &texts, i, 0);
            new.step.scores.jumpiness = j_score;
            changes.notes.extend(why.map(|why| format!("step {} is not judged: {why}", i + 1)));
        }
    }
    scores.steps = fresh.iter().map(|f| f.step.clone()).collect();
    let guessed = fresh.iter().enumerate().filter(|(_, f)| f.guessed).map(|(i, _)| (i + 1).to_string());
    let guessed = guessed.collect::<Vec<_>>().join(", ");
    scores.status = match edited(&scores.steps) {
        Status::Edited if !guessed.is_empty() => {
            Status::Review { reason: format!("D was not measured: steps {guessed}") }
        }
        status => status,
    };
    rebridge(desk, question, trace, &fresh, changes)?;
    changes.put(ProductId::new(Kind::Scores, &question.id), Product::Scores(scores));
    Ok(())
}

/// Measures D with the student, where one is at hand; else what is there stays, and is said.
fn measure(
    desk: &Desk<'_>,
    question: &Question,
    trace: &Trace,
    (scores, fresh): (&mut Scores, &mut [Fresh]),
    changes: &mut Changes,
    moved: bool,
) {
    let (body, _) = split_answer(&trace.text);
    let texts: Vec<&str> = fresh.iter().map(|f| f.step.text.as_str()).collect();
    let Some(student) = desk.student else {
        changes.notes.push("D was not measured: no student is at hand".into());
        return;
    };
    let Some(spans) = located(body, &texts) else {
        changes.notes.push("D was not measured: the steps are not found in the trace".into());
        return;
    };
    let starts: Vec<usize> = in_code_points(body, &spans).iter().map(|span| span.start).collect();
    match student.losses(question, &trace.text, (&starts, body.chars().count()), &scores.checkpoint) {
        Ok(losses) => {
            scores.trace_tokens = losses.trace_tokens;
            for (new, nll) in fresh.iter_mut().zip(losses.steps).filter(|(new, _)| moved || new.same.is_none()) {
                let measured = unscored(String::new(), nll, new.step.scores.difficulty);
                new.step.scores.difficulty = measured.scores.difficulty;
                (new.step.tokens, new.step.token_nll) = (measured.tokens, measured.token_nll);
                new.guessed = false;
            }
        }
        Err(error) => changes.notes.push(format!("D was not measured: {error}")),
    }
}

/// Where scores stand that a researcher changed.
fn edited(steps: &[ScoredStep]) -> Status {
    match Scores::standing(steps) {
        Status::Approved => Status::Edited,
        status => status,
    }
}

/// Rebuilds the bridge of a question on its steps as they are now, with every edit that is known.
fn rebridge(
    desk: &Desk<'_>,
    question: &Question,
    trace: &Trace,
    fresh: &[Fresh],
    changes: &mut Changes,
) -> Result<(), ReviewError> {
    let Some(old) = desk.session.get::<BridgedTrace>(&question.id)? else { return Ok(()) };
    let hint = |f: &Fresh| f.same.and_then(|i| old.steps.get(i)).map(Hint::of).unwrap_or_default();
    let steps: Vec<ScoredStep> = fresh.iter().map(|f| f.step.clone()).collect();
    let mut built = rebuilt(desk, question, (&trace.text, &steps), (fresh.iter().map(hint).collect(), 0))?;
    if built.fault.is_none()
        && let Status::Rejected { .. } = trace.status
    {
        built.fault = Some("its trace was rejected".into());
    }
    let status = follow(&old, &built, desk.recipe.gates.bridge);
    let bridge = BridgedTrace { steps: built.steps, bridged: built.bridged, status, ..old };
    changes.put(ProductId::new(Kind::Bridge, &question.id), Product::Bridge(bridge));
    Ok(())
}

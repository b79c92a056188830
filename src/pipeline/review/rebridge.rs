//! The bridge of one question with whatever edits are known: the stage builds with none and asks for all, a researcher's
//! command builds with those that are there and asks for what is new.

use std::collections::BTreeMap;

use crate::domain::bridging::{self, Processed, extend, needs_text};
use crate::domain::steps::separator_of;
use crate::domain::{Action, Bridged, Decision, Question, Thresholds, Verifier, split_answer, split_steps};
use crate::session::records::{BridgedStep, ScoredStep};
use crate::teacher::{Teacher, TeacherError};

/// What stands before a bridge is built.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// The question.
    pub question: &'a Question,
    /// The teacher's trace.
    pub trace: &'a str,
    /// Its steps with their scores.
    pub steps: &'a [ScoredStep],
    /// τ_I, τ_J and τ_D.
    pub thresholds: &'a Thresholds,
    /// Operations that act as keep in this run.
    pub removed: &'a [Action],
    /// Longest number of steps a trace is cut into.
    pub max_steps: usize,
    /// How answers are judged.
    pub verifier: Verifier,
}

/// What is known of one step from before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// A researcher's decision, which scores don't change.
    pub fixed: Option<Decision>,
    /// Edits by operation.
    pub texts: BTreeMap<Action, String>,
}

impl Hint {
    /// What a bridged step tells.
    pub fn of(step: &BridgedStep) -> Self {
        let fixed = step.overruled.map(|local| Decision::overruled(step.action, local, &step.reason));
        let mut texts = step.known.clone();
        if needs_text(step.action) && step.unanswered.is_none() {
            texts.insert(step.action, step.text.clone());
        }
        Self { fixed, texts }
    }
}

/// A text that is needed and not known.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Which step, from 0.
    pub step: usize,
    /// The operation.
    pub action: Action,
    /// The steps before it as processed so far.
    pub prefix: &'a str,
    /// The original step.
    pub text: &'a str,
}

impl Wanted<'_> {
    /// Asks a teacher for it; another `attempt` gives another text.
    ///
    /// # Errors
    /// The teacher's.
    pub fn ask(&self, teacher: &dyn Teacher, question: &Question, attempt: u32) -> Result<String, TeacherError> {
        match self.action {
            Action::Compress => teacher.compress(question, self.prefix, self.text, attempt),
            Action::Expand => teacher.expand(question, self.prefix, self.text, attempt),
            Action::Localize => teacher.localize(question, self.prefix, self.text, attempt),
            Action::Keep => Ok(self.text.to_string()),
            Action::Drop => Ok(String::new()),
        }
    }
}

/// A bridge as it was built.
#[derive(Clone, Debug, PartialEq)]
pub struct Built {
    /// A step per step of the trace.
    pub steps: Vec<BridgedStep>,
    /// The text and its local samples.
    pub bridged: Bridged,
    /// What keeps it from being trained on.
    pub fault: Option<String>,
}

/// Builds the bridge of one question. `ask` gives a text that is not known, or says why there is none: then the original
/// text stands and the bridge has a fault.
///
/// # Errors
/// Whatever error of `ask` is more than one text that is missing.
pub fn build<E>(
    ground: &Ground<'_>,
    hints: Vec<Hint>,
    mut ask: impl FnMut(&Wanted<'_>) -> Result<Result<String, String>, E>,
) -> Result<Built, E> {
    let (body, _) = split_answer(ground.trace);
    let separator = separator_of(body, &split_steps(body, ground.max_steps));
    let mut hints = hints.into_iter();
    let (mut steps, mut decisions, mut open) = (Vec::new(), Vec::new(), Vec::new());
    let mut prefix = String::new();
    for (index, scored) in ground.steps.iter().enumerate() {
        let Hint { fixed, mut texts } = hints.next().unwrap_or_default();
        let overruled = fixed.as_ref().map(|decision| decision.local_sample);
        if fixed.is_none() && bridging::unscored(&scored.scores) {
            open.push(index);
        }
        let decision = fixed.unwrap_or_else(|| bridging::decided(&scored.scores, ground.thresholds, ground.removed));
        let action = decision.action;
        let known = if needs_text(action) { texts.remove(&action) } else { None };
        let text = match known {
            Some(text) => Ok(text),
            None => ask_if_needed(&Wanted { step: index, action, prefix: &prefix, text: &scored.text }, &mut ask)?,
        };
        let (text, unanswered) = match text {
            Ok(text) => (text, None),
            Err(why) => (scored.text.clone(), Some(why)),
        };
        extend(&mut prefix, separator, &text);
        let reason = decision.reason.clone();
        steps.push(BridgedStep { action, reason, text, overruled, known: texts, unanswered });
        decisions.push(decision);
    }
    let processed = steps.iter().zip(&decisions).zip(ground.steps).map(|((step, decision), scored)| Processed {
        original: &scored.text,
        decision,
        text: step.unanswered.is_none().then_some(step.text.as_str()),
    });
    let processed: Vec<Processed<'_>> = processed.collect();
    let (bridged, fault) = bridging::bridged(&processed, &open, separator, &ground.question.gold, ground.verifier);
    let why =
        steps.iter().enumerate().filter_map(|(i, s)| s.unanswered.as_ref().map(|why| format!("step {}: {why}", i + 1)));
    let fault = fault.map(|fault| why.fold(fault, |fault, why| format!("{fault}; {why}")));
    Ok(Built { steps, bridged, fault })
}

fn ask_if_needed<E>(
    wanted: &Wanted<'_>,
    ask: &mut impl FnMut(&Wanted<'_>) -> Result<Result<String, String>, E>,
) -> Result<Result<String, String>, E> {
    match wanted.action {
        Action::Keep => Ok(Ok(wanted.text.to_string())),
        Action::Drop => Ok(Ok(String::new())),
        _ => ask(wanted),
    }
}

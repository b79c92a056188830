//! The bridge of one question as one pure rule: scores to decisions, decisions and edits to the bridged trace with what is
//! wrong with it. The stage and the researcher's commands both go through here, so that what is recomputed after an
//! override is what the stage would have made.

use super::assemble::{Bridged, EditedStep, assemble};
use super::bridge::{Decision, Thresholds, decide};
use super::types::{Action, StepScores};
use super::verify::Verifier;

/// A step between its decision and the bridged trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processed<'a> {
    /// The teacher's original step.
    pub original: &'a str,
    /// What happens to it.
    pub decision: &'a Decision,
    /// The step after the edit; `None` where an edit is needed and there is none.
    pub text: Option<&'a str>,
}

/// Algorithm 1 on one step, without the operations in `removed`. A step that is not fully scored is kept, and the trace
/// goes to review ([`bridged`] is told through `unscored`).
pub fn decided(scores: &StepScores, thresholds: &Thresholds, removed: &[Action]) -> Decision {
    decide(scores, thresholds)
        .map(|decision| decision.without(removed))
        .unwrap_or_else(|| Decision::overruled(Action::Keep, false, "unscored: the judge gave no answer on the grid"))
}

/// Whether a step lacks a score.
pub fn unscored(scores: &StepScores) -> bool {
    scores.importance.is_none() || scores.jumpiness.is_none() || !scores.difficulty.is_finite()
}

/// The bridged trace, and what keeps it from being trained on: a flag of [`assemble`], steps nobody decided over (counted
/// from 0 in `open`), or an answer that is not gold.
pub fn bridged(
    steps: &[Processed<'_>],
    open: &[usize],
    separator: &str,
    gold: &str,
    verifier: Verifier,
) -> (Bridged, Option<String>) {
    let edited: Vec<EditedStep<'_>> = steps
        .iter()
        .map(|step| EditedStep {
            original: step.original,
            action: step.decision.action,
            local_sample: step.decision.local_sample,
            edited: step.text,
        })
        .collect();
    let bridged = assemble(&edited, separator, gold);
    let right = verifier.judge(&bridged.text, gold).correct;
    let fault = match &bridged.flagged {
        Some(reason) => Some(reason.clone()),
        None if !open.is_empty() => {
            let steps: Vec<String> = open.iter().map(|step| (step + 1).to_string()).collect();
            Some(format!("unscored steps: {}", steps.join(", ")))
        }
        None if !right => Some("the bridged text does not reach the gold answer".into()),
        None => None,
    };
    (bridged, fault)
}

/// Appends a processed step to the text that later edits build on (reading.md, row 11).
pub fn extend(prefix: &mut String, separator: &str, text: &str) {
    if !text.is_empty() {
        if !prefix.is_empty() {
            prefix.push_str(separator);
        }
        prefix.push_str(text);
    }
}

/// Whether an operation needs a text of the teacher's.
pub fn needs_text(action: Action) -> bool {
    matches!(action, Action::Compress | Action::Expand | Action::Localize)
}

//! From decided and edited steps to a bridged trace and its local samples (Algorithm 1, lines 30 to 35; eqs. 9 to 11).
//!
//! Beyond Algorithm 1: a bridged trace always ends with `#### gold`; where nothing would be left the original stands,
//! flagged (reading.md, row 17); and an important step whose edit is missing or empty keeps its original text, flagged.

use serde::{Deserialize, Serialize};

use super::steps::split_answer;
use super::types::Action;

/// A step on its way into the bridged trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EditedStep<'a> {
    /// The teacher's original step.
    pub original: &'a str,
    /// What happens to it.
    pub action: Action,
    /// It is also trained on its own.
    pub local_sample: bool,
    /// The teacher's (or the researcher's) text for Compress, Expand and Localize; empty means that nothing of value is
    /// left, `None` that there is no edit.
    pub edited: Option<&'a str>,
}

/// A step that is trained on its own: question and prefix in the user turn, loss on the target (reading.md, row 19).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalStep {
    /// Position of the step in the original trace, from 0.
    pub step: usize,
    /// The processed trace before it; empty for the first.
    pub prefix: String,
    /// The processed step.
    pub target: String,
}

/// A bridged trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bridged {
    /// The trace; its last line is `#### gold`.
    pub text: String,
    /// The local samples, in order of their steps.
    pub locals: Vec<LocalStep>,
    /// Why a researcher should look at it, if so.
    pub flagged: Option<String>,
}

/// Builds the bridged trace of one question. `separator` stands between steps: see [`super::steps::separator_of`].
pub fn assemble(steps: &[EditedStep<'_>], separator: &str, gold: &str) -> Bridged {
    let answer = format!("#### {gold}");
    let mut body = String::new();
    let mut locals = Vec::new();
    let mut flags: Vec<String> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let (text, flag) = processed(step);
        flags.extend(flag.map(|why| format!("step {}: {why}", index + 1)));
        let Some(text) = text else { continue };
        if step.local_sample {
            locals.push(LocalStep { step: index, prefix: body.clone(), target: text.to_string() });
        }
        append(&mut body, separator, text);
    }
    if body.is_empty() {
        flags.push("every step was dropped, so the original trace stands".to_string());
        locals.clear();
        for step in steps {
            append(&mut body, separator, own_text(step.original));
        }
    }
    append(&mut body, if separator.is_empty() { "\n" } else { separator }, &answer);
    Bridged { text: body, locals, flagged: (!flags.is_empty()).then(|| flags.join("; ")) }
}

/// The text a step leaves behind, and what is wrong with it.
fn processed<'a>(step: &EditedStep<'a>) -> (Option<&'a str>, Option<&'static str>) {
    let original = Some(own_text(step.original)).filter(|text| !text.is_empty());
    let edit = step.edited.map(own_text);
    match (step.action, edit) {
        (Action::Keep, _) => (original, None),
        (Action::Drop, _) | (Action::Compress, Some("")) => (None, None),
        (_, None) => (original, Some("its edit is missing, so the original text stands")),
        (_, Some("")) => (original, Some("its edit is empty, so the original text stands")),
        (_, Some(text)) => (Some(text), None),
    }
}

/// A step without blank edges and without answer lines at its end: the answer comes last, and once.
fn own_text(text: &str) -> &str {
    let mut text = text.trim();
    while let (body, Some(_)) = split_answer(text) {
        text = body.trim();
    }
    text
}

fn append(body: &mut String, separator: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    if !body.is_empty() {
        body.push_str(separator);
    }
    body.push_str(text);
}

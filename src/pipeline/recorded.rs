//! A session's teacher products as the lines of a recording: what the session holds, each as the answer to its first
//! attempt. A run on the same recipe that replays them makes the same data sets and asks nobody.

use std::collections::{BTreeMap, HashMap};

use super::context::{StageError, all};
use crate::domain::steps::separator_of;
use crate::domain::{Action, Question, split_answer, split_steps};
use crate::session::Session;
use crate::session::records::{Asked, BridgedTrace, Recycled, Scores, Trace};
use crate::teacher::PromptKind;
use crate::teacher::record::{Call, Line, Said, VERSION};

/// Every product, behind the line that says who made them.
///
/// # Errors
/// The session cannot be read.
pub fn lines(session: &Session) -> Result<Vec<Line>, StageError> {
    let asked = all::<Asked>(session, "train/")?;
    let questions: HashMap<String, Question> =
        asked.into_iter().map(|(_, a)| (a.question.id.clone(), a.question)).collect();
    let traces: BTreeMap<String, Trace> = all::<Trace>(session, "")?.into_iter().collect();
    let scores: BTreeMap<String, Scores> = all::<Scores>(session, "")?.into_iter().collect();
    let mut lines = vec![];
    let mut prompts = BTreeMap::new();
    for (id, trace) in &traces {
        let Some(question) = questions.get(id) else { continue };
        prompts.extend(trace.prompts.clone());
        if !trace.text.is_empty() {
            lines.push(Call::Trace.line(question, 0, Said::Text(trace.text.clone())));
        }
    }
    for (id, scores) in &scores {
        let Some(question) = questions.get(id) else { continue };
        prompts.extend(scores.prompts.clone());
        judged(question, scores, &mut lines);
    }
    for (id, bridged) in all::<BridgedTrace>(session, "")? {
        let found = (questions.get(&id), traces.get(&id), scores.get(&id));
        let (Some(question), Some(trace), Some(scores)) = found else { continue };
        prompts.extend(bridged.prompts.clone());
        edits(question, &trace.text, scores, &bridged, &mut lines);
    }
    for (_, recycled) in all::<Recycled>(session, "")? {
        let (Some(question), Some(diagnosis)) = (questions.get(&recycled.question), recycled.diagnosis) else {
            continue;
        };
        prompts.extend(recycled.prompts.clone());
        let reference = recycled.reference.and(traces.get(&recycled.question)).map(|trace| trace.text.as_str());
        let call = Call::Diagnose(&recycled.response, reference);
        lines.push(call.line(question, 0, Said::Diagnosis(diagnosis)));
    }
    let teacher = traces.values().next().map_or_else(|| "unknown".into(), |trace| trace.teacher.clone());
    lines.insert(0, Line::About { version: VERSION, teacher, prompts });
    Ok(lines)
}

/// The judge's scores of a trace.
fn judged(question: &Question, scores: &Scores, lines: &mut Vec<Line>) {
    let texts: Vec<String> = scores.steps.iter().map(|step| step.text.clone()).collect();
    for (index, step) in scores.steps.iter().enumerate() {
        if let Some(score) = step.scores.importance {
            lines.push(Call::Importance(&texts, index).line(question, 0, Said::Score(score)));
        }
        if let Some(score) = step.scores.jumpiness.filter(|_| index > 0) {
            lines.push(Call::Jumpiness(&texts, index).line(question, 0, Said::Score(score)));
        }
    }
}

/// The edits of a trace, each behind the steps as they were processed before it.
fn edits(question: &Question, trace: &str, scores: &Scores, bridged: &BridgedTrace, lines: &mut Vec<Line>) {
    let (body, _) = split_answer(trace);
    let separator = separator_of(body, &split_steps(body, scores.steps.len().max(1)));
    let mut prefix = String::new();
    for (step, edited) in scores.steps.iter().zip(&bridged.steps) {
        let kind = match edited.action {
            Action::Keep | Action::Drop => None,
            Action::Compress => Some(PromptKind::Compress),
            Action::Expand => Some(PromptKind::Expand),
            Action::Localize => Some(PromptKind::Localize),
        };
        if let Some(kind) = kind {
            let call = Call::Edit(kind, &prefix, &step.text);
            lines.push(call.line(question, 0, Said::Text(edited.text.clone())));
        }
        if !edited.text.is_empty() {
            if !prefix.is_empty() {
                prefix.push_str(separator);
            }
            prefix.push_str(&edited.text);
        }
    }
}

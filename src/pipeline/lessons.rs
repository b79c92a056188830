//! Which texts an SFT stage trains on. Only approved products get in; every text names the records it came from.

use crate::domain::sets::{bridged_sample, diagnose_sample, local_sample, medium_sample, new_trace_sample, raw_hard_sample, repair_sample};
use crate::domain::{Band, SftSample};
use crate::pipeline::context::{Context, StageError};
use crate::pipeline::stages::difficulty::questions_of;
use crate::session::records::{Bridged, Recycled, Status, Trace};

/// Medium questions with their traces.
pub fn medium(cx: &Context) -> Result<Vec<SftSample>, StageError> {
    let mut samples = Vec::new();
    for question in questions_of(cx, Band::Medium)? {
        if let Some(trace) = approved_trace(cx, &question.id)? {
            samples.push(medium_sample(&question.id, cx.prompts.question(&question.text)?, trace.text));
        }
    }
    Ok(samples)
}

/// Hard questions with their traces as the teacher wrote them.
pub fn raw_hard(cx: &Context) -> Result<Vec<SftSample>, StageError> {
    let mut samples = Vec::new();
    for question in questions_of(cx, Band::Hard)? {
        if let Some(trace) = approved_trace(cx, &question.id)? {
            samples.push(raw_hard_sample(&question.id, cx.prompts.question(&question.text)?, trace.text));
        }
    }
    Ok(samples)
}

fn approved_trace(cx: &Context, question: &str) -> Result<Option<Trace>, StageError> {
    Ok(cx.session.get::<Trace>(question)?.filter(|t| t.status == Status::Approved))
}

/// Bridged hard questions and their local samples (eq. 11 and Algorithm 1, lines 34 and 35).
pub fn bridged(cx: &Context) -> Result<Vec<SftSample>, StageError> {
    let mut samples = Vec::new();
    for (id, bridged) in cx.session.scan::<Bridged>("")? {
        if bridged.status != Status::Approved {
            continue;
        }
        let Some(question) = cx.material.find(&id) else { continue };
        samples.push(bridged_sample(&id, cx.prompts.question(&question.text)?, bridged.text));
        for (i, (prefix, target)) in bridged.locals.into_iter().enumerate() {
            samples.push(local_sample(&id, i, cx.prompts.local(&question.text, &prefix)?, target));
        }
    }
    Ok(samples)
}

/// The three lessons of each diagnosed failure of one iteration (eqs. 18 and 19).
pub fn recycled(cx: &Context, iteration: u32) -> Result<Vec<SftSample>, StageError> {
    let mut samples = Vec::new();
    for (_, recycled) in cx.session.scan::<Recycled>(&format!("{iteration}/"))? {
        let (Status::Approved, Some(diagnosis)) = (&recycled.status, &recycled.diagnosis) else { continue };
        let Some(question) = cx.material.find(&recycled.question) else { continue };
        let (prompts, id) = (cx.prompts, &question.id);
        let target = prompts.diagnose_answer(diagnosis)?;
        samples.push(diagnose_sample(iteration, id, prompts.diagnose(&question.text, &recycled.response)?, target));
        let ask = prompts.repair(&question.text, &recycled.prefix, diagnosis)?;
        samples.push(repair_sample(iteration, id, ask, diagnosis.correct_next_step.clone()));
        let ask = prompts.new_trace(&question.text)?;
        samples.push(new_trace_sample(iteration, id, ask, diagnosis.short_correct_reasoning.clone()));
    }
    Ok(samples)
}

//! Traces: the teacher solves every medium and hard question. A trace that does not reach the gold answer is asked for
//! again, then it goes to review; it is never trained on as it is.

use crate::domain::{Band, Question};
use crate::pipeline::context::{Context, StageError, Summary, all};
use crate::pipeline::stages::difficulty::questions_of;
use crate::session::records::{Status, Trace};
use crate::session::{Author, Batch};

/// Records per frame.
const FRAME: usize = 32;

/// Asks for what is missing.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    let mut wanted = questions_of(cx, Band::Medium)?;
    wanted.extend(questions_of(cx, Band::Hard)?);
    let mut missing = Vec::new();
    for question in &wanted {
        if cx.session.get::<Trace>(&question.id)?.is_none() {
            missing.push(*question);
        }
    }
    let total = wanted.len() as u64;
    let mut done = total - missing.len() as u64;
    cx.emit.started(cx.stage, done, total, "traces");
    for chunk in missing.chunks(FRAME) {
        cx.control.check()?;
        let mut batch = Batch::new(Author::Pipeline);
        for question in chunk {
            batch.put(&question.id, &ask(cx, question)?);
        }
        cx.session.write(batch)?;
        done += chunk.len() as u64;
        cx.emit.progress(cx.stage, done, total, 0);
    }
    let traces = all::<Trace>(cx.session, "")?;
    let review = traces.iter().filter(|(_, t)| matches!(t.status, Status::Review { .. })).count();
    Ok(Summary { text: format!("{} traces, {review} for review", traces.len()), tokens: 0 })
}

fn ask(cx: &Context, question: &Question) -> Result<Trace, StageError> {
    let mut attempts = 0;
    loop {
        let text = cx.teacher.trace(question, attempts)?;
        attempts += 1;
        let right = cx.verifier.judge(&text, &question.gold).correct;
        if right || attempts > cx.recipe.teacher.max_retries {
            let status = if right {
                Status::Approved
            } else {
                Status::Review { reason: format!("does not reach {} after {attempts} attempts", question.gold) }
            };
            let teacher = cx.teacher.name().into();
            return Ok(Trace { question: question.id.clone(), text, teacher, attempts, status, decided: None });
        }
    }
}

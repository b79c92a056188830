//! Traces: the teacher solves every medium and hard question. A trace that does not reach the gold answer is asked for
//! again, then it goes to review; it is never trained on as it is.

use crate::domain::{Band, Question, Verifier};
use crate::pipeline::context::{Context, StageError, Summary, all};
use crate::pipeline::frames::Frames;
use crate::pipeline::parallel::parallel;
use crate::pipeline::stages::difficulty::questions_of;
use crate::pipeline::teaching::asked_with;
use crate::session::records::{Status, Trace};
use crate::teacher::{PromptKind, Teacher};

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
    let mut frames = Frames::new(cx, total - missing.len() as u64, total, "traces");
    let (teacher, verifier, retries) = (cx.teacher, cx.verifier, cx.recipe.teacher.max_retries);
    let outcome = parallel(
        &missing,
        teacher.concurrency(),
        cx.control,
        |question| ask(teacher, verifier, retries, question),
        |done| {
            if let Some((question, trace)) = done {
                frames.put(&question.id, &trace)?;
            }
            frames.attend()
        },
    );
    frames.write()?;
    outcome?;
    let traces = all::<Trace>(cx.session, "")?;
    let review = traces.iter().filter(|(_, t)| matches!(t.status, Status::Review { .. })).count();
    Ok(Summary { text: format!("{} traces, {review} for review", traces.len()), tokens: 0 })
}

/// Asks until a trace reaches the gold answer, at most as often as the recipe says.
fn ask(teacher: &dyn Teacher, verifier: Verifier, retries: u32, question: &Question) -> Result<Trace, StageError> {
    let (mut text, mut attempts) = (String::new(), 0);
    let status = loop {
        let answer = teacher.trace(question, attempts);
        attempts += 1;
        match answer {
            Ok(answer) => text = answer,
            Err(error) if error.stops_the_run() => return Err(error.into()),
            Err(error) => break Status::Review { reason: error.to_string() },
        }
        if verifier.judge(&text, &question.gold).correct {
            break Status::Approved;
        }
        if attempts > retries {
            break Status::Review { reason: format!("does not reach {} after {attempts} attempts", question.gold) };
        }
    };
    let (question, prompts) = (question.id.clone(), asked_with(teacher, &[PromptKind::Trace]));
    Ok(Trace { question, text, teacher: teacher.name().into(), attempts, prompts, status, decided: None })
}

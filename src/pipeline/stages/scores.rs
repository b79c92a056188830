//! Scores: importance and jumpiness by the teacher's judge, difficulty as the student's mean token loss (eqs. 5 to 8),
//! for every step of every hard trace. The first step has J = 0 without a call (reading.md, row 12); a judge's answer
//! off the grid leaves the step unscored, for review, never 0 (row 21). The judge is asked about all steps of all traces
//! at once, as far as the teacher allows.

use crate::domain::steps::in_code_points;
use crate::domain::{Band, Message, Question, StepScores, StepSpan, split_answer, split_steps};
use crate::pipeline::context::{Context, StageError, Summary, all};
use crate::pipeline::events::Level;
use crate::pipeline::frames::Frames;
use crate::pipeline::parallel::parallel;
use crate::pipeline::plan::BASE;
use crate::pipeline::stages::difficulty::questions_of;
use crate::pipeline::teaching::asked_with;
use crate::recipe::{DifficultyUnder, TauD as TauDRecipe};
use crate::session::records::{ScoredStep, Scores, Status, TauD, Trace};
use crate::session::{Author, Batch};
use crate::student::ChatTokens;
use crate::teacher::{PromptKind, Teacher, TeacherError};

/// Traces measured by the student in one request.
const CHUNK: usize = 32;
/// What a judge may say.
pub const GRID: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// Scores what is missing, then fixes τ_D.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    let mut tokens = 0;
    // Again for the traces that a researcher wrote while the judge was at work on their old texts.
    let traces = loop {
        let (traces, skipped) = score_missing(cx, &mut tokens)?;
        if !skipped {
            break traces;
        }
    };
    let tau = fix_tau_d(cx)?;
    let text = format!("{traces} hard traces, τ_D {:.3} ({})", tau.value, tau.source);
    Ok(Summary { text, tokens })
}

/// Scores what has no scores yet. Gives the number of hard traces, and whether one of them was left out because its text
/// changed meanwhile.
fn score_missing(cx: &Context, tokens: &mut u64) -> Result<(usize, bool), StageError> {
    let traces = readable(cx, hard_traces(cx)?)?;
    let (mut missing, mut done, mut total) = (Vec::new(), 0, 0);
    for (question, trace) in &traces {
        let calls = 2 * steps_of(cx, trace).1.len() as u64;
        total += calls.saturating_sub(1);
        match cx.session.get::<Scores>(&question.id)? {
            None => missing.push((*question, trace)),
            Some(_) => done += calls.saturating_sub(1),
        }
    }
    cx.emit.started(cx.stage, done, total, "judge calls");
    let checkpoint = match cx.recipe.bridge.difficulty_under {
        DifficultyUnder::Base => BASE.to_string(),
        DifficultyUnder::Current => cx.checkpoint(),
    };
    if !missing.is_empty() {
        cx.engine.use_checkpoint(cx.session, &checkpoint)?;
    }
    let mut skipped = false;
    let mut progress = |scored: u64, calls: u64| {
        *tokens += scored;
        done += calls;
        cx.emit.progress(cx.stage, done, total, *tokens);
    };
    // So many that waiting for the last answer of a chunk does not count.
    for chunk in missing.chunks(CHUNK * cx.teacher.concurrency().max(1)) {
        cx.control.check()?;
        skipped |= score_chunk(cx, chunk, &checkpoint, &mut progress)?;
    }
    Ok((traces.len(), skipped))
}

fn hard_traces<'a>(cx: &Context<'a>) -> Result<Vec<(&'a Question, Trace)>, StageError> {
    let mut traces = Vec::new();
    for question in questions_of(cx, Band::Hard)? {
        match cx.session.get::<Trace>(&question.id)? {
            Some(trace) if trace.status.may_train() => traces.push((question, trace)),
            _ => {}
        }
    }
    Ok(traces)
}

/// Without the traces that the student cannot read whole: D of their steps has no value. They go to review, and the run
/// goes on with the others.
fn readable<'a>(cx: &Context, traces: Vec<(&'a Question, Trace)>) -> Result<Vec<(&'a Question, Trace)>, StageError> {
    let (mut kept, mut batch) = (Vec::with_capacity(traces.len()), Batch::new(Author::Pipeline));
    for (question, trace) in traces {
        let scored = cx.session.contains::<Scores>(&question.id)?;
        match if scored { None } else { unreadable(cx, question, &trace)? } {
            None => kept.push((question, trace)),
            Some(reason) => {
                cx.emit
                    .log(Level::Warn, format!("{}: the trace of {} goes to review: {reason}", cx.stage, question.id));
                batch.put(&question.id, &Trace { status: Status::Review { reason }, ..trace });
            }
        }
    }
    cx.session.write(batch)?;
    Ok(kept)
}

fn unreadable(cx: &Context, question: &Question, trace: &Trace) -> Result<Option<String>, StageError> {
    let student = cx.engine.text();
    let (tokens, most) = (chat_of(cx, question, trace)?.ids.len(), student.config.max_positions);
    let long = || format!("with its question it has {tokens} tokens, and the student reads {most}");
    Ok((tokens > most).then(long))
}

/// The conversation in which D is measured.
fn chat_of(cx: &Context, question: &Question, trace: &Trace) -> Result<ChatTokens, StageError> {
    let mut messages = cx.prompts.ask(question)?;
    messages.push(Message::assistant(trace.text.clone()));
    Ok(cx.engine.text().encode_chat(&messages)?)
}

/// The steps of a trace: the text they were cut from, and where they lie in it.
fn steps_of<'t>(cx: &Context, trace: &'t Trace) -> (&'t str, Vec<StepSpan>) {
    let (body, _) = split_answer(&trace.text);
    (body, split_steps(body, cx.recipe.bridge.max_steps))
}

/// A trace while it is judged.
struct Open<'a> {
    question: &'a Question,
    trace: &'a Trace,
    texts: Vec<String>,
    /// Losses of each step's tokens.
    losses: Vec<Vec<f32>>,
    trace_tokens: u32,
    importance: Vec<Judged>,
    jumpiness: Vec<Judged>,
    /// Calls that are not answered yet.
    left: usize,
}

/// What came back from the judge: a score on the grid, or why there is none.
type Judged = Result<f64, String>;

fn not_yet(steps: usize) -> Vec<Judged> {
    vec![Err("not asked".into()); steps]
}

/// One call of the judge: which trace of the chunk, which step, and what for.
struct Call {
    trace: usize,
    step: usize,
    kind: PromptKind,
}

/// Scores these traces; whether one was left out because its text changed meanwhile.
fn score_chunk(
    cx: &Context,
    chunk: &[(&Question, &Trace)],
    checkpoint: &str,
    progress: &mut impl FnMut(u64, u64),
) -> Result<bool, StageError> {
    let mut open = Vec::with_capacity(chunk.len());
    for part in chunk.chunks(CHUNK) {
        cx.control.check()?;
        measure(cx, part, &mut open, progress)?;
    }
    let mut calls = Vec::new();
    for (trace, one) in open.iter().enumerate() {
        for step in 0..one.texts.len() {
            calls.push(Call { trace, step, kind: PromptKind::Importance });
            if step > 0 {
                calls.push(Call { trace, step, kind: PromptKind::Jumpiness });
            }
        }
    }
    let (mut frames, mut skipped) = (Frames::silent(cx), false);
    let mut put = |frames: &mut Frames, one: &Open| {
        if one.changed(cx)? {
            skipped = true;
            return Ok(());
        }
        frames.put(&one.question.id, &one.scores(cx.teacher, checkpoint))
    };
    for one in open.iter().filter(|one| one.left == 0) {
        put(&mut frames, one)?;
    }
    // What the judge reads lies apart from what its answers are put into.
    let asked: Vec<(&Question, Vec<String>)> = open.iter().map(|one| (one.question, one.texts.clone())).collect();
    let (teacher, retries) = (cx.teacher, cx.recipe.teacher.max_retries);
    let outcome = parallel(
        &calls,
        teacher.concurrency(),
        cx.control,
        |call| {
            let (question, texts) = &asked[call.trace];
            judged(retries, |attempt| match call.kind {
                PromptKind::Importance => teacher.importance(question, texts, call.step, attempt),
                _ => teacher.jumpiness(question, texts, call.step, attempt),
            })
        },
        |done| {
            let Some((call, score)) = done else { return frames.attend() };
            let one = &mut open[call.trace];
            let scores = if call.kind == PromptKind::Importance { &mut one.importance } else { &mut one.jumpiness };
            scores[call.step] = score;
            one.left -= 1;
            progress(0, 1);
            if one.left == 0 {
                put(&mut frames, one)?;
            }
            frames.attend()
        },
    );
    frames.write()?;
    outcome.map(|()| skipped)
}

/// Difficulty: the student's losses on these traces.
fn measure<'a>(
    cx: &Context,
    part: &[(&'a Question, &'a Trace)],
    open: &mut Vec<Open<'a>>,
    progress: &mut impl FnMut(u64, u64),
) -> Result<(), StageError> {
    let mut chats = Vec::with_capacity(part.len());
    for (question, trace) in part {
        chats.push(chat_of(cx, question, trace)?);
    }
    let losses = cx.engine.score(chats.clone())?;
    for (((question, trace), chat), nll) in part.iter().zip(&chats).zip(&losses) {
        let (body, spans) = steps_of(cx, trace);
        let texts: Vec<String> = spans.iter().map(|s| s.of(body).to_string()).collect();
        let starts: Vec<usize> = in_code_points(body, &spans).iter().map(|s| s.start).collect();
        let steps = texts.len();
        open.push(Open {
            question,
            trace,
            texts,
            losses: losses_by_step(chat, &starts, body.chars().count(), nll),
            trace_tokens: nll.len() as u32,
            importance: not_yet(steps),
            // The first step has none to jump from.
            jumpiness: std::iter::once(Ok(0.0)).chain(not_yet(steps)).take(steps).collect(),
            left: (2 * steps).saturating_sub(1),
        });
        progress(chat.ids.len() as u64, 0);
    }
    Ok(())
}

impl Open<'_> {
    /// Whether a researcher wrote another text since; scores of this one would stand beside steps that are gone.
    fn changed(&self, cx: &Context) -> Result<bool, StageError> {
        let now = cx.session.get::<Trace>(&self.question.id)?;
        Ok(now.is_none_or(|now| now.text != self.trace.text))
    }

    /// The record, once every call is answered.
    fn scores(&self, teacher: &dyn Teacher, checkpoint: &str) -> Scores {
        let mut unanswered = Vec::new();
        let mut score = |what: &str, step: usize, judged: &Judged| {
            judged
                .as_ref()
                .map_err(|reason| unanswered.push(format!("step {}, {what}: {reason}", step + 1)))
                .ok()
                .copied()
        };
        let mut steps = Vec::with_capacity(self.texts.len());
        for (i, (text, losses)) in self.texts.iter().zip(&self.losses).enumerate() {
            let importance = score("importance", i, &self.importance[i]);
            let jumpiness = score("jumpiness", i, &self.jumpiness[i]);
            let sum: f64 = losses.iter().map(|l| f64::from(*l)).sum();
            let difficulty = sum / losses.len().max(1) as f64;
            let scores = StepScores { importance, jumpiness, difficulty };
            steps.push(ScoredStep {
                text: text.clone(),
                scores,
                tokens: losses.len() as u32,
                token_nll: losses.clone(),
            });
        }
        let (question, checkpoint, trace_tokens) = (self.question.id.clone(), checkpoint.into(), self.trace_tokens);
        let prompts = asked_with(teacher, &[PromptKind::Importance, PromptKind::Jumpiness]);
        let status = Scores::standing(&steps);
        Scores { question, checkpoint, trace_tokens, steps, unanswered, prompts, status, decided: None }
    }
}

/// The losses of each step's tokens. `starts` are the steps' first code points in the trace; what lies behind `end`, the
/// answer line and the end-of-turn token, belongs to no step.
pub fn losses_by_step(chat: &ChatTokens, starts: &[usize], end: usize, nll: &[f32]) -> Vec<Vec<f32>> {
    let bounds: Vec<usize> = starts.iter().copied().chain([end]).collect();
    let steps = chat.step_of_token(chat.contents.len().saturating_sub(1), &bounds);
    let mut losses = vec![Vec::new(); starts.len()];
    for (position, loss) in chat.trained.iter().zip(nll) {
        if let Some(step) = steps[*position].filter(|step| *step < starts.len()) {
            losses[step].push(*loss);
        }
    }
    losses
}

/// Asks until the answer lies on the grid, at most as often as the recipe says. An answer that is lost is no error of the
/// run.
fn judged(retries: u32, ask: impl Fn(u32) -> Result<f64, TeacherError>) -> Result<Judged, StageError> {
    for attempt in 0..=retries {
        match ask(attempt) {
            Ok(score) if GRID.contains(&score) => return Ok(Ok(score)),
            Ok(_) => {}
            Err(error) if error.stops_the_run() => return Err(error.into()),
            Err(error) => return Ok(Err(error.to_string())),
        }
    }
    Ok(Err(format!("no answer on the grid in {} attempts", u64::from(retries) + 1)))
}

/// τ_D from the recipe, or the token mean over all hard traces of this session (reading.md, row 14).
fn fix_tau_d(cx: &Context) -> Result<TauD, StageError> {
    let tau = match cx.recipe.bridge.tau_d {
        TauDRecipe::Fixed(value) => TauD { value, source: "recipe".into() },
        TauDRecipe::Mean(_) => {
            let all = all::<Scores>(cx.session, "")?;
            let steps = all.iter().flat_map(|(_, s)| &s.steps);
            let (sum, tokens) = steps.fold((0.0, 0_u64), |(sum, tokens), s| {
                (sum + s.scores.difficulty * f64::from(s.tokens), tokens + u64::from(s.tokens))
            });
            let source = format!("mean over {tokens} tokens of {} hard traces", all.len());
            TauD { value: sum / tokens.max(1) as f64, source }
        }
    };
    let mut batch = Batch::new(Author::Pipeline);
    batch.put("tau-d", &tau);
    cx.session.write(batch)?;
    Ok(tau)
}

//! Scores: importance and jumpiness by the teacher's judge, difficulty as the student's mean token loss (eqs. 5 to 8),
//! for every step of every hard trace. The first step has J = 0 without a call (reading.md, row 12); a judge's answer
//! off the grid leaves the step unscored, for review, never 0 (row 21).

use crate::domain::steps::in_code_points;
use crate::domain::{Band, Message, Question, StepScores, split_answer, split_steps};
use crate::pipeline::context::{Context, StageError, Summary, all};
use crate::pipeline::plan::BASE;
use crate::pipeline::stages::difficulty::questions_of;
use crate::recipe::{DifficultyUnder, TauD as TauDRecipe};
use crate::session::records::{ScoredStep, Scores, TauD, Trace};
use crate::session::{Author, Batch};
use crate::student::ChatTokens;
use crate::teacher::TeacherError;

/// Traces scored by the student in one request.
const CHUNK: usize = 32;
/// What a judge may say.
pub const GRID: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// Scores what is missing, then fixes τ_D.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    let traces = hard_traces(cx)?;
    let mut missing = Vec::new();
    for (question, trace) in &traces {
        if cx.session.get::<Scores>(&question.id)?.is_none() {
            missing.push((*question, trace));
        }
    }
    let total = traces.len() as u64;
    let mut done = total - missing.len() as u64;
    let mut tokens = 0;
    cx.emit.started(cx.stage, done, total, "traces");
    let checkpoint = match cx.recipe.bridge.difficulty_under {
        DifficultyUnder::Base => BASE.to_string(),
        DifficultyUnder::Current => cx.checkpoint(),
    };
    if !missing.is_empty() {
        cx.engine.use_checkpoint(cx.session, &checkpoint)?;
    }
    for chunk in missing.chunks(CHUNK) {
        cx.control.check()?;
        tokens += score_chunk(cx, chunk, &checkpoint)?;
        done += chunk.len() as u64;
        cx.emit.progress(cx.stage, done, total, tokens);
    }
    let tau = fix_tau_d(cx)?;
    Ok(Summary { text: format!("{total} hard traces, τ_D {:.3} ({})", tau.value, tau.source), tokens })
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

fn score_chunk(cx: &Context, chunk: &[(&Question, &Trace)], checkpoint: &str) -> Result<u64, StageError> {
    let mut chats = Vec::with_capacity(chunk.len());
    for (question, trace) in chunk {
        let mut messages = cx.prompts.ask(question)?;
        messages.push(Message::assistant(trace.text.clone()));
        chats.push(cx.engine.text().encode_chat(&messages)?);
    }
    let losses = cx.engine.score(chats.clone())?;
    let mut batch = Batch::new(Author::Pipeline);
    let mut tokens = 0;
    for (((question, trace), chat), nll) in chunk.iter().zip(&chats).zip(&losses) {
        tokens += chat.ids.len() as u64;
        batch.put(&question.id, &scores(cx, question, trace, chat, nll, checkpoint)?);
    }
    cx.session.write(batch)?;
    Ok(tokens)
}

fn scores(
    cx: &Context,
    question: &Question,
    trace: &Trace,
    chat: &ChatTokens,
    nll: &[f32],
    checkpoint: &str,
) -> Result<Scores, StageError> {
    let (body, _) = split_answer(&trace.text);
    let spans = split_steps(body, cx.recipe.bridge.max_steps);
    let texts: Vec<String> = spans.iter().map(|s| s.of(body).to_string()).collect();
    let starts: Vec<usize> = in_code_points(body, &spans).iter().map(|s| s.start).collect();
    let losses = losses_by_step(chat, &starts, body.chars().count(), nll);
    let mut steps = Vec::with_capacity(texts.len());
    for (i, (text, losses)) in texts.iter().zip(losses).enumerate() {
        let importance = judged(cx, |attempt| cx.teacher.importance(question, &texts, i, attempt))?;
        let jumpiness =
            if i == 0 { Some(0.0) } else { judged(cx, |attempt| cx.teacher.jumpiness(question, &texts, i, attempt))? };
        let sum: f64 = losses.iter().map(|l| f64::from(*l)).sum();
        let difficulty = sum / losses.len().max(1) as f64;
        let scores = StepScores { importance, jumpiness, difficulty };
        steps.push(ScoredStep { text: text.clone(), scores, tokens: losses.len() as u32, token_nll: losses });
    }
    let trace_tokens = nll.len() as u32;
    let (question, checkpoint, status) = (question.id.clone(), checkpoint.into(), Scores::standing(&steps));
    Ok(Scores { question, checkpoint, trace_tokens, steps, status, decided: None })
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

/// Asks until the answer lies on the grid, at most as often as the recipe says.
fn judged(cx: &Context, ask: impl Fn(u32) -> Result<f64, TeacherError>) -> Result<Option<f64>, StageError> {
    for attempt in 0..=cx.recipe.teacher.max_retries {
        let score = ask(attempt)?;
        if GRID.contains(&score) {
            return Ok(Some(score));
        }
    }
    Ok(None)
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

//! Asks the student: samples the questions that have no record yet, judges the answers, writes a record per question.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::context::{Context, StageError};
use super::engine::{Asking, EngineError, Reply};
use super::seeds::stream;
use crate::domain::{Question, Rollout, Verifier};
use crate::recipe::SamplingRecipe;
use crate::sample::SampleError;
use crate::session::records::RolloutGroup;
use crate::session::{Author, Batch};

/// Groups wait at most this long, and at most this many, before they are written in one frame.
const WRITE_AFTER: Duration = Duration::from_millis(250);
const WRITE_AT: usize = 64;

/// A set of questions to sample alike.
pub struct Ask<'a> {
    /// Record key of a group: this, a slash, and the question's id.
    pub prefix: String,
    /// The questions.
    pub questions: &'a [Question],
    /// Samples per question.
    pub n: u32,
    /// How they are drawn; temperature 0 is greedy.
    pub sampling: SamplingRecipe,
    /// Whether the answer marker may not come first (the format control).
    pub ban_marker: bool,
    /// How the answers are judged: every benchmark has its own rule (reading.md, rows 3 and 9).
    pub verifier: Verifier,
}

/// Samples what is missing of every ask, under `checkpoint`. Returns the tokens sampled now.
pub fn sample_missing(cx: &Context, checkpoint: &str, asks: &[Ask]) -> Result<u64, StageError> {
    let mut missing = Vec::new();
    let mut total = 0;
    for ask in asks {
        let keys = cx.session.keys::<RolloutGroup>(&format!("{}/", ask.prefix));
        let done = keys.collect::<Result<HashSet<String>, _>>()?;
        total += ask.questions.len() as u64;
        let left = ask.questions.iter().filter(|q| !done.contains(&format!("{}/{}", ask.prefix, q.id)));
        missing.push(left.collect::<Vec<_>>());
    }
    let left: u64 = missing.iter().map(|m| m.len() as u64).sum();
    let mut writer = Writer::new(cx, checkpoint, total - left, total);
    cx.emit.started(cx.stage, total - left, total, "questions");
    if left > 0 {
        cx.engine.use_checkpoint(cx.session, checkpoint)?;
    }
    for (ask, questions) in asks.iter().zip(&missing) {
        sample(cx, ask, questions, &mut writer)?;
    }
    writer.write()?;
    Ok(writer.tokens)
}

fn sample(cx: &Context, ask: &Ask, questions: &[&Question], writer: &mut Writer) -> Result<(), StageError> {
    if questions.is_empty() {
        return Ok(());
    }
    let prompts = questions.iter().map(|q| cx.prompts.ask(q)).collect::<Result<Vec<_>, _>>()?;
    let streams = questions.iter().map(|q| stream(cx.recipe.seed, &ask.prefix, &q.id)).collect();
    let asking = Asking {
        prompts,
        streams,
        samples: ask.n,
        sampling: ask.sampling,
        ban_marker: ask.ban_marker,
        log_probs: false,
    };
    let mut open: HashMap<usize, Vec<Option<Rollout>>> = HashMap::new();
    let outcome = cx.each_reply(&cx.engine.generate(asking, cx.control)?, |reply| {
        let at = reply.question;
        let slots = open.entry(at).or_insert_with(|| vec![None; ask.n as usize]);
        let sample = reply.sample as usize;
        writer.tokens += u64::from(reply.tokens);
        slots[sample] = Some(judge(ask.verifier, questions[at], reply));
        if slots.iter().all(Option::is_some) {
            let rollouts = open.remove(&at).unwrap_or_default().into_iter().flatten().collect();
            writer.push(ask, questions[at], rollouts)?;
        }
        writer.say();
        Ok(())
    });
    // Before anything else: what a run that was stopped, or that failed, has sampled is kept.
    writer.write()?;
    outcome.map_err(|error| named(cx, questions, error))?;
    Ok(cx.control.check()?)
}

/// The error with the question's id, where it is one question that the student cannot read.
fn named(cx: &Context, questions: &[&Question], error: StageError) -> StageError {
    let StageError::Engine(EngineError::Sample(SampleError::PromptTooLong { group, tokens, limit })) = &error else {
        return error;
    };
    let Some(question) = questions.get(*group) else { return error };
    cx.nothing(format!(
        "question `{}` makes a prompt of {tokens} tokens, and the student reads {limit}; leave it out of its file, or \
         take a student with a longer context",
        question.id
    ))
}

/// Turns a reply into a judged rollout (eq. 2).
pub fn judge(verifier: Verifier, question: &Question, reply: Reply) -> Rollout {
    let verdict = verifier.judge(&reply.text, &question.gold);
    Rollout {
        text: reply.text,
        tokens: reply.tokens,
        finish: reply.finish,
        answer: verdict.answer,
        correct: verdict.correct,
    }
}

/// Gathers finished groups into frames.
struct Writer<'a> {
    cx: &'a Context<'a>,
    checkpoint: &'a str,
    batch: Batch,
    waiting: usize,
    since: Instant,
    done: u64,
    total: u64,
    tokens: u64,
}

impl<'a> Writer<'a> {
    fn new(cx: &'a Context<'a>, checkpoint: &'a str, done: u64, total: u64) -> Self {
        Self {
            cx,
            checkpoint,
            batch: Batch::new(Author::Pipeline),
            waiting: 0,
            since: Instant::now(),
            done,
            total,
            tokens: 0,
        }
    }

    fn push(&mut self, ask: &Ask, question: &Question, rollouts: Vec<Rollout>) -> Result<(), StageError> {
        let group = RolloutGroup {
            question: question.id.clone(),
            provenance: self.cx.provenance(self.checkpoint, ask.verifier, question.ask),
            sampling: ask.sampling,
            rollouts,
        };
        self.batch.put(&format!("{}/{}", ask.prefix, question.id), &group);
        self.waiting += 1;
        if self.waiting >= WRITE_AT || self.since.elapsed() > WRITE_AFTER {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), StageError> {
        if self.waiting > 0 {
            let batch = std::mem::replace(&mut self.batch, Batch::new(Author::Pipeline));
            self.cx.session.write(batch)?;
            self.done += self.waiting as u64;
            self.waiting = 0;
        }
        self.since = Instant::now();
        self.say();
        Ok(())
    }

    fn say(&self) {
        self.cx.emit.progress(self.cx.stage, self.done, self.total, self.tokens);
    }
}

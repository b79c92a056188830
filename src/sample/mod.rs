//! Batched generation.
//!
//! Every sample is a function of the weights, the prompt, the settings and its own random stream: on the CPU its tokens
//! have the same bits whatever else is sampled beside it, in whatever order, on however many threads. Four things make
//! that true: matrix products whose rows do not know each other (`student::ops::gemm`), attention that reads a
//! sequence's positions in a fixed order (`student::cache`), one random stream per sample ([`pick::stream`]), and no
//! decision that looks at the clock or at another sample.
//!
//! A small student's threads have sequences of their own, one lane each; a large one's weights come from memory at every
//! step, so all threads share the products of a single lane.
//!
//! | file | idea |
//! |---|---|
//! | `pick` | one token from one row of logits |
//! | `lane` | a thread's sequences: prompts in, tokens out |
//! | `resident`, `ring`, `draw` | the same on another device: one batch, its keys and values, tokens drawn there |
//! | here | the queue, the threads, the results |

pub mod draw;
mod lane;
pub mod pick;
mod resident;
mod ring;

/// Sizes that decide what generation on a device holds: plans of memory count with them.
pub mod sizes {
    pub use super::resident::{READ, SCORES, SLACK};
    pub use super::ring::BUCKET;
}

use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::domain::Finish;
use crate::student::resident::ResidentDecoder;
use crate::student::workers::Workers;
use crate::student::{PackedDecoder, Student, StudentError};

/// A prompt, and which of its samples to draw.
#[derive(Clone, Debug)]
pub struct Group {
    /// Token ids of the prompt, not empty.
    pub prompt: Vec<u32>,
    /// Names the group's random streams, for example a hash of seed, stage and question.
    pub stream: u64,
    /// Numbers of the samples; sample 3 is the same whether or not 0 to 2 are drawn.
    pub samples: Range<u32>,
}

/// How tokens are chosen.
#[derive(Clone, Debug)]
pub struct SamplerSettings {
    /// Logits are divided by this; 0 is greedy.
    pub temperature: f64,
    /// Nucleus: the smallest set of likeliest tokens with at least this probability; 1 is all.
    pub top_p: f64,
    /// Longest answer in tokens, the end-of-turn token included.
    pub max_new_tokens: usize,
    /// Sequences decoded at once, over all threads.
    pub slots: usize,
    /// Tokens that may not come first.
    pub banned_first: Vec<u32>,
    /// Whether to tell how likely each token was.
    pub log_probs: bool,
}

/// One finished sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// Index of its group.
    pub group: usize,
    /// Its number in the group.
    pub sample: u32,
    /// Generated ids; the end-of-turn token, where there is one, stands last.
    pub ids: Vec<u32>,
    /// log p of each id, nats: at the temperature, before top-p. Empty where the settings don't ask for them, or the
    /// student is not on the CPU: they stay on its device.
    pub log_probs: Vec<f32>,
    /// Why it ended.
    pub finish: Finish,
}

/// What can go wrong in generation.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// Nothing to go on.
    #[error("prompt {group} is empty: a prompt needs at least one token")]
    EmptyPrompt {
        /// Index of the group.
        group: usize,
    },
    /// The context is too short.
    #[error("prompt {group} has {tokens} tokens, and the student reads {limit}: shorten the prompt")]
    PromptTooLong {
        /// Index of the group.
        group: usize,
        /// Tokens of the prompt.
        tokens: usize,
        /// Longest context of the student.
        limit: usize,
    },
    /// The student has no such token.
    #[error("prompt {group} holds token {token}, and the student's vocabulary ends at {vocab}")]
    UnknownToken {
        /// Index of the group.
        group: usize,
        /// The token.
        token: u32,
        /// Size of the vocabulary.
        vocab: usize,
    },
    /// The weights are broken.
    #[error(
        "the student's logits are not finite at token {position} of sample {sample} of prompt {group}: its weights are \
         damaged or training diverged; go back to an earlier checkpoint"
    )]
    NotFinite {
        /// Index of the group.
        group: usize,
        /// Number of the sample.
        sample: u32,
        /// Position in the sequence, prompt included.
        position: usize,
    },
    /// A setting no sampler can have.
    #[error("{0}")]
    Settings(String),
    /// The weights could not be read.
    #[error(transparent)]
    Student(#[from] StudentError),
}

impl SamplerSettings {
    fn check(&self) -> Result<(), SampleError> {
        let refuse = |what: String| Err(SampleError::Settings(what));
        if !self.temperature.is_finite() || self.temperature < 0.0 {
            return refuse(format!("temperature is {}: give 0 for greedy, or a positive number", self.temperature));
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return refuse(format!("top_p is {}: give a number over 0 and at most 1", self.top_p));
        }
        Ok(())
    }
}

/// Draws every sample of every group and hands each to `take` as it finishes, on the calling thread.
///
/// They finish in any order. Breaking from `take` ends generation at the next token and is no error. Answers end early
/// where the student's context does.
pub fn generate(
    student: &Student,
    workers: &Workers,
    groups: &[Group],
    settings: &SamplerSettings,
    take: &mut dyn FnMut(Finished) -> ControlFlow<()>,
) -> Result<(), SampleError> {
    generate_while(student, workers, groups, settings, &|| true, take)
}

/// As [`generate`]. Every thread asks `go_on` between two tokens (on a device between two looks at what was drawn): it may
/// make the thread wait, and ends generation with `false`, which is no error.
///
/// # Errors
/// As [`generate`].
pub fn generate_while(
    student: &Student,
    workers: &Workers,
    groups: &[Group],
    settings: &SamplerSettings,
    go_on: &(dyn Fn() -> bool + Sync),
    take: &mut dyn FnMut(Finished) -> ControlFlow<()>,
) -> Result<(), SampleError> {
    settings.check()?;
    let limit = student.config.max_positions;
    check(groups, limit, student.config.vocab_size)?;
    let longest = groups.iter().map(|g| g.prompt.len()).max().unwrap_or(0);
    let positions = longest.saturating_add(settings.max_new_tokens).min(limit);
    if student.model.compute.is_portable() {
        let decoder = ResidentDecoder::new(&student.model, positions.saturating_add(resident::SLACK));
        return resident::run(&decoder, groups, settings, &student.end_of_turn, go_on, take);
    }
    let decoder = PackedDecoder::new(&student.model, positions)?;
    let lanes = if decoder.is_large() { 1 } else { workers.count() };
    let work = Work {
        decoder: &decoder,
        groups,
        settings,
        end_of_turn: &student.end_of_turn,
        slots: settings.slots.max(1).div_ceil(lanes),
        positions,
        next: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
        go_on,
    };
    let (sender, receiver) = mpsc::channel();
    let here = || receive(&receiver, &work.stop, take);
    if decoder.is_large() {
        let work = &work;
        return workers.together_beside(move || lane::run(work, &sender), here);
    }
    let lanes = std::sync::Mutex::new(vec![sender; workers.count()]);
    workers.run_beside(
        |_| {
            let sender = lanes.lock().ok().and_then(|mut senders| senders.pop());
            if let Some(sender) = sender {
                lane::run(&work, &sender);
            }
        },
        here,
    )
}

/// Passes results on until every thread has hung up.
fn receive(
    results: &mpsc::Receiver<Result<Finished, SampleError>>,
    stop: &AtomicBool,
    take: &mut dyn FnMut(Finished) -> ControlFlow<()>,
) -> Result<(), SampleError> {
    let (mut outcome, mut ended) = (Ok(()), false);
    for result in results {
        // What was finished when somebody else stopped is still handed on.
        if ended {
            continue;
        }
        match result {
            Ok(finished) => ended = take(finished).is_break(),
            Err(error) => (outcome, ended) = (Err(error), true),
        }
        if ended {
            stop.store(true, Ordering::Relaxed);
        }
    }
    outcome
}

fn check(groups: &[Group], limit: usize, vocab: usize) -> Result<(), SampleError> {
    for (index, group) in groups.iter().enumerate() {
        let tokens = group.prompt.len();
        if tokens == 0 {
            return Err(SampleError::EmptyPrompt { group: index });
        }
        if tokens >= limit {
            return Err(SampleError::PromptTooLong { group: index, tokens, limit });
        }
        if let Some(token) = group.prompt.iter().find(|t| **t as usize >= vocab) {
            return Err(SampleError::UnknownToken { group: index, token: *token, vocab });
        }
    }
    Ok(())
}

/// What all threads share.
struct Work<'a> {
    decoder: &'a PackedDecoder,
    groups: &'a [Group],
    settings: &'a SamplerSettings,
    end_of_turn: &'a [u32],
    /// Sequences of one thread.
    slots: usize,
    /// Longest sequence.
    positions: usize,
    /// First group nobody has taken.
    next: AtomicUsize,
    stop: AtomicBool,
    go_on: &'a (dyn Fn() -> bool + Sync),
}

impl Work<'_> {
    /// Whether another token is wanted; may wait.
    fn goes_on(&self) -> bool {
        let on = !self.stop.load(Ordering::Relaxed) && (self.go_on)();
        if !on {
            self.stop.store(true, Ordering::Relaxed);
        }
        on
    }
}

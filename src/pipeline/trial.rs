//! A short measurement of this machine with the student itself: how fast it samples, reads and trains. Nothing of it is
//! kept; the weights that were trained are dropped with the engine.

use std::time::Instant;

use serde::Serialize;

use super::context::StageError;
use super::control::Control;
use super::engine::{Asking, Engine};
use super::forecast::Work;
use crate::domain::Message;
use crate::recipe::{Recipe, SamplingRecipe};
use crate::student::ChatTokens;

/// Seconds that either measurement may take before no further round is begun.
const PATIENCE: f64 = 6.0;
/// Most answers sampled at once.
const SLOTS: usize = 64;
/// Tokens of a usual conversation.
const LENGTH: usize = 320;

/// Speeds in tokens per second of wall time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Speeds {
    /// Sampling, at the slots that the recipe fills.
    pub sampling: f64,
    /// Reading (forward only).
    pub reading: f64,
    /// Training: forward, backward, optimizer.
    pub training: f64,
    /// Seconds the measurement took.
    pub seconds: f64,
}

impl Speeds {
    /// Where nothing could be measured.
    pub const UNKNOWN: Self = Self { sampling: f64::NAN, reading: f64::NAN, training: f64::NAN, seconds: 0.0 };

    /// Seconds of student work; not a number where nothing was measured.
    pub fn seconds_of(&self, work: &Work) -> f64 {
        work.sampled_tokens / self.sampling + work.read_tokens / self.reading + work.trained_tokens / self.training
    }
}

/// Measures with one of the run's own prompts. Rounds grow until one takes long enough to tell, so that a student of any
/// size is measured within some 20 seconds on a machine that can run it at all. `wanted` is asked between the rounds.
///
/// # Errors
/// What sampling or training of this student fails with; [`StageError::Cancelled`] once it is no longer wanted.
pub fn measure(
    engine: &Engine,
    recipe: &Recipe,
    prompt: &[Message],
    wanted: &dyn Fn() -> bool,
) -> Result<Speeds, StageError> {
    let begun = Instant::now();
    let sampling = sampling(engine, recipe, prompt, wanted)?;
    let (reading, training) = training(engine, recipe, prompt, wanted)?;
    Ok(Speeds { sampling, reading, training, seconds: begun.elapsed().as_secs_f64() })
}

/// Tokens per second of sampling with every slot filled by samples of one prompt. What a longer round took beyond a
/// shorter one is sampling alone; reading the prompt is in both.
fn sampling(
    engine: &Engine,
    recipe: &Recipe,
    prompt: &[Message],
    wanted: &dyn Fn() -> bool,
) -> Result<f64, StageError> {
    let begun = Instant::now();
    let mut last = round(engine, recipe, prompt, 2)?;
    let mut rate = last.0 / last.1.max(1e-9);
    let mut length = 8;
    // The next round takes up to four times as long.
    while length <= 128 && begun.elapsed().as_secs_f64() + 4.0 * last.1 < PATIENCE {
        still(wanted)?;
        let longer = round(engine, recipe, prompt, length)?;
        if longer.0 > last.0 && longer.1 > last.1 {
            rate = (longer.0 - last.0) / (longer.1 - last.1);
        }
        last = longer;
        length *= 4;
    }
    Ok(rate)
}

/// Tokens and seconds of one round of answers of at most `length` tokens.
fn round(engine: &Engine, recipe: &Recipe, prompt: &[Message], length: usize) -> Result<(f64, f64), StageError> {
    let asking = Asking {
        prompts: vec![prompt.to_vec()],
        streams: vec![1],
        samples: recipe.student.slots.min(SLOTS) as u32,
        sampling: SamplingRecipe { max_new_tokens: length, temperature: 1.0, ..recipe.difficulty.sampling },
        ban_marker: false,
        log_probs: false,
    };
    let begun = Instant::now();
    let mut tokens = 0_u64;
    for reply in engine.generate(asking, &Control::new())? {
        tokens += u64::from(reply?.tokens);
    }
    Ok((tokens as f64, begun.elapsed().as_secs_f64()))
}

/// Tokens per second of reading and of training, on a conversation that grows to the length of a usual one, then on more
/// of them at once.
fn training(
    engine: &Engine,
    recipe: &Recipe,
    prompt: &[Message],
    wanted: &dyn Fn() -> bool,
) -> Result<(f64, f64), StageError> {
    let text: String = prompt.iter().map(|message| message.content.as_str()).collect::<Vec<_>>().join("\n");
    let whole = engine.text().encode_chat(&[Message::user("?"), Message::assistant(text.repeat(16))])?;
    let most = LENGTH.min(recipe.sft.max_tokens).min(whole.ids.len());
    let begun = Instant::now();
    let (mut length, mut batch) = (64.min(most), 1);
    loop {
        still(wanted)?;
        let mut chat = whole.clone();
        chat.truncate(length);
        let tokens = (chat.ids.len() * batch) as f64;
        let chats: Vec<ChatTokens> = vec![chat; batch];
        let start = Instant::now();
        engine.score(chats.clone())?;
        let read = start.elapsed().as_secs_f64();
        engine.begin(recipe.sft.adamw, None)?;
        let start = Instant::now();
        engine.sft_step(chats, 0.0, recipe.sft.loss)?;
        let trained = start.elapsed().as_secs_f64();
        engine.end(super::plan::BASE)?;
        if batch >= recipe.sft.batch || begun.elapsed().as_secs_f64() + 4.0 * (read + trained) > PATIENCE {
            return Ok((tokens / read.max(1e-9), tokens / trained.max(1e-9)));
        }
        if length < most { length = (4 * length).min(most) } else { batch *= 2 }
    }
}

fn still(wanted: &dyn Fn() -> bool) -> Result<(), StageError> {
    if wanted() { Ok(()) } else { Err(StageError::Cancelled) }
}

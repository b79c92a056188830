//! What the engine is asked to sample, and the answers as they come.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::engine::EngineError;
use crate::domain::{Finish, Message};
use crate::recipe::SamplingRecipe;

/// Prompts to sample alike.
pub struct Asking {
    /// A conversation per question, ending with the user's turn.
    pub prompts: Vec<Vec<Message>>,
    /// A random stream per question.
    pub streams: Vec<u64>,
    /// Samples per question.
    pub samples: u32,
    /// How they are drawn.
    pub sampling: SamplingRecipe,
    /// Whether the answer marker may not come first.
    pub ban_marker: bool,
    /// Whether replies tell how likely each token was.
    pub log_probs: bool,
}

/// One finished answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Index among the prompts.
    pub question: usize,
    /// Sample index.
    pub sample: u32,
    /// Generated tokens, the end-of-turn token included.
    pub ids: Vec<u32>,
    /// log p of each, nats: at the temperature, before top-p. Empty where nobody asked for them or the student is not on
    /// the CPU.
    pub log_probs: Vec<f32>,
    /// Their text, without the end-of-turn token.
    pub text: String,
    /// Number of generated tokens.
    pub tokens: u32,
    /// Why it ended.
    pub finish: Finish,
}

/// Answers as they finish.
pub struct Replies {
    pub(super) incoming: Receiver<Result<Reply, EngineError>>,
    /// Set with the end of this handle.
    pub(super) gone: Arc<AtomicBool>,
}

impl Drop for Replies {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

impl Replies {
    /// The next answer; `Err(Timeout)` where none comes for so long, `Err(Disconnected)` where all have come.
    pub fn within(&self, time: Duration) -> Result<Result<Reply, EngineError>, RecvTimeoutError> {
        self.incoming.recv_timeout(time)
    }
}

impl Iterator for Replies {
    type Item = Result<Reply, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.incoming.recv().ok()
    }
}

//! A model that answers chats, whoever runs it: an API over the network, the engine of this program, a cache in front of
//! either. A model teacher asks it and reads products out of what it says.

use super::{TeacherError, Usage};
use crate::domain::Message;

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatRequest {
    /// What for, as in the names of prompts: `trace`, `importance`, … Usage is counted by it.
    pub purpose: &'static str,
    /// The conversation, ending with the user's turn.
    pub messages: Vec<Message>,
    /// Sampling temperature.
    pub temperature: f64,
    /// Nucleus.
    pub top_p: f64,
    /// Longest answer in tokens.
    pub max_tokens: u32,
    /// Sample number: equal calls with another number are to be answered anew. Part of the cache's key.
    pub sample: u32,
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// What was said; untrusted, control characters included.
    pub text: String,
    /// Tokens of the prompt, as the server counts them; 0 where it does not say.
    pub prompt_tokens: u64,
    /// Tokens of the answer, likewise.
    pub completion_tokens: u64,
    /// Whether the answer was cut off at `max_tokens`.
    pub cut: bool,
    /// Whether it came from the cache, and so cost nothing now.
    pub cached: bool,
}

/// A model behind whatever lies between. Called from as many threads at once as [`Chat::concurrency`] says; a call
/// returns when its answer is there or when every retry is spent.
pub trait Chat: Send + Sync {
    /// Names the model in records, as in `qwen-plus`.
    fn name(&self) -> &str;

    /// Calls that may be under way at once.
    fn concurrency(&self) -> usize;

    /// Asks.
    ///
    /// # Errors
    /// [`TeacherError::Unanswered`] where this call is lost (its product goes to review and the run goes on); an error
    /// for which [`TeacherError::stops_the_run`] holds where no call can succeed.
    fn complete(&self, request: &ChatRequest) -> Result<Completion, TeacherError>;

    /// As [`Chat::complete`], with what the call took, also where it failed.
    fn ask(&self, request: &ChatRequest) -> (Result<Completion, TeacherError>, Usage) {
        let outcome = self.complete(request);
        let took = match &outcome {
            Ok(Completion { prompt_tokens, completion_tokens, .. }) => Usage {
                calls: 1,
                prompt_tokens: *prompt_tokens,
                completion_tokens: *completion_tokens,
                ..Usage::default()
            },
            Err(_) => Usage { failed: 1, ..Usage::default() },
        };
        (outcome, took)
    }
}

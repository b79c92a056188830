//! A model behind an OpenAI-compatible API: hosted, vLLM, llama.cpp's server, transformers' server, Ollama.
//!
//! Called from as many threads as one likes; the exchanges themselves are driven by one thread of their own. Answers are
//! asked for whole, never streamed.
//!
//! What is kept to: the key travels to the recipe's host only, over https or within this machine (`address`, `wire`); what
//! fails is asked for again with growing waits (`fault`, `backoff`); calls begin no faster than allowed (`pace`) and not at
//! all where they could pass the budget (`budget`); an answer is read up to a length and a time, never beyond (`wire`).

mod address;
mod backoff;
mod body;
mod budget;
mod call;
mod fault;
mod pace;
mod settings;
mod stream;
mod wire;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, mpsc};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

pub use address::Address;
pub use backoff::Backoff;
pub use budget::{Limits, Prices};
pub use call::Stop;
pub use settings::Settings;
pub use wire::LONGEST;

use budget::Budget;
use call::Shared;
use pace::Pace;
use wire::Wire;

use super::{Chat, ChatRequest, Completion, TeacherError, Usage};

/// A client of one API and model. `Debug` shows no key.
pub struct OpenAi {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

impl OpenAi {
    /// A client; nothing is sent yet. `earlier` is what the session has spent so far, which counts against the budget.
    ///
    /// # Errors
    /// [`TeacherError::Unusable`]: the address, the key, or the machine's network setup.
    pub fn new(settings: Settings, stop: Stop, earlier: &Usage) -> Result<Self, TeacherError> {
        let wire = Wire::new(&settings)?;
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("teacher").enable_all().build();
        let runtime =
            runtime.map_err(|e| TeacherError::Unusable(format!("the teacher's thread cannot be started: {e}")))?;
        let shared = Shared {
            wire,
            pace: Pace::new(settings.requests_per_minute, settings.tokens_per_minute),
            budget: Arc::new(Budget::new(settings.limits, settings.prices, earlier)),
            under_way: Semaphore::new(settings.concurrency.max(1)),
            stop,
            reached: AtomicBool::new(false),
            answered: AtomicBool::new(false),
            refused: AtomicU32::new(0),
            settings,
        };
        Ok(Self { shared: Arc::new(shared), runtime: Some(runtime) })
    }

    /// Where calls go, for people: without anything secret.
    pub fn address(&self) -> String {
        self.shared.wire.address().shown()
    }
}

impl Chat for OpenAi {
    fn name(&self) -> &str {
        &self.shared.settings.model
    }

    fn concurrency(&self) -> usize {
        self.shared.settings.concurrency
    }

    fn complete(&self, request: &ChatRequest) -> Result<Completion, TeacherError> {
        self.ask(request).0
    }

    fn ask(&self, request: &ChatRequest) -> (Result<Completion, TeacherError>, Usage) {
        let ended = || (Err(TeacherError::Unusable("the teacher's thread has ended".into())), Usage::default());
        let Some(runtime) = &self.runtime else { return ended() };
        let (shared, request) = (self.shared.clone(), request.clone());
        let (done, outcome) = mpsc::sync_channel(1);
        runtime.spawn(async move {
            // Whoever asked waits below.
            let _ = done.send(shared.call(&request).await);
        });
        outcome.recv().unwrap_or_else(|_| ended())
    }
}

impl Drop for OpenAi {
    /// Without waiting: a plain drop of a runtime is not allowed on another runtime's threads.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for OpenAi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAi").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}

//! Answers that are paid for are kept: whoever asks the same again gets them from the store.
//!
//! An answer is written before it is handed out, together with what it took, so a run that was killed finds every answer
//! it ever acted on. Of equal calls under way only the first is made; the others get its answer.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Chat, ChatRequest, Completion, Meter, TeacherError, Usage};

/// An answer as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// Who said it.
    pub model: String,
    /// What for.
    pub purpose: String,
    /// What was said; untrusted.
    pub text: String,
    /// Tokens read.
    pub prompt_tokens: u64,
    /// Tokens written.
    pub completion_tokens: u64,
    /// Whether it was cut off at its longest length.
    pub cut: bool,
}

/// Where answers are kept, and what calls took. Errors are one line for people.
pub trait AnswerStore: Send + Sync {
    /// The answer under a key.
    ///
    /// # Errors
    /// The store cannot be read.
    fn get(&self, key: &str) -> Result<Option<Stored>, String>;

    /// Keeps an answer and adds what the call took, both or neither. When it returns, they survive a kill.
    ///
    /// # Errors
    /// The store cannot be written.
    fn put(&self, key: &str, answer: &Stored, took: Usage) -> Result<(), String>;

    /// Adds what a call without an answer took.
    ///
    /// # Errors
    /// The store cannot be written.
    fn charge(&self, purpose: &str, took: Usage) -> Result<(), String>;
}

/// How a cache is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheSettings {
    /// Ask anew for what was kept before this cache was made; the new answer takes the old one's place.
    pub refresh: bool,
    /// What besides the request decides over an answer; part of the key.
    pub parameters: String,
}

/// A chat behind a cache.
pub struct Cached<C> {
    chat: C,
    store: Arc<dyn AnswerStore>,
    settings: CacheSettings,
    meter: Arc<Meter>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    under_way: HashMap<String, Arc<Slot>>,
    /// Keys of answers of this cache, which a refresh does not ask for again.
    fresh: HashSet<String>,
    /// Answers out of the store that it has not counted yet, by purpose.
    hits: HashMap<&'static str, u64>,
}

/// Where equal calls wait for the first.
#[derive(Default)]
struct Slot {
    outcome: Mutex<Option<Result<Completion, TeacherError>>>,
    there: Condvar,
}

impl<C: Chat> Cached<C> {
    /// `chat` behind the answers of `store`. `meter` is told what every call takes.
    pub fn new(chat: C, store: Arc<dyn AnswerStore>, settings: CacheSettings, meter: Arc<Meter>) -> Self {
        Self { chat, store, settings, meter, state: Mutex::default() }
    }

    /// The chat behind it.
    pub fn inner(&self) -> &C {
        &self.chat
    }

    /// What calls of this cache took, by purpose.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// SHA-256 over everything that decides over the answer.
    pub fn key(&self, request: &ChatRequest) -> String {
        let ChatRequest { purpose: _, messages, temperature, top_p, max_tokens, sample } = request;
        let whole = serde_json::json!([
            1,
            self.chat.name(),
            messages,
            temperature,
            top_p,
            max_tokens,
            sample,
            self.settings.parameters
        ]);
        hex::encode(Sha256::digest(whole.to_string().as_bytes()))
    }

    fn kept(&self, key: &str, request: &ChatRequest) -> Result<Option<Completion>, TeacherError> {
        if self.settings.refresh && !self.state().fresh.contains(key) {
            return Ok(None);
        }
        let stored = self.store.get(key).map_err(TeacherError::Unusable)?;
        let Some(Stored { text, prompt_tokens, completion_tokens, cut, .. }) = stored else { return Ok(None) };
        self.hit(request.purpose);
        Ok(Some(Completion { text, prompt_tokens, completion_tokens, cut, cached: true }))
    }

    fn hit(&self, purpose: &'static str) {
        *self.state().hits.entry(purpose).or_default() += 1;
        self.meter.add(purpose, Usage { cached: 1, ..Usage::default() });
    }

    /// Asks, and keeps what comes back.
    fn make(&self, key: &str, request: &ChatRequest) -> (Result<Completion, TeacherError>, Usage) {
        let (outcome, took) = self.chat.ask(request);
        self.meter.add(request.purpose, took);
        let cached = self.state().hits.remove(request.purpose).unwrap_or_default();
        let added = Usage { cached, ..took };
        let written = match &outcome {
            Ok(completion) => self.store.put(key, &self.stored(request, completion), added),
            Err(_) if added.is_empty() => Ok(()),
            Err(_) => self.store.charge(request.purpose, added),
        };
        match (written, outcome) {
            (Ok(()), outcome) => (outcome, took),
            (Err(reason), _) => (Err(TeacherError::Unusable(format!("an answer cannot be kept: {reason}"))), took),
        }
    }

    fn stored(&self, request: &ChatRequest, completion: &Completion) -> Stored {
        let Completion { text, prompt_tokens, completion_tokens, cut, cached: _ } = completion.clone();
        let (model, purpose) = (self.chat.name().to_owned(), request.purpose.to_owned());
        Stored { model, purpose, text, prompt_tokens, completion_tokens, cut }
    }

    /// The first of equal calls: makes it, then lets the others have its outcome, also where it panics.
    fn first(&self, key: &str, request: &ChatRequest, slot: &Slot) -> (Result<Completion, TeacherError>, Usage) {
        let mut turn = Turn { cache: self, key, slot, outcome: None };
        let (outcome, took) = match self.kept(key, request) {
            Ok(Some(completion)) => (Ok(completion), Usage { cached: 1, ..Usage::default() }),
            Ok(None) => self.make(key, request),
            Err(error) => (Err(error), Usage::default()),
        };
        turn.outcome = Some(outcome.clone());
        (outcome, took)
    }
}

/// The call of a slot while it is under way.
struct Turn<'a, C: Chat> {
    cache: &'a Cached<C>,
    key: &'a str,
    slot: &'a Slot,
    outcome: Option<Result<Completion, TeacherError>>,
}

impl<C: Chat> Drop for Turn<'_, C> {
    fn drop(&mut self) {
        let lost = || Err(TeacherError::Unanswered("an equal call ended without an answer".into()));
        let outcome = self.outcome.take().unwrap_or_else(lost);
        let mut state = self.cache.state();
        state.under_way.remove(self.key);
        if outcome.is_ok() && self.cache.settings.refresh {
            state.fresh.insert(self.key.to_owned());
        }
        drop(state);
        *self.slot.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        self.slot.there.notify_all();
    }
}

impl Slot {
    fn wait(&self) -> Result<Completion, TeacherError> {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(there) = &*outcome {
                return there.clone();
            }
            outcome = self.there.wait(outcome).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<C: Chat> Chat for Cached<C> {
    fn name(&self) -> &str {
        self.chat.name()
    }

    /// Half as many again as the chat behind it takes: while some write their answers down, others ask.
    fn concurrency(&self) -> usize {
        match self.chat.concurrency() {
            1 => 1,
            calls => calls + calls.div_ceil(2),
        }
    }

    fn complete(&self, request: &ChatRequest) -> Result<Completion, TeacherError> {
        self.ask(request).0
    }

    fn ask(&self, request: &ChatRequest) -> (Result<Completion, TeacherError>, Usage) {
        let key = self.key(request);
        let mut state = self.state();
        if let Some(slot) = state.under_way.get(&key).cloned() {
            drop(state);
            let outcome = slot.wait().map(|completion| Completion { cached: true, ..completion });
            if outcome.is_ok() {
                self.hit(request.purpose);
            }
            let cached = u64::from(outcome.is_ok());
            return (outcome, Usage { cached, ..Usage::default() });
        }
        let slot = Arc::new(Slot::default());
        state.under_way.insert(key.clone(), slot.clone());
        drop(state);
        self.first(&key, request, &slot)
    }
}

impl<C> Drop for Cached<C> {
    /// Hits since the last answer are counted too; where that cannot be written, nothing paid for is lost.
    fn drop(&mut self) {
        let hits = std::mem::take(&mut self.state.get_mut().unwrap_or_else(PoisonError::into_inner).hits);
        for (purpose, cached) in hits {
            let _ = self.store.charge(purpose, Usage { cached, ..Usage::default() });
        }
    }
}

impl<C: fmt::Debug> fmt::Debug for Cached<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached").field("chat", &self.chat).field("settings", &self.settings).finish_non_exhaustive()
    }
}

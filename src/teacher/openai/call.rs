//! One call from its first try to its last: wait for a turn, reserve, ask, settle, wait, ask again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::body::{self, Said};
use super::budget::Budget;
use super::fault::{Fault, Next};
use super::pace::Pace;
use super::settings::Settings;
use super::wire::Wire;
use crate::teacher::{ChatRequest, Completion, TeacherError, Usage};

/// Says whether the run was stopped. Asked many times a second while a call waits: it must not block.
pub type Stop = Arc<dyn Fn() -> bool + Send + Sync>;

/// How often a waiting call looks whether the run was stopped.
const LOOK: Duration = Duration::from_millis(50);
/// A server that says we are too fast is asked so many times as often as one that fails.
const SLOWER: u32 = 4;
/// First calls that may be refused before it is clear that none is taken.
const REFUSALS: u32 = 8;

/// What all calls of a client share.
pub struct Shared {
    pub settings: Settings,
    pub wire: Wire,
    pub pace: Pace,
    pub budget: Arc<Budget>,
    /// One permit for each call that may be under way.
    pub under_way: Semaphore,
    pub stop: Stop,
    /// Whether a server was ever reached, whether it ever answered, how many calls it refused before it did.
    pub reached: AtomicBool,
    pub answered: AtomicBool,
    pub refused: AtomicU32,
}

impl Shared {
    /// Asks until there is an answer or no more hope; says what it took either way.
    pub async fn call(&self, request: &ChatRequest) -> (Result<Completion, TeacherError>, Usage) {
        let mut took = Usage::default();
        let outcome = self.tries(request, &mut took).await;
        match &outcome {
            Ok(_) => took.calls += 1,
            Err(TeacherError::Unanswered(_)) => took.failed += 1,
            Err(_) => {}
        }
        (outcome, took)
    }

    async fn tries(&self, request: &ChatRequest, took: &mut Usage) -> Result<Completion, TeacherError> {
        let body = Bytes::from(body::request(&self.settings.model, request, &self.settings.extra).to_string());
        let (mut failed, mut slowed) = (0, 0);
        loop {
            let fault = match self.once(request, body.clone(), took).await? {
                Ok(completion) => return Ok(completion),
                Err(fault) => fault,
            };
            let tries = match fault.next {
                Next::Slower(_) => &mut slowed,
                _ => &mut failed,
            };
            *tries += 1;
            let tries = *tries;
            if let Some(error) = self.gives_up(&fault, tries, took.retries + 1) {
                return Err(error);
            }
            took.retries += 1;
            self.rest(&fault, tries).await?;
        }
    }

    /// One try: its outer error ends the call.
    async fn once(
        &self,
        request: &ChatRequest,
        body: Bytes,
        took: &mut Usage,
    ) -> Result<Result<Completion, Fault>, TeacherError> {
        if (self.stop)() {
            return Err(TeacherError::Cancelled);
        }
        let most = most(request);
        let turn = async {
            self.pace.pass(most.0 + most.1).await;
            let permit = self.under_way.acquire().await;
            (permit, self.budget.reserve(most).await)
        };
        let (permit, hold) = self.unless_stopped(Duration::ZERO, turn).await?;
        let hold = hold?;
        let asked = |text: &str| self.settings.backoff.asked(text, Timestamp::now());
        let outcome = self.unless_stopped(self.settings.grace, self.wire.exchange(body, asked)).await;
        drop(permit);
        let outcome = outcome.inspect_err(|_| took.unsaid += 1)?;
        self.note(&outcome);
        let charged = match &outcome {
            Ok(said) => Some(said.tokens.unwrap_or_else(|| {
                took.estimated += 1;
                estimate(request, said)
            })),
            Err(fault) => fault.charged,
        };
        if let Some((read, written)) = charged {
            took.prompt_tokens += read;
            took.completion_tokens += written;
            took.cost += hold.settle((read, written));
        }
        took.unsaid += u64::from(outcome.as_ref().is_err_and(|fault| fault.unsaid));
        let (read, written) = charged.unwrap_or_default();
        Ok(outcome.map(|said| Completion {
            text: said.text,
            prompt_tokens: read,
            completion_tokens: written,
            cut: said.cut,
            cached: false,
        }))
    }

    fn note(&self, outcome: &Result<Said, Fault>) {
        match outcome {
            Ok(_) => self.answered.store(true, Ordering::Relaxed),
            Err(Fault { next: Next::Unreached, .. }) => return,
            Err(Fault { next: Next::Refused, .. }) => drop(self.refused.fetch_add(1, Ordering::Relaxed)),
            Err(_) => {}
        }
        self.reached.store(true, Ordering::Relaxed);
    }

    /// The end of a call after this fault, its `tries`-th of that kind, if it is the end.
    fn gives_up(&self, fault: &Fault, tries: u32, asked: u64) -> Option<TeacherError> {
        let what = &fault.what;
        let most = self.settings.max_retries;
        let spent = match fault.next {
            Next::Stop => return Some(TeacherError::Unusable(format!("{}: {what}", self.settings.model))),
            Next::Refused if !self.answered.load(Ordering::Relaxed) && self.refused() >= REFUSALS => {
                let first = self.refused();
                let told = format!("the server refused each of the first {first} calls; the last time, {what}");
                return Some(TeacherError::Unusable(told));
            }
            Next::Refused | Next::Lost => true,
            Next::Slower(_) => tries > most.saturating_mul(SLOWER),
            Next::Again | Next::Unreached => tries > most,
        };
        if spent && fault.next == Next::Unreached && !self.reached.load(Ordering::Relaxed) {
            return Some(TeacherError::Unusable(format!("{what}; start the server, or mend teacher.base_url")));
        }
        let times = if asked == 1 { "once".to_owned() } else { format!("{asked} times") };
        let name = &self.settings.model;
        spent.then(|| TeacherError::Unanswered(format!("{name} was asked {times} without a usable answer: {what}")))
    }

    fn refused(&self) -> u32 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Waits before the next try.
    async fn rest(&self, fault: &Fault, tries: u32) -> Result<(), TeacherError> {
        let own = self.settings.backoff.wait(tries, rand::random());
        if let Next::Slower(Some(wait)) = fault.next {
            self.pace.hold_back(wait);
        }
        self.unless_stopped(Duration::ZERO, tokio::time::sleep(own)).await
    }

    /// The outcome of `work`, unless the run is stopped and `grace` passes first.
    async fn unless_stopped<T>(&self, grace: Duration, work: impl Future<Output = T>) -> Result<T, TeacherError> {
        let stopped = async {
            while !(self.stop)() {
                tokio::time::sleep(LOOK).await;
            }
            tokio::time::sleep(grace).await;
        };
        tokio::select! {
            biased;
            outcome = work => Ok(outcome),
            () = stopped => Err(TeacherError::Cancelled),
        }
    }
}

/// The most tokens a call could take, read and written: hardly any text has more than a token for two bytes.
fn most(request: &ChatRequest) -> (u64, u64) {
    let bytes: usize = request.messages.iter().map(|m| m.content.len() + 16).sum();
    (bytes.div_ceil(2) as u64, u64::from(request.max_tokens))
}

/// Tokens of an answer that the server did not count: one for four characters.
fn estimate(request: &ChatRequest, said: &Said) -> (u64, u64) {
    let tokens = |characters: usize| characters.div_ceil(4) as u64;
    let read = request.messages.iter().map(|m| m.content.chars().count()).sum();
    (tokens(read), tokens(said.text.chars().count()))
}

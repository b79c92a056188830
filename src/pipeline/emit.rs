//! Says what happens: one place that turns counts into events, at most a few a second.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use super::events::{Event, Level, StageId};

const EVERY: Duration = Duration::from_millis(200);

#[derive(Debug)]
struct Pace {
    last: Instant,
    tokens: u64,
    rate: f64,
}

/// Sends events to whoever listens; a face that has gone away is no error.
#[derive(Debug)]
pub struct Emitter {
    sender: Sender<Event>,
    pace: Mutex<Pace>,
    /// Tokens of the running part of the stage, as last told.
    tokens: AtomicU64,
}

impl Emitter {
    /// Events go to `sender`.
    pub fn new(sender: Sender<Event>) -> Self {
        let past = Instant::now().checked_sub(EVERY).unwrap_or_else(Instant::now);
        Self { sender, pace: Mutex::new(Pace { last: past, tokens: 0, rate: 0.0 }), tokens: AtomicU64::new(0) }
    }

    /// Sends one event.
    pub fn send(&self, event: Event) {
        // The receiver is gone when the face has closed; the run goes on without it.
        let _ = self.sender.send(event);
    }

    /// A line for the log.
    pub fn log(&self, level: Level, message: impl Into<String>) {
        self.send(Event::Log { level, message: message.into() });
    }

    /// Forgets the tokens of the stage before.
    pub fn begin(&self) {
        self.tokens.store(0, Ordering::Relaxed);
    }

    /// Tokens sampled or trained since [`Emitter::begin`], as last told.
    pub fn tokens(&self) -> u64 {
        self.tokens.load(Ordering::Relaxed)
    }

    /// A stage begins or continues.
    pub fn started(&self, stage: &StageId, done: u64, total: u64, unit: &str) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        *pace = Pace { last: Instant::now(), tokens: 0, rate: 0.0 };
        drop(pace);
        self.send(Event::StageStarted { stage: stage.clone(), done, total, unit: unit.into() });
    }

    /// Items were completed; sent at most every 200 ms, and always when the last one is done.
    pub fn progress(&self, stage: &StageId, done: u64, total: u64, tokens: u64) {
        self.tokens.store(tokens, Ordering::Relaxed);
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let since = pace.last.elapsed();
        if since < EVERY && done < total {
            return;
        }
        let fresh = tokens.saturating_sub(pace.tokens) as f64 / since.as_secs_f64().max(1e-3);
        pace.rate = if pace.rate == 0.0 { fresh } else { 0.7 * pace.rate + 0.3 * fresh };
        pace.tokens = tokens;
        pace.last = Instant::now();
        let rate = pace.rate;
        drop(pace);
        self.send(Event::StageProgress { stage: stage.clone(), done, total, tokens, rate });
    }

    /// One point of a curve.
    pub fn metric(&self, stage: &StageId, step: u64, name: &str, value: f64) {
        self.send(Event::Metric { stage: stage.clone(), step, name: name.into(), value });
    }
}

//! Pause, cancel, gates and requests for review: what every long loop looks at between two items.
//!
//! `Paused` is said by whoever stands still, when it does, not by whoever asked for it.

use std::collections::VecDeque;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::events::{Command, Event};
use super::review::Request;

/// The researcher asked the run to stop. Everything written so far is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

/// A gate, as the loop sees it. What is told to a gate that nobody stands at goes unheard, so that a key pressed twice
/// never passes the next gate unseen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Gate {
    #[default]
    None,
    Waiting,
    Passed,
    Left,
}

/// What somebody who waits at a gate hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtGate {
    /// Approve what waits, and go on.
    Pass,
    /// Go on with what is approved.
    Leave,
    /// A request waits ([`Control::take_review`]); the gate is still closed.
    Review,
}

#[derive(Debug, Default)]
struct Flags {
    paused: bool,
    /// Somebody stands still because of `paused`, and it was said.
    still: bool,
    cancelled: bool,
    gate: Gate,
    /// What the researcher decided and nobody has applied yet.
    reviews: VecDeque<Request>,
    /// Since when somebody stands still, paused or at a gate.
    standing: Option<Instant>,
    /// Time that was spent standing still before that.
    stood: Duration,
    /// Who hears of pauses; nobody once the run is over.
    echo: Option<Sender<Event>>,
}

impl Flags {
    fn say(&self, event: Event) {
        if let Some(echo) = &self.echo {
            // A face that has gone away needs no answer.
            let _ = echo.send(event);
        }
    }

    /// Called by whoever waits: says so once per pause.
    fn stand_still(&mut self) {
        if self.paused && !self.still {
            self.still = true;
            self.say(Event::Paused);
        }
        self.standing.get_or_insert_with(Instant::now);
    }

    /// Called by whoever goes on.
    fn go_on(&mut self) {
        if let Some(since) = self.standing.take() {
            self.stood += since.elapsed();
        }
    }
}

/// Shared by the faces (which set the flags) and the loop (which obeys them).
#[derive(Clone, Debug, Default)]
pub struct Control {
    inner: Arc<(Mutex<Flags>, Condvar)>,
}

impl Control {
    /// Nothing paused, nothing cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`Control::new`]; says `Paused` when work stands still and `Resumed` when it goes on.
    pub fn echoing(echo: Sender<Event>) -> Self {
        let control = Self::new();
        control.flags().echo = Some(echo);
        control
    }

    /// The run is over: nothing is said any more, and the channel of events may close.
    pub fn close(&self) {
        self.flags().echo = None;
    }

    /// A thread that panicked while it held the lock leaves plain flags behind: they are still good.
    fn flags(&self) -> MutexGuard<'_, Flags> {
        self.inner.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, flags: MutexGuard<'a, Flags>) -> MutexGuard<'a, Flags> {
        self.inner.1.wait(flags).unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies one command.
    pub fn apply(&self, command: &Command) {
        let mut flags = self.flags();
        match command {
            Command::Pause => flags.paused = true,
            Command::Resume => {
                if std::mem::take(&mut flags.paused) {
                    flags.still = false;
                    flags.say(Event::Resumed);
                }
            }
            Command::Cancel => flags.cancelled = true,
            Command::PassGate if flags.gate == Gate::Waiting => flags.gate = Gate::Passed,
            Command::LeaveGate if flags.gate == Gate::Waiting => flags.gate = Gate::Left,
            Command::PassGate | Command::LeaveGate => {}
            Command::Review(request) => flags.reviews.push_back(request.clone()),
        }
        drop(flags);
        self.inner.1.notify_all();
    }

    /// Stands still while paused; an error once cancelled.
    pub fn check(&self) -> Result<(), Cancelled> {
        let mut flags = self.flags();
        while flags.paused && !flags.cancelled {
            flags.stand_still();
            flags = self.wait(flags);
        }
        flags.go_on();
        if flags.cancelled { Err(Cancelled) } else { Ok(()) }
    }

    /// How long work stood still so far, paused or at a gate: time that no stage took.
    pub fn stood_still(&self) -> Duration {
        let flags = self.flags();
        flags.stood + flags.standing.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Whether the run was told to stop. Never stands still.
    pub fn cancelled(&self) -> bool {
        self.flags().cancelled
    }

    /// Whether a pause was asked for.
    pub fn paused(&self) -> bool {
        self.flags().paused
    }

    /// Closes a gate: from here on `PassGate` is heard. Say that it waits after this, not before.
    pub fn close_gate(&self) {
        self.flags().gate = Gate::Waiting;
    }

    /// Stands still while paused, but not while a request waits: true then. An error once cancelled. For the loop's own
    /// thread, which applies requests.
    pub fn check_or_review(&self) -> Result<bool, Cancelled> {
        let mut flags = self.flags();
        while flags.paused && !flags.cancelled && flags.reviews.is_empty() {
            flags.stand_still();
            flags = self.wait(flags);
        }
        flags.go_on();
        if flags.cancelled { Err(Cancelled) } else { Ok(!flags.reviews.is_empty()) }
    }

    /// Whether a request waits.
    pub fn reviews_wait(&self) -> bool {
        !self.flags().reviews.is_empty()
    }

    /// The next request, in the order in which they came.
    pub fn take_review(&self) -> Option<Request> {
        self.flags().reviews.pop_front()
    }

    /// Waits until the closed gate is passed or left, a request comes, or the run is cancelled. One `PassGate` passes one
    /// gate; requests that came before it are heard before it.
    pub fn wait_for_gate(&self) -> Result<AtGate, Cancelled> {
        let mut flags = self.flags();
        while flags.gate == Gate::Waiting && !flags.cancelled && flags.reviews.is_empty() {
            flags.stand_still();
            flags = self.wait(flags);
        }
        flags.go_on();
        if !flags.reviews.is_empty() {
            return Ok(AtGate::Review);
        }
        let gate = std::mem::take(&mut flags.gate);
        match gate {
            _ if flags.cancelled => Err(Cancelled),
            Gate::Left => Ok(AtGate::Leave),
            Gate::Passed | Gate::Waiting | Gate::None => Ok(AtGate::Pass),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn time_at_a_gate_is_time_that_nobody_worked() {
        let control = Control::new();
        assert_eq!(control.stood_still(), Duration::ZERO);
        control.close_gate();
        let other = control.clone();
        let waits = std::thread::spawn(move || other.wait_for_gate());
        while control.stood_still() < Duration::from_millis(20) {
            std::thread::yield_now();
        }
        control.apply(&Command::PassGate);
        assert_eq!(waits.join().unwrap(), Ok(AtGate::Pass));
        let stood = control.stood_still();
        assert!(stood >= Duration::from_millis(20));
        assert_eq!(control.check(), Ok(()));
        assert_eq!(control.stood_still(), stood, "work goes on, and no more is counted");
    }

    #[test]
    fn a_cancel_wins_over_a_pause() {
        let control = Control::new();
        assert_eq!(control.check(), Ok(()));
        control.apply(&Command::Pause);
        assert!(control.paused());
        control.apply(&Command::Cancel);
        assert_eq!(control.check(), Err(Cancelled));
    }

    #[test]
    fn one_pass_passes_one_gate_and_only_a_closed_one() {
        let control = Control::new();
        control.close_gate();
        control.apply(&Command::PassGate);
        control.apply(&Command::PassGate);
        assert_eq!(control.wait_for_gate(), Ok(AtGate::Pass));
        control.apply(&Command::PassGate);
        control.close_gate();
        assert_eq!(control.flags().gate, Gate::Waiting);
        control.apply(&Command::Cancel);
        assert_eq!(control.wait_for_gate(), Err(Cancelled));
    }

    #[test]
    fn a_pause_is_said_by_who_stands_still_and_the_channel_closes() {
        let (say, heard) = channel();
        let control = Control::echoing(say);
        control.apply(&Command::Resume);
        control.apply(&Command::Pause);
        assert_eq!(heard.try_iter().count(), 0);
        let worker = control.clone();
        let work = std::thread::spawn(move || worker.check());
        assert_eq!(heard.recv(), Ok(Event::Paused));
        control.apply(&Command::Resume);
        assert_eq!(heard.recv(), Ok(Event::Resumed));
        assert_eq!(work.join().ok(), Some(Ok(())));
        control.close();
        assert!(heard.recv().is_err());
    }
}

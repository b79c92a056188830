//! The live screen's loop: keys, events, signals and the clock come in; frames and commands go out. Everything that can
//! be decided without a terminal is decided in `update`.

use std::future::pending;
use std::io;
use std::time::{Duration, Instant};

use crossterm::event::{Event as TerminalEvent, EventStream};
use futures::StreamExt;

use super::handle::{FromRun, Listener};
use super::look::Look;
use super::pacer::{ANSWER, CALM, PROGRESS, Pacer};
use super::signals::Signals;
use super::state::{Phase, State};
use super::terminal::Screen;
use super::update::{Effect, Msg, update};
use crate::pipeline::events::Outcome;

/// How the researcher left the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// The run is over.
    Ended(Outcome),
    /// A signal came or the terminal went away; the run is still at work.
    Signal,
    /// The researcher left without waiting for the current step.
    AtOnce,
}

/// Shows a run until it is left. The terminal is as it was found when this returns, whatever happened.
///
/// # Errors
/// When the terminal can't be opened.
pub async fn show(listener: &mut Listener, signals: &mut Signals, state: &mut State, look: &Look) -> io::Result<Left> {
    let mut screen = Screen::open()?;
    let mut keys = EventStream::new();
    let began = Instant::now();
    let mut pacer = Pacer::default();
    pacer.wish(Duration::ZERO, PROGRESS);
    let progress = if look.reduced_motion { CALM } else { PROGRESS };
    let mut run_open = true;
    loop {
        let now = began.elapsed();
        if pacer.wait(now) == Some(Duration::ZERO) {
            if screen.show(state, look).is_err() {
                return Ok(signalled(state));
            }
            pacer.drawn(began.elapsed());
        }
        let (messages, gap) = tokio::select! {
            () = signals.next() => return Ok(signalled(state)),
            key = keys.next() => match key {
                Some(Ok(TerminalEvent::Key(key))) => (vec![Msg::Key(key)], ANSWER),
                Some(Ok(_)) => (vec![Msg::Tick], ANSWER),
                Some(Err(_)) | None => return Ok(signalled(state)),
            },
            heard = listener.next(), if run_open => match heard {
                Some(first) => (gathered(first, listener), progress),
                None => { run_open = false; continue }
            },
            () = wait_for(pacer.wait(began.elapsed())) => continue,
            () = wait_for(tick(state, began.elapsed())) => (vec![Msg::Tick], progress),
        };
        for msg in messages {
            for effect in update(state, msg, began.elapsed()) {
                match effect {
                    Effect::Send(command) => listener.tell(command),
                    Effect::Leave => return Ok(left(state)),
                    Effect::Redraw => drop(screen.forget()),
                }
            }
        }
        pacer.wish(began.elapsed(), gap);
    }
}

/// The first thing heard and whatever else is there already, so that a burst of events makes one frame.
fn gathered(first: FromRun, listener: &mut Listener) -> Vec<Msg> {
    let msg = |heard| match heard {
        FromRun::Said(event) => Msg::Run(event),
        FromRun::Ended(outcome) => Msg::Ended(outcome),
    };
    let mut messages = vec![msg(first)];
    while messages.len() < 512 {
        match listener.ready() {
            Some(heard) => messages.push(msg(heard)),
            None => break,
        }
    }
    messages
}

/// A signal came or the terminal went away: that interrupts a run that is at work, and no other.
fn signalled(state: &State) -> Left {
    match left(state) {
        Left::AtOnce => Left::Signal,
        ended => ended,
    }
}

fn left(state: &State) -> Left {
    match &state.phase {
        Phase::Ended(outcome) => Left::Ended(outcome.clone()),
        _ => Left::AtOnce,
    }
}

/// Time until the clock on the screen shows another second; `None` while it stands still.
fn tick(state: &State, now: Duration) -> Option<Duration> {
    let into = Duration::from_nanos(u64::from(now.subsec_nanos()));
    state.phase.ticking().then(|| Duration::from_secs(1).saturating_sub(into) + Duration::from_millis(1))
}

async fn wait_for(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_does_not_interrupt_what_is_over() {
        let mut state = State::new("s", "");
        assert_eq!(signalled(&state), Left::Signal);
        state.phase = Phase::Ended(Outcome::Done);
        assert_eq!(signalled(&state), Left::Ended(Outcome::Done));
    }
}

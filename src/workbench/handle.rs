//! A run as a face sees it: events out, commands in, a thread that returns how it ended.

use std::any::Any;
use std::sync::Weak;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::pipeline::events::{Command, Event, Outcome};
use crate::session::Session;

/// A run that has been started.
#[derive(Debug)]
pub struct RunHandle {
    /// Session name.
    pub session: String,
    /// The command that goes on with this run, as a shell takes it.
    pub resume: String,
    /// What the run computes on, such as `cpu`.
    pub device: String,
    /// The run's records, for reading while it is at work.
    pub live: Weak<Session>,
    /// What the run says; closed when it has nothing more to say.
    pub events: mpsc::Receiver<Event>,
    /// What the run can be told; nobody listens once it is over.
    pub commands: mpsc::Sender<Command>,
    /// Returns how the run ended.
    pub thread: JoinHandle<Outcome>,
}

/// What comes from a run.
#[derive(Debug)]
pub enum FromRun {
    /// It said something.
    Said(Event),
    /// Its thread returned; nothing follows.
    Ended(Outcome),
}

/// The receiving side of a run for an async face: events without waiting, and the ending even when the thread died.
#[derive(Debug)]
pub struct Listener {
    /// Session name.
    pub session: String,
    /// The command that goes on with this run, as a shell takes it.
    pub resume: String,
    incoming: UnboundedReceiver<FromRun>,
    commands: mpsc::Sender<Command>,
}

impl Listener {
    /// Starts listening.
    pub fn new(run: RunHandle) -> Self {
        let RunHandle { session, resume, events, commands, thread, .. } = run;
        let (to, incoming) = unbounded_channel();
        thread::spawn(move || {
            let gone = |event| to.send(FromRun::Said(event)).is_err();
            if pass_on(&events, &thread, gone) {
                return;
            }
            let outcome = thread.join().unwrap_or_else(|panic| Outcome::Failed { reason: died(&*panic) });
            drop(to.send(FromRun::Ended(outcome)));
        });
        Self { session, resume, incoming, commands }
    }

    /// The next thing; `None` after [`FromRun::Ended`]. Cancel-safe.
    pub async fn next(&mut self) -> Option<FromRun> {
        self.incoming.recv().await
    }

    /// The next thing that is already there.
    pub fn ready(&mut self) -> Option<FromRun> {
        self.incoming.try_recv().ok()
    }

    /// Tells the run something; a run that is over can't be told anything, which is no error.
    pub fn tell(&self, command: Command) {
        drop(self.commands.send(command));
    }
}

/// Time after which a silent run is asked whether it still lives.
const SILENCE: Duration = Duration::from_millis(200);

/// Passes events on until the run is over. It is over with its last event, and also when its thread is gone, although
/// helpers of the run may still hold the channel open. True when nobody listens any more.
fn pass_on(events: &mpsc::Receiver<Event>, thread: &JoinHandle<Outcome>, mut gone: impl FnMut(Event) -> bool) -> bool {
    loop {
        let dead = thread.is_finished();
        match events.recv_timeout(if dead { Duration::ZERO } else { SILENCE }) {
            Ok(event) => {
                let last = matches!(event, Event::RunFinished { .. });
                if gone(event) {
                    return true;
                }
                if last {
                    return false;
                }
            }
            Err(RecvTimeoutError::Timeout) if !dead => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return false,
        }
    }
}

/// What to say of a thread that died.
fn died(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    let said = super::text::printable(said.unwrap_or("without a word"));
    format!("a defect in footbridge stopped the run: {said}; what was done is kept, please report this")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn heard(work: impl FnOnce(mpsc::Sender<Event>) -> Outcome + Send + 'static) -> Vec<FromRun> {
        let (say, events) = mpsc::channel();
        // A helper of the run that never lets go of the channel.
        let _held_open = say.clone();
        let (commands, _listens) = mpsc::channel();
        let thread = thread::spawn(move || work(say));
        let run = RunHandle {
            session: "s".into(),
            resume: String::new(),
            device: String::new(),
            live: Weak::new(),
            events,
            commands,
            thread,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut listener = Listener::new(run);
            let mut all = Vec::new();
            while let Some(thing) = listener.next().await {
                all.push(thing);
            }
            all
        })
    }

    #[test]
    fn events_come_in_order_and_the_ending_last() {
        let all = heard(|say| {
            say.send(Event::Paused).unwrap();
            say.send(Event::Resumed).unwrap();
            Outcome::Done
        });
        assert!(matches!(
            all[..],
            [FromRun::Said(Event::Paused), FromRun::Said(Event::Resumed), FromRun::Ended(Outcome::Done)]
        ));
    }

    #[test]
    fn the_last_event_ends_it_although_the_channel_stays_open() {
        let all = heard(|say| {
            say.send(Event::RunFinished { outcome: Outcome::Cancelled, seconds: 1.0 }).unwrap();
            Outcome::Cancelled
        });
        assert!(matches!(all[..], [FromRun::Said(Event::RunFinished { .. }), FromRun::Ended(Outcome::Cancelled)]));
    }

    #[test]
    fn a_thread_that_dies_is_a_failed_run_with_its_last_words() {
        let all = heard(|_| std::panic::panic_any("index out of range\u{1b}[2J".to_string()));
        let [FromRun::Ended(Outcome::Failed { reason })] = &all[..] else { panic!("{all:?}") };
        assert!(reason.contains("index out of range"), "{reason}");
    }
}

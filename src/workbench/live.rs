//! The workbench on a terminal: keys, events, signals and the clock come in; frames, commands and new runs go out.
//! Everything that can be decided without a terminal is decided in [`Shell`].

use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::{Event as TerminalEvent, EventStream};
use futures::StreamExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::editor;
use super::handle::{FromRun, Listener, RunHandle};
use super::house::{Launch, Launcher};
use super::jobs::Jobs;
use super::pacer::{ANSWER, CALM, PROGRESS, Pacer};
use super::shell::{Effect, Msg, Shell};
use super::signals::{Signal, Signals};
use super::state::{Phase, State};
use super::terminal::{Screen, read_no_more};
use crate::pipeline::events::Outcome;

/// How the researcher left the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// No run was at work here.
    Idle,
    /// The run is over.
    Ended(Outcome),
    /// A signal came that asks to end; the run is still at work.
    Signal,
    /// The terminal went away; the run is still at work.
    HungUp,
    /// The researcher left without waiting for the current step.
    AtOnce,
}

/// What comes from threads behind the screen.
enum Behind {
    Notice,
    Told(String),
    Launched(Result<RunHandle, String>),
}

/// The way in which threads behind the screen reach it.
pub struct Door {
    to: UnboundedSender<Behind>,
    from: UnboundedReceiver<Behind>,
}

impl Door {
    /// A door, and the jobs whose notices come through it.
    pub fn open() -> (Self, Jobs) {
        let (to, from) = unbounded_channel();
        let notify = to.clone();
        let jobs = Jobs::threads(Arc::new(move || drop(notify.send(Behind::Notice))));
        (Self { to, from }, jobs)
    }

    /// Begins a run on a thread of its own.
    fn launch(&self, launcher: Option<Arc<dyn Launcher>>, launch: Launch) {
        let to = self.to.clone();
        std::thread::spawn(move || {
            let launched = match launcher {
                Some(launcher) => launcher.launch(&launch, &mut |words| drop(to.send(Behind::Told(words.to_string())))),
                None => Err("no run can be begun here".to_string()),
            };
            drop(to.send(Behind::Launched(launched)));
        });
    }
}

/// What woke the loop.
enum Came {
    Terminal(TerminalEvent),
    Run(Option<FromRun>),
    Behind(Behind),
    Tick,
}

/// What the loop holds beside the workbench itself.
struct Live<'a> {
    shell: &'a mut Shell,
    screen: Screen,
    door: Door,
    run: Option<Listener>,
    /// The run may still say something.
    open: bool,
    began: Instant,
}

/// Shows the workbench until it is left. The terminal is as it was found when this returns, whatever happened. Gives the
/// run that was shown last, if any.
///
/// # Errors
/// When the terminal can't be opened.
pub async fn show(
    shell: &mut Shell,
    door: Door,
    run: Option<RunHandle>,
    signals: &mut Signals,
) -> io::Result<(Left, Option<Listener>)> {
    let screen = Screen::open()?;
    let mut live = Live { shell, screen, door, run: None, open: false, began: Instant::now() };
    if let Some(run) = run {
        live.attach(run);
    }
    let left = live.watch(signals).await;
    if left == Left::HungUp {
        drop(read_no_more());
    }
    Ok((left, live.run))
}

impl Live<'_> {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn attach(&mut self, run: RunHandle) {
        self.shell.attach(&run.session, run.live.clone(), &run.resume, &run.device);
        (self.run, self.open) = (Some(Listener::new(run)), true);
    }

    async fn watch(&mut self, signals: &mut Signals) -> Left {
        let mut keys = EventStream::new();
        let mut pacer = Pacer::default();
        pacer.wish(Duration::ZERO, PROGRESS);
        loop {
            if pacer.wait(self.now()) == Some(Duration::ZERO) {
                let shell = &mut *self.shell;
                if self.screen.show(|buf| shell.draw(buf)).is_err() {
                    return left(self.shell.run(), Left::HungUp);
                }
                pacer.drawn(self.now());
            }
            let calm = if self.shell.look().reduced_motion { CALM } else { PROGRESS };
            let tick = tick(self.shell, self.now());
            let came = tokio::select! {
                signal = signals.next() => return left(self.shell.run(), of(signal)),
                key = keys.next() => match key {
                    Some(Ok(event)) => Came::Terminal(event),
                    Some(Err(_)) | None => return left(self.shell.run(), Left::HungUp),
                },
                heard = heard(&mut self.run, self.open) => Came::Run(heard),
                Some(behind) = self.door.from.recv() => Came::Behind(behind),
                () = wait_for(pacer.wait(self.began.elapsed())) => continue,
                () = wait_for(tick) => Came::Tick,
            };
            let (messages, gap) = match came {
                Came::Terminal(event) => (said(event), ANSWER),
                Came::Run(Some(first)) => (gathered(first, self.run.as_mut()), calm),
                Came::Run(None) => {
                    self.open = false;
                    continue;
                }
                Came::Behind(behind) => (self.behind(behind), ANSWER),
                Came::Tick => (vec![Msg::Tick], calm),
            };
            for msg in messages {
                let mut effects = VecDeque::from(self.shell.update(msg, self.now()));
                while let Some(effect) = effects.pop_front() {
                    if let Effect::Leave = effect {
                        return left(self.shell.run(), Left::AtOnce);
                    }
                    effects.extend(self.carry(effect, &mut keys));
                }
            }
            pacer.wish(self.now(), gap);
        }
    }

    fn behind(&mut self, behind: Behind) -> Vec<Msg> {
        match behind {
            Behind::Notice => {}
            Behind::Told(words) => self.shell.launching(&words),
            Behind::Launched(Ok(run)) => self.attach(run),
            Behind::Launched(Err(why)) => self.shell.not_launched(&why),
        }
        vec![Msg::Notice]
    }

    /// Does what is wanted; gives what follows from it.
    fn carry(&mut self, effect: Effect, keys: &mut EventStream) -> Vec<Effect> {
        match effect {
            Effect::Send(command) => {
                if let Some(run) = &self.run {
                    run.tell(command);
                }
            }
            Effect::Redraw => drop(self.screen.forget()),
            Effect::Copy(text) => drop(self.screen.copy(&text)),
            Effect::Launch(launch) => self.door.launch(self.shell.launcher(), launch),
            Effect::Edit { text, extension } => {
                // The stream must not read keys that are meant for the editor.
                *keys = EventStream::new();
                let outcome = match self.screen.lend() {
                    Ok(()) => editor::edit(&text, extension),
                    Err(error) => Err(format!("the terminal can't be lent to an editor: {error}")),
                };
                drop(self.screen.take_back());
                return self.shell.update(Msg::Edited(outcome), self.now());
            }
            Effect::Leave => {}
        }
        Vec::new()
    }
}

fn said(event: TerminalEvent) -> Vec<Msg> {
    match event {
        TerminalEvent::Key(key) => vec![Msg::Key(key)],
        TerminalEvent::Mouse(mouse) => vec![Msg::Mouse(mouse)],
        TerminalEvent::Paste(text) => vec![Msg::Paste(text)],
        _ => vec![Msg::Tick],
    }
}

async fn heard(run: &mut Option<Listener>, open: bool) -> Option<FromRun> {
    match run {
        Some(run) if open => run.next().await,
        _ => pending().await,
    }
}

/// The first thing heard and whatever else is there already, so that a burst of events makes one frame.
fn gathered(first: FromRun, listener: Option<&mut Listener>) -> Vec<Msg> {
    let msg = |heard| match heard {
        FromRun::Said(event) => Msg::Run(event),
        FromRun::Ended(outcome) => Msg::Ended(outcome),
    };
    let mut messages = vec![msg(first)];
    let Some(listener) = listener else { return messages };
    while messages.len() < 512 {
        match listener.ready() {
            Some(heard) => messages.push(msg(heard)),
            None => break,
        }
    }
    messages
}

fn of(signal: Signal) -> Left {
    if signal == Signal::HangUp { Left::HungUp } else { Left::Signal }
}

/// How the screen is left: a run that is over has ended, whatever else happened.
fn left(run: &State, at_work: Left) -> Left {
    match &run.phase {
        Phase::Ended(outcome) => Left::Ended(outcome.clone()),
        Phase::Idle => Left::Idle,
        _ => at_work,
    }
}

/// Time until something on the screen moves by itself: the clock of a run at work, the turning mark of a query, or
/// nothing but the look at the records now and then.
fn tick(shell: &Shell, now: Duration) -> Option<Duration> {
    if shell.busy() {
        return Some(Duration::from_millis(120));
    }
    let into = Duration::from_nanos(u64::from(now.subsec_nanos()));
    let moves = shell.session().is_some() || shell.watches_sessions();
    moves.then(|| Duration::from_secs(1).saturating_sub(into) + Duration::from_millis(1))
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
        assert_eq!(left(&state, of(Signal::HangUp)), Left::HungUp);
        assert_eq!(left(&state, of(Signal::Terminate)), Left::Signal);
        state.phase = Phase::Ended(Outcome::Done);
        assert_eq!(left(&state, Left::Signal), Left::Ended(Outcome::Done));
        state.phase = Phase::Idle;
        assert_eq!(left(&state, Left::AtOnce), Left::Idle);
    }
}

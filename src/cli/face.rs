//! Which face a run shows, and showing it: the live screen, plain lines, or JSON lines. Whatever the face, a signal
//! stops the run after its current step, and the exit code says how it ended.

use std::time::Instant;

use super::args::{FaceArgs, LookArgs};
use super::commands::Commands;
use super::exit::{Exit, Failure};
use super::out::{self, Pipe};
use super::plain::Plain;
use crate::pipeline::events::{Command, Event, Outcome};
use crate::workbench::handle::{FromRun, Listener, RunHandle};
use crate::workbench::house::House;
use crate::workbench::keymap::Keymap;
use crate::workbench::live::{self, Door, Left};
use crate::workbench::look::Look;
use crate::workbench::probe::Surroundings;
use crate::workbench::shell::{LEAST_COLUMNS, LEAST_ROWS, Shell};
use crate::workbench::signals::{Signal, Signals};

/// The screen's colours, characters and keys.
#[derive(Clone, Debug)]
pub struct Screen {
    /// How it looks.
    pub look: Look,
    /// Which keys it has.
    pub keymap: Keymap,
}

impl Screen {
    /// As asked for on the command line, else as the surroundings say.
    ///
    /// # Errors
    /// Bad usage: a theme or a keymap file that can't be used.
    pub fn choose(args: &LookArgs, around: &Surroundings) -> Result<Self, Failure> {
        let look = Look::choose(around, args.theme.as_deref(), args.ascii, args.reduced_motion);
        let keymap = Keymap::usual(around, args.keys.as_deref());
        Ok(Self { look: look.map_err(Failure::usage)?, keymap: keymap.map_err(Failure::usage)? })
    }
}

/// How a run is shown.
#[derive(Clone, Debug)]
pub enum Face {
    /// The screen.
    Live(Box<Screen>),
    /// Lines on stderr, the table on stdout.
    Plain,
    /// Every event as a JSON line on stdout.
    Json {
        /// Commands come as JSON lines from stdin.
        commands: bool,
    },
}

/// Chooses the face: what was asked for, else the screen where one can be drawn and keys can be read, else plain lines.
/// Called before the run begins, so that nothing is begun that can't be shown.
///
/// # Errors
/// Bad usage: a terminal too small for the screen, a theme or a keymap that can't be used.
pub fn choose(args: &FaceArgs, around: &Surroundings) -> Result<Face, Failure> {
    if args.json {
        return Ok(Face::Json { commands: args.commands });
    }
    if args.plain || !around.interactive() {
        return Ok(Face::Plain);
    }
    if let Some((columns, rows)) = around.size
        && (columns < LEAST_COLUMNS || rows < LEAST_ROWS)
    {
        return Err(Failure::usage(format!(
            "the terminal has {columns}x{rows} cells and the screen needs {}x{}; enlarge it or use --plain",
            LEAST_COLUMNS, LEAST_ROWS
        )));
    }
    Ok(Face::Live(Box::new(Screen::choose(&args.looks, around)?)))
}

/// The table of a session, for the end of a run.
pub type Table<'a> = &'a dyn Fn(&str) -> Result<String, Failure>;

/// Shows a run to its end, then prints its table to stdout (not with the JSON face). `house` is what stands around its
/// session on the live face.
///
/// # Errors
/// When the run failed, or when stdout can't be written.
pub fn watch(face: &Face, run: RunHandle, house: &House, table: Table<'_>) -> Result<Exit, Failure> {
    match face {
        Face::Live(dress) => workbench(dress, house, First::Run(Box::new(run)), table),
        Face::Plain | Face::Json { .. } => {
            let (name, resume) = (run.session.clone(), run.resume.clone());
            let outcome = runtime()?.block_on(async {
                let mut signals = listen()?;
                lines(face, &mut Listener::new(run), &mut signals).await
            })?;
            finish(outcome, &resume, &|| printed(face, &table(&name)?))
        }
    }
}

/// What the workbench shows first.
pub enum First {
    /// The sessions there are.
    Home,
    /// A session that is not at work here.
    Session(String),
    /// A run that has begun.
    Run(Box<RunHandle>),
}

/// Shows the workbench until it is left, and sees a run that is still at work to its end.
///
/// # Errors
/// When the terminal can't be used, when the run failed, when stdout can't be written.
pub fn workbench(dress: &Screen, house: &House, first: First, table: Table<'_>) -> Result<Exit, Failure> {
    let ended = runtime()?.block_on(screen(dress, house, first))?;
    let Some(Seen { name, resume, ending, gone }) = ended else { return Ok(Exit::Done) };
    let face = Face::Live(Box::new(dress.clone()));
    finish(ending, &resume, &|| match printed(&face, &table(&name)?) {
        // A terminal that is gone can't be written to, and nothing went wrong by that.
        Err(_) if gone => Ok(()),
        written => written,
    })
}

/// The table of a complete run on stdout; events as JSON have no table.
fn printed(face: &Face, table: &str) -> Result<(), Failure> {
    if !matches!(face, Face::Json { .. }) {
        let _ = out::stdout(table)?;
    }
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("the clock and signals can't be set up: {error}")))
}

fn listen() -> Result<Signals, Failure> {
    Signals::new().map_err(|error| Failure::failed(format!("signals can't be listened for: {error}")))
}

/// How a watched run ended; `None` when it was left at work.
type Ending = Option<Outcome>;

/// The run that was shown last.
struct Seen {
    /// Its session.
    name: String,
    /// The way to go on.
    resume: String,
    /// How it ended.
    ending: Ending,
    /// Whether the terminal went away under it.
    gone: bool,
}

/// The run that was shown last; `None` where there was none.
async fn screen(dress: &Screen, house: &House, first: First) -> Result<Option<Seen>, Failure> {
    let mut signals = listen()?;
    let (door, jobs) = Door::open();
    let mut shell = Shell::new(house.clone(), dress.look.clone(), dress.keymap.clone(), jobs);
    let run = match first {
        First::Home => None,
        First::Session(name) => {
            shell.open(&name);
            None
        }
        First::Run(run) => Some(*run),
    };
    let shown = live::show(&mut shell, door, run, &mut signals).await;
    let (left, listener) =
        shown.map_err(|error| Failure::failed(format!("the terminal can't be used ({error}); try --plain")))?;
    let Some(mut listener) = listener else { return Ok(None) };
    let gone = left == Left::HungUp;
    let ending = match left {
        Left::Idle => return Ok(None),
        Left::Ended(outcome) => Some(outcome),
        Left::AtOnce => None,
        Left::Signal => wind_down(&mut listener, &mut signals, &mut |_| {}).await,
        Left::HungUp => {
            // Nobody is there any more to answer what it waits for.
            if shell.run().waits().is_some() {
                listener.tell(Command::Cancel);
            }
            unseen(&mut listener, &mut signals).await
        }
    };
    Ok(Some(Seen { name: listener.session, resume: listener.resume, ending, gone }))
}

/// The terminal is gone: the run goes on without one, to its end or to the first gate at which a researcher is needed.
async fn unseen(listener: &mut Listener, signals: &mut Signals) -> Ending {
    loop {
        tokio::select! {
            signal = signals.next() => if signal != Signal::HangUp {
                return wind_down(listener, signals, &mut |_| {}).await;
            },
            heard = listener.next() => match heard {
                Some(FromRun::Said(Event::GateWaiting { .. } | Event::Paused)) => listener.tell(Command::Cancel),
                Some(FromRun::Said(_)) => {}
                Some(FromRun::Ended(outcome)) => return Some(outcome),
                None => return None,
            },
        }
    }
}

async fn lines(face: &Face, listener: &mut Listener, signals: &mut Signals) -> Result<Ending, Failure> {
    let began = Instant::now();
    let mut plain = Plain::default();
    let mut say = |event: &Event| -> Result<Pipe, Failure> {
        match face {
            Face::Json { .. } => return say_json(event),
            _ => plain.lines(event, began.elapsed()).iter().for_each(|line| out::stderr(line)),
        }
        Ok(Pipe::Open)
    };
    let mut commands = match face {
        Face::Json { commands: true } => Commands::from_stdin(),
        _ => Commands::none(),
    };
    let mut gate = false;
    loop {
        if gate && !commands.open {
            out::stderr("nobody can approve here; the run stops, decide with `footbridge review` or on a terminal");
            return Ok(wind_down(listener, signals, &mut |event| drop(say(event))).await);
        }
        let heard = tokio::select! {
            _ = signals.next() => return Ok(wind_down(listener, signals, &mut |event| drop(say(event))).await),
            heard = listener.next() => heard,
            told = commands.next(), if commands.open => {
                match told {
                    Some(Ok(command)) => listener.tell(command),
                    Some(Err(why)) => out::stderr(&why),
                    None => {}
                }
                continue;
            }
        };
        let event = match heard {
            Some(FromRun::Said(event)) => event,
            Some(FromRun::Ended(outcome)) => {
                return Ok(Some(outcome));
            }
            None => return Ok(None),
        };
        if say(&event)? == Pipe::Closed {
            out::stderr("nobody reads the events any more");
            return Ok(wind_down(listener, signals, &mut |_| {}).await);
        }
        match event {
            Event::GateWaiting { .. } => gate = true,
            Event::StageFinished { .. } => gate = false,
            _ => {}
        }
    }
}

fn say_json(event: &Event) -> Result<Pipe, Failure> {
    let line = serde_json::to_string(event)
        .map_err(|error| Failure::failed(format!("an event can't be written as JSON: {error}")))?;
    out::json_line(&line)
}

/// Stops the run after its current step, still saying what happens; a second signal leaves at once.
async fn wind_down(listener: &mut Listener, signals: &mut Signals, say: &mut impl FnMut(&Event)) -> Ending {
    out::stderr("stopping after the current step; interrupt again to leave at once");
    listener.tell(Command::Cancel);
    loop {
        tokio::select! {
            _ = signals.next() => return None,
            heard = listener.next() => match heard {
                Some(FromRun::Said(event)) => say(&event),
                // A run that had just ended when it was asked to stop is complete, or has failed.
                Some(FromRun::Ended(outcome)) => return Some(outcome),
                None => return None,
            },
        }
    }
}

fn finish(ending: Ending, resume: &str, print: &dyn Fn() -> Result<(), Failure>) -> Result<Exit, Failure> {
    match ending {
        Some(Outcome::Done) => {
            print()?;
            Ok(Exit::Done)
        }
        Some(Outcome::Failed { reason }) => {
            Err(Failure::failed(format!("{reason}\nwhen that is mended, go on with: {resume}")))
        }
        Some(Outcome::Cancelled) | None => {
            out::stderr(&format!("go on with: {resume}"));
            Ok(Exit::Interrupted)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::cli::args::LookArgs;

    fn terminal(columns: u16, rows: u16) -> Surroundings {
        Surroundings {
            stdin_terminal: true,
            stdout_terminal: true,
            size: Some((columns, rows)),
            term: "xterm-256color".into(),
            ..Surroundings::default()
        }
    }

    #[test]
    fn the_screen_where_there_is_one_plain_lines_elsewhere() {
        let nothing = FaceArgs::default();
        let pipe = Surroundings { stdout_terminal: false, ..terminal(80, 24) };
        let dumb = Surroundings { term: "dumb".into(), ..terminal(80, 24) };
        let no_keys = Surroundings { stdin_terminal: false, ..terminal(80, 24) };
        let no_size = Surroundings { size: None, ..terminal(80, 24) };
        assert!(matches!(choose(&nothing, &terminal(80, 24)).unwrap(), Face::Live(_)));
        for around in [pipe, dumb, no_keys, no_size] {
            assert!(matches!(choose(&nothing, &around).unwrap(), Face::Plain), "{around:?}");
        }
        let asked = FaceArgs { json: true, ..FaceArgs::default() };
        assert!(matches!(choose(&asked, &terminal(1, 1)).unwrap(), Face::Json { .. }));
    }

    #[test]
    fn a_terminal_too_small_is_bad_usage_with_a_way_out() {
        let failure = choose(&FaceArgs::default(), &terminal(30, 8)).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(
            failure.message,
            "the terminal has 30x8 cells and the screen needs 40x10; enlarge it or use --plain"
        );
    }

    #[test]
    fn a_theme_that_is_not_there_is_bad_usage() {
        let args = FaceArgs {
            looks: LookArgs { theme: Some("no-such.toml".into()), ..LookArgs::default() },
            ..FaceArgs::default()
        };
        assert_eq!(choose(&args, &terminal(80, 24)).unwrap_err().exit, Exit::Usage);
    }
}

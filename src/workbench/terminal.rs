//! The terminal while the screen is open, and how it is given back: on leaving, on an error, on a signal, on a panic.
//!
//! A panic of the screen's own thread restores the terminal before its message is printed. A panic of another thread
//! (the engine's) must not print into the screen: its message is kept and printed after leaving.

use std::io::{self, BufWriter, Stdout, Write};
use std::mem::ManuallyDrop;
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::execute;
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::text;
use crate::student::device::is_hushed;

/// True while the terminal is not as it was found.
static OPEN: AtomicBool = AtomicBool::new(false);
/// What other threads said while they died under an open screen.
static LAST_WORDS: Mutex<Vec<String>> = Mutex::new(Vec::new());

type Term = Terminal<CrosstermBackend<BufWriter<Stdout>>>;
type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync + 'static;

/// Takes the keys of a terminal that is gone out of reach. Reading there ends at once, and the thread that reads keys would
/// begin again without end (crossterm 0.29, `event/source/unix/mio.rs`): a core's work beside a run that goes on.
///
/// # Errors
/// When the system has no pipe to give.
#[cfg(unix)]
pub fn read_no_more() -> io::Result<()> {
    /// The end into which nobody writes stays open, so that reading from the other waits.
    static SILENT: std::sync::OnceLock<io::PipeWriter> = std::sync::OnceLock::new();
    let (nothing, writer) = io::pipe()?;
    nix::unistd::dup2_stdin(&nothing)?;
    drop(SILENT.set(writer));
    Ok(())
}

/// Elsewhere a terminal does not go away under the program.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn read_no_more() -> io::Result<()> {
    Ok(())
}

/// The open screen. Dropping it gives the terminal back.
pub struct Screen {
    /// Never dropped: its own way of giving back the cursor prints an error where the terminal is gone, and printing to a
    /// terminal that is gone panics, which would end the run. [`restore`] shows the cursor.
    terminal: ManuallyDrop<Term>,
    shown: Option<Buffer>,
    hook: Arc<Hook>,
}

impl Screen {
    /// Opens the screen: raw keys, alternate screen, panic hook.
    ///
    /// # Errors
    /// When the terminal refuses; it is left as it was found.
    pub fn open() -> io::Result<Self> {
        let hook: Arc<Hook> = Arc::from(panic::take_hook());
        install(Arc::clone(&hook));
        OPEN.store(true, Ordering::SeqCst);
        match take_terminal() {
            Ok(terminal) => Ok(Self { terminal: ManuallyDrop::new(terminal), shown: None, hook }),
            Err(error) => {
                give_back(&hook);
                Err(error)
            }
        }
    }

    /// Draws what `draw` fills in; writes nothing when the screen already shows it. Returns whether anything was written.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn show(&mut self, mut draw: impl FnMut(&mut Buffer)) -> io::Result<bool> {
        self.terminal.autoresize()?;
        let mut next = Buffer::empty(self.terminal.get_frame().area());
        draw(&mut next);
        if self.shown.as_ref() == Some(&next) {
            return Ok(false);
        }
        execute!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        let mut resized = false;
        self.terminal.draw(|frame| {
            resized = frame.area() != next.area;
            if resized {
                draw(frame.buffer_mut());
            } else {
                frame.buffer_mut().clone_from(&next);
            }
        })?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        self.shown = (!resized).then_some(next);
        Ok(true)
    }

    /// Forgets what is shown, so that the next frame draws everything.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn forget(&mut self) -> io::Result<()> {
        self.shown = None;
        wipe(&mut self.terminal)
    }

    /// Puts a text onto the clipboard of the terminal (OSC 52), also over ssh. Whether the terminal obeys is not told.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(self.terminal.backend_mut(), CopyToClipboard::to_clipboard_from(text))
    }

    /// Gives the terminal to another program for a while, as it was found.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn lend(&mut self) -> io::Result<()> {
        disable_raw_mode()?;
        execute!(io::stdout(), DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen, Show)
    }

    /// Takes the terminal back and draws everything anew.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn take_back(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste)?;
        self.forget()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back(&self.hook);
    }
}

/// Clears the terminal. Not `Terminal::clear`: that asks the terminal where its cursor is and waits for the answer.
fn wipe(terminal: &mut Term) -> io::Result<()> {
    let size = terminal.size()?;
    terminal.resize(Rect::new(0, 0, size.width, size.height))
}

fn take_terminal() -> io::Result<Term> {
    enable_raw_mode()?;
    let mut stdout = BufWriter::with_capacity(1 << 15, io::stdout());
    execute!(stdout, EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste)?;
    let mut terminal = Terminal::new(CrosstermBackend::new(stdout))?;
    wipe(&mut terminal)?;
    Ok(terminal)
}

fn install(previous: Arc<Hook>) {
    let screen = thread::current().id();
    panic::set_hook(Box::new(move |info| {
        if !OPEN.load(Ordering::SeqCst) {
            previous(info);
        } else if thread::current().id() == screen {
            restore();
            previous(info);
        } else if !is_hushed() {
            LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner).push(text::printable(&info.to_string()));
        }
    }));
}

/// Puts the terminal back as it was found; once, whoever comes first.
fn restore() {
    if OPEN.swap(false, Ordering::SeqCst) {
        drop(disable_raw_mode());
        drop(execute!(
            io::stdout(),
            EndSynchronizedUpdate,
            DisableBracketedPaste,
            DisableMouseCapture,
            LeaveAlternateScreen,
            Show
        ));
        drop(io::stdout().flush());
    }
}

fn give_back(hook: &Arc<Hook>) {
    restore();
    // Inside a panic the hook can't be exchanged; ours then hands everything to the previous one.
    if !thread::panicking() {
        let previous = Arc::clone(hook);
        panic::set_hook(Box::new(move |info| previous(info)));
    }
    let words = std::mem::take(&mut *LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner));
    for words in words {
        drop(writeln!(io::stderr(), "{words}"));
    }
}

//! This program in a pseudo-terminal, as a researcher has it: when the first frame is there, how long a key takes, what
//! it costs to be left alone.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use serde::Serialize;

use super::Spread;
use super::session::NAME;
use crate::cli::exit::Failure;

/// Keys of each measurement.
const KEYS: usize = 300;
/// Time between two keys: longer than a frame, and no divisor of a second.
const BETWEEN: Duration = Duration::from_millis(37);
/// How long nothing changes.
const IDLE: Duration = Duration::from_secs(10);
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was measured here; times in milliseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Outside {
    /// From the start of the program to the first frame.
    pub first_frame: f64,
    /// From the start of the program to the questions on the screen.
    pub first_rows: f64,
    /// From a key to the first byte written, no run at work anywhere.
    pub keys_quiet: Spread,
    /// The same while a demo trains on one thread beside it.
    pub keys_busy: Spread,
    /// Processor time over wall time while nothing changes, percent of a core.
    pub idle_percent: f64,
    /// Bytes written meanwhile.
    pub idle_bytes: usize,
    /// How long nothing changed, seconds.
    pub idle_seconds: f64,
}

/// Measures.
///
/// # Errors
/// When the program can't be started or does not answer.
pub fn measure(home: &Path, size: (u16, u16)) -> Result<Outside, Failure> {
    let mut screen = Screen::start(home, size)?;
    let first_frame = screen.until(|text| text.contains("footbridge"))?;
    screen.press("3")?;
    let first_rows = screen.until(|text| text.contains("train-00000"))?;
    thread::sleep(Duration::from_secs(2));
    let keys_quiet = screen.keys()?;
    thread::sleep(Duration::from_secs(2));
    let (bytes, cpu, begun) = (screen.written().len(), screen.cpu_seconds(), Instant::now());
    thread::sleep(IDLE);
    let idle_seconds = begun.elapsed().as_secs_f64();
    let idle_bytes = screen.written().len() - bytes;
    let idle_percent = (screen.cpu_seconds() - cpu) / idle_seconds * 100.0;
    let mut demo = training(home)?;
    // Past the loading, into sampling and training.
    thread::sleep(Duration::from_secs(3));
    let keys_busy = screen.keys();
    // It is of no further use, however it ends.
    drop(demo.kill());
    drop(demo.wait());
    screen.leave();
    Ok(Outside { first_frame, first_rows, keys_quiet, keys_busy: keys_busy?, idle_percent, idle_bytes, idle_seconds })
}

fn program() -> Result<std::path::PathBuf, Failure> {
    std::env::current_exe().map_err(|error| Failure::failed(format!("this program can't be found again: {error}")))
}

/// A demo on one thread.
fn training(home: &Path) -> Result<std::process::Child, Failure> {
    Command::new(program()?)
        .args(["demo", "--plain", "--threads", "1", "--sessions-dir"])
        .arg(home.join("beside"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| Failure::failed(format!("a demo can't be started beside it: {error}")))
}

struct Screen {
    /// Kept open: the terminal goes away with it.
    _master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    written: Arc<Mutex<Vec<u8>>>,
    begun: Instant,
}

impl Screen {
    fn start(home: &Path, (columns, rows): (u16, u16)) -> Result<Self, Failure> {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system()
            .openpty(size)
            .map_err(|error| Failure::failed(format!("a pseudo-terminal can't be opened: {error}")))?;
        let mut command = CommandBuilder::new(program()?);
        command.args(["--session", NAME, "--sessions-dir"]);
        command.arg(home);
        for (name, value) in [("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("LC_ALL", "C.UTF-8")] {
            command.env(name, value);
        }
        let begun = Instant::now();
        let child = pair
            .slave
            .spawn_command(command)
            .map_err(|error| Failure::failed(format!("the workbench can't be started: {error}")))?;
        let written = Arc::new(Mutex::new(Vec::new()));
        let mut reader = pair
            .master
            .try_clone_reader()
            .map_err(|error| Failure::failed(format!("the terminal can't be read: {error}")))?;
        let sink = Arc::clone(&written);
        thread::spawn(move || {
            let mut chunk = [0; 1 << 16];
            while let Ok(count @ 1..) = reader.read(&mut chunk) {
                sink.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&chunk[..count]);
            }
        });
        let keys = pair
            .master
            .take_writer()
            .map_err(|error| Failure::failed(format!("the terminal can't be written: {error}")))?;
        Ok(Self { _master: pair.master, child, keys, written, begun })
    }

    fn written(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn press(&mut self, keys: &str) -> Result<(), Failure> {
        let sent = self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush());
        sent.map_err(|error| Failure::failed(format!("the workbench takes no keys: {error}")))
    }

    /// Milliseconds from the start of the program until this was written.
    fn until(&self, seen: impl Fn(&str) -> bool) -> Result<f64, Failure> {
        while self.begun.elapsed() < PATIENCE {
            if seen(&String::from_utf8_lossy(&self.written())) {
                return Ok(self.begun.elapsed().as_secs_f64() * 1e3);
            }
            thread::sleep(Duration::from_millis(1));
        }
        Err(Failure::failed("the workbench does not show what it should within a minute"))
    }

    /// Times from keys that move in the list to the first byte written after each.
    fn keys(&mut self) -> Result<Spread, Failure> {
        let mut times = Vec::with_capacity(KEYS);
        for at in 0..KEYS {
            thread::sleep(BETWEEN);
            let before = self.written().len();
            let begun = Instant::now();
            // Down and up in turn, after a while further down.
            self.press(if at % 3 == 2 { "k" } else { "j" })?;
            while self.written().len() == before {
                if begun.elapsed() > PATIENCE {
                    return Err(Failure::failed("a key was not answered within a minute"));
                }
                thread::sleep(Duration::from_micros(100));
            }
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        Ok(Spread::of(times))
    }

    /// Processor time of the program so far; 0 where the system does not say.
    fn cpu_seconds(&self) -> f64 {
        let id = self.child.process_id().unwrap_or_default();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // Behind the name, which ends with the last bracket, user and system time are the 12th and 13th words.
        let words = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        // Linux counts in hundredths of a second everywhere that this program runs.
        words.skip(11).take(2).filter_map(|word| word.parse::<f64>().ok()).sum::<f64>() / 100.0
    }

    fn leave(mut self) {
        drop(self.press("q"));
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        drop(self.child.kill());
    }
}

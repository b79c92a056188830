//! The screen on a real terminal: what it shows, that keys work, that nothing is written when nothing changes, and that
//! the terminal is given back whatever happens.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};

use super::child::{ARGS, SCENARIO};

/// Longest wait for anything; a wait ends as soon as the thing is seen.
const PATIENCE: Duration = Duration::from_secs(30);

struct Session {
    master: Box<dyn MasterPty + Send>,
    /// Kept open, so that the terminal's settings can be read after the child has gone.
    _slave: Box<dyn SlavePty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    /// Reads what is written, until told to let go of the terminal.
    reader: thread::JoinHandle<()>,
    let_go: Arc<AtomicBool>,
    written: Arc<Mutex<Vec<u8>>>,
    size: (u16, u16),
    before: String,
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

impl Session {
    fn start(scenario: &str, columns: u16, rows: u16) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let before = modes(&*pair.master);
        let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
        command.args(ARGS);
        command.env(SCENARIO, scenario);
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        command.env_remove("NO_COLOR");
        let child = pair.slave.spawn_command(command).unwrap();
        let written = Arc::new(Mutex::new(Vec::new()));
        let (mut reader, sink) = (pair.master.try_clone_reader().unwrap(), Arc::clone(&written));
        let let_go = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&let_go);
        let reader = thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut chunk) {
                sink.lock().unwrap().extend_from_slice(&chunk[..count]);
                if told.load(Ordering::SeqCst) {
                    break;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        let (master, _slave) = (pair.master, pair.slave);
        Self { master, _slave, child, keys, reader, let_go, written, size: (columns, rows), before }
    }

    fn parser(&self) -> vt100::Parser {
        let mut parser = vt100::Parser::new(self.size.1, self.size.0, 0);
        parser.process(&self.written.lock().unwrap());
        parser
    }

    fn text(&self) -> String {
        self.parser().screen().contents()
    }

    fn wait(&self, what: &str, seen: impl Fn(&str) -> bool) {
        let began = Instant::now();
        while !seen(&self.text()) {
            assert!(began.elapsed() < PATIENCE, "never saw {what}; the screen:\n{}", self.text());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn signal(&self, name: &str) {
        let id = self.child.process_id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Waits for the end; the exit code and what stands on the terminal, which must be as it was before.
    fn end(mut self) -> (u32, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end; the screen:\n{}", self.text());
            thread::sleep(Duration::from_millis(20));
        };
        thread::sleep(Duration::from_millis(100));
        let parser = self.parser();
        assert!(!parser.screen().alternate_screen(), "still on the alternate screen");
        assert!(!parser.screen().hide_cursor(), "the cursor is still hidden");
        assert_eq!(modes(&*self.master), self.before, "raw mode was not undone");
        (status.exit_code(), parser.screen().contents())
    }
}

/// The terminal's settings, as text.
fn modes(master: &(dyn MasterPty + Send)) -> String {
    let settings = master.get_termios().unwrap();
    format!("{:?} {:?} {:?}", settings.input_flags, settings.output_flags, settings.local_flags)
}

#[test]
fn stays_open_when_the_run_ends_writes_nothing_more_and_prints_the_table_on_leaving() {
    let mut session = Session::start("done", 100, 30);
    session.wait("the end", |text| text.contains("done in 0:03"));
    assert!(session.parser().screen().alternate_screen());
    assert_ne!(modes(&*session.master), session.before, "keys are read raw");
    thread::sleep(Duration::from_millis(300));
    let written = session.written.lock().unwrap().len();
    thread::sleep(Duration::from_millis(1_500));
    assert_eq!(session.written.lock().unwrap().len(), written, "something was written though nothing changed");
    session.press("?");
    session.wait("the help", |text| text.contains("moving about"));
    session.press("\u{1b}");
    session.wait("no help", |text| !text.contains("moving about"));
    session.press("q");
    let (code, text) = session.end();
    assert_eq!(code, 0);
    assert!(text.contains("base  | .526"), "{text}");
}

#[test]
fn q_asks_then_stops_and_says_how_to_go_on() {
    let mut session = Session::start("endless", 80, 24);
    session.wait("progress", |text| text.contains("20 of 20"));
    session.press("p");
    session.wait("the pause", |text| text.contains("paused"));
    session.press("p");
    session.wait("going on", |text| text.contains("running"));
    session.press("q");
    session.wait("the question", |text| text.contains("stop this run?"));
    session.press("y");
    let (code, text) = session.end();
    assert_eq!(code, 130);
    assert!(text.contains("go on with: footbridge resume demo-1") && !text.contains("base  | .526"), "{text}");
}

#[test]
fn a_terminal_made_too_small_says_so_and_recovers() {
    let mut session = Session::start("endless", 80, 24);
    session.wait("progress", |text| text.contains("20 of 20"));
    for (columns, rows) in [(30, 5), (1, 1)] {
        session.master.resize(size(columns, rows)).unwrap();
        session.size = (columns, rows);
        thread::sleep(Duration::from_millis(300));
        if columns == 30 {
            session.wait("the notice", |text| text.contains("too small: needs 40x10"));
        }
    }
    session.written.lock().unwrap().clear();
    session.master.resize(size(80, 24)).unwrap();
    session.size = (80, 24);
    session.wait("the panes again", |text| text.contains("stages") && text.contains("20 of 20"));
    session.press("\u{3}\u{3}");
    assert_eq!(session.end_after_clearing(), 130);
}

impl Session {
    /// As [`Session::end`], where the beginning of the output was thrown away.
    fn end_after_clearing(self) -> u32 {
        self.written.lock().unwrap().splice(0..0, *b"\x1b[?1049h\x1b[?25l");
        self.end().0
    }
}

#[test]
fn the_terminal_is_given_back_after_signals() {
    for signal in ["TERM", "INT"] {
        let session = Session::start("endless", 80, 24);
        session.wait("progress", |text| text.contains("difficulty"));
        session.signal(signal);
        let (code, text) = session.end();
        assert_eq!(code, 130, "{signal}");
        assert!(text.contains("footbridge resume demo-1"), "{signal}: {text}");
    }
}

#[test]
fn a_run_whose_terminal_goes_away_ends_without_one() {
    let session = Session::start("done", 80, 24);
    session.wait("progress", |text| text.contains("difficulty"));
    session.signal("HUP");
    let (code, text) = session.end();
    assert_eq!(code, 0);
    assert!(text.contains("base  | .526"), "{text}");
}

#[test]
fn a_run_outlives_a_terminal_that_is_closed() {
    let session = Session::start("endless", 80, 24);
    session.wait("progress", |text| text.contains("20 of 20"));
    let id = session.child.process_id().unwrap().to_string();
    let Session { master, _slave, mut child, keys, reader, let_go, .. } = session;
    let_go.store(true, Ordering::SeqCst);
    // The clock on the screen moves once a second, so there is something to read.
    reader.join().unwrap();
    drop((master, _slave, keys));
    thread::sleep(Duration::from_millis(500));
    let before = ticks(&id);
    thread::sleep(Duration::from_millis(1000));
    assert!(child.try_wait().unwrap().is_none(), "the run ended with its terminal");
    let spent = ticks(&id) - before;
    assert!(spent < 15, "a run without a terminal took {spent} hundredths of a second to wait for one");
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().exit_code(), 130);
}

/// Time a process has computed so far, in hundredths of a second; 0 where the system does not say.
fn ticks(id: &str) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    after.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum()
}

#[test]
fn a_run_that_waits_for_somebody_stops_when_its_terminal_goes_away() {
    let session = Session::start("gate", 80, 24);
    session.wait("the gate", |text| text.contains("gate: bridge"));
    session.signal("HUP");
    assert_eq!(session.end().0, 130, "nobody can pass the gate any more");
    let mut session = Session::start("endless", 80, 24);
    session.wait("progress", |text| text.contains("20 of 20"));
    session.press("p");
    session.wait("the pause", |text| text.contains("paused"));
    session.signal("HUP");
    assert_eq!(session.end().0, 130, "nobody can end the pause any more");
}

#[test]
fn the_terminal_is_given_back_after_a_panic_and_its_message_is_readable() {
    let (code, text) = Session::start("panic", 80, 24).end();
    assert_ne!(code, 0);
    assert!(text.contains("deliberate panic of the screen"), "{text}");
}

#[test]
fn a_panic_of_the_engine_is_shown_and_does_not_tear_the_screen() {
    let mut session = Session::start("engine-panic", 100, 30);
    session.wait("the failure", |text| text.contains("failed: a defect in footbridge stopped the run"));
    assert!(session.parser().screen().alternate_screen());
    session.press("q");
    let (code, text) = session.end();
    assert_eq!(code, 1);
    assert!(text.contains("deliberate panic of the engine"), "{text}");
}

#[test]
fn a_terminal_too_small_at_the_start_is_bad_usage() {
    let (code, text) = Session::start("done", 30, 8).end();
    assert_eq!(code, 2);
    assert!(text.replace('\n', "").contains("needs 40x10"), "{text}");
}

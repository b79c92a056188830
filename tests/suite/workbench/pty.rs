//! The workbench as a researcher has it: this program in a pseudo-terminal, a small demo at its gates, keys, and what is
//! in the session afterwards.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use footbridge::session::records::{BridgedTrace, Prepared, Recycled, Status};
use footbridge::session::{AuditFilter, Author, Session, Sessions};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::pipeline::runs::small_args;

/// Longest wait for anything; a wait ends as soon as the thing is seen.
const PATIENCE: Duration = Duration::from_secs(120);

/// This program in a terminal of its own.
struct Terminal {
    _master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    written: Arc<Mutex<Vec<u8>>>,
    size: (u16, u16),
}

impl Terminal {
    fn start(args: &[String], home: &Path) -> Self {
        let size = (140, 44);
        let pty = PtySize { rows: size.1, cols: size.0, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(pty).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_footbridge"));
        command.args(args);
        command.arg("--sessions-dir");
        command.arg(home);
        command.cwd(home);
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        command.env("XDG_CONFIG_HOME", home);
        command.env_remove("NO_COLOR");
        let child = pair.slave.spawn_command(command).unwrap();
        let written = Arc::new(Mutex::new(Vec::new()));
        let (mut reader, sink) = (pair.master.try_clone_reader().unwrap(), Arc::clone(&written));
        thread::spawn(move || {
            let mut chunk = [0; 1 << 14];
            while let Ok(count @ 1..) = reader.read(&mut chunk) {
                sink.lock().unwrap().extend_from_slice(&chunk[..count]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { _master: pair.master, child, keys, written, size }
    }

    fn text(&self) -> String {
        let mut parser = vt100::Parser::new(self.size.1, self.size.0, 0);
        parser.process(&self.written.lock().unwrap());
        parser.screen().contents()
    }

    fn wait(&self, what: &str) {
        let began = Instant::now();
        while !self.text().contains(what) {
            assert!(began.elapsed() < PATIENCE, "never saw {what:?}; the screen:\n{}", self.text());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn end(mut self) -> u32 {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(began.elapsed() < PATIENCE, "it does not end; the screen:\n{}", self.text());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Products that a researcher decided on, as the audit log has them.
fn decided(session: &Session, table: &str) -> Vec<String> {
    let entries = session.audit(AuditFilter::default()).unwrap().map(Result::unwrap);
    let theirs = entries.filter(|entry| entry.table == table && matches!(entry.author, Author::Researcher(_)));
    theirs.map(|entry| entry.key).collect()
}

#[test]
fn a_researcher_overrides_approves_watches_and_rejects() {
    let home = tempfile::tempdir().unwrap();
    let mut args: Vec<String> = ["demo", "--seed", "3", "--session", "mine", "--review"].map(String::from).to_vec();
    args.extend(small_args());
    let mut terminal = Terminal::start(&args, home.path());
    terminal.wait("gate: bridge");
    terminal.press("4");
    terminal.wait("localize");
    // Another operation for the first step of the question that is shown: dropped, without a word why.
    terminal.press("d\r");
    terminal.wait("→ drop");
    terminal.press("\u{1}y");
    terminal.press("6");
    terminal.wait("reward");
    terminal.wait("gate: recycle");
    terminal.press("5");
    terminal.wait("why wrong");
    terminal.press("rthe excerpt is right as it stands\r");
    terminal.wait("rejected");
    terminal.press("2\u{1}y");
    terminal.wait("done in");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);

    let session = Sessions::at(home.path()).open_read_only("mine").unwrap();
    let overruled = decided(&session, "bridge");
    let bridges: Vec<(String, BridgedTrace)> = session.scan("").map(Result::unwrap).collect();
    let (question, bridge) =
        bridges.iter().find(|(_, bridge)| bridge.steps.iter().any(|step| step.overruled.is_some())).unwrap();
    assert!(overruled.contains(question), "{question} is not in the audit log: {overruled:?}");
    assert!(bridge.status.may_train() && bridge.steps.iter().any(|step| step.text.is_empty()));
    let texts: Vec<Prepared> = session.scan("1-sft-bridged/").map(|item| item.unwrap().1).collect();
    let trained = texts.iter().find(|text| text.sample.lineage.contains(&format!("bridge/{question}"))).unwrap();
    let said = &trained.sample.messages.last().unwrap().content;
    assert!(said.contains(bridge.bridged.text.trim()), "{said}\n--\n{}", bridge.bridged.text);

    let failures: Vec<(String, Recycled)> = session.scan("").map(Result::unwrap).collect();
    let rejected: Vec<_> =
        failures.iter().filter(|(_, failure)| matches!(failure.status, Status::Rejected { .. })).collect();
    assert_eq!(rejected.len(), 1);
    let (key, failure) = rejected[0];
    assert_eq!(failure.status.reason(), Some("the excerpt is right as it stands"));
    assert!(decided(&session, "recycled").contains(key));
    let taught: Vec<Prepared> = session.scan("2-sft-recycled/").map(|item| item.unwrap().1).collect();
    let of = |key: &str| taught.iter().filter(|text| text.sample.lineage.contains(&format!("recycled/{key}"))).count();
    assert_eq!(of(key), 0, "a rejected diagnosis was trained on");
    assert!(failures.iter().any(|(other, _)| of(other) == 3), "no other failure became three lessons");
}

//! Commands for a run as JSON lines on stdin, beside its events on stdout (`--json --commands`): another program can
//! review, pause and pass gates while the run is live.

use std::io::BufRead;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::pipeline::events::Command;

/// The longest line that is read, in bytes; a trace or a diagnosis takes a few thousand.
const LONGEST: u64 = 1 << 20;

/// What comes from stdin.
pub struct Commands {
    incoming: UnboundedReceiver<Result<Command, String>>,
    /// Whether more may come.
    pub open: bool,
}

impl Commands {
    /// Nothing is read.
    pub fn none() -> Self {
        Self { incoming: unbounded_channel().1, open: false }
    }

    /// Reads stdin on a thread of its own, to its end.
    pub fn from_stdin() -> Self {
        let (to, incoming) = unbounded_channel();
        std::thread::spawn(move || read(&mut std::io::stdin().lock(), |line| to.send(line).is_ok()));
        Self { incoming, open: true }
    }

    /// The next command, or what is wrong with a line; `None` at the end, and from then on [`Commands::open`] is false.
    /// Cancel-safe.
    pub async fn next(&mut self) -> Option<Result<Command, String>> {
        let next = self.incoming.recv().await;
        self.open = next.is_some();
        next
    }
}

/// Hands on each line until nobody wants more.
fn read(source: &mut impl BufRead, mut to: impl FnMut(Result<Command, String>) -> bool) {
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = std::io::Read::take(&mut *source, LONGEST).read_until(b'\n', &mut line);
        match length {
            Ok(0) => return,
            Ok(_) if line.trim_ascii().is_empty() => continue,
            Ok(_) => {
                let command = serde_json::from_slice(&line).map_err(|error| format!("no command: {error}"));
                if !to(command) {
                    return;
                }
            }
            Err(error) => {
                to(Err(format!("stdin cannot be read: {error}")));
                return;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_command_or_an_error_that_says_so() {
        let lines = "{\"command\":\"pause\"}\n\nnot json\n{\"command\":\"fly\"}\n\
                     {\"command\":\"review\",\"by\":\"ada\",\"do\":\"undo\"}\n{\"command\":\"leave-gate\"}";
        let mut heard = Vec::new();
        read(&mut lines.as_bytes(), |line| {
            heard.push(line);
            true
        });
        assert_eq!(heard[0], Ok(Command::Pause));
        assert!(heard[1].as_ref().is_err_and(|why| why.starts_with("no command")));
        assert!(heard[2].as_ref().is_err_and(|why| why.contains("fly") && why.contains("pass-gate")));
        assert!(matches!(&heard[3], Ok(Command::Review(request)) if request.by.as_deref() == Some("ada")));
        assert_eq!(heard[4], Ok(Command::LeaveGate));
        assert_eq!(heard.len(), 5);
    }
}

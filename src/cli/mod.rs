//! The shell's verbs, one file each; `args` declares them, [`run`] hands over to them.
//!
//! Data goes to stdout, narration to stderr, both through [`out`]; the exit code says how it went ([`Exit`]).

pub mod args;
pub mod exit;
pub mod out;
pub mod recipe;

use std::ffi::OsString;

use clap::{CommandFactory, Parser};

pub use args::{Cli, Verb};
pub use exit::{Exit, Failure};

/// Parses the command line, does what it asks, says what went wrong, and gives the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(asked) => {
            // clap writes help to stdout and usage errors to stderr; nobody to read it is no further error.
            drop(asked.print());
            return if asked.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    match dispatch(cli.verb) {
        Ok(exit) => exit,
        Err(failure) => {
            out::stderr(&format!("error: {}", crate::workbench::text::printable(&failure.message)));
            failure.exit
        }
    }
}

fn dispatch(verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::Demo(_) => Err(unconnected("demo")),
        Verb::Resume(_) => Err(unconnected("resume")),
        Verb::Report(_) => Err(unconnected("report")),
        Verb::Sessions(_) => Err(unconnected("sessions")),
        Verb::Recipe(_) => Err(unconnected("recipe")),
        Verb::Difficulty(_) => Err(unconnected("difficulty")),
        Verb::Score(_) => Err(unconnected("score")),
        Verb::World(_) => Err(unconnected("world")),
        Verb::Bench(_) => Err(unconnected("bench")),
        Verb::Completions { shell } => completions(shell),
    }
}

fn unconnected(verb: &str) -> Failure {
    Failure::failed(format!("`footbridge {verb}` is not part of this build"))
}

fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "footbridge", &mut script);
    let _ = out::stdout(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

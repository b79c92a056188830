//! `footbridge export`: what a session leaves for other programs.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::args::SessionsDir;
use super::exit::{Exit, Failure};
use super::out::{self, Pipe};
use crate::export::{dataset, gather, weights};
use crate::pipeline::begun::recipe_of;
use crate::session::{Session, Sessions};

/// Arguments of `export`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  footbridge export weights demo-1 --out student      the best checkpoint on dev\n  \
                        footbridge export weights lora-1 --checkpoint 2-grpo --merged --out student\n  footbridge \
                        export data demo-1 --stage 1-sft > acquisition.jsonl"
)]
pub struct ExportArgs {
    /// What to take out.
    #[command(subcommand)]
    pub verb: ExportVerb,
}

/// What can be taken out.
#[derive(Debug, Subcommand)]
pub enum ExportVerb {
    /// A checkpoint: a Hugging Face folder, or the PEFT folder of an adapter
    Weights {
        /// Name of the session
        name: String,
        /// Which; the best on the dev split when not given
        #[arg(long, value_name = "ID")]
        checkpoint: Option<String>,
        /// Add an adapter into its base, so that the folder is a student of its own
        #[arg(long)]
        merged: bool,
        /// The folder to write; it must not be there yet
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Where the session is kept.
        #[command(flatten)]
        sessions: SessionsDir,
    },
    /// The training texts as JSON lines on stdout: messages, kind, stage, lineage
    Data {
        /// Name of the session
        name: String,
        /// Only stages whose name begins with this, as `1-sft` or `2-sft-recycled`
        #[arg(long, value_name = "STAGE", default_value = "", hide_default_value = true)]
        stage: String,
        /// Where the session is kept.
        #[command(flatten)]
        sessions: SessionsDir,
    },
}

/// Takes it out.
///
/// # Errors
/// An unknown session, checkpoint or stage, and what the disk refuses.
pub fn run(args: &ExportArgs) -> Result<Exit, Failure> {
    match &args.verb {
        ExportVerb::Weights { name, checkpoint, merged, out: to, sessions } => {
            let session = Sessions::at(&sessions.path).open_read_only(name).map_err(Failure::usage)?;
            let recipe = recipe_of(&session)?;
            let id = match checkpoint {
                Some(id) => id.clone(),
                None => best(&session)?,
            };
            let said = weights(&session, &recipe, &id, *merged, to).map_err(Failure::usage)?;
            out::stderr(&format!("{}: {said}", to.display()));
        }
        ExportVerb::Data { name, stage, sessions } => {
            let session = Sessions::at(&sessions.path).open_read_only(name).map_err(Failure::usage)?;
            let mut fault = None;
            let each = |line: String| match out::json_line(&line) {
                Ok(Pipe::Open) => true,
                Ok(Pipe::Closed) => false,
                Err(error) => {
                    fault = Some(error);
                    false
                }
            };
            let lines = dataset(&session, stage, each).map_err(Failure::failed)?;
            if let Some(error) = fault {
                return Err(error);
            }
            if lines == 0 {
                let which = if stage.is_empty() { String::new() } else { format!(" of a stage `{stage}…`") };
                return Err(Failure::usage(format!("session `{name}` has no training texts{which} yet")));
            }
        }
    }
    Ok(Exit::Done)
}

/// The best checkpoint on dev.
fn best(session: &Session) -> Result<String, Failure> {
    let recipe = recipe_of(session)?;
    let report = gather(session, &recipe).map_err(Failure::failed)?;
    report.results.best.ok_or_else(|| {
        Failure::usage(format!(
            "session `{}` has no checkpoint measured on dev yet; name one with --checkpoint",
            session.name()
        ))
    })
}

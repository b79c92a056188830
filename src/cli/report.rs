//! `footbridge report`: what a run found, as far as it has come. Reads beside a running program.

use super::args::ReportArgs;
use super::exit::{Exit, Failure};
use super::out;
use super::start::recipe_of;
use crate::export::gather;
use crate::session::{Session, Sessions};

/// Prints the report.
pub fn run(args: &ReportArgs) -> Result<Exit, Failure> {
    let session = Sessions::at(&args.sessions.path).open_read_only(&args.name).map_err(Failure::usage)?;
    let _ = out::stdout(&text(&session, args.json)?)?;
    Ok(Exit::Done)
}

/// The report of a session as text, or as JSON.
pub fn text(session: &Session, json: bool) -> Result<String, Failure> {
    let report = gather(session, &recipe_of(session)?).map_err(Failure::failed)?;
    if json {
        let text = serde_json::to_string_pretty(&report).map_err(Failure::failed)?;
        return Ok(text + "\n");
    }
    Ok(report.to_string())
}

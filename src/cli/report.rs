//! `footbridge report`: what a run found, as far as it has come. Reads beside a running program.

use super::args::ReportArgs;
use super::exit::{Exit, Failure};
use super::out;
use crate::export::{BesideError, Report, beside, gather};
use crate::pipeline::begun::recipe_of;
use crate::session::{Session, Sessions};

/// Prints the report.
pub fn run(args: &ReportArgs) -> Result<Exit, Failure> {
    let sessions = Sessions::at(&args.sessions.path);
    let open = |name: &String| sessions.open_read_only(name).map_err(Failure::usage);
    let session = open(&args.name)?;
    let printed = if args.beside.is_empty() {
        text(&session, args.json)?
    } else {
        let mut others = Vec::new();
        for name in &args.beside {
            let other = open(name)?;
            let recipe = recipe_of(&other)?;
            others.push((other, recipe));
        }
        let report = beside((&session, &recipe_of(&session)?), &others).map_err(|error| match error {
            BesideError::Session(error) => Failure::failed(error),
            error => Failure::usage(error),
        })?;
        show(&report, args.json)?
    };
    let _ = if args.json { out::json(&printed)? } else { out::stdout(&printed)? };
    Ok(Exit::Done)
}

/// The report of a session as text, or as JSON.
pub fn text(session: &Session, json: bool) -> Result<String, Failure> {
    show(&gather(session, &recipe_of(session)?).map_err(Failure::failed)?, json)
}

fn show(report: &Report, json: bool) -> Result<String, Failure> {
    if json {
        let text = serde_json::to_string_pretty(report).map_err(Failure::failed)?;
        return Ok(text + "\n");
    }
    Ok(report.to_string())
}

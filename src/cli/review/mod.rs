//! `footbridge review`: the researcher's decisions from the shell, on a session that no run holds. Listing, showing and
//! the log read beside a run.

pub mod args;
mod edit;
mod log;
mod show;

use args::{ByArgs, FilterArgs, ReviewArgs, ReviewVerb, SessionArg, StatusName, WhichArgs};

use super::exit::{Exit, Failure};
use super::out;
use crate::pipeline::begun::recipe_of;
use crate::pipeline::review::{Act, Filter, Request, ReviewError, Which, offline};
use crate::session::{Session, Sessions};

/// Does what was asked.
///
/// # Errors
/// Bad usage where a decision is refused; a failure where the session cannot be written.
pub fn run(args: ReviewArgs) -> Result<Exit, Failure> {
    match args.verb {
        ReviewVerb::List { session, filter, json } => show::list(&reading(&session)?, &chosen(filter), json),
        ReviewVerb::Show { session, product, json } => show::one(&reading(&session)?, &product, json),
        ReviewVerb::Log { session, log } => log::run(&reading(&session)?, &log),
        ReviewVerb::Approve { session, which, by } => decide(&session, by, Act::Approve { what: meant(which)? }),
        ReviewVerb::Reject { session, which, by } => decide(&session, by, Act::Reject { what: meant(which)? }),
        ReviewVerb::Edit { session, product, step, field, text, by } => {
            let act = edit::act(&session, product, (step, field), &text)?;
            decide(&session, by, act)
        }
        ReviewVerb::SetScore { session, question, step, score, value, by } => {
            decide(&session, by, Act::SetScore { question, step, score, value })
        }
        ReviewVerb::Override { session, question, step, action, local, text, by } => {
            let local = local.then_some(true);
            decide(&session, by, Act::OverrideAction { question, step, action, local, text })
        }
        ReviewVerb::Split { session, question, step, at, by } => {
            decide(&session, by, Act::SplitStep { question, step, at })
        }
        ReviewVerb::Merge { session, question, step, by } => decide(&session, by, Act::MergeSteps { question, step }),
        ReviewVerb::Ask { session, product, step, by } => decide(&session, by, Act::AskAgain { product, step }),
        ReviewVerb::Undo { session, product, by } => decide(&session, by, Act::Undo { of: product }),
        ReviewVerb::Redo { session, product, by } => decide(&session, by, Act::Redo { of: product }),
    }
}

fn reading(session: &SessionArg) -> Result<Session, Failure> {
    Sessions::at(&session.sessions.path).open_read_only(&session.name).map_err(Failure::usage)
}

fn decide(session: &SessionArg, by: ByArgs, act: Act) -> Result<Exit, Failure> {
    let session = Sessions::at(&session.sessions.path).open(&session.name).map_err(Failure::usage)?;
    for note in session.notes() {
        out::stderr(note);
    }
    let recipe = recipe_of(&session)?;
    let ByArgs { by, reason } = by;
    let applied = offline::decide(&session, &recipe, &Request { by, reason, act }).map_err(|error| match error {
        ReviewError::Session(error) => Failure::failed(error),
        error => Failure::usage(error),
    })?;
    for note in &applied.notes {
        out::stderr(&format!("warning: {note}"));
    }
    let products: Vec<String> = applied.products.iter().take(8).map(ToString::to_string).collect();
    let more = applied.products.len().saturating_sub(products.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let _ = out::stdout(&format!(
        "decision {}: {}\nchanged: {}{more}",
        applied.decision,
        applied.line,
        products.join(", ")
    ))?;
    Ok(Exit::Done)
}

fn chosen(args: FilterArgs) -> Filter {
    let status = args.status.map(|status| match status {
        StatusName::Proposed => "proposed",
        StatusName::Approved => "approved",
        StatusName::Edited => "edited",
        StatusName::Rejected => "rejected",
        StatusName::Review => "review",
    });
    let kind = args.kind.map(Into::into);
    Filter { kind, status: status.map(Into::into), iteration: args.iteration, text: args.search }
}

/// What is decided on.
fn meant(args: WhichArgs) -> Result<Which, Failure> {
    let filter = &args.filter;
    let narrowed =
        filter.kind.is_some() || filter.status.is_some() || filter.iteration.is_some() || filter.search.is_some();
    match args.all {
        true => Ok(Which::All(chosen(args.filter))),
        false if narrowed => Err(Failure::usage(
            "--kind, --status, --iteration and --search narrow --all down; products that are named are taken as they are",
        )),
        false => Ok(Which::Ids(args.products)),
    }
}

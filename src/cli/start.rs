//! `footbridge demo` and `footbridge resume`: from arguments to a running loop and a face that shows it.

use std::path::Path;

use super::args::{ArmName, DemoArgs, ResumeArgs, SESSIONS, SessionsDir};
use super::exit::{Exit, Failure};
use super::face::{self, Face};
use super::{out, report};
use crate::pipeline::run::{self, Ground};
use crate::recipe::{Arm, Gate, Loaded, Recipe};
use crate::session::{NewSession, Session, Sessions};
use crate::workbench::handle::RunHandle;
use crate::workbench::probe::Surroundings;

/// Starts a new run of the demo.
pub fn demo(args: &DemoArgs) -> Result<Exit, Failure> {
    let mut recipe = Recipe::find(&args.recipe).and_then(|r| r.with(&args.set)).map_err(Failure::usage)?;
    if let Some(seed) = args.seed {
        recipe.seed = seed;
    }
    if let Some(arm) = args.arm {
        recipe.arm = match arm {
            ArmName::Bridged => Arm::Bridged,
            ArmName::RawHard => Arm::RawHard,
            ArmName::Neutral => Arm::Neutral,
        };
    }
    if args.review {
        recipe.gates.bridge = Gate::Review;
        recipe.gates.diagnosis = Gate::Review;
    }
    recipe.validate().map_err(Failure::usage)?;
    let sessions = Sessions::at(&args.sessions.path);
    let name = match &args.session {
        Some(name) => name.clone(),
        None => free_name(&sessions, recipe.arm)?,
    };
    let face = face::choose(&args.face, &Surroundings::read())?;
    let ground = Ground::lay_aloud(&recipe, threads(args.threads), &mut out::stderr).map_err(Failure::usage)?;
    let new = NewSession { recipe: &recipe.to_toml(), seed: recipe.seed };
    let session = sessions.create(&name, &new).map_err(Failure::usage)?;
    go(session, recipe, (ground, threads(args.threads)), &args.sessions, (&face, args.face.shot.as_deref()))
}

/// Continues a run.
pub fn resume(args: &ResumeArgs) -> Result<Exit, Failure> {
    let face = face::choose(&args.face, &Surroundings::read())?;
    let session = Sessions::at(&args.sessions.path).open(&args.name).map_err(Failure::usage)?;
    let recipe = recipe_of(&session)?;
    let ground = Ground::lay_aloud(&recipe, threads(args.threads), &mut out::stderr).map_err(Failure::usage)?;
    go(session, recipe, (ground, threads(args.threads)), &args.sessions, (&face, args.face.shot.as_deref()))
}

/// The recipe a session was started with.
pub fn recipe_of(session: &Session) -> Result<Recipe, Failure> {
    let (text, path) = session.recipe().map_err(Failure::usage)?;
    Ok(Loaded::parse(&text, &path.display().to_string()).map_err(Failure::usage)?.recipe)
}

/// The number of worker threads: as asked, else every core.
pub fn threads(asked: Option<u16>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    asked.map_or_else(cores, usize::from)
}

fn go(
    session: Session,
    recipe: Recipe,
    (ground, threads): (Ground, usize),
    sessions: &SessionsDir,
    (face, shot): (&Face, Option<&Path>),
) -> Result<Exit, Failure> {
    let name = session.name().to_string();
    for note in session.notes() {
        out::stderr(note);
    }
    let run = run::start(session, recipe, ground);
    let handle = RunHandle {
        session: name.clone(),
        resume: resume_command(&name, &sessions.path),
        device: format!("cpu · {threads} threads"),
        events: run.events,
        commands: run.commands,
        thread: run.handle,
    };
    face::watch(face, handle, shot, || {
        let session = Sessions::at(&sessions.path).open_read_only(&name).map_err(Failure::failed)?;
        report::text(&session, false)
    })
}

/// The command that goes on with a session, as a shell takes it.
fn resume_command(name: &str, sessions: &Path) -> String {
    if sessions == Path::new(SESSIONS) {
        return format!("footbridge resume {name}");
    }
    let folder = sessions.display().to_string();
    let plain = folder.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c));
    let folder = if plain { folder } else { format!("'{}'", folder.replace('\'', "'\\''")) };
    format!("footbridge resume {name} --sessions-dir {folder}")
}

/// `demo-1`, `demo-2`, … or `demo-raw-hard-1`: the first that is free.
fn free_name(sessions: &Sessions, arm: Arm) -> Result<String, Failure> {
    let stem = match arm {
        Arm::Bridged => "demo".to_string(),
        other => format!("demo-{}", other.name()),
    };
    let taken = sessions.names().map_err(Failure::usage)?;
    let name = (1..).map(|n| format!("{stem}-{n}")).find(|name| !taken.contains(name));
    Ok(name.unwrap_or(stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_to_go_on_names_a_folder_that_is_not_the_usual_one() {
        let cases = [
            (SESSIONS, "footbridge resume a-1"),
            ("/data/runs", "footbridge resume a-1 --sessions-dir /data/runs"),
            ("my runs", "footbridge resume a-1 --sessions-dir 'my runs'"),
            ("it's", "footbridge resume a-1 --sessions-dir 'it'\\''s'"),
        ];
        for (folder, command) in cases {
            assert_eq!(resume_command("a-1", Path::new(folder)), command);
        }
    }
}

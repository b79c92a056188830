//! `footbridge demo`, `run` and `resume`: from arguments to a running loop and a face that shows it.

use std::path::Path;

use super::args::{ArmName, DemoArgs, FaceArgs, ResumeArgs, RunArgs, SESSIONS, SessionsDir};
use super::exit::{Exit, Failure};
use super::face::{self, Face};
use super::{forecast, out, report};
use crate::pipeline::material::WORLD;
use crate::pipeline::run::{self, Ground};
use crate::pipeline::teaching::resumed;
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
    choices(&mut recipe, args.arm, args.review);
    args.device.choose(&mut recipe);
    recipe.prompts.folder = args.prompts.clone().unwrap_or(recipe.prompts.folder);
    recipe.validate().map_err(Failure::usage)?;
    let new = New { stem: "demo", name: args.session.as_deref(), sessions: &args.sessions, threads: args.threads };
    begin(recipe, &new, &args.face)
}

/// Starts a new run on any recipe, or says what it would take.
pub fn run(args: &RunArgs) -> Result<Exit, Failure> {
    let mut recipe = Recipe::find(&args.recipe).map_err(Failure::usage)?;
    for (given, setting) in [
        (&args.student, &mut recipe.student.path),
        (&args.data, &mut recipe.data.source),
        (&args.data_folder, &mut recipe.data.folder),
        (&args.prompts, &mut recipe.prompts.folder),
    ] {
        if let Some(given) = given {
            setting.clone_from(given);
        }
    }
    if let Some(seed) = args.seed {
        recipe.seed = seed;
    }
    if let Some(limit) = args.limit {
        limited(&mut recipe, limit as usize);
    }
    let mut recipe = recipe.with(&args.set).map_err(Failure::usage)?;
    choices(&mut recipe, args.arm, args.review);
    args.device.choose(&mut recipe);
    recipe.validate().map_err(Failure::usage)?;
    if args.dry_run {
        return forecast::run(&recipe, threads(args.threads), args.face.json);
    }
    let stem = Path::new(&args.recipe).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = session_word(stem.strip_suffix(".toml").unwrap_or(&stem));
    let new = New { stem: &stem, name: args.session.as_deref(), sessions: &args.sessions, threads: args.threads };
    begin(recipe, &new, &args.face)
}

/// At most so many questions of each kind.
fn limited(recipe: &mut Recipe, limit: usize) {
    let most = |count: &mut usize| *count = if *count == 0 { limit } else { limit.min(*count) };
    let data = &mut recipe.data;
    data.dev = data.dev.min(limit);
    most(&mut data.train);
    most(&mut recipe.evaluate.limit);
    if data.source == WORLD {
        data.test = data.test.min(limit);
        data.ood = data.ood.min(limit);
    }
}

/// What the arguments say about arm and gates.
fn choices(recipe: &mut Recipe, arm: Option<ArmName>, review: bool) {
    if let Some(arm) = arm {
        recipe.arm = match arm {
            ArmName::Bridged => Arm::Bridged,
            ArmName::RawHard => Arm::RawHard,
            ArmName::Neutral => Arm::Neutral,
        };
    }
    if review {
        recipe.gates.bridge = Gate::Review;
        recipe.gates.diagnosis = Gate::Review;
    }
}

/// Where and under which name a new session begins.
struct New<'a> {
    stem: &'a str,
    name: Option<&'a str>,
    sessions: &'a SessionsDir,
    threads: Option<u16>,
}

fn begin(recipe: Recipe, new: &New, face_args: &FaceArgs) -> Result<Exit, Failure> {
    let sessions = Sessions::at(&new.sessions.path);
    let name = match new.name {
        Some(name) => name.to_string(),
        None => free_name(&sessions, new.stem, recipe.arm)?,
    };
    let face = face::choose(face_args, &Surroundings::read())?;
    let ground = Ground::lay_aloud(&recipe, threads(new.threads), &mut out::stderr).map_err(Failure::usage)?;
    let made = NewSession { recipe: &recipe.to_toml(), seed: recipe.seed };
    let session = sessions.create(&name, &made).map_err(Failure::usage)?;
    go(session, recipe, (ground, threads(new.threads)), new.sessions, (&face, face_args.shot.as_deref()))
}

/// Settings that may change on the way: none decides what a training text says or a student learns.
const ADJUSTABLE: [&str; 16] = [
    "teacher.base_url",
    "teacher.api_key_env",
    "teacher.allow_http",
    "teacher.budget",
    "teacher.budget_tokens",
    "teacher.price_in",
    "teacher.price_out",
    "teacher.concurrency",
    "teacher.requests_per_minute",
    "teacher.tokens_per_minute",
    "teacher.timeout",
    "gates.bridge",
    "gates.diagnosis",
    "student.slots",
    "student.device",
    "student.compute",
];

/// Continues a run.
pub fn resume(args: &ResumeArgs) -> Result<Exit, Failure> {
    let face = face::choose(&args.face, &Surroundings::read())?;
    let session = Sessions::at(&args.sessions.path).open(&args.name).map_err(Failure::usage)?;
    let mut recipe = adjusted(recipe_of(&session)?, &args.set)?;
    args.device.choose(&mut recipe);
    let ground = Ground::lay_aloud(&resumed(&recipe, &session), threads(args.threads), &mut out::stderr)
        .map_err(Failure::usage)?
        .refreshing(args.refresh);
    ground.fits(&session).map_err(Failure::usage)?;
    go(session, recipe, (ground, threads(args.threads)), &args.sessions, (&face, args.face.shot.as_deref()))
}

/// A session's recipe with settings of this part of the run.
fn adjusted(recipe: Recipe, set: &[(String, String)]) -> Result<Recipe, Failure> {
    if let Some((key, _)) = set.iter().find(|(key, _)| !ADJUSTABLE.contains(&key.as_str())) {
        let may = ADJUSTABLE.join(", ");
        return Err(Failure::usage(format!(
            "{key} is fixed for a session that has begun; what may change on the way is {may}"
        )));
    }
    let recipe = recipe.with(set).map_err(Failure::usage)?;
    recipe.validate().map_err(Failure::usage)?;
    Ok(recipe)
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
    let device = ground.device(threads);
    let run = run::start(session, recipe, ground);
    let handle = RunHandle {
        session: name.clone(),
        resume: resume_command(&name, &sessions.path),
        device,
        events: run.events,
        commands: run.commands,
        thread: run.handle,
    };
    face::watch(face, handle, shot, || {
        let session = Sessions::at(&sessions.path).open_read_only(&name).map_err(Failure::failed)?;
        report::text(&session, false)
    })
}

/// A text as part of a session's name: other characters than letters, digits, `.`, `-` and `_` become `-`.
pub fn session_word(text: &str) -> String {
    const LONGEST: usize = 40;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let word: String = text.chars().map(|c| if allowed(c) { c } else { '-' }).take(LONGEST).collect();
    let word = word.trim_matches(['.', '-', '_']);
    if word.is_empty() { "run".into() } else { word.into() }
}

/// The command that goes on with a session, as a shell takes it.
pub fn resume_command(name: &str, sessions: &Path) -> String {
    if sessions == Path::new(SESSIONS) {
        return format!("footbridge resume {name}");
    }
    let folder = sessions.display().to_string();
    let plain = folder.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c));
    let folder = if plain { folder } else { format!("'{}'", folder.replace('\'', "'\\''")) };
    format!("footbridge resume {name} --sessions-dir {folder}")
}

/// `demo-1`, `demo-2`, … or `demo-raw-hard-1`: the first that is free.
fn free_name(sessions: &Sessions, stem: &str, arm: Arm) -> Result<String, Failure> {
    let stem = match arm {
        Arm::Bridged => stem.to_string(),
        other => format!("{stem}-{}", other.name()),
    };
    let taken = sessions.names().map_err(Failure::usage)?;
    let name = (1..).map(|n| format!("{stem}-{n}")).find(|name| !taken.contains(name));
    Ok(name.unwrap_or(stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_holds_for_every_kind_of_question_and_names_are_cleaned() {
        let mut recipe = Recipe::default();
        limited(&mut recipe, 12);
        assert_eq!((recipe.data.train, recipe.data.dev, recipe.evaluate.limit), (12, 12, 12));
        recipe.data.train = 5;
        limited(&mut recipe, 7);
        assert_eq!((recipe.data.train, recipe.data.dev, recipe.evaluate.limit), (5, 7, 7));
        assert_eq!((session_word("my run!"), session_word("…")), ("my-run".into(), "run".into()));
    }

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

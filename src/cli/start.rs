//! `footbridge`, `footbridge demo`, `run` and `resume`: from arguments to a running loop and a face that shows it.

use std::path::Path;
use std::sync::Arc;

use super::args::{ArmName, DemoArgs, FaceArgs, ResumeArgs, RunArgs, SESSIONS, SessionsDir, WorkbenchArgs};
use super::exit::{Exit, Failure};
use super::face::{self, Face, First};
use super::{forecast, out, report, student_word};
use crate::pipeline::begun::recipe_of;
use crate::pipeline::outlook::{Counted, Outlook};
use crate::pipeline::run::{self, Ground};
use crate::pipeline::teaching::resumed;
use crate::recipe::{Arm, Gate, Recipe};
use crate::session::{NewSession, Session, Sessions, session_word};
use crate::workbench::handle::RunHandle;
use crate::workbench::house::{House, Launch, Launcher};
use crate::workbench::jobs::Cancel;
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
        recipe.limit(limit as usize);
    }
    let mut recipe = recipe.with(&args.set).map_err(Failure::usage)?;
    choices(&mut recipe, args.arm, args.review);
    args.device.choose(&mut recipe);
    recipe.validate().map_err(Failure::usage)?;
    student_word::resolve(&mut recipe, &Sessions::at(&args.sessions.path))?;
    if args.dry_run {
        return forecast::run(&recipe, threads(args.threads), args.face.json);
    }
    let stem = Path::new(&args.recipe).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = session_word(stem.strip_suffix(".toml").unwrap_or(&stem));
    let new = New { stem: &stem, name: args.session.as_deref(), sessions: &args.sessions, threads: args.threads };
    begin(recipe, &new, &args.face)
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
    let starter = Starter { sessions, threads: threads(new.threads) };
    let run = starter.begin(recipe, &name, &mut out::stderr)?;
    go(run, starter, &face)
}

/// Settings that may change on the way: none decides what a training text says or a student learns.
const ADJUSTABLE: [&str; 19] = [
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
    "sft.save_every",
    "grpo.save_every",
    "student.slots",
    "student.checkpointing",
    "student.device",
    "student.compute",
];

/// Continues a run.
pub fn resume(args: &ResumeArgs) -> Result<Exit, Failure> {
    let face = face::choose(&args.face, &Surroundings::read())?;
    let starter = Starter { sessions: Sessions::at(&args.sessions.path), threads: threads(args.threads) };
    let device = args.device.choice.map(|choice| ("student.device".to_string(), choice.to_string()));
    let set: Vec<_> = args.set.iter().cloned().chain(device).collect();
    let run = starter.resume(&args.name, &set, args.refresh, &mut out::stderr)?;
    go(run, starter, &face)
}

/// `footbridge` alone: the workbench, with a session on it where one is named.
pub fn workbench(args: &WorkbenchArgs) -> Result<Exit, Failure> {
    let around = Surroundings::read();
    let Face::Live(dress) = face::choose(&FaceArgs { looks: args.looks.clone(), ..FaceArgs::default() }, &around)?
    else {
        return Err(Failure::usage("the workbench needs a terminal; `footbridge --help` lists what works without one"));
    };
    let sessions = Sessions::at(&args.sessions.path);
    let first = match &args.session {
        Some(name) if sessions.contains(name) => First::Session(name.clone()),
        Some(name) => {
            sessions.summary(name).map_err(Failure::usage)?;
            First::Home
        }
        None => First::Home,
    };
    let starter = Starter { sessions, threads: threads(args.threads) };
    let house = starter.house();
    face::workbench(&dress, &house, first, &|name| table(&house.sessions, name))
}

/// Begins and continues runs, for the shell and for the workbench.
#[derive(Clone)]
struct Starter {
    sessions: Sessions,
    threads: usize,
}

impl Starter {
    fn begin(&self, mut recipe: Recipe, name: &str, tell: &mut dyn FnMut(&str)) -> Result<RunHandle, Failure> {
        student_word::resolve(&mut recipe, &self.sessions)?;
        let ground = Ground::lay_aloud(&recipe, self.threads, tell).map_err(Failure::usage)?;
        let made = NewSession { recipe: &recipe.to_toml(), seed: recipe.seed };
        let session = self.sessions.create(name, &made).map_err(Failure::usage)?;
        Ok(self.start(session, recipe, ground, tell))
    }

    fn resume(
        &self,
        name: &str,
        set: &[(String, String)],
        refresh: bool,
        tell: &mut dyn FnMut(&str),
    ) -> Result<RunHandle, Failure> {
        let session = self.sessions.open(name).map_err(Failure::usage)?;
        let recipe = adjusted(recipe_of(&session)?, set)?;
        let ground = Ground::lay_aloud(&resumed(&recipe, &session), self.threads, tell)
            .map_err(Failure::usage)?
            .refreshing(refresh);
        ground.fits(&session).map_err(Failure::usage)?;
        Ok(self.start(session, recipe, ground, tell))
    }

    fn start(&self, session: Session, recipe: Recipe, ground: Ground, tell: &mut dyn FnMut(&str)) -> RunHandle {
        let name = session.name().to_string();
        session.notes().iter().for_each(|note| tell(note));
        let device = ground.device(self.threads);
        handle(run::start(session, recipe, ground), &name, resume_command(&name, self.sessions.root()), device)
    }

    fn house(&self) -> House {
        House::new(self.sessions.clone(), Some(Arc::new(self.clone())))
    }
}

impl Launcher for Starter {
    fn launch(&self, launch: &Launch, tell: &mut dyn FnMut(&str)) -> Result<RunHandle, String> {
        let begun = match launch {
            Launch::New { recipe, name: Some(name) } => self.begin((**recipe).clone(), name, tell),
            Launch::New { recipe, name: None } => free_name(&self.sessions, "run", recipe.arm)
                .and_then(|name| self.begin((**recipe).clone(), &name, tell)),
            Launch::Resume { name } => self.resume(name, &[], false, tell),
        };
        begun.map_err(|failure| failure.message)
    }

    fn foresee(
        &self,
        recipe: &Recipe,
        measured: bool,
        counted: &mut dyn FnMut(&Outlook),
        cancel: &Cancel,
    ) -> Result<Outlook, String> {
        let ready = Counted::of(recipe, self.threads).map_err(|error| error.to_string())?;
        counted(&ready.outlook);
        if !measured {
            return Ok(ready.outlook);
        }
        ready.measured(&|| !cancel.cancelled()).map_err(|error| error.to_string())
    }
}

/// A run as faces see it.
pub fn handle(run: run::Run, name: &str, resume: String, device: String) -> RunHandle {
    RunHandle {
        session: name.to_string(),
        resume,
        device,
        live: run.session,
        events: run.events,
        commands: run.commands,
        thread: run.handle,
    }
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

/// The number of worker threads: as asked, else every core.
pub fn threads(asked: Option<u16>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    asked.map_or_else(cores, usize::from)
}

fn go(run: RunHandle, starter: Starter, face: &Face) -> Result<Exit, Failure> {
    face::watch(face, run, &starter.house(), &|name| table(&starter.sessions, name))
}

fn table(sessions: &Sessions, name: &str) -> Result<String, Failure> {
    let session = sessions.open_read_only(name).map_err(Failure::failed)?;
    report::text(&session, false)
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
    sessions.free_name(&stem).map_err(Failure::usage)
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

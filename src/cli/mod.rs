//! The shell's verbs, one file each; `args` declares them, [`run`] hands over to them.
//!
//! Data goes to stdout, narration to stderr, both through [`out`]; the exit code says how it went ([`Exit`]).

pub mod args;
pub mod bench;
pub mod bench_screen;
pub mod bench_session;
pub mod commands;
pub mod data;
pub mod difficulty;
pub mod doctor;
pub mod eval;
pub mod exit;
pub mod export;
pub mod face;
pub mod forecast;
pub mod keys;
pub mod out;
pub mod paint;
pub mod plain;
pub mod preview;
pub mod prompts;
pub mod recipe;
pub mod report;
pub mod review;
pub mod score;
pub mod sessions;
pub mod shot;
pub mod start;
pub mod student;
pub mod student_word;
pub mod teacher;
pub mod themes;
pub mod why;
pub mod world;

use std::ffi::OsString;

use clap::{CommandFactory, Parser};

pub use args::{Cli, Verb};
use args::{RecipeVerb, SessionsDir, SessionsVerb};
pub use exit::{Exit, Failure};

use crate::recipe::{DeviceChoice, Recipe};
use crate::session::Sessions;
use crate::student::device::place;

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
    let done = match cli.verb {
        Some(verb) => dispatch(verb),
        None => start::workbench(&cli.workbench),
    };
    match done {
        Ok(exit) => exit,
        Err(failure) => {
            out::stderr(&format!("error: {}", failure.message));
            failure.exit
        }
    }
}

fn dispatch(verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::Demo(args) => start::demo(&args),
        Verb::Run(args) => start::run(&args),
        Verb::Eval(args) => eval::run(&args),
        Verb::Resume(args) => start::resume(&args),
        Verb::Report(args) => report::run(&args),
        Verb::Why(args) => why::run(&args),
        Verb::Preview(args) => preview::run(&args),
        Verb::Export(args) => export::run(&args),
        Verb::Review(args) => review::run(args),
        Verb::Sessions(args) => sessions(&args.verb),
        Verb::Recipe(args) => recipe(&args.verb),
        Verb::Difficulty(args) => difficulty::run(&args),
        Verb::Score(args) => score::run(&args),
        Verb::Data(args) => data::run(&args.verb),
        Verb::Prompts(args) => prompts::run(&args.verb),
        Verb::Teacher(args) => teacher::run(&args.verb),
        Verb::World(args) => world::run(&args),
        Verb::Student(args) => student::run(&args),
        Verb::Shot(args) => shot::run(&args),
        Verb::Themes(args) => themes::run(&args.verb),
        Verb::Keys(args) => keys::run(&args.verb),
        Verb::Bench(args) => bench(&args),
        Verb::Doctor(args) => doctor::run(&args),
        Verb::Completions { shell } => completions(shell),
    }
}

fn sessions(verb: &SessionsVerb) -> Result<Exit, Failure> {
    let at = |dir: &SessionsDir| Sessions::at(&dir.path);
    let mut exit = Exit::Done;
    let text = match verb {
        SessionsVerb::List { json, sessions: dir } => sessions::list_as(&at(dir), *json),
        SessionsVerb::Show { name, json, sessions: dir } => sessions::show_as(&at(dir), name, *json),
        SessionsVerb::Rename { old, new, sessions: dir } => sessions::rename(&at(dir), old, new),
        SessionsVerb::Rm { name, yes, sessions: dir } => sessions::rm(&at(dir), name, *yes),
        SessionsVerb::Check { name, sessions: dir } => sessions::check(&at(dir), name).map(|(text, sound)| {
            exit = if sound { Exit::Done } else { Exit::Failed };
            text
        }),
        SessionsVerb::Bench(args) => return bench_session::run(args),
        SessionsVerb::Repair { name, sessions: dir } => sessions::repair(&at(dir), name),
    };
    let text = text.map_err(Failure::usage)?;
    let _ = match verb {
        SessionsVerb::List { json: true, .. } | SessionsVerb::Show { json: true, .. } => out::json(&text)?,
        _ => out::stdout(&text)?,
    };
    Ok(exit)
}

fn recipe(verb: &RecipeVerb) -> Result<Exit, Failure> {
    match verb {
        RecipeVerb::Show { recipe, set, json } => {
            let recipe = Recipe::find(recipe).and_then(|r| r.with(set)).map_err(Failure::usage)?;
            let _ = if *json {
                out::json(&serde_json::to_string_pretty(&recipe).map_err(Failure::failed)?)?
            } else {
                out::stdout(&recipe.to_toml())?
            };
        }
        RecipeVerb::Check { files } => {
            let mut faults = Vec::new();
            for file in files {
                match recipe::check(file) {
                    Ok(said) => drop(out::stdout(&said)?),
                    Err(fault) => faults.push(fault.to_string()),
                }
            }
            if !faults.is_empty() {
                return Err(Failure::usage(faults.join("\n")));
            }
        }
    }
    Ok(Exit::Done)
}

fn bench(args: &bench::args::BenchArgs) -> Result<Exit, Failure> {
    if args.screen {
        return bench_screen::run(&args.of, args.json);
    }
    let threads = match args.threads {
        Some(n) => usize::from(n),
        None => std::thread::available_parallelism().map_or(2, usize::from),
    };
    let batches = args.batch.iter().map(|batch| usize::from(*batch)).collect();
    let choice = args.device.choice.unwrap_or(DeviceChoice::Cpu);
    let placed = place(choice, args.compute).map_err(Failure::usage)?;
    let plan = bench::BenchPlan { shape: args.shape, placed, threads, batches, parts: args.only.clone() };
    let measured = || bench::run(&plan, args.json, &mut out::stderr).map_err(Failure::failed);
    let figures = exit::on_device(&plan.placed, measured)?;
    let _ = if args.json { out::json_line(&figures)? } else { out::stdout(&figures)? };
    Ok(Exit::Done)
}

fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "footbridge", &mut script);
    let _ = out::stdout(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

//! `footbridge eval`: a student on benchmarks. It is a run without iterations, so every answer is kept in a session, and
//! the same command goes on where it was stopped.

use super::args::{EvalArgs, Form};
use super::data::mapped;
use super::exit::{Exit, Failure};
use super::face::{self, Face};
use super::start::{handle, resume_command, threads};
use super::{out, student_word};
use crate::export::evaluation;
use crate::pipeline::begun::recipe_of;
use crate::pipeline::material::{NONE, WORLD};
use crate::pipeline::plan::plan;
use crate::pipeline::run::{self, Ground};
use crate::recipe::Recipe;
use crate::session::records::StageDone;
use crate::session::{NewSession, Session, Sessions, session_word};
use crate::workbench::house::House;
use crate::workbench::text::escape_json;

/// The usual k of pass@k (reading.md, row 10).
const K: u32 = 8;

/// Answers what is missing, then prints the figures.
pub fn run(args: &EvalArgs) -> Result<Exit, Failure> {
    let ks = ks(args)?;
    let sessions = Sessions::at(&args.sessions.path);
    let recipe = recipe(args, &sessions, &ks)?;
    let name = args.session.clone().unwrap_or_else(|| name_of(&args.student, &recipe));
    if sessions.contains(&name) {
        let session = sessions.open_read_only(&name).map_err(Failure::usage)?;
        same(&session, &recipe)?;
        if plan(&recipe).iter().all(|stage| session.contains::<StageDone>(&stage.key()).unwrap_or(false)) {
            let _ = out::stdout(&printed(&session, &recipe, &ks, args.form())?)?;
            return Ok(Exit::Done);
        }
    }
    // Where it is computed is no part of what is measured: the same session goes on on another device.
    let mut placed = recipe.clone();
    args.device.choose(&mut placed);
    let ground = Ground::lay(&placed, threads(args.threads)).map_err(Failure::usage)?;
    let session = if sessions.contains(&name) {
        let session = sessions.open(&name).map_err(Failure::usage)?;
        ground.fits(&session).map_err(Failure::usage)?;
        session
    } else {
        let new = NewSession { recipe: &recipe.to_toml(), seed: recipe.seed };
        sessions.create(&name, &new).map_err(Failure::usage)?
    };
    for note in session.notes() {
        out::stderr(note);
    }
    let device = ground.device(threads(args.threads));
    let run = run::start(session, recipe.clone(), ground);
    let resume = format!("the same command, or {}", resume_command(&name, &args.sessions.path));
    let handle = handle(run, &name, resume, device);
    let house = House::new(sessions.clone(), None);
    face::watch(&Face::Plain, handle, &house, &|_| {
        printed(&sessions.open_read_only(&name).map_err(Failure::failed)?, &recipe, &ks, args.form())
    })
}

fn printed(session: &Session, recipe: &Recipe, ks: &[u32], form: Form) -> Result<String, Failure> {
    let found = evaluation(session, recipe, ks).map_err(Failure::failed)?;
    Ok(match form {
        Form::Table => found.to_string(),
        Form::Json => escape_json(&serde_json::to_string_pretty(&found).map_err(Failure::failed)?),
        Form::Csv => found.csv(),
        Form::Markdown => found.markdown(),
    })
}

/// The k asked for, rising.
fn ks(args: &EvalArgs) -> Result<Vec<u32>, Failure> {
    if let (0, Some(k)) = (args.n, args.k.first()) {
        return Err(Failure::usage(format!("--k {k} needs samples, and --n is 0; for example --n 64 --k 1,8")));
    }
    if let Some(k) = args.k.iter().find(|k| **k > args.n) {
        return Err(Failure::usage(format!("pass@{k} needs at least {k} samples, and --n is {}", args.n)));
    }
    let mut ks = if args.k.is_empty() { vec![K.min(args.n.max(1))] } else { args.k.clone() };
    ks.sort_unstable();
    ks.dedup();
    Ok(ks)
}

/// The recipe of a run that only evaluates.
fn recipe(args: &EvalArgs, sessions: &Sessions, ks: &[u32]) -> Result<Recipe, Failure> {
    let world = args.bench.iter().any(|bench| bench == WORLD);
    if world && args.bench.len() > 1 {
        return Err(Failure::usage("--bench world stands alone: its questions are asked in words of their own"));
    }
    let mut recipe = if world { Recipe::preset("demo").map_err(Failure::failed)? } else { Recipe::default() };
    (recipe.seed, recipe.iterations) = (args.seed, 0);
    recipe.student.path = student_word::path(&args.student, sessions)?;
    let evaluate = &mut recipe.evaluate;
    (evaluate.n, evaluate.k, evaluate.format_control) = (args.n, ks.last().copied().unwrap_or(K), false);
    evaluate.limit = args.limit.unwrap_or(0) as usize;
    if world {
        let data = &mut recipe.data;
        data.dev = 0;
        data.test = args.limit.map_or(data.test, |limit| data.test.min(limit as usize));
        data.ood = args.limit.map_or(data.ood, |limit| data.ood.min(limit as usize));
    } else {
        recipe.data.source = NONE.into();
        evaluate.bench = args.bench.iter().map(|bench| bench.trim().to_string()).collect();
        recipe.data.folder = args.data_folder.clone().unwrap_or(recipe.data.folder);
        recipe.data.map = mapped(&args.map)?;
    }
    evaluate.sampling.temperature = args.temperature.unwrap_or(evaluate.sampling.temperature);
    evaluate.sampling.top_p = args.top_p.unwrap_or(evaluate.sampling.top_p);
    if let Some(most) = args.max_new_tokens {
        (evaluate.max_new_tokens, evaluate.sampling.max_new_tokens) = (most as usize, most as usize);
    }
    let recipe = recipe.with(&args.set).map_err(Failure::usage)?;
    recipe.validate().map_err(Failure::usage)?;
    Ok(recipe)
}

/// A name that is the same for the same command.
fn name_of(student: &str, recipe: &Recipe) -> String {
    let stem = student.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(student);
    format!("eval-{}-{:.6}", session_word(stem), recipe.hash())
}

/// Refuses a session that was begun with other settings: its answers are answers to something else.
fn same(session: &Session, recipe: &Recipe) -> Result<(), Failure> {
    let known = recipe_of(session)?;
    let different = recipe.differences(&known);
    if different.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "session `{}` was begun with other settings ({}); name another with --session",
        session.name(),
        different.iter().map(|(key, now, then)| format!("{key} was {then}, now {now}")).collect::<Vec<_>>().join(", ")
    )))
}

//! `footbridge world`: makes the demo's base student again, and measures students on the generated world.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Device;

use super::args::{WorldArgs, WorldVerb};
use super::exit::{Exit, Failure};
use super::student_word::place;
use super::{out, start};
use crate::data::world::{Problem, Split, World};
use crate::domain::Verifier;
use crate::pipeline::locate::Place;
use crate::pipeline::material::world_of;
use crate::pipeline::pretrain::{PretrainPlan, Pretrained, Progress, pretrain};
use crate::recipe::Recipe;
use crate::sample::{Group, SamplerSettings, generate};
use crate::session::Sessions;
use crate::student::Student;
use crate::student::workers::Workers;
use crate::teacher::Prompts;

/// The splits that are measured.
const MEASURED: [Split; 4] = [Split::Dev, Split::Test, Split::B, Split::C];
/// Sequences decoded at once.
const SLOTS: usize = 64;
/// Updates between two lines of narration.
const SAY_EVERY: usize = 50;

/// Does what `args` asks.
pub fn run(args: &WorldArgs) -> Result<Exit, Failure> {
    match &args.verb {
        WorldVerb::Pretrain { out, seed, threads } => make_base(out, *seed, start::threads(*threads)),
        WorldVerb::Accuracy { student, sessions, threads } => {
            accuracy(&place(student, &Sessions::at(&sessions.path))?, start::threads(*threads))
        }
    }
}

fn make_base(folder: &Path, seed: u64, threads: usize) -> Result<Exit, Failure> {
    let (plan, workers, begun) = (PretrainPlan::new(seed), Arc::new(Workers::new(threads)), Instant::now());
    let world = demo_world()?;
    let made = pretrain(&plan, &workers, &mut |progress| {
        if progress.update % SAY_EVERY == 0 {
            out::stderr(&line(progress, begun));
        }
        ControlFlow::Continue(())
    });
    let made = made.map_err(Failure::failed)?;
    let dev = measure(&made.student, &workers, world.problems(Split::Dev))?;
    made.student.save(folder).map_err(Failure::failed)?;
    let path = folder.join("made-by.toml");
    std::fs::write(&path, made_by(folder, &plan, &made, &dev))
        .map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))?;
    let (tokens, loss, share) = (made.tokens, made.loss, dev.share());
    let text = format!("{}: {tokens} trained tokens, loss {loss:.3}, dev {share:.3}", folder.display());
    let _ = out::stdout(&text)?;
    Ok(Exit::Done)
}

fn line(progress: Progress, begun: Instant) -> String {
    let Progress { update, updates, tokens, loss, lr } = progress;
    let left = begun.elapsed().as_secs_f64() / update as f64 * (updates - update) as f64;
    format!(
        "pretrain: update {update} of {updates}, {tokens} tokens, loss {loss:.3}, rate {lr:.1e}, about {left:.0} s left"
    )
}

fn made_by(folder: &Path, plan: &PretrainPlan, made: &Pretrained, dev: &Measured) -> String {
    format!(
        "# How this checkpoint was made; the same command makes it again.\n\
         command = \"footbridge world pretrain --seed {seed} --out {folder}\"\n\
         seed = {seed}\n\
         updates = {updates}\n\
         trained_tokens = {tokens}\n\
         final_loss = {loss:.4}\n\
         greedy_dev = {dev:.4}\n",
        seed = plan.seed,
        folder = folder.display(),
        updates = plan.updates(),
        tokens = made.tokens,
        loss = made.loss,
        dev = dev.share(),
    )
}

fn accuracy(place: &Place, threads: usize) -> Result<Exit, Failure> {
    let student = place.load(&Device::flex()).map_err(Failure::usage)?;
    let (world, workers) = (demo_world()?, Workers::new(threads));
    let mut text = String::from("split  accuracy  correct  by number of steps\n");
    for split in MEASURED {
        let found = measure(&student, &workers, world.problems(split))?;
        let by_steps: Vec<String> = found
            .0
            .iter()
            .map(|(steps, (right, all))| format!("{steps}: {:.2}", *right as f64 / *all as f64))
            .collect();
        let (right, all) = found.totals();
        let (name, share, steps) = (split.name(), found.share(), by_steps.join("  "));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:5}  {share:8.3}  {right:3}/{all:3}  {steps}");
    }
    let _ = out::stdout(&text)?;
    Ok(Exit::Done)
}

/// The demo's questions.
fn demo_world() -> Result<World, Failure> {
    let recipe = Recipe::preset("demo").map_err(Failure::failed)?;
    world_of(&recipe).map_err(Failure::failed)
}

/// Right answers and questions by number of steps.
struct Measured(BTreeMap<usize, (usize, usize)>);

impl Measured {
    fn totals(&self) -> (usize, usize) {
        self.0.values().fold((0, 0), |(right, all), (r, a)| (right + r, all + a))
    }

    fn share(&self) -> f64 {
        let (right, all) = self.totals();
        right as f64 / all.max(1) as f64
    }
}

/// Greedy answers to `problems`, judged strictly.
fn measure(student: &Student, workers: &Workers, problems: &[Problem]) -> Result<Measured, Failure> {
    let prompts = Prompts::world().map_err(Failure::failed)?;
    let settings = SamplerSettings {
        temperature: 0.0,
        top_p: 1.0,
        max_new_tokens: 180,
        slots: SLOTS,
        banned_first: Vec::new(),
        log_probs: false,
    };
    let mut groups = Vec::with_capacity(problems.len());
    for problem in problems {
        let messages = prompts.ask(&problem.question()).map_err(Failure::failed)?;
        let prompt = student.encode_prompt(&messages).map_err(Failure::failed)?;
        groups.push(Group { prompt, stream: 0, samples: 0..1 });
    }
    let mut found = Measured(BTreeMap::new());
    generate(student, workers, &groups, &settings, &mut |finished| {
        let problem = &problems[finished.group];
        let text = student.tokenizer.decode(&finished.ids).unwrap_or_default();
        let right = Verifier::Gsm8kStrict.judge(&text, &problem.question().gold).correct;
        let (correct, all) = found.0.entry(problem.steps.len()).or_default();
        *correct += usize::from(right);
        *all += 1;
        ControlFlow::Continue(())
    })
    .map_err(Failure::failed)?;
    Ok(found)
}

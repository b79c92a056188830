//! What a run would take on this machine: the forecast's counts with the student's own tokenizer, its memory, then a
//! measurement of some seconds and what follows from it. Nothing is made.

use serde::Serialize;

use super::context::StageError;
use super::engine::Engine;
use super::forecast::{Forecast, Work, forecast};
use super::material::Material;
use super::memory::{Batch, Machine, On, available, fit_taught, plan as memory_plan};
use super::plan::plan;
use super::supported::supported;
use super::teaching::{local_shape, prompts};
use super::trial::{Speeds, measure};
use crate::domain::{Message, Verifier};
use crate::recipe::Recipe;
use crate::student::ModelConfig;

/// Prompts whose length is measured.
const SAMPLE: usize = 200;
/// Bytes that a sampled token takes in the session, in journal and store together (`footbridge sessions bench`).
const BYTES_PER_TOKEN: f64 = 1.5;
/// Bytes of a number in a checkpoint; a running stage keeps weights and two moments.
const BYTES_PER_WEIGHT: f64 = 4.0;

/// What a run would take.
#[derive(Clone, Debug, Serialize)]
pub struct Outlook {
    /// The student, as the recipe names it.
    pub student: String,
    /// Its weights.
    pub parameters: usize,
    /// What the run needs of memory at its largest moment.
    pub memory: Memory,
    /// Counts of every stage.
    pub questions: Forecast,
    /// This machine, once it is measured.
    pub speeds: Speeds,
    /// Seconds of student work, expected and at most; waiting for the teacher is not in it.
    pub seconds: [f64; 2],
    /// Bytes of the session, expected and at most.
    pub session_bytes: [f64; 2],
}

/// What the run needs of memory, worked out for the longest texts that the recipe allows.
#[derive(Clone, Debug, Serialize)]
pub struct Memory {
    /// At the largest moment.
    pub bytes: u64,
    /// What there is, where the system says so.
    pub available: Option<u64>,
    /// Whether it is enough.
    pub fits: bool,
    /// In words, with the settings that would make it fit where it does not.
    pub said: String,
}

/// A counted run that can be measured.
pub struct Counted {
    /// What is known without measuring.
    pub outlook: Outlook,
    engine: Engine,
    recipe: Recipe,
    prompt: Vec<Message>,
}

impl Counted {
    /// Reads the questions, loads the student and counts.
    ///
    /// # Errors
    /// What of the recipe, the student or the questions cannot be used.
    pub fn of(recipe: &Recipe, threads: usize) -> Result<Self, StageError> {
        supported(recipe)?;
        let verifier = recipe.data.verifier.parse::<Verifier>().map_err(|e| StageError::Recipe(e.to_string()))?;
        let material = Material::of(recipe, verifier)?;
        let prompts = prompts(recipe)?;
        let engine = Engine::start(&recipe.student, threads)?;
        let questions = material.train.iter().chain(material.evaluated.iter().flat_map(|split| &split.questions));
        let (mut tokens, mut lengths) = (0, Vec::new());
        for question in questions.take(SAMPLE) {
            let prompt = prompts.ask(question)?;
            let length = engine.text().encode_prompt(&prompt)?.len();
            tokens += length;
            lengths.push((length, prompt));
        }
        let counted = lengths.len().max(1);
        lengths.sort_by_key(|(length, _)| *length);
        if lengths.is_empty() {
            return Err(StageError::Recipe("there is no question to measure with".into()));
        }
        let (_, prompt) = lengths.swap_remove(counted / 2);
        let questions = forecast(recipe, &material, tokens as f64 / counted as f64);
        let parameters = engine.text().model.parameter_count();
        let outlook = Outlook {
            student: recipe.student.path.clone(),
            parameters,
            memory: memory(recipe, &engine, local_shape(recipe, threads)?.as_ref(), threads),
            seconds: [f64::NAN; 2],
            session_bytes: [&questions.expected, &questions.most].map(|work| bytes(work, recipe, parameters)),
            questions,
            speeds: Speeds::UNKNOWN,
        };
        Ok(Self { outlook, engine, recipe: recipe.clone(), prompt })
    }

    /// Measures this machine, at most about 20 seconds, unless the run would not fit into its memory. `wanted` is asked
    /// between the rounds.
    ///
    /// # Errors
    /// What sampling or training of this student fails with; [`StageError::Cancelled`] once it is no longer wanted.
    pub fn measured(self, wanted: &dyn Fn() -> bool) -> Result<Outlook, StageError> {
        let mut outlook = self.outlook;
        if outlook.memory.fits {
            outlook.speeds = measure(&self.engine, &self.recipe, &self.prompt, wanted)?;
        }
        outlook.seconds =
            [&outlook.questions.expected, &outlook.questions.most].map(|work| outlook.speeds.seconds_of(work));
        Ok(outlook)
    }
}

fn bytes(work: &Work, recipe: &Recipe, parameters: usize) -> f64 {
    let trained = plan(recipe).iter().filter(|stage| stage.kind.trains()).count();
    let checkpoints = (trained as f64 + 3.0 * f64::from(u8::from(trained > 0))) * parameters as f64;
    work.sampled_tokens * BYTES_PER_TOKEN + checkpoints * BYTES_PER_WEIGHT
}

fn memory(recipe: &Recipe, engine: &Engine, teacher: Option<&ModelConfig>, threads: usize) -> Memory {
    let (config, placed) = (&engine.text().config, engine.placed());
    let (on, available) = match engine.room() {
        Some(room) => (On::Gpu(placed.compute.precision()), Some(room.free)),
        None => (On::Cpu, available::available()),
    };
    let machine = Machine { threads, on, available: available.unwrap_or(u64::MAX) };
    let mut demand = machine.demand(recipe, config).taught_by(teacher, recipe);
    if recipe.iterations == 0 {
        (demand.sft, demand.grpo) = (Batch::default(), Batch::default());
    }
    let whole = memory_plan(config, &demand);
    let bytes = whole.bytes();
    let fits = available.is_none_or(|there| bytes <= there);
    let advice = if fits { None } else { fit_taught(recipe, config, teacher, machine).err() };
    let said = advice.map_or_else(|| whole.to_string(), |too_large| too_large.to_string());
    Memory { bytes, available, fits, said }
}

//! How much memory a run takes, worked out before anything is loaded.
//!
//! A run goes through moments that hold different things: sampling holds keys and values, a training step holds
//! activations and gradients. Saving and resuming go by single tensors and hold less than a step. [`plan`] counts each
//! as it is built (here in single precision on the CPU, in [`gpu`] on a GPU); the largest is what the run needs. Lengths
//! are the longest the recipe allows, so the plan is an upper bound: real questions are shorter. [`fit`] finds what to
//! change where it is too much.
//!
//! Measured rather than counted is what the program itself, the tokenizer and the allocator take; rotary tables and
//! records are too small to matter.

pub mod available;
mod check;
mod drawing;
mod fit;
pub mod gpu;
mod moments;
mod teacher;

pub use check::{check, check_on, check_teacher};
pub use fit::{Advice, Machine, TooLarge, fit, fit_taught};
pub use moments::{MemoryPlan, Moment, Part, size};
pub use teacher::LocalTeacher;

use drawing::{DRAWN, Drawing};

use crate::recipe::{LoraRecipe, LoraTarget, Recipe};
use crate::student::{ModelConfig, Precision};
use crate::train::ordered::ahead;

/// Bytes of a number; everything on the CPU is single precision.
const NUMBER: u64 = 4;
/// Rows of logits alive at once in training (`student::ops::rows`).
const HEAD_ROWS: u64 = 256;
/// Rows whose log-probs are one operation (`Decoder::log_probs`).
const CHUNK: u64 = crate::student::ops::head::ROWS as u64;
/// What the program takes before anything else, and a token of the tokenizer's vocabulary, in bytes: measured.
const PROGRAM: u64 = 48 << 20;
const TOKEN: u64 = 700;
/// The allocator holds memory that was freed a moment ago: this part of all that a run uses, measured on a run of a 0.5B
/// student through all its stages. A single step, measured alone, leaves nothing behind.
const KEPT: u64 = 10;
/// Numbers from which threads share each operation instead of having work of their own (`Decoder::is_large`).
const LARGE: u64 = 1 << 24;

/// Name of the moment at which answers are drawn.
const SAMPLING: &str = "sampling";

/// What a run computes on, as far as its memory is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// The CPU, by its own kernels.
    Cpu,
    /// A GPU, with products in this precision.
    Gpu(Precision),
}

/// What is asked of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// What computes.
    pub on: On,
    /// Worker threads.
    pub threads: usize,
    /// Sequences decoded at once.
    pub slots: usize,
    /// Longest prompt in tokens.
    pub prompt: usize,
    /// Longest sampled sequence in tokens, prompt included; 0 where nothing is sampled.
    pub positions: usize,
    /// Longest conversation of SFT.
    pub sft: Batch,
    /// Longest prompt and response of GRPO.
    pub grpo: Batch,
    /// Most padded tokens of a training pass.
    pub micro_batch_tokens: usize,
    /// Whether layers are computed again on the way back.
    pub checkpointing: bool,
    /// What training changes.
    pub trained: Trained,
    /// Whether the base and the policy that training began with stay beside the student in training, as in a run.
    pub beside: bool,
    /// A teacher of this machine, in its memory all the while.
    pub teacher: Option<LocalTeacher>,
}

/// What training changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trained {
    /// Every weight.
    All,
    /// Adapters.
    Adapters {
        /// Numbers of the adapters.
        numbers: u64,
        /// Numbers of the matrices that have one; they are added up with it wherever they are used.
        adapted: u64,
    },
}

impl Trained {
    /// What `lora` trains of a student.
    pub fn of(lora: &LoraRecipe, config: &ModelConfig) -> Self {
        if !lora.on() {
            return Self::All;
        }
        let (d, f) = (config.hidden_size, config.intermediate_size);
        let size = |target: &LoraTarget| match target {
            LoraTarget::QProj => (d, config.query_width()),
            LoraTarget::KProj | LoraTarget::VProj => (d, config.kv_width()),
            LoraTarget::OProj => (config.query_width(), d),
            LoraTarget::GateProj | LoraTarget::UpProj => (d, f),
            LoraTarget::DownProj => (f, d),
        };
        let sizes: Vec<(usize, usize)> = lora.targets.iter().map(size).collect();
        let sum = |of: &dyn Fn(&(usize, usize)) -> usize| (config.layers * sizes.iter().map(of).sum::<usize>()) as u64;
        Self::Adapters { numbers: sum(&|(a, b)| lora.rank * (a + b)), adapted: sum(&|(a, b)| a * b) }
    }

    /// Numbers that have a gradient and moments.
    fn numbers(self, config: &ModelConfig) -> u64 {
        match self {
            Trained::All => parameters(config),
            Trained::Adapters { numbers, .. } => numbers,
        }
    }

    /// Numbers of matrices that are added up with their adapters.
    pub fn adapted(self) -> u64 {
        match self {
            Trained::All => 0,
            Trained::Adapters { adapted, .. } => adapted,
        }
    }
}

/// A batch of an update; all 0 where there is no training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Sequences.
    pub sequences: usize,
    /// Tokens of the longest.
    pub longest: usize,
}

impl Demand {
    /// Whether anything is trained.
    fn trains(&self) -> bool {
        self.sft.sequences > 0 || self.grpo.sequences > 0
    }

    /// What a run of `recipe` asks for at most, on the CPU. One without iterations only measures, and trains nothing.
    pub fn of(recipe: &Recipe, config: &ModelConfig, threads: usize) -> Self {
        let limit = |tokens: usize| tokens.min(config.max_positions);
        let measured = recipe.evaluate.sampling.max_new_tokens.max(recipe.evaluate.max_new_tokens);
        let trained = [
            recipe.difficulty.sampling.max_new_tokens,
            recipe.rollouts.sampling.max_new_tokens,
            recipe.grpo.sampling.max_new_tokens,
        ];
        let trains = recipe.iterations > 0;
        let prompt = limit(recipe.grpo.max_prompt_tokens);
        let answer = trained.into_iter().filter(|_| trains).fold(measured, usize::max);
        let sft = Batch { sequences: recipe.sft.batch, longest: limit(recipe.sft.max_tokens) };
        let grpo = Batch {
            sequences: recipe.grpo.mini_batch.saturating_mul(recipe.grpo.group as usize),
            longest: limit(prompt.saturating_add(recipe.grpo.sampling.max_new_tokens)),
        };
        Self {
            on: On::Cpu,
            threads,
            slots: recipe.student.slots,
            prompt,
            positions: limit(prompt.saturating_add(answer)),
            sft: if trains { sft } else { Batch::default() },
            grpo: if trains { grpo } else { Batch::default() },
            micro_batch_tokens: recipe.student.micro_batch_tokens,
            checkpointing: recipe.student.checkpointing,
            trained: Trained::of(&recipe.student.lora, config),
            beside: true,
            teacher: None,
        }
    }

    /// With a teacher of this shape beside it, asked as `recipe` asks.
    pub fn taught_by(self, teacher: Option<&ModelConfig>, recipe: &Recipe) -> Self {
        let teacher = teacher.filter(|_| recipe.iterations > 0);
        Self { teacher: teacher.map(|config| LocalTeacher::of(recipe, config, self.threads)), ..self }
    }
}

/// Numbers of a student; a tied matrix counts once.
pub fn parameters(config: &ModelConfig) -> u64 {
    let [d, q, kv, f] =
        [config.hidden_size, config.query_width(), config.kv_width(), config.intermediate_size].map(|n| n as u64);
    let bias = if config.qkv_bias { q + 2 * kv } else { 0 } + if config.output_bias { d } else { 0 };
    let norms = 2 * d + if config.head_norms { 2 * config.head_dim as u64 } else { 0 };
    let layer = d * (q + 2 * kv) + q * d + 3 * d * f + bias + norms;
    let tables = if config.tied { 1 } else { 2 };
    tables * table(config) + config.layers as u64 * layer + d
}

/// Numbers of the embedding.
fn table(config: &ModelConfig) -> u64 {
    config.vocab_size as u64 * config.hidden_size as u64
}

/// Counts what a run holds at each of its moments.
pub fn plan(config: &ModelConfig, demand: &Demand) -> MemoryPlan {
    let mut moments = Vec::new();
    let training = demand.trains();
    if demand.positions > 0 {
        let trained = training && demand.beside;
        moments.push(match demand.on {
            On::Cpu => sampling(config, demand, trained),
            On::Gpu(precision) => gpu::sampling(config, demand, precision, trained),
        });
    }
    for (name, batch) in [("an SFT step", demand.sft), ("a GRPO step", demand.grpo)] {
        if batch.sequences > 0 {
            moments.push(match demand.on {
                On::Cpu => step(config, demand, name, batch),
                On::Gpu(precision) => gpu::step(config, demand, (name, batch), precision),
            });
        }
    }
    if let (Some(teacher), On::Cpu) = (&demand.teacher, demand.on) {
        for moment in &mut moments {
            moment.parts.push(Part { what: "teacher", bytes: teacher.resident() });
        }
        moments.push(teacher.at_work(beside_teacher(config, demand)));
    }
    if demand.beside && demand.on == On::Cpu {
        for moment in &mut moments {
            let bytes = moment.bytes() / KEPT;
            moment.parts.push(Part { what: "kept by the allocator", bytes });
        }
    }
    MemoryPlan { moments }
}

/// Weights, and what training keeps between steps.
fn held(config: &ModelConfig, demand: &Demand, trained: bool) -> Vec<Part> {
    let weights = NUMBER * parameters(config);
    let program = match demand.on {
        On::Cpu => PROGRAM + TOKEN * config.vocab_size as u64,
        On::Gpu(_) => gpu::RUNTIME,
    };
    let mut parts = vec![Part { what: "program", bytes: program }, Part { what: "weights", bytes: weights }];
    if demand.beside && trained && demand.trained == Trained::All {
        // The reference of GRPO is the policy it began with. Frozen weights are shared with the base.
        parts.push(Part { what: "base and reference", bytes: 2 * weights });
    }
    if trained {
        parts.push(Part { what: "AdamW moments", bytes: 2 * NUMBER * demand.trained.numbers(config) });
    }
    parts
}

/// What a student that waits for its teacher holds: base and policy, and the gradients that are kept for the next pass.
fn beside_teacher(config: &ModelConfig, demand: &Demand) -> Vec<Part> {
    let mut parts = held(config, demand, false);
    if demand.trains() && demand.trained == Trained::All {
        let sets = gradient_sets(config, demand, demand.grpo);
        parts.push(Part { what: "base", bytes: NUMBER * parameters(config) });
        parts.push(Part { what: "gradients", bytes: NUMBER * demand.trained.numbers(config) * sets });
    }
    parts
}

/// Work that goes side by side: as many as threads for a small student, one for a large.
fn lanes(config: &ModelConfig, threads: usize) -> u64 {
    if parameters(config) >= LARGE { 1 } else { threads.max(1) as u64 }
}

/// Sampling, in a run at its worst: between the steps of GRPO.
fn sampling(config: &ModelConfig, demand: &Demand, trained: bool) -> Moment {
    let mut parts = held(config, demand, trained);
    if trained && demand.trained == Trained::All {
        let sets = gradient_sets(config, demand, demand.grpo);
        parts.push(Part { what: "gradients", bytes: NUMBER * demand.trained.numbers(config) * sets });
    }
    let Demand { threads, slots, prompt, positions, .. } = *demand;
    let drawing = Drawing { threads, slots, prompt, positions, adapted: demand.trained.adapted() };
    parts.extend(drawing.parts(config, DRAWN));
    Moment { name: SAMPLING, parts }
}

/// Numbers that a token leaves in the graph of all layers until the backward pass has come by.
fn kept_per_token(config: &ModelConfig, checkpointing: bool) -> u64 {
    let [d, q, kv, f] =
        [config.hidden_size, config.query_width(), config.kv_width(), config.intermediate_size].map(|n| n as u64);
    // Two streams and their norms; queries, keys and values; attention's answer; gate, up and their product.
    let norms = if config.head_norms { q + kv } else { 0 };
    let (layers, layer) = (config.layers as u64, 4 * d + 2 * q + 2 * kv + norms + 3 * f);
    // A layer on its way back holds as much again. Computed again, a layer keeps its input, and one at a time the rest.
    let kept = if checkpointing { layers * d + 2 * layer } else { (layers + 1) * layer };
    kept + 3 * d
}

/// Sets of gradients that stand in memory at once in a step: the sum, and one per shard at work or waiting for its turn
/// (`train::ordered`); a batch has no more shards than sequences. What large ones leave is kept for the next pass, through
/// sampling too (`student::ops::reuse`), so that a pass begins with all of them there.
fn gradient_sets(config: &ModelConfig, demand: &Demand, batch: Batch) -> u64 {
    let at_work = if parameters(config) >= LARGE { 1 } else { ahead(demand.threads.max(1)) };
    (1 + at_work).min(batch.sequences) as u64
}

/// Forward, backward and the sum of gradients, at the start of a pass, with all activations and the gradients of those
/// before it.
fn step(config: &ModelConfig, demand: &Demand, name: &'static str, batch: Batch) -> Moment {
    let mut parts = held(config, demand, true);
    let lanes = lanes(config, demand.threads);
    let tokens = pass(batch, demand) as u64;
    let gradients = NUMBER * demand.trained.numbers(config) * gradient_sets(config, demand, batch);
    let activations = NUMBER * tokens * kept_per_token(config, demand.checkpointing);
    let logits = NUMBER * HEAD_ROWS.min(tokens) * config.vocab_size as u64;
    // One more gradient of the output matrix: where adapters alone are trained it is made and let go of; a pass of many rows
    // makes one per chunk of them; computed again, a tied one has those of the two ends of the model apart.
    let apart = demand.trained != Trained::All || tokens > CHUNK || (demand.checkpointing && config.tied);
    let table = if apart { NUMBER * table(config) } else { 0 };
    let adapted = lanes * NUMBER * demand.trained.adapted();
    parts.push(Part { what: "weights with adapters", bytes: adapted });
    parts.push(Part { what: "activations", bytes: lanes * activations });
    parts.push(Part { what: "logits", bytes: lanes * logits });
    parts.push(Part { what: "gradients", bytes: gradients + lanes * table });
    Moment { name, parts }
}

/// Padded tokens of the largest pass: `micro_batch_tokens`, on the CPU a quarter of the batch at most, but at least one
/// sequence (`train::shards`).
fn pass(batch: Batch, demand: &Demand) -> usize {
    let total = batch.sequences.saturating_mul(batch.longest);
    let parts = if demand.on == On::Cpu { 4 } else { 1 };
    demand.micro_batch_tokens.min(total.div_ceil(parts)).max(batch.longest)
}

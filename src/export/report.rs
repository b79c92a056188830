//! The report of a run, as data. `results` is a function of recipe and seed; `timing` is of the machine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::evaluate::{Estimate, Measure};
use crate::recipe::SamplingRecipe;

/// What one run found, as far as it has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Session name.
    pub session: String,
    /// Whether every stage is complete.
    pub complete: bool,
    /// What the run found; equal for equal recipe and seed on the CPU.
    pub results: Results,
    /// What it took here.
    pub timing: Vec<Timing>,
}

/// What a run found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Seed of the run.
    pub seed: u64,
    /// The arm: `bridged`, `raw-hard` or `neutral`.
    pub arm: String,
    /// Verifier and prompt hash behind every score.
    pub verifier: String,
    /// Hash of the prompt template.
    pub prompt: String,
    /// A row per evaluated checkpoint, in order of training.
    pub checkpoints: Vec<CheckpointRow>,
    /// The checkpoint with the best dev accuracy; the earliest of equals.
    pub best: Option<String>,
    /// S/M/H of the training questions, measured alike at each point.
    pub bands: Vec<Bands>,
    /// All-zero groups before each RL stage and at the end, measured alike.
    pub all_zero: Vec<AllZero>,
    /// Steps by bridge action.
    pub actions: BTreeMap<String, usize>,
    /// Training texts by stage and kind, with their trained tokens.
    pub samples: Vec<SampleCount>,
    /// Diagnosed failures by iteration and error type.
    pub errors: Vec<(u32, BTreeMap<String, usize>)>,
    /// A row per GRPO stage.
    pub grpo: Vec<Grpo>,
    /// Products that wait for a look.
    pub in_review: usize,
    /// What a reader should not overlook.
    pub warnings: Vec<String>,
}

/// One checkpoint on every split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckpointRow {
    /// Checkpoint id.
    pub checkpoint: String,
    /// Split to measure.
    pub splits: BTreeMap<String, Measure>,
    /// Plain mean of the reported splits' greedy accuracies.
    pub mean: Estimate,
    /// Test accuracy by number of solution steps.
    pub by_steps: BTreeMap<u32, Estimate>,
}

/// How many training questions are simple, medium and hard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bands {
    /// Checkpoint that answered.
    pub checkpoint: String,
    /// Samples per question.
    pub n: u32,
    /// How they were drawn.
    pub sampling: SamplingRecipe,
    /// Simple, medium, hard.
    pub counts: [usize; 3],
    /// Of the hard ones, those without any right sample.
    pub never: usize,
}

/// Questions without a right rollout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AllZero {
    /// Checkpoint that answered.
    pub checkpoint: String,
    /// Rollouts per question, G.
    pub group: u32,
    /// How they were drawn.
    pub sampling: SamplingRecipe,
    /// Share of all-zero groups.
    pub share: Estimate,
}

/// Training texts of one kind in one stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleCount {
    /// Stage.
    pub stage: String,
    /// Kind.
    pub kind: String,
    /// How many.
    pub count: usize,
    /// Trained tokens.
    pub tokens: u64,
}

/// One GRPO stage: the mean over its first and its last quarter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grpo {
    /// Stage.
    pub stage: String,
    /// Steps done.
    pub steps: usize,
    /// Mean reward, first and last quarter.
    pub reward: [f64; 2],
    /// Mean reward above the same prompts' rate before RL, first and last quarter.
    pub above_before: [f64; 2],
    /// Mean KL to the reference, last quarter.
    pub kl: f64,
    /// Mean response length, first and last quarter.
    pub length: [f64; 2],
}

/// What a stage took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Stage.
    pub stage: String,
    /// Wall time, seconds.
    pub seconds: f64,
    /// Tokens sampled or trained.
    pub tokens: u64,
    /// Tokens per second of wall time.
    pub rate: f64,
    /// One line: what came out.
    pub summary: String,
}

//! The report of a run, as data. `results` is a function of recipe and seed; `timing` is of the machine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::beside::Beside;
use super::sources::Source;
use crate::evaluate::{BySplit, Changes, Estimate, FormatControl, Measure};
use crate::recipe::SamplingRecipe;
use crate::teacher::Usage;

/// What one run found, as far as it has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Session name.
    pub session: String,
    /// Whether every stage is complete.
    pub complete: bool,
    /// Complete stages, and all stages of the plan.
    pub stages: [usize; 2],
    /// What the run found; equal for equal recipe and seed on the CPU.
    pub results: Results,
    /// Other sessions beside this one, where asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<Beside>,
    /// What it took here.
    pub timing: Vec<Timing>,
    /// What the calls of a model teacher took, by `stage/purpose`; nothing where no model was asked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spending: BTreeMap<String, Usage>,
}

/// What a run found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Seed of the run.
    pub seed: u64,
    /// The arm: `bridged`, `raw-hard` or `neutral`.
    pub arm: String,
    /// Verifier behind every reward, and behind every score whose source names no other.
    pub verifier: String,
    /// Hash of the prompt template; empty before the first answer.
    pub prompt: String,
    /// Hash over the texts and gold answers of all questions; empty before they are there.
    pub data: String,
    /// The files the questions come from, in the order of the recipe; none for the generated world.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// The k of pass@k.
    pub k: u32,
    /// A row per evaluated checkpoint, in order of training.
    pub checkpoints: Vec<CheckpointRow>,
    /// The checkpoint with the best dev accuracy; the earliest of equals.
    pub best: Option<String>,
    /// Paired differences between checkpoints: which steps are more than noise.
    pub comparisons: Vec<Comparison>,
    /// Format or skill? Of base against the last checkpoint.
    pub format_control: Vec<FormatControl>,
    /// S/M/H of the training questions, measured alike at each point.
    pub bands: Vec<Bands>,
    /// All-zero groups wherever training questions were sampled.
    pub all_zero: Vec<AllZero>,
    /// Steps by bridge action.
    pub actions: BTreeMap<String, usize>,
    /// A row per SFT run.
    pub sft: Vec<Sft>,
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
    pub splits: BySplit<Measure>,
    /// Plain mean of the reported splits' greedy accuracies.
    pub mean: Estimate,
    /// Test accuracy by number of solution steps.
    pub by_steps: BTreeMap<u32, Estimate>,
}

/// The paired difference between two checkpoints, with 95 % bootstrap intervals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// In words: `base → bridged`.
    pub what: String,
    /// Checkpoint before; with its session in front where that is another.
    pub before: String,
    /// Checkpoint after.
    pub after: String,
    /// `after − before`.
    pub changes: Changes,
}

/// How many training questions are simple, medium and hard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bands {
    /// Stage that sampled.
    pub stage: String,
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
    /// Stage that sampled.
    pub stage: String,
    /// Checkpoint that answered.
    pub checkpoint: String,
    /// Rollouts per question, G.
    pub group: u32,
    /// How they were drawn.
    pub sampling: SamplingRecipe,
    /// Share of all-zero groups.
    pub share: Estimate,
}

/// One SFT run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sft {
    /// Stage.
    pub stage: String,
    /// Texts prepared for it.
    pub texts: usize,
    /// Optimizer updates.
    pub updates: usize,
    /// Tokens that were trained, repetitions included.
    pub tokens: u64,
    /// Highest learning rate.
    pub lr: f64,
    /// Mean loss over the first and the last quarter of the updates, nats per token.
    pub loss: [f64; 2],
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

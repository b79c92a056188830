//! Pre-training of the generated world's base student, from fresh weights: `footbridge world pretrain`.
//!
//! Two phases of the documents of `data::world::pretrain`, each with fresh moments. Phase A learns: its rate follows a cosine
//! that is laid out for twice its length, since calculating is learned late and at a high rate only; a cosine that ends with
//! the phase was seen to stop before it. Phase B settles what was learned at a falling rate. The loss is the mean over all
//! trained tokens of a batch, and batches are filled by trained tokens, so that documents of every length count alike.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::Device;
use thiserror::Error;

use crate::data::world::{pretrain::Phase, vocabulary};
use crate::recipe::{AdamWRecipe, SftLoss};
use crate::student::workers::Workers;
use crate::student::{ChatTokens, Student, StudentError, StudentFiles};
use crate::teacher::{PromptError, pretraining::PretrainStream};
use crate::train::{TrainError, Trainer, schedule};

/// How the rate of a phase runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// Warm-up from 0 over `warmup` updates, then a cosine that would reach `floor · peak` at update `laid_out_for`.
    Cosine {
        /// Highest rate.
        peak: f64,
        /// Updates of warm-up.
        warmup: usize,
        /// Length of the whole curve in updates.
        laid_out_for: usize,
        /// Share of the peak at its end.
        floor: f64,
    },
    /// A straight line from `peak` to `floor · peak` at the end of the phase.
    Line {
        /// First rate.
        peak: f64,
        /// Share of it at the end.
        floor: f64,
    },
}

impl Rate {
    fn at(self, update: usize, updates: usize) -> f64 {
        match self {
            Rate::Cosine { peak, warmup, laid_out_for, floor } => {
                schedule::warmup_cosine(update, laid_out_for, peak, warmup as f64 / laid_out_for.max(1) as f64, floor)
            }
            Rate::Line { peak, floor } => schedule::warmup_linear(update, updates, peak, 0, floor),
        }
    }
}

/// One phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhasePlan {
    /// Which documents.
    pub phase: Phase,
    /// How many updates.
    pub updates: usize,
    /// At which rates.
    pub rate: Rate,
}

/// The whole of it.
#[derive(Clone, Debug, PartialEq)]
pub struct PretrainPlan {
    /// Seed of weights and documents.
    pub seed: u64,
    /// The phases in order.
    pub phases: Vec<PhasePlan>,
    /// A batch takes documents until it has this many trained tokens.
    pub batch_tokens: usize,
    /// Tokens that go through the model at once.
    pub micro_batch_tokens: usize,
    /// Optimizer of both phases.
    pub adamw: AdamWRecipe,
}

impl PretrainPlan {
    /// The plan of the checked-in base: 2.4 million trained tokens, then 150,000. With 3.0 million the two banks outside
    /// the training domain were at 95 %, which left nothing to see there.
    pub fn new(seed: u64) -> Self {
        let learn = Rate::Cosine { peak: 2e-3, warmup: 60, laid_out_for: 5000, floor: 0.1 };
        let settle = Rate::Line { peak: 1.1e-3, floor: 0.45 };
        Self {
            seed,
            phases: vec![
                PhasePlan { phase: Phase::Learn, updates: 2000, rate: learn },
                PhasePlan { phase: Phase::Settle, updates: 125, rate: settle },
            ],
            batch_tokens: 1200,
            micro_batch_tokens: 2048,
            adamw: AdamWRecipe { beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0.1, clip_norm: 1.0 },
        }
    }

    /// Updates of all phases.
    pub fn updates(&self) -> usize {
        self.phases.iter().map(|phase| phase.updates).sum()
    }
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Updates done, over all phases.
    pub update: usize,
    /// Updates in all.
    pub updates: usize,
    /// Trained tokens so far.
    pub tokens: usize,
    /// Loss of this batch, nats per trained token.
    pub loss: f64,
    /// Rate of this update.
    pub lr: f64,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Pretrained {
    /// The student.
    pub student: Student,
    /// Trained tokens.
    pub tokens: usize,
    /// Mean loss over the last updates of the last phase, nats per trained token.
    pub loss: f64,
}

/// Why there is no student.
#[derive(Debug, Error)]
pub enum PretrainError {
    /// The small files or the text did not work out.
    #[error(transparent)]
    Student(#[from] StudentError),
    /// An update failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A template failed.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// Somebody stopped it.
    #[error("pre-training was stopped after {0} updates; nothing was written")]
    Stopped(usize),
}

/// The final loss is a mean over this many updates.
const LAST: usize = 25;

/// Trains a fresh student by `plan`. `watch` hears of every update and may stop it. The result depends on the plan alone,
/// not on the number of threads.
///
/// # Errors
/// [`PretrainError`].
pub fn pretrain(
    plan: &PretrainPlan,
    workers: &Arc<Workers>,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Pretrained, PretrainError> {
    let mut student = Student::fresh(world_files(), plan.seed, &Device::flex())?;
    let (mut update, mut tokens, mut losses) = (0, 0, Vec::new());
    for phase in &plan.phases {
        let mut documents = PretrainStream::new(phase.phase, plan.seed)?;
        let mut trainer = Trainer::new(student, plan.adamw, plan.micro_batch_tokens, Arc::clone(workers));
        losses.clear();
        for step in 0..phase.updates {
            let batch = next_batch(trainer.student(), &mut documents, plan.batch_tokens)?;
            let lr = phase.rate.at(step, phase.updates);
            let done = trainer.sft_step(&batch, SftLoss::TokenMean, lr)?;
            update += 1;
            tokens += done.tokens;
            losses.push(done.loss);
            let progress = Progress { update, updates: plan.updates(), tokens, loss: done.loss, lr };
            if watch(progress).is_break() {
                return Err(PretrainError::Stopped(update));
            }
        }
        student = trainer.into_student();
    }
    let last = &losses[losses.len().saturating_sub(LAST)..];
    let loss = last.iter().sum::<f64>() / last.len().max(1) as f64;
    Ok(Pretrained { student, tokens, loss })
}

/// The small files of a student of the world.
pub fn world_files() -> StudentFiles {
    let [(_, config), (_, generation), (_, tokenizer), (_, settings)] = vocabulary::files();
    StudentFiles {
        config: config.into_bytes(),
        tokenizer: tokenizer.into_bytes(),
        tokenizer_config: settings.into_bytes(),
        chat_template: None,
        generation_config: Some(generation.into_bytes()),
        others: Vec::new(),
    }
}

/// Documents until `wanted` trained tokens are together.
fn next_batch(
    student: &Student,
    documents: &mut PretrainStream,
    wanted: usize,
) -> Result<Vec<ChatTokens>, PretrainError> {
    let mut batch = Vec::new();
    let mut tokens = 0;
    for document in documents {
        let chat = student.encode_chat(&document.messages)?;
        tokens += chat.trained.len();
        batch.push(chat);
        if tokens >= wanted {
            break;
        }
    }
    Ok(batch)
}

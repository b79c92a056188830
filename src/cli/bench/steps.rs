//! One step of SFT, one of GRPO, and a load of many sequences.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Serialize;

use super::BenchError;
use super::clock::{Clock, Pace, forget_peak, peak_mib};
use super::peaks::{Peaks, share};
use super::shapes::{multiply_adds, tokens};
use crate::recipe::{AdamWRecipe, GrpoRecipe, SftLoss};
use crate::sample::{self, SamplerSettings, generate};
use crate::student::workers::Workers;
use crate::student::{ChatTokens, Student};
use crate::train::{Group, Trainer};

/// Some sequences of one length, forward, backward and AdamW.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Step {
    /// Sequences.
    pub sequences: usize,
    /// Tokens of each that go through the model.
    pub length: usize,
    /// A step, on the clock.
    pub seconds: f64,
    /// A step, in processor time.
    pub cpu_seconds: f64,
    /// Tokens through the model per second on the clock.
    pub tokens_per_second: f64,
    /// Three passes through the matrices, in 10⁹ floating-point operations per second; recomputation is not counted.
    pub gflops: f64,
    /// Share of the device's arithmetic (MFU), where its peak is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flops_share: Option<f64>,
    /// Most memory held.
    pub peak_mib: f64,
}

/// SFT on `sequences` of `length` tokens, all of them trained; the mean of `repeats` steps after a first one.
///
/// # Errors
/// Those of training.
pub(super) fn sft(
    student: Student,
    workers: &Arc<Workers>,
    (sequences, length): (usize, usize),
    repeats: usize,
    peaks: Option<Peaks>,
) -> Result<Step, BenchError> {
    forget_peak();
    let vocab = student.config.vocab_size;
    let chat = |seed: usize| ChatTokens {
        text: String::new(),
        ids: tokens(length + 1, seed, vocab),
        offsets: Vec::new(),
        trained: (1..=length).collect(),
        contents: Vec::new(),
    };
    let batch: Vec<ChatTokens> = (0..sequences).map(chat).collect();
    let work = 6e-9 * multiply_adds(&student.config) * (sequences * length) as f64;
    let parts = if student.model.compute.is_portable() { 1 } else { workers.count() };
    let micro_batch = (sequences * length).div_ceil(parts);
    let mut trainer = Trainer::new(student, AdamWRecipe::default(), micro_batch, Arc::clone(workers));
    trainer.sft_step(&batch, SftLoss::SampleMean, 1e-5)?;
    let clock = Clock::start();
    for _ in 0..repeats {
        trainer.sft_step(&batch, SftLoss::SampleMean, 1e-5)?;
    }
    let Pace { seconds, cpu_seconds, .. } = clock.stop(0);
    let (seconds, cpu_seconds) = (seconds / repeats as f64, cpu_seconds / repeats as f64);
    let tokens_per_second = (sequences * length) as f64 / seconds;
    let gflops = work / seconds;
    let flops_share = peaks.map(|peaks| share(gflops * 1e9, peaks.flops));
    Ok(Step { sequences, length, seconds, cpu_seconds, tokens_per_second, gflops, flops_share, peak_mib: peak_mib() })
}

/// A GRPO step.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Grpo {
    /// Prompts.
    pub prompts: usize,
    /// Responses of each.
    pub group: usize,
    /// Tokens of a prompt.
    pub prompt_tokens: usize,
    /// Tokens of a response.
    pub response_tokens: usize,
    /// Rollouts, on the clock.
    pub rollout_seconds: f64,
    /// Log-probs, one update, on the clock.
    pub update_seconds: f64,
    /// Both, on the clock.
    pub seconds: f64,
    /// Both, in processor time.
    pub cpu_seconds: f64,
    /// Tokens of the responses per second on the clock, rollouts and update together.
    pub tokens_per_second: f64,
    /// Most memory held.
    pub peak_mib: f64,
}

/// Rollouts of fixed length and one update on them, every second response right: the second of two such steps.
///
/// # Errors
/// Those of sampling and training.
pub(super) fn grpo(
    mut student: Student,
    workers: &Arc<Workers>,
    (prompts, group): (usize, usize),
    (prompt_tokens, response_tokens): (usize, usize),
) -> Result<Grpo, BenchError> {
    forget_peak();
    // Nothing ends a response but its length.
    student.end_of_turn = Vec::new();
    let reference = student.model.clone();
    let vocab = student.config.vocab_size;
    let recipe = GrpoRecipe { mini_batch: prompts, ..crate::recipe::Recipe::default().grpo };
    let settings = settings(response_tokens, (prompts * group).min(64));
    let micro_batch = prompts * group * (prompt_tokens + response_tokens) / 4;
    let mut trainer = Trainer::new(student, AdamWRecipe::default(), micro_batch, Arc::clone(workers));
    let mut step = || -> Result<(Pace, Pace), BenchError> {
        let asked: Vec<sample::Group> = (0..prompts)
            .map(|i| sample::Group {
                prompt: tokens(prompt_tokens, i, vocab),
                stream: i as u64,
                samples: 0..group as u32,
            })
            .collect();
        let mut batch: Vec<Group> = asked
            .iter()
            .map(|asked| {
                let rewards = (0..group).map(|i| (i % 2) as f64).collect();
                Group { prompt: asked.prompt.clone(), responses: vec![Vec::new(); group], rewards }
            })
            .collect();
        let clock = Clock::start();
        generate(trainer.student(), workers, &asked, &settings, &mut |done| {
            batch[done.group].responses[done.sample as usize] = done.ids;
            ControlFlow::Continue(())
        })?;
        let rollouts = clock.stop(0);
        let clock = Clock::start();
        trainer.grpo_step(&batch, &reference, &recipe, 1e-6)?;
        Ok((rollouts, clock.stop(0)))
    };
    step()?;
    let (rollouts, update) = step()?;
    let seconds = rollouts.seconds + update.seconds;
    Ok(Grpo {
        prompts,
        group,
        prompt_tokens,
        response_tokens,
        rollout_seconds: rollouts.seconds,
        update_seconds: update.seconds,
        seconds,
        cpu_seconds: rollouts.cpu_seconds + update.cpu_seconds,
        tokens_per_second: (prompts * group * response_tokens) as f64 / seconds,
        peak_mib: peak_mib(),
    })
}

/// Many sequences of many lengths.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Load {
    /// Sequences.
    pub sequences: usize,
    /// Tokens of all prompts.
    pub read: u64,
    /// Tokens generated.
    pub written: u64,
    /// On the clock.
    pub seconds: f64,
    /// In processor time.
    pub cpu_seconds: f64,
    /// Generated tokens per second on the clock.
    pub tokens_per_second: f64,
    /// Most memory held.
    pub peak_mib: f64,
}

/// The load of nano-vllm's benchmark: 256 sequences, prompts of 100 to 1024 tokens. Answers all have 562 tokens, the mean
/// of its 100 to 1024; both are halved until they fit the student's context.
///
/// # Errors
/// Those of sampling.
pub(super) fn nano(mut student: Student, workers: &Workers) -> Result<Load, BenchError> {
    forget_peak();
    student.end_of_turn = Vec::new();
    let (mut longest, mut answer) = (1024, 562);
    while longest + answer > student.config.max_positions {
        (longest, answer) = (longest / 2, answer / 2);
    }
    let shortest = longest * 100 / 1024;
    let vocab = student.config.vocab_size;
    let group = |i: usize| {
        let prompt = tokens(shortest + i * 7919 % (longest - shortest + 1), i, vocab);
        sample::Group { prompt, stream: i as u64, samples: 0..1 }
    };
    let groups: Vec<sample::Group> = (0..256).map(group).collect();
    let mut written = 0;
    let clock = Clock::start();
    let slots = if student.model.compute.is_portable() { groups.len() } else { 64 };
    generate(&student, workers, &groups, &settings(answer, slots), &mut |done| {
        written += done.ids.len() as u64;
        ControlFlow::Continue(())
    })?;
    let pace = clock.stop(written);
    Ok(Load {
        sequences: groups.len(),
        read: groups.iter().map(|group| group.prompt.len() as u64).sum(),
        written,
        seconds: pace.seconds,
        cpu_seconds: pace.cpu_seconds,
        tokens_per_second: pace.per_second(),
        peak_mib: peak_mib(),
    })
}

fn settings(max_new_tokens: usize, slots: usize) -> SamplerSettings {
    SamplerSettings { temperature: 1.0, top_p: 1.0, max_new_tokens, slots, banned_first: Vec::new(), log_probs: false }
}

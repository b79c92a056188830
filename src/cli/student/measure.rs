//! What work really takes of memory, beside the plan: the program does it once and asks the system for its peak, or a GPU
//! for what is held there at the end, pages kept for later included.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::super::bench::clock::peak_mib;
use super::super::exit::{Failure, on_device};
use super::super::start;
use super::args::{StudentVerb, Work};
use crate::pipeline::locate::Place;
use crate::pipeline::memory::{Batch, Demand, On, Trained, plan, size};
use crate::recipe::{AdamWRecipe, ComputeChoice, DeviceChoice, LoraRecipe, SftLoss};
use crate::sample::{Group, SamplerSettings, generate};
use crate::student::device::place as place_on;
use crate::student::workers::Workers;
use crate::student::{ChatTokens, Student};
use crate::train::Trainer;

/// Does the work of a [`StudentVerb::Measure`] and says what was planned and what was taken.
pub fn run(verb: &StudentVerb, place: &Place) -> Result<String, Failure> {
    let StudentVerb::Measure {
        work,
        threads,
        sequences,
        length,
        new,
        micro_batch_tokens,
        checkpointing,
        lora_rank,
        device,
        ..
    } = verb
    else {
        return Ok(String::new());
    };
    let placed = place_on(device.choice.unwrap_or(DeviceChoice::Cpu), ComputeChoice::Auto).map_err(Failure::usage)?;
    let on = if placed.is_cpu() { On::Cpu } else { On::Gpu(placed.compute.precision()) };
    let config = place.config().map_err(Failure::usage)?;
    let threads = start::threads(*threads);
    let (length, lora) = ((*length).max(2), LoraRecipe { rank: *lora_rank, ..LoraRecipe::default() });
    let positions = length + new;
    if positions > config.max_positions {
        let line = format!("{positions} tokens are more than the student's {} positions", config.max_positions);
        return Err(Failure::usage(line));
    }
    let batch = Batch { sequences: (*sequences).max(1), longest: length };
    let samples = *work == Work::Sample;
    let demand = Demand {
        on,
        threads,
        slots: batch.sequences,
        prompt: length,
        positions: if samples { positions } else { 0 },
        sft: if samples { Batch::default() } else { batch },
        grpo: Batch::default(),
        micro_batch_tokens: *micro_batch_tokens,
        checkpointing: *checkpointing,
        trained: Trained::of(&lora, &config),
        beside: false,
        teacher: None,
    };
    let plan = plan(&config, &demand);
    // In one breath: a student kept beside the one that trains would be copied at its first update.
    let loaded = place.load(&placed.device).map_err(Failure::usage)?;
    let student = loaded.with_compute(placed.compute).with_adapters(&lora, 0);
    let workers = Arc::new(Workers::new(threads));
    on_device(&placed, || match work {
        Work::Sample => sample(&student, &workers, batch, *new),
        Work::Sft => step(student, workers, batch, &demand),
    })?;
    let taken = placed.memory().map_or_else(|| peak_mib() * f64::from(1 << 20), |bytes| bytes as f64);
    let planned = plan.bytes() as f64;
    let off = 100.0 * (planned / taken.max(1.0) - 1.0);
    Ok(format!("{plan}\ntaken: {}; the plan is off by {off:+.0} %\n", size(taken as u64)))
}

/// Token ids that differ from sequence to sequence.
fn ids(student: &Student, sequence: usize, length: usize) -> Vec<u32> {
    let vocabulary = student.tokenizer.len().min(student.config.vocab_size).max(1);
    (0..length).map(|i| ((sequence * 7919 + i * i * 31 + i) % vocabulary) as u32).collect()
}

fn sample(student: &Student, workers: &Workers, batch: Batch, new: usize) -> Result<(), Failure> {
    let group = |i: usize| Group { prompt: ids(student, i, batch.longest), stream: i as u64, samples: 0..1 };
    let groups: Vec<Group> = (0..batch.sequences).map(group).collect();
    let slots = batch.sequences;
    let settings = SamplerSettings {
        temperature: 1.0,
        top_p: 0.9,
        max_new_tokens: new,
        slots,
        banned_first: Vec::new(),
        log_probs: false,
    };
    generate(student, workers, &groups, &settings, &mut |_| ControlFlow::Continue(())).map_err(Failure::failed)
}

fn step(student: Student, workers: Arc<Workers>, batch: Batch, demand: &Demand) -> Result<(), Failure> {
    // One token more than goes through the model: the last is only predicted.
    let chat = |i: usize| ChatTokens {
        text: String::new(),
        ids: ids(&student, i, batch.longest + 1),
        offsets: vec![(0, 0); batch.longest + 1],
        trained: (1..=batch.longest).collect(),
        contents: Vec::new(),
    };
    let chats: Vec<ChatTokens> = (0..batch.sequences).map(chat).collect();
    let trainer = Trainer::new(student, AdamWRecipe::default(), demand.micro_batch_tokens, workers);
    let mut trainer = trainer.checkpointing(demand.checkpointing);
    // Moments are pages the system has not given out yet until the first update has written them: two steps.
    for _ in 0..2 {
        trainer.sft_step(&chats, SftLoss::SampleMean, 1e-5).map_err(Failure::failed)?;
    }
    Ok(())
}

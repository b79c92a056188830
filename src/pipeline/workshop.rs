//! What lives on the engine thread: the base, the policy, the frozen reference, the open training run.

use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::Device;

use super::engine::{Asking, EngineError, GrpoGroup, Reply};
use super::locate::locate;
use super::memory::{Trained, gpu::Answers};
use crate::recipe::{AdamWRecipe, DeviceChoice, GrpoRecipe, SftLoss, StudentRecipe};
use crate::sample::{Group, SamplerSettings, generate_while};
use crate::student::device::{Placed, place};
use crate::student::workers::Workers;
use crate::student::{ChatTokens, Decoder, Student};
use crate::train::{self, GrpoMetrics, SftMetrics, Trainer};

/// The text whose first token the format control bans.
const ANSWER_MARKER: &str = "####";

/// Fresh adapters are the same in every run: their effect is nil until they are trained.
const ADAPTER_SEED: u64 = 0;

/// The engine's tensors.
pub struct Workshop {
    base: Student,
    policy: Student,
    id: String,
    reference: Option<Decoder>,
    trainer: Option<Trainer>,
    workers: Arc<Workers>,
    recipe: StudentRecipe,
    placed: Placed,
}

impl Workshop {
    /// Finds the device and tries it.
    pub fn place(recipe: &StudentRecipe) -> Result<Placed, EngineError> {
        let choice = recipe.device.parse().unwrap_or(DeviceChoice::Auto);
        Ok(place(choice, recipe.compute)?)
    }

    /// Loads the student onto a device.
    pub fn open(recipe: &StudentRecipe, threads: usize, placed: Placed) -> Result<Self, EngineError> {
        let base = locate(&recipe.path, &mut |_| ())?.load(&placed.device)?.with_compute(placed.compute);
        let workers = Arc::new(Workers::new(threads));
        let policy = base.with_adapters(&recipe.lora, ADAPTER_SEED);
        let id = super::plan::BASE.to_string();
        Ok(Self { base, policy, id, reference: None, trainer: None, workers, recipe: recipe.clone(), placed })
    }

    /// What it computes on.
    pub fn placed(&self) -> &Placed {
        &self.placed
    }

    /// Tokenizer and chat template ride along with the student.
    pub fn text(&self) -> Student {
        self.base.clone()
    }

    /// Ends an open training run without keeping it, and says whether the policy is this one already.
    pub fn is_at(&mut self, id: &str) -> bool {
        self.trainer = None;
        self.id == id
    }

    /// Makes these weights the policy; `None` is the base.
    pub fn use_weights(&mut self, id: &str, weights: Option<Vec<u8>>) -> Result<(), EngineError> {
        self.trainer = None;
        self.policy = match weights {
            None => self.base.with_adapters(&self.recipe.lora, ADAPTER_SEED),
            Some(bytes) if self.recipe.lora.on() => self.base.with_adapter_weights(&self.recipe.lora, &bytes)?,
            Some(bytes) => {
                let Placed { device, compute, .. } = &self.placed;
                Student::from_bytes(self.base.files().clone(), &bytes, device)?.with_compute(*compute)
            }
        };
        self.id = id.to_string();
        Ok(())
    }

    /// The student that samples: the one in training, else the policy.
    fn current(&self) -> &Student {
        self.trainer.as_ref().map_or(&self.policy, Trainer::student)
    }

    /// Samples every prompt of `asking`, as long as `go_on` says so ([`generate_while`]).
    pub fn generate(
        &self,
        asking: &Asking,
        go_on: &(dyn Fn() -> bool + Sync),
        mut each: impl FnMut(Reply) -> ControlFlow<()>,
    ) -> Result<(), EngineError> {
        let student = self.current();
        let mut groups = Vec::with_capacity(asking.prompts.len());
        for (messages, stream) in asking.prompts.iter().zip(&asking.streams) {
            let prompt = student.encode_prompt(messages)?;
            groups.push(Group { prompt, stream: *stream, samples: 0..asking.samples });
        }
        let longest = groups.iter().map(|group| group.prompt.len()).max().unwrap_or(0);
        let banned = if asking.ban_marker { self.marker()? } else { Vec::new() };
        let settings = SamplerSettings {
            temperature: asking.sampling.temperature,
            top_p: asking.sampling.top_p,
            max_new_tokens: asking.sampling.max_new_tokens,
            slots: self.slots(longest, asking.sampling.max_new_tokens),
            banned_first: banned,
            log_probs: asking.log_probs,
        };
        let mut fault = None;
        generate_while(student, &self.workers, &groups, &settings, go_on, &mut |finished| {
            let ids = finished.ids;
            let said = ids.iter().copied().filter(|id| !student.end_of_turn.contains(id)).collect::<Vec<_>>();
            match student.tokenizer.decode(&said) {
                Ok(text) => each(Reply {
                    question: finished.group,
                    sample: finished.sample,
                    tokens: ids.len() as u32,
                    ids,
                    log_probs: finished.log_probs,
                    text,
                    finish: finished.finish,
                }),
                Err(error) => {
                    fault = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        fault.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Sequences to sample at once: on a GPU as many as the memory plan fits into what is free now.
    fn slots(&self, prompt: usize, new: usize) -> usize {
        let Some(room) = self.placed.room() else { return self.recipe.slots };
        let config = &self.base.config;
        let adapted = Trained::of(&self.recipe.lora, config).adapted();
        let positions = prompt.saturating_add(new).min(config.max_positions);
        let precision = self.placed.compute.precision();
        Answers { precision, prompt, positions, adapted }.slots(config, room.free)
    }

    /// Every token with which the answer marker could begin.
    fn marker(&self) -> Result<Vec<u32>, EngineError> {
        let tokenizer = &self.base.tokenizer;
        let mut banned = Vec::new();
        for text in [ANSWER_MARKER.to_string(), format!(" {ANSWER_MARKER}"), format!("{ANSWER_MARKER} 1")] {
            banned.extend(tokenizer.encode(&text)?.first().copied());
        }
        banned.sort_unstable();
        banned.dedup();
        Ok(banned)
    }

    /// Negative log-likelihoods of the trained tokens, nats.
    pub fn score(&self, chats: &[ChatTokens]) -> Result<Vec<Vec<f32>>, EngineError> {
        Ok(self.current().score(chats)?)
    }

    /// Opens a training run on the policy, from the saved state of a file where one is given.
    pub fn begin(&mut self, adamw: AdamWRecipe, state: Option<File>) -> Result<(), EngineError> {
        let (student, tokens, workers) =
            (self.policy.clone(), self.recipe.micro_batch_tokens, Arc::clone(&self.workers));
        let trainer = match state {
            None => Trainer::new(student, adamw, tokens, workers),
            Some(state) => Trainer::restore(student, adamw, tokens, workers, state)?,
        };
        self.trainer = Some(trainer.checkpointing(self.recipe.checkpointing));
        Ok(())
    }

    /// Freezes the policy as the reference.
    pub fn freeze_reference(&mut self) {
        self.reference = Some(self.policy.model.clone());
    }

    /// One SFT update.
    pub fn sft_step(&mut self, batch: &[ChatTokens], lr: f64, loss: SftLoss) -> Result<SftMetrics, EngineError> {
        let trainer = self.trainer.as_mut().ok_or(EngineError::NotTraining)?;
        Ok(trainer.sft_step(batch, loss, lr)?)
    }

    /// One GRPO step.
    pub fn grpo_step(
        &mut self,
        groups: &[GrpoGroup],
        recipe: &GrpoRecipe,
        lr: f64,
    ) -> Result<GrpoMetrics, EngineError> {
        let mut batch = Vec::with_capacity(groups.len());
        for group in groups {
            let prompt = self.base.encode_prompt(&group.prompt)?;
            batch.push(train::Group { prompt, responses: group.responses.clone(), rewards: group.rewards.clone() });
        }
        let trainer = self.trainer.as_mut().ok_or(EngineError::NotTraining)?;
        let reference = self.reference.as_ref().ok_or(EngineError::NotTraining)?;
        Ok(trainer.grpo_step(&batch, reference, recipe, lr)?)
    }

    /// Writes weights, moments and update count of the open run.
    pub fn write_state(&self, out: &mut impl Write) -> Result<(), EngineError> {
        Ok(self.trainer.as_ref().ok_or(EngineError::NotTraining)?.write_state(out)?)
    }

    /// Closes the open run; what it trained is the policy from here on.
    pub fn end(&mut self, id: &str) {
        if let Some(trainer) = self.trainer.take() {
            self.policy = trainer.into_student();
        }
        self.id = id.to_string();
        self.reference = None;
    }

    /// The policy as the files of a Hugging Face folder or, where adapters are trained, of a PEFT folder.
    pub fn files(&self) -> Result<Vec<(String, Vec<u8>)>, EngineError> {
        if self.recipe.lora.on() {
            return Ok(self.policy.adapter_files(&self.recipe.lora, &self.recipe.path)?);
        }
        Ok(self.policy.to_files()?)
    }
}

/// The student a run starts from, on the CPU.
///
/// # Errors
/// What of its folder cannot be used.
pub fn base(recipe: &StudentRecipe) -> Result<Student, EngineError> {
    Ok(locate(&recipe.path, &mut |_| ())?.load(&Device::flex())?)
}

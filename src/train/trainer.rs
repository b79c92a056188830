//! The trainer: a student, its optimizer, and the way from a batch to an update.
//!
//! Gradients are accumulated over fixed shards (see [`super::shards`]) on the workers' threads. Each shard has a
//! replica of the model of its own, whose leaves share nothing with the others' but the numbers: shared leaves would
//! merge the graphs and make the backward passes wait for each other. Where there are fewer shards than threads, and
//! for large models, whose gradients should not stand in memory once per thread, shards go one by one and the threads
//! share each operation; the bits are the same.
//!
//! On another device all shards go one after the other on the calling thread (each thread would have a memory pool of its
//! own there). Weights, gradients and moments stay on the device; the numbers to show and the norm are read together, once
//! per update, and nothing else is.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};

use super::adamw::AdamW;
use super::batch::{Scored, Sequence, widths};
use super::checkpointed;
use super::error::TrainError;
use super::gradients::{Gradients, clip_factor, host};
use super::ordered::{in_order, one_by_one};
use super::shards::{AT_LEAST, Shard, pack};
use crate::recipe::AdamWRecipe;
use crate::student::ops::reuse;
use crate::student::workers::Workers;
use crate::student::{Decoder, ModelConfig, Parameter, RopeTable, Student};

/// A student in training.
pub struct Trainer {
    pub(super) student: Student,
    pub(super) optimizer: AdamW,
    pub(super) workers: Arc<Workers>,
    pub(super) micro_batch_tokens: usize,
    checkpointing: bool,
    _memory: KeptMemory,
}

/// Lets go of the gradients' memory when the training ends.
struct KeptMemory;

impl Drop for KeptMemory {
    fn drop(&mut self) {
        reuse::clear();
    }
}

/// What a loss sees of a shard: a replica of the model with a graph, and the table of angles on its device.
pub struct Pass<'a> {
    /// The replica.
    pub model: &'a Decoder,
    /// Rotary angles.
    pub rope: &'a RopeTable,
    /// The sequences that go through it.
    pub shard: &'a Shard,
    /// Log-probs of the shard's scored tokens under the replica, `[tokens]`, with their graph.
    pub current: Tensor<1>,
}

impl Trainer {
    /// A trainer with fresh moments (each SFT and RL run has its own, reading.md, row 27). `micro_batch_tokens` is
    /// the most padded tokens that go through the model at once.
    pub fn new(mut student: Student, settings: AdamWRecipe, micro_batch_tokens: usize, workers: Arc<Workers>) -> Self {
        student.model = student.model.valid();
        let sizes = student.model.trained_parameters().into_iter().map(|p| p.value.dims().iter().product());
        let optimizer = if student.model.compute.is_portable() {
            AdamW::resident(settings, sizes, &student.model.device())
        } else {
            AdamW::new(settings, sizes)
        };
        Self { optimizer, student, workers, micro_batch_tokens, checkpointing: false, _memory: KeptMemory }
    }

    /// The same trainer, with layers computed again on the way back or not (see [`super::checkpointed`]).
    pub fn checkpointing(mut self, on: bool) -> Self {
        self.checkpointing = on;
        self
    }

    /// The student as trained so far, on the plain device: sample and score with it.
    pub fn student(&self) -> &Student {
        &self.student
    }

    /// Ends the training.
    pub fn into_student(self) -> Student {
        self.student
    }

    /// Updates made so far.
    pub fn updates(&self) -> u64 {
        self.optimizer.updates()
    }

    /// The shards of a batch.
    ///
    /// # Errors
    /// [`TrainError::TooLong`].
    pub(super) fn shards(&self, sequences: &[Sequence]) -> Result<Vec<Shard>, TrainError> {
        let widths = widths(sequences);
        let (longest, max) = (widths.iter().max().map_or(0, |w| w + 1), self.student.config.max_positions);
        if longest > max {
            return Err(TrainError::TooLong { tokens: longest, max });
        }
        // A device computes one shard at a time, and the larger the better.
        let at_least = if self.student.model.compute.is_portable() { 1 } else { AT_LEAST };
        Ok(pack(&widths, self.micro_batch_tokens, at_least))
    }

    /// The gradient of a loss that is a sum over shards. `loss` is given the log-probs of a shard's scored tokens, with
    /// the logits divided by `temperature`, and gives its part of the sum and numbers to show, `[1]` each; back come the
    /// gradient, the loss, and the sums of the numbers, all added in the order of the shards.
    pub(super) fn gradient(
        &self,
        shards: &[Shard],
        (sequences, temperature): (&[Sequence], f64),
        loss: impl Fn(Pass) -> (Tensor<1>, Vec<Tensor<1>>) + Sync,
    ) -> (Gradients, f64, Vec<f64>) {
        let plain = rope_for(&self.student, shards);
        let model = &self.student.model;
        let work = |index: usize| {
            let (model, shard) = (model.clone().train(), &shards[index]);
            let rope = with_graph(&plain);
            let scored = Scored::of(shard, sequences, temperature, &model.device());
            let finish = |current: Tensor<1>| {
                let (part, mut shown) = loss(Pass { model: &model, rope: &rope, shard, current });
                shown.insert(0, part.clone().detach());
                (part, Tensor::cat(shown, 0).inner())
            };
            if self.checkpointing {
                return checkpointed::backward(&model, &rope, &scored, finish);
            }
            let (part, shown) = finish(scored.log_probs(&model, &rope));
            (Gradients::collect(&model, part.backward()), shown)
        };
        let mut total: Option<(Gradients, Vec<f64>)> = None;
        let mut shown: Option<Tensor<1>> = None;
        let waits = model.compute.is_portable();
        let take = |_, (gradients, numbers): (Gradients, Tensor<1>)| {
            let numbers = if waits {
                shown = Some(shown.take().map_or(numbers.clone(), |sum| sum + numbers));
                Vec::new()
            } else {
                host(numbers)
            };
            let numbers = numbers.into_iter().map(f64::from);
            match &mut total {
                None => total = Some((gradients, numbers.collect())),
                Some((sum, sums)) => {
                    sum.add(&gradients);
                    gradients.recycle();
                    sums.iter_mut().zip(numbers).for_each(|(into, n)| *into += n);
                }
            }
        };
        self.over(shards.len(), work, take);
        let (mut gradients, mut numbers) = total.unwrap_or_else(|| (Gradients::default(), vec![0.0]));
        if let Some(shown) = shown {
            numbers = gradients.read_with(shown).into_iter().map(f64::from).collect();
        }
        let loss = numbers.remove(0);
        (gradients, loss, numbers)
    }

    /// `work` on every shard, results in order.
    pub(super) fn over<T: Send>(
        &self,
        shards: usize,
        work: impl Fn(usize) -> T + Sync,
        take: impl FnMut(usize, T) + Send,
    ) {
        if self.student.model.compute.is_portable() {
            let mut take = take;
            return (0..shards).for_each(|index| take(index, work(index)));
        }
        if shards < self.workers.count() || self.student.model.is_large() {
            one_by_one(&self.workers, shards, work, take);
        } else {
            in_order(&self.workers, shards, work, take);
        }
    }

    /// One update along a gradient: global norm, clip, AdamW (in this order). Gives the norm before the clip.
    ///
    /// # Errors
    /// [`TrainError::NotFinite`], and nothing has changed.
    pub(super) fn update(&mut self, gradients: Gradients, loss: f64, lr: f64) -> Result<f64, TrainError> {
        let workers = Arc::clone(&self.workers);
        let resident = gradients.resident().is_some();
        let norm = if resident { gradients.global_norm() } else { workers.together(|| gradients.global_norm()) };
        for (what, value) in [("loss", loss), ("gradient", norm)] {
            if !value.is_finite() {
                return Err(TrainError::NotFinite { what, update: self.optimizer.updates() + 1 });
            }
        }
        let clip = clip_factor(norm, self.optimizer.settings().clip_norm);
        if let Some(parts) = gradients.resident() {
            let (mut update, mut parts) = (self.optimizer.begin(lr, clip), parts);
            let model = std::mem::replace(&mut self.student.model, nothing(&self.student.config));
            self.student.model = model.map_trained(|_, value| match parts.next() {
                Some(gradient) => value.shaped(update.apply_resident(value.clone().flat(), gradient.clone())),
                None => value,
            });
            return Ok(norm);
        }
        let mut update = self.optimizer.begin(lr, clip);
        let mut parts = gradients.parts().iter();
        // The model is taken out of the student, so that its numbers have one holder and change in place.
        let model = std::mem::replace(&mut self.student.model, nothing(&self.student.config));
        let mut change = |_: &str, value| {
            let Some(gradient) = parts.next() else { return value };
            let apply = |values: &mut [f32]| update.apply(values, gradient);
            match value {
                Parameter::Vector(tensor) => Parameter::Vector(edited(tensor, apply)),
                Parameter::Matrix(tensor) => Parameter::Matrix(edited(tensor, apply)),
            }
        };
        self.student.model = workers.together(|| model.map_trained(&mut change));
        gradients.recycle();
        Ok(norm)
    }
}

/// A tensor with its values changed, in place where nobody else holds them.
fn edited<const D: usize>(tensor: Tensor<D>, edit: impl FnOnce(&mut [f32])) -> Tensor<D> {
    let (device, shape) = (tensor.device(), tensor.shape());
    let mut values = host(tensor);
    edit(&mut values);
    Tensor::from_data(TensorData::new(values, shape), &device)
}

/// A table of angles that is long enough for these shards, on the student's device.
pub(super) fn rope_for(student: &Student, shards: &[Shard]) -> RopeTable {
    student.rope(shards.iter().map(|s| s.width).max().unwrap_or(1))
}

/// The same table for a model with a graph.
fn with_graph(rope: &RopeTable) -> RopeTable {
    RopeTable { cos: Tensor::from_inner(rope.cos.clone()), sin: Tensor::from_inner(rope.sin.clone()) }
}

/// The table of a model with a graph for one without.
pub(super) fn without_graph(rope: &RopeTable) -> RopeTable {
    RopeTable { cos: rope.cos.clone().inner(), sin: rope.sin.clone().inner() }
}

/// A decoder of hardly any size, to stand where a model was taken out.
fn nothing(config: &ModelConfig) -> Decoder {
    let config = ModelConfig { layers: 0, vocab_size: 1, ..config.clone() };
    Decoder::zeros(&config, &burn::tensor::Device::flex())
}

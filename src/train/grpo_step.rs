//! One GRPO step: a batch of rollouts in, a few updates out.
//!
//! 1. Advantages per group; all-zero groups are left out and counted, all-one groups stay with advantage 0 and add
//!    only their KL term (reading.md, row 36).
//! 2. What is left is cut into mini-batches of at most `mini_batch` groups, as even as possible, in the order of the
//!    batch: one update each (row 32).
//! 3. log π_old of every mini-batch but the first is computed before the first update. The first needs no pass:
//!    before an update the current policy is the old one, so its ratios are 1.
//! 4. log π_ref is computed with each shard, by the frozen reference on the same rows, so that a policy that has not
//!    moved has a KL of exactly 0.

use burn::tensor::Tensor;

use super::batch::{Sequence, each_token, log_probs, per_token};
use super::error::TrainError;
use super::gradients::{Gradients, host};
use super::grpo::{Objective, Tokens, advantages, objective, token_weights};
use super::shards::Shard;
use super::trainer::{Pass, Trainer, rope_for, without_graph};
use crate::domain::GroupOutcome;
use crate::recipe::GrpoRecipe;
use crate::student::Decoder;

/// A prompt with its group of responses (eq. 22) and their rewards.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Token ids of the prompt, generation header included.
    pub prompt: Vec<u32>,
    /// Token ids of each response, the end-of-turn token included where it was sampled.
    pub responses: Vec<Vec<u32>>,
    /// Reward of each response: 1 for right, 0 for wrong (eq. 2).
    pub rewards: Vec<f64>,
}

/// Where the log-probs of a policy that is not trained come from.
pub enum LogProbs<'a> {
    /// From this model, without a graph, on the rows of the shard.
    Model(&'a Decoder),
    /// From a list per response.
    Given(&'a [Vec<f32>]),
    /// They are the current ones: the policy has not moved.
    Current,
}

/// The responses of a mini-batch, flat.
#[derive(Clone, Debug, Default)]
pub struct MiniBatch {
    /// Prompt and response.
    pub sequences: Vec<Sequence>,
    /// Advantage of each.
    pub advantages: Vec<f64>,
}

/// What one update of a step showed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UpdateMetrics {
    /// Policy plus β times KL.
    pub loss: f64,
    /// The clipped policy term.
    pub policy: f64,
    /// The KL estimate, aggregated like the policy term.
    pub kl: f64,
    /// Share of tokens held back by the clip.
    pub clip_fraction: f64,
    /// Share of tokens held back by the second bound.
    pub dual_clip_fraction: f64,
    /// Mean −log π of the sampled tokens: an estimate of the entropy in nats, without bias where top-p is 1.
    pub entropy: f64,
    /// Norm of the gradient before the clip.
    pub grad_norm: f64,
    /// Tokens of the responses.
    pub tokens: usize,
}

/// What a step showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GrpoMetrics {
    /// Its updates, in order; empty where every group was all-zero.
    pub updates: Vec<UpdateMetrics>,
    /// Mean reward over all responses.
    pub reward: f64,
    /// Share of groups without a right response; they were left out.
    pub all_zero: f64,
    /// Share of groups with right and wrong responses.
    pub mixed: f64,
    /// Share of groups with right responses only; they add only the KL term.
    pub all_one: f64,
    /// Mean tokens of all responses.
    pub length: f64,
    /// The rate of the updates.
    pub lr: f64,
}

impl GrpoMetrics {
    /// Curves by name; those of the updates are means over the updates.
    pub fn named(&self) -> Vec<(String, f64)> {
        let n = self.updates.len().max(1) as f64;
        let mean = |of: fn(&UpdateMetrics) -> f64| self.updates.iter().map(of).sum::<f64>() / n;
        let curves = [
            ("loss", mean(|u| u.loss)),
            ("policy", mean(|u| u.policy)),
            ("kl", mean(|u| u.kl)),
            ("clip-fraction", mean(|u| u.clip_fraction)),
            ("dual-clip-fraction", mean(|u| u.dual_clip_fraction)),
            ("entropy", mean(|u| u.entropy)),
            ("grad-norm", mean(|u| u.grad_norm)),
            ("length", self.length),
            ("all-zero", self.all_zero),
            ("mixed", self.mixed),
            ("all-one", self.all_one),
        ];
        curves.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
    }

    /// Tokens trained on, over all updates.
    pub fn trained_tokens(&self) -> usize {
        self.updates.iter().map(|u| u.tokens).sum()
    }
}

impl Trainer {
    /// One step on a batch of groups: an update per mini-batch. `reference` is the policy frozen at the start of the RL
    /// stage (row 34).
    ///
    /// # Errors
    /// [`TrainError`]; updates before the failing one stay made.
    pub fn grpo_step(
        &mut self,
        batch: &[Group],
        reference: &Decoder,
        recipe: &GrpoRecipe,
        lr: f64,
    ) -> Result<GrpoMetrics, TrainError> {
        check(batch, recipe)?;
        let mut metrics = outcomes(batch, lr);
        let mini_batches = mini_batches(batch, recipe);
        let mut old = Vec::new();
        for mini_batch in mini_batches.iter().skip(1) {
            old.push(self.log_probs_of(&self.student.model, &mini_batch.sequences, recipe.sampling.temperature)?);
        }
        for (index, mini_batch) in mini_batches.iter().enumerate() {
            let old = if index == 0 { LogProbs::Current } else { LogProbs::Given(&old[index - 1]) };
            let (gradients, mut shown) = self.grpo_gradient(mini_batch, old, LogProbs::Model(reference), recipe)?;
            shown.grad_norm = self.update(gradients, shown.loss, lr)?;
            metrics.updates.push(shown);
        }
        Ok(metrics)
    }

    /// The loss of a mini-batch (everything but its `grad_norm`) and its gradient.
    ///
    /// # Errors
    /// [`TrainError::TooLong`].
    pub fn grpo_gradient(
        &self,
        mini_batch: &MiniBatch,
        old: LogProbs,
        reference: LogProbs,
        recipe: &GrpoRecipe,
    ) -> Result<(Gradients, UpdateMetrics), TrainError> {
        let MiniBatch { sequences, advantages } = mini_batch;
        let lengths: Vec<usize> = sequences.iter().map(Sequence::scored).collect();
        let weights = token_weights(&lengths, recipe);
        let temperature = recipe.sampling.temperature;

        let shards = self.shards(sequences)?;
        let (gradients, loss, sums) = self.gradient(&shards, (sequences, temperature), |pass| {
            let Pass { model, rope, shard, current } = pass;
            let device = model.device();
            let of = |policy: &LogProbs| match policy {
                LogProbs::Current => current.clone().detach(),
                LogProbs::Given(values) => each_token(shard, values, &device),
                LogProbs::Model(other) => {
                    Tensor::from_inner(log_probs(other, &without_graph(rope), shard, sequences, temperature))
                }
            };
            let tokens = Tokens {
                old: of(&old),
                reference: of(&reference),
                advantage: per_token(shard, sequences, advantages, &device),
                weight: per_token(shard, sequences, &weights, &device),
                current,
            };
            let Objective { loss, policy, kl, clipped, dual_clipped, surprise } = objective(tokens, recipe);
            (loss, vec![policy, kl, clipped, dual_clipped, surprise])
        });
        Ok((gradients, shown(loss, &sums, lengths.iter().sum())))
    }

    /// Log-probs of each sequence's scored tokens under a model, without a graph, with the logits divided by
    /// `temperature`.
    ///
    /// # Errors
    /// [`TrainError::TooLong`].
    pub fn log_probs_of(
        &self,
        model: &Decoder,
        sequences: &[Sequence],
        temperature: f64,
    ) -> Result<Vec<Vec<f32>>, TrainError> {
        let shards = self.shards(sequences)?;
        let rope = rope_for(&self.student, &shards);
        let of = |index: usize| log_probs(model, &rope, &shards[index], sequences, temperature);
        let mut all = vec![Vec::new(); sequences.len()];
        if model.compute.is_portable() && !shards.is_empty() {
            // Read once, when all are on their way.
            let flat = host(Tensor::cat((0..shards.len()).map(of).collect(), 0));
            let mut rest = flat.as_slice();
            for shard in &shards {
                rest = deal(shard, sequences, rest, &mut all);
            }
            return Ok(all);
        }
        let work = |index: usize| host(of(index));
        self.over(shards.len(), work, |index, flat| {
            deal(&shards[index], sequences, &flat, &mut all);
        });
        Ok(all)
    }
}

/// Deals the flat values of a shard out to its sequences; gives what is left of them.
fn deal<'a>(shard: &Shard, sequences: &[Sequence], flat: &'a [f32], all: &mut [Vec<f32>]) -> &'a [f32] {
    let mut rest = flat;
    for &index in &shard.rows {
        let (own, behind) = rest.split_at(sequences[index].scored());
        all[index] = own.to_vec();
        rest = behind;
    }
    rest
}

fn check(batch: &[Group], recipe: &GrpoRecipe) -> Result<(), TrainError> {
    let temperature = recipe.sampling.temperature;
    if temperature <= 0.0 {
        return Err(TrainError::Temperature(temperature));
    }
    for (group, Group { responses, rewards, .. }) in batch.iter().enumerate() {
        if responses.len() != rewards.len() {
            return Err(TrainError::Rewards { group, responses: responses.len(), rewards: rewards.len() });
        }
    }
    Ok(())
}

/// All-zero, mixed or all-one; `None` for a group without responses.
fn outcome(group: &Group) -> Option<GroupOutcome> {
    let right = group.rewards.iter().filter(|r| **r > 0.0).count();
    GroupOutcome::of(u32::try_from(right).ok()?, u32::try_from(group.rewards.len()).ok()?)
}

/// What can be said of a batch before training on it.
fn outcomes(batch: &[Group], lr: f64) -> GrpoMetrics {
    let share = |wanted| batch.iter().filter(|g| outcome(g) == Some(wanted)).count() as f64 / batch.len().max(1) as f64;
    let responses = batch.iter().map(|g| g.responses.len()).sum::<usize>().max(1) as f64;
    GrpoMetrics {
        updates: Vec::new(),
        reward: batch.iter().flat_map(|g| &g.rewards).sum::<f64>() / responses,
        all_zero: share(GroupOutcome::AllZero),
        mixed: share(GroupOutcome::Mixed),
        all_one: share(GroupOutcome::AllOne),
        length: batch.iter().flat_map(|g| &g.responses).map(Vec::len).sum::<usize>() as f64 / responses,
        lr,
    }
}

/// The groups that are trained on, in mini-batches as even as possible.
fn mini_batches(batch: &[Group], recipe: &GrpoRecipe) -> Vec<MiniBatch> {
    let kept: Vec<&Group> =
        batch.iter().filter(|g| !matches!(outcome(g), None | Some(GroupOutcome::AllZero))).collect();
    let count = kept.len().div_ceil(recipe.mini_batch.max(1));
    let slices = (0..count).map(|i| &kept[i * kept.len() / count..(i + 1) * kept.len() / count]);
    slices.map(|groups| mini_batch(groups, recipe)).collect()
}

fn mini_batch(groups: &[&Group], recipe: &GrpoRecipe) -> MiniBatch {
    let mut flat = MiniBatch::default();
    for Group { prompt, responses, rewards } in groups {
        flat.sequences.extend(responses.iter().map(|response| Sequence::response(prompt, response)));
        flat.advantages.extend(advantages(rewards, recipe.advantage, recipe.advantage_eps));
    }
    flat
}

/// Metrics from the sums of [`Objective`]'s numbers.
fn shown(loss: f64, sums: &[f64], tokens: usize) -> UpdateMetrics {
    let of_tokens = |index: usize| sums.get(index).copied().unwrap_or(0.0) / tokens.max(1) as f64;
    UpdateMetrics {
        loss,
        policy: sums.first().copied().unwrap_or(0.0),
        kl: sums.get(1).copied().unwrap_or(0.0),
        clip_fraction: of_tokens(2),
        dual_clip_fraction: of_tokens(3),
        entropy: of_tokens(4),
        grad_norm: 0.0,
        tokens,
    }
}

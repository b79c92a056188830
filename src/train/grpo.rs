//! GRPO: the group-relative policy gradient (eqs. 22 to 28).
//!
//! Read from top to bottom: the advantage of a response ([`advantages`]), the two terms of a token, how tokens become one
//! loss.
//! Deviations from the paper's formulas, each an option whose default is the paper's or its framework's:
//!
//! 1. **Advantage** (eq. 23): the deviation divides by n − 1 and ε (`advantage_eps`) is 1e-6; a group of one has advantage 0; `biased`
//!    divides by n, `none` does not scale (reading.md, row 30).
//! 2. **Ratio** (eq. 24): the log-ratio is clamped to ±20 (`log_ratio_clamp`); beyond, its gradient is 0 (row 33). Log-probs are taken at
//!    the rollouts' temperature, top-p is not applied, and `old` is recomputed by the trainer (row 32).
//! 3. **Clip** (eq. 25): the two sides have settings of their own; a second bound for negative advantages
//!    (`dual_clip`) is absent in the paper and off (row 31).
//! 4. **KL** (eq. 26): the estimator k3 = e^d − d − 1 with d = reference − current clamped to ±20 and the result to
//!    ±10 (`kl_clamp`, row 33). The reference is the policy at the start of the RL stage (row 34).
//! 5. **Aggregation** (eq. 27): mean over a response's tokens, then over responses; `token-mean` and
//!    `seq-mean-token-sum-norm` are offered (row 29). Each is a weight per token, so shards of a batch simply add up.
//! 6. The expectation over questions is the mean over the responses of a mini-batch (row 32).
//!
//! The step around it, with rollouts in and updates out, is in [`super::grpo_step`].

use burn::tensor::Tensor;

pub use crate::domain::advantages;
use crate::recipe::{Aggregation, GrpoRecipe};

/// What eqs. 24 and 25 give per token, `[tokens]` each.
pub struct PolicyTerms {
    /// The term to minimise, −L_CLIP.
    pub term: Tensor<1>,
    /// ρ, the ratio of current to old probability.
    pub ratio: Tensor<1>,
    /// 1 where the clip held the term back, else 0.
    pub clipped: Tensor<1>,
    /// 1 where the second bound held it back, else 0.
    pub dual_clipped: Tensor<1>,
}

/// Eqs. 24 and 25: ρ = π/π_old and −min(ρ·A, clip(ρ)·A) per token. All inputs are `[tokens]`.
pub fn policy_terms(current: Tensor<1>, old: Tensor<1>, advantage: Tensor<1>, recipe: &GrpoRecipe) -> PolicyTerms {
    let ratio = both_sides(current - old, recipe.log_ratio_clamp).exp();
    let within = ratio.clone().clamp(1.0 - recipe.clip_low, 1.0 + recipe.clip_high);
    let free = (ratio.clone() * advantage.clone()).neg();
    let held = (within * advantage.clone()).neg();

    let clipped = held.clone().greater(free.clone());
    let mut term = free.mask_where(clipped.clone(), held);

    let mut dual_clipped = advantage.zeros_like();
    if let Some(bound) = recipe.dual_clip {
        let cap = (advantage.clone() * bound).neg();
        let over = term.clone().greater(cap.clone()).bool_and(advantage.lower_elem(0.0));
        term = term.mask_where(over.clone(), cap);
        dual_clipped = over.float();
    }
    PolicyTerms { term, ratio, clipped: clipped.float(), dual_clipped }
}

/// Eq. 26: the estimator k3 of D_KL[π ‖ π_ref] per token, `[tokens]`.
pub fn kl_terms(current: Tensor<1>, reference: Tensor<1>, recipe: &GrpoRecipe) -> Tensor<1> {
    let d = both_sides(reference - current, recipe.log_ratio_clamp);
    both_sides(d.clone().exp() - d - 1.0, recipe.kl_clamp)
}

/// Clamped to ± `bound`.
fn both_sides(tensor: Tensor<1>, bound: f64) -> Tensor<1> {
    tensor.clamp(-bound, bound)
}

/// Eq. 27's averages as one weight per response: what each of its tokens counts for in the loss. `lengths` are the
/// responses' tokens of the whole mini-batch.
pub fn token_weights(lengths: &[usize], recipe: &GrpoRecipe) -> Vec<f64> {
    let responses = lengths.len() as f64;
    let tokens = lengths.iter().sum::<usize>() as f64;
    let weight = |length: &usize| match recipe.agg {
        Aggregation::SeqMeanTokenMean => 1.0 / (responses * *length as f64),
        Aggregation::TokenMean => 1.0 / tokens,
        Aggregation::SeqMeanTokenSumNorm => 1.0 / (responses * recipe.norm_len as f64),
    };
    lengths.iter().map(weight).collect()
}

/// The tokens of some responses, flat: `[tokens]` each.
pub struct Tokens {
    /// log π of each token under the policy being trained.
    pub current: Tensor<1>,
    /// log π_old: under the policy that made the rollouts.
    pub old: Tensor<1>,
    /// log π_ref: under the frozen reference.
    pub reference: Tensor<1>,
    /// Â of the token's response.
    pub advantage: Tensor<1>,
    /// The token's weight ([`token_weights`]).
    pub weight: Tensor<1>,
}

/// The loss and what is shown of it, `[1]` each.
pub struct Objective {
    /// Eq. 28: its gradient is the update's.
    pub loss: Tensor<1>,
    /// Σ weight·term.
    pub policy: Tensor<1>,
    /// Σ weight·kl.
    pub kl: Tensor<1>,
    /// Tokens held back by the clip.
    pub clipped: Tensor<1>,
    /// Tokens held back by the second bound.
    pub dual_clipped: Tensor<1>,
    /// Σ −log π: over the number of tokens it estimates the entropy (without bias where top-p is 1).
    pub surprise: Tensor<1>,
}

/// Eqs. 27 and 28: the loss, Σ weight·(term + β·kl). Summed over the shards of a mini-batch it is the mini-batch's
/// loss.
pub fn objective(tokens: Tokens, recipe: &GrpoRecipe) -> Objective {
    let Tokens { current, old, reference, advantage, weight } = tokens;
    let surprise = current.clone().detach().neg().sum();

    let terms = policy_terms(current.clone(), old, advantage, recipe);
    let policy = (terms.term * weight.clone()).sum();
    let kl = (kl_terms(current, reference, recipe) * weight).sum();
    let loss = policy.clone() + kl.clone() * recipe.beta;

    let (clipped, dual_clipped) = (terms.clipped.sum(), terms.dual_clipped.sum());
    Objective { loss, policy: policy.detach(), kl: kl.detach(), clipped, dual_clipped, surprise }
}

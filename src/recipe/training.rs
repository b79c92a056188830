//! The settings of training: SFT, rollouts, GRPO and recycling (eqs. 14 to 34, Tables 5, 6 and 9).

use serde::{Deserialize, Serialize};

use super::types::SamplingRecipe;
pub use crate::domain::AdvantageScale;

/// How per-token losses become one number (reading.md, row 25).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SftLoss {
    /// Mean per conversation, then over conversations (eq. 21).
    #[default]
    SampleMean,
    /// Mean over all trained tokens of the batch.
    TokenMean,
}

/// AdamW.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamWRecipe {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Decoupled weight decay, on all parameters.
    pub weight_decay: f64,
    /// Global gradient norm is scaled down to this.
    pub clip_norm: f64,
}

/// SFT (eq. 21, Table 5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SftRecipe {
    /// Peak rate on medium questions.
    pub lr_medium: f64,
    /// Peak rate on bridged hard questions.
    pub lr_bridged: f64,
    /// Peak rate of the SFT that includes recycled lessons.
    pub lr_recycled: f64,
    /// Conversations per update.
    pub batch: usize,
    /// Passes over the data.
    pub epochs: u32,
    /// Share of updates that warm up from 0.
    pub warmup_ratio: f64,
    /// The cosine ends at this share of the peak.
    pub min_lr_ratio: f64,
    /// Aggregation.
    pub loss: SftLoss,
    /// Longest conversation in tokens; longer ones are cut on the right.
    pub max_tokens: usize,
    /// Optimizer.
    pub adamw: AdamWRecipe,
    /// Updates between two saved states of a running stage.
    pub save_every: u32,
}

/// Rollouts before RL (eq. 14).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RolloutsRecipe {
    /// Samples per question, G.
    pub group: u32,
    /// How they are drawn.
    pub sampling: SamplingRecipe,
    /// Which questions are candidates (reading.md, row 35).
    pub candidates: Candidates,
}

/// Which questions are candidates for RL (reading.md, row 35).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Candidates {
    /// The whole train split.
    #[default]
    All,
    /// Medium and hard only.
    Acquisition,
}

/// How token terms become one loss (reading.md, row 29).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregation {
    /// Mean per response, then over responses (eq. 27).
    #[default]
    SeqMeanTokenMean,
    /// Mean over all tokens of the mini-batch (DAPO).
    TokenMean,
    /// Sum per response, mean over responses, divided by a constant (Dr. GRPO).
    SeqMeanTokenSumNorm,
}

/// GRPO (eqs. 22 to 28, Table 6).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrpoRecipe {
    /// Peak rate.
    pub lr: f64,
    /// Steps that warm up: step s (from 0) of n has (s + 1) / (n + 1) of the rate.
    pub warmup_steps: u32,
    /// The rate falls linearly to this share of the peak; 1 keeps it constant.
    pub final_lr_ratio: f64,
    /// Prompts per step.
    pub prompts: usize,
    /// Responses per prompt, G.
    pub group: u32,
    /// Prompts per optimizer update.
    pub mini_batch: usize,
    /// Steps of each iteration; empty means `epochs` over the consolidation set. The last entry repeats.
    pub steps: Vec<u32>,
    /// Passes over the consolidation set where `steps` is empty.
    pub epochs: u32,
    /// Longest prompt in tokens; questions with a longer one leave the RL set.
    pub max_prompt_tokens: usize,
    /// Lower clip: ratios under 1 − this are cut.
    pub clip_low: f64,
    /// Upper clip: ratios over 1 + this are cut.
    pub clip_high: f64,
    /// Bound for negative advantages, or `"off"`; absent in the paper (reading.md, row 31).
    #[serde(with = "super::words::off")]
    pub dual_clip: Option<f64>,
    /// The policy's log-ratio and d of the KL term are clamped to ± this (reading.md, row 33).
    pub log_ratio_clamp: f64,
    /// The KL term of a token is clamped to ± this (reading.md, row 33).
    pub kl_clamp: f64,
    /// Weight of the KL term, β.
    pub beta: f64,
    /// Aggregation.
    pub agg: Aggregation,
    /// The constant of `seq-mean-token-sum-norm`.
    pub norm_len: usize,
    /// Scaling of advantages.
    pub advantage: AdvantageScale,
    /// Added to the deviation that advantages are divided by (eq. 23; reading.md, row 30).
    pub advantage_eps: f64,
    /// How responses are drawn.
    pub sampling: SamplingRecipe,
    /// Optimizer.
    pub adamw: AdamWRecipe,
    /// Steps between two saved states of a running stage.
    pub save_every: u32,
}

/// Near-miss and recycling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecycleRecipe {
    /// τ_ℓ: tokens of a full-length attempt, or `"mean"`: that of this session's hard traces (Table 9).
    #[serde(with = "super::words::mean")]
    pub tau_len: Option<f64>,
    /// τ_s: steps of a full attempt, or `"mean"`: that of this session's hard traces (Table 9).
    #[serde(with = "super::words::mean")]
    pub tau_steps: Option<f64>,
    /// λ_ℓ, λ_s, λ_f of eq. 30; they sum to 3.
    pub weights: [f64; 3],
    /// Longest excerpt in characters that a diagnosis may quote as the first error (reading.md, row 43).
    pub max_excerpt: usize,
    /// SFT(t+1) starts from the RL policy or from the base (reading.md, row 39).
    pub start_from: StartFrom,
}

/// What SFT(t+1) starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StartFrom {
    /// The policy that RL left.
    #[default]
    Policy,
    /// The base model.
    Base,
}

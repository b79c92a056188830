//! Every number of a run, as typed fields with the paper's defaults (Tables 5 and 6, `reading.md`).

use serde::{Deserialize, Serialize};

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Seed of everything random in the run.
    pub seed: u64,
    /// Number of SFT-then-RL iterations (reading.md, row 40).
    pub iterations: u32,
    /// What the hard questions become before SFT.
    pub arm: Arm,
    /// The student.
    pub student: StudentRecipe,
    /// The questions.
    pub data: DataRecipe,
    /// How difficulty is measured.
    pub difficulty: DifficultyRecipe,
    /// The teacher.
    pub teacher: TeacherRecipe,
    /// Algorithm 1.
    pub bridge: BridgeRecipe,
    /// SFT (eq. 21, Table 5).
    pub sft: SftRecipe,
    /// Rollouts before RL (eq. 14).
    pub rollouts: RolloutsRecipe,
    /// GRPO (eqs. 22 to 28, Table 6).
    pub grpo: GrpoRecipe,
    /// Near-miss and recycling (eqs. 16 to 20, 29 to 34).
    pub recycle: RecycleRecipe,
    /// Evaluation after every sub-stage.
    pub evaluate: EvaluateRecipe,
    /// Who approves what the teacher proposes.
    pub gates: GatesRecipe,
}

/// What the hard questions become before SFT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arm {
    /// The paper's method.
    #[default]
    Bridged,
    /// Control: the raw traces, at the bridged arm's tokens, steps and rate.
    RawHard,
    /// Control: more of the pre-training mix, at the bridged arm's tokens, steps and rate.
    Neutral,
}

/// The student.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StudentRecipe {
    /// A Hugging Face folder, or `world` for the built-in base of the generated world.
    pub path: String,
    /// Sequences decoded at once.
    pub slots: usize,
    /// Tokens that go through a training pass at once, padding included; larger batches are accumulated.
    pub micro_batch_tokens: usize,
}

/// The questions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataRecipe {
    /// `world`, or a JSONL file of questions with `question` and `answer`.
    pub source: String,
    /// Verifier of every reward and score.
    pub verifier: String,
    /// Training questions to use; 0 uses all.
    pub train: usize,
    /// Questions held out of training for choosing checkpoints (reading.md, row 7).
    pub dev: usize,
    /// Test questions, where the source generates them.
    pub test: usize,
    /// Questions of each further bank (B and C of the world).
    pub ood: usize,
    /// Seed of the generated questions; it is apart from the run's seed, so that runs share their questions.
    pub seed: u64,
}

/// How a student is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamplingRecipe {
    /// Logits are divided by this; 0 is greedy.
    pub temperature: f64,
    /// Nucleus: the smallest set of tokens with at least this probability.
    pub top_p: f64,
    /// Longest answer in tokens.
    pub max_new_tokens: usize,
}

/// How difficulty is measured (eqs. 1 to 3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DifficultyRecipe {
    /// Samples per question, n.
    pub n: u32,
    /// Medium starts at this share of correct samples.
    pub medium_from: f64,
    /// Simple starts at this share.
    pub simple_from: f64,
    /// How they are drawn.
    pub sampling: SamplingRecipe,
}

/// The teacher.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TeacherRecipe {
    /// `rules` for the generated world.
    pub kind: String,
    /// Times a product that fails its checks is asked for again before it goes to review.
    pub max_retries: u32,
    /// Sampling temperature of a model teacher.
    pub temperature: f64,
    /// Nucleus of a model teacher.
    pub top_p: f64,
}

/// Which steps D is computed on (reading.md, row 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScoreOn {
    /// The teacher's original steps.
    #[default]
    Original,
    /// The steps as edited so far.
    Processed,
}

/// τ_D: a number, or `"mean"` for the token mean over this session's hard traces (reading.md, row 14).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TauD {
    /// A fixed threshold in nats per token.
    Fixed(f64),
    /// The token mean.
    Mean(MeanWord),
}

/// The word `mean`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MeanWord {
    /// Compute it from the session.
    Mean,
}

/// Which student D is measured under (reading.md, row 24).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DifficultyUnder {
    /// The base model.
    #[default]
    Base,
    /// The student as it stands when the traces are scored.
    Current,
}

/// Algorithm 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BridgeRecipe {
    /// I at or below is low importance.
    pub tau_i: f64,
    /// J above is jumpy.
    pub tau_j: f64,
    /// D above is hard.
    pub tau_d: TauD,
    /// Original or processed steps.
    pub score_on: ScoreOn,
    /// Whose likelihood D is.
    pub difficulty_under: DifficultyUnder,
    /// Operations left out act as keep (reading.md, row 20).
    pub without: Vec<crate::domain::Action>,
    /// Most steps a trace is split into.
    pub max_steps: usize,
}

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

/// How rewards of a group are scaled (reading.md, row 30).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdvantageScale {
    /// Sample deviation, n − 1 (eq. 23).
    #[default]
    Std,
    /// Population deviation, n.
    Biased,
    /// Not scaled (Dr. GRPO).
    None,
}

/// GRPO (eqs. 22 to 28, Table 6).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrpoRecipe {
    /// Peak rate.
    pub lr: f64,
    /// Updates that warm up from 0.
    pub warmup_steps: u32,
    /// The rate falls linearly to this share of the peak; 1 keeps it constant.
    pub final_lr_ratio: f64,
    /// Prompts per step.
    pub prompts: usize,
    /// Responses per prompt, G.
    pub group: u32,
    /// Prompts per optimizer update.
    pub mini_batch: usize,
    /// Steps of each iteration; empty means one epoch over the consolidation set. The last entry repeats.
    pub steps: Vec<u32>,
    /// Lower clip: ratios under 1 − this are cut.
    pub clip_low: f64,
    /// Upper clip: ratios over 1 + this are cut.
    pub clip_high: f64,
    /// Bound for negative advantages; absent in the paper (reading.md, row 31).
    pub dual_clip: Option<f64>,
    /// Weight of the KL term, β.
    pub beta: f64,
    /// Aggregation.
    pub agg: Aggregation,
    /// The constant of `seq-mean-token-sum-norm`.
    pub norm_len: usize,
    /// Scaling of advantages.
    pub advantage: AdvantageScale,
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
    /// τ_ℓ: tokens of a full-length attempt; absent: the mean over this session's hard traces (Table 9).
    pub tau_len: Option<f64>,
    /// τ_s: steps of a full attempt; absent: the mean over this session's hard traces.
    pub tau_steps: Option<f64>,
    /// λ_ℓ, λ_s, λ_f of eq. 30.
    pub weights: [f64; 3],
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

/// Evaluation after every sub-stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluateRecipe {
    /// Samples per question for mean@n and pass@k.
    pub n: u32,
    /// k of pass@k.
    pub k: u32,
    /// How the n samples are drawn.
    pub sampling: SamplingRecipe,
    /// Longest greedy answer.
    pub max_new_tokens: usize,
    /// Also measure with the answer marker banned as first token: format or skill?
    pub format_control: bool,
}

/// Who approves what the teacher proposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gate {
    /// What passed its checks is approved.
    #[default]
    Auto,
    /// The researcher decides.
    Review,
}

/// The two gates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatesRecipe {
    /// After bridge decisions.
    pub bridge: Gate,
    /// After diagnoses.
    pub diagnosis: Gate,
}

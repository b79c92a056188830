//! What the loop writes down. One record is one acknowledged piece of work; a stage asks which are missing and makes
//! only those.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use super::decisions::{Decided, DecidedChange, DecisionKind, PromptChange, ReviewDecision, Status};
use super::{Record, RolloutBrief, Value};
use crate::domain::{
    Action, Bridged, Diagnosis, Excerpt, Partition, Provenance, Question, Rollout, SftSample, StepScores,
};
use crate::recipe::SamplingRecipe;

/// Declares the table of each record.
macro_rules! tables {
    ($($record:ty => $table:literal),* $(,)?) => {
        $(impl Record for $record {
            const TABLE: &'static str = $table;
            const VERSION: u32 = 1;
        })*
    };
}

tables! {
    Asked => "question",
    Sourced => "source",
    Trace => "trace",
    BridgedTrace => "bridge",
    TauD => "tau-d",
    Prepared => "sample",
    SplitSets => "split",
    SftUpdate => "sft-update",
    GrpoStep => "grpo-step",
    Recycled => "recycled",
    CheckpointInfo => "checkpoint",
    StageDone => "stage",
    Matched => "matched",
    ReviewDecision => "decision",
    PromptChange => "prompt-change",
}

impl Record for RolloutGroup {
    const TABLE: &'static str = "rollouts";
    const VERSION: u32 = 1;
    const BRIEF: Option<(&'static str, u32)> = Some((RolloutBrief::TABLE, RolloutBrief::VERSION));

    fn brief(&self) -> Value {
        serde_json::to_value(RolloutBrief::of(self)).unwrap_or_default()
    }
}

/// A question of a split. Key: `split/question`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// `train`, `dev`, `test`, or a bank's name.
    pub split: String,
    /// The question.
    pub question: Question,
}

/// Where the questions of a split come from; a score stands beside its N and the file's hash (reading.md, row 4). Key:
/// split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sourced {
    /// `train`, `dev`, or a benchmark's name.
    pub split: String,
    /// Place in the order of the recipe, for reports.
    pub place: u32,
    /// Name of the benchmark, or the file's.
    pub name: String,
    /// The file.
    pub path: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Questions in the file.
    pub rows: usize,
    /// Questions of it in this split.
    pub used: usize,
    /// Verifier of its answers.
    pub verifier: String,
    /// What a reader of a score on it should know.
    pub notes: Vec<String>,
}

/// The sampled answers to one question, judged. Key: `stage/question`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RolloutGroup {
    /// Question id.
    pub question: String,
    /// What they were measured with.
    pub provenance: Provenance,
    /// How they were drawn.
    pub sampling: SamplingRecipe,
    /// In the order of their sample index.
    pub rollouts: Vec<Rollout>,
}

impl RolloutGroup {
    /// Number of correct rollouts, k.
    pub fn correct(&self) -> u32 {
        self.rollouts.iter().filter(|r| r.correct).count() as u32
    }

    /// Number of rollouts, n.
    pub fn n(&self) -> u32 {
        self.rollouts.len() as u32
    }

    /// ρ of eq. 3; 0 of an empty group.
    pub fn rho(&self) -> f64 {
        f64::from(self.correct()) / f64::from(self.n().max(1))
    }

    /// Tokens generated.
    pub fn tokens(&self) -> u64 {
        self.rollouts.iter().map(|r| u64::from(r.tokens)).sum()
    }
}

/// A teacher's trace of a question. Key: question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Question id.
    pub question: String,
    /// The whole text, answer line included.
    pub text: String,
    /// Which teacher wrote it.
    pub teacher: String,
    /// How many attempts it took.
    pub attempts: u32,
    /// Hashes of the prompts that the teacher was asked with, by their names; rules are asked without.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prompts: BTreeMap<String, String>,
    /// Where it stands.
    #[serde(flatten)]
    pub status: Status,
    /// Who decided so; `None` where the checks did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
}

/// One scored step of a hard trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoredStep {
    /// The step's own text.
    pub text: String,
    /// I, J and D.
    pub scores: StepScores,
    /// Tokens of the step, the weight of D in τ_D.
    pub tokens: u32,
    /// Negative log-likelihood of each of its tokens, nats.
    pub token_nll: Vec<f32>,
}

/// The scores of a hard trace. Key: question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Question id.
    pub question: String,
    /// Checkpoint under which D was measured.
    pub checkpoint: String,
    /// Tokens of the whole trace (τ_ℓ is the mean of these).
    pub trace_tokens: u32,
    /// In order.
    pub steps: Vec<ScoredStep>,
    /// What the judge left open and why, a line for each; empty where every step has both scores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unanswered: Vec<String>,
    /// Hashes of the prompts that the teacher was asked with, by their names; rules are asked without.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prompts: BTreeMap<String, String>,
    /// Where it stands.
    #[serde(flatten)]
    pub status: Status,
    /// Who decided so; `None` where the checks did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
}

impl Scores {
    /// Where scores stand by themselves: approved when every step has both of the judge's scores.
    pub fn standing(steps: &[ScoredStep]) -> Status {
        let unscored = |s: &ScoredStep| s.scores.importance.is_none() || s.scores.jumpiness.is_none();
        let open = steps.iter().enumerate().filter(|(_, s)| unscored(s)).map(|(i, _)| (i + 1).to_string());
        match open.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => Status::Approved,
            steps => Status::Review { reason: format!("unscored steps: {steps}") },
        }
    }
}

impl Record for Scores {
    const TABLE: &'static str = "scores";
    const VERSION: u32 = 2;

    /// Version 1 knew no status.
    fn upgrade(version: u32, mut value: Value) -> Result<Self, String> {
        if version != 1 {
            return Err(format!("scores of version {version} are not known; this Footbridge knows 1 and 2"));
        }
        let fields = value.as_object_mut().ok_or("scores are no JSON object")?;
        fields.insert("status".into(), "approved".into());
        let mut scores: Self = serde_json::from_value(value).map_err(|e| e.to_string())?;
        scores.status = Self::standing(&scores.steps);
        Ok(scores)
    }
}

/// The difficulty threshold in force, and where it comes from. Key: `tau-d`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TauD {
    /// Nats per token.
    pub value: f64,
    /// `recipe` or `mean over N tokens of M hard traces`.
    pub source: String,
}

/// One step's decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BridgedStep {
    /// The chosen operation.
    pub action: Action,
    /// Why, in words.
    pub reason: String,
    /// The step after the edit; empty when it was dropped or compressed away.
    pub text: String,
    /// Set where a researcher chose the operation: whether the step is also a local sample. Scores no longer decide
    /// over such a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overruled: Option<bool>,
    /// Edits for other operations that were made before, so that going back needs no teacher.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub known: BTreeMap<Action, String>,
    /// Why there is no edit although the operation needs one; the original text stands then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<String>,
}

impl BridgedStep {
    /// A step as Algorithm 1 decided it.
    pub fn new(action: Action, reason: impl Into<String>, text: impl Into<String>) -> Self {
        let (reason, text) = (reason.into(), text.into());
        Self { action, reason, text, overruled: None, known: BTreeMap::new(), unanswered: None }
    }
}

/// A bridged trace. Key: question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BridgedTrace {
    /// Question id.
    pub question: String,
    /// In the order of the trace's steps.
    pub steps: Vec<BridgedStep>,
    /// The bridged text and its local samples.
    pub bridged: Bridged,
    /// Hashes of the prompts that the teacher was asked with, by their names; rules are asked without.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prompts: BTreeMap<String, String>,
    /// Where it stands.
    #[serde(flatten)]
    pub status: Status,
    /// Who decided so; `None` where the checks did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
}

/// A training text of one stage, in its place in the data set. Key: `stage/position`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// The text and its lineage.
    pub sample: SftSample,
    /// Tokens it trains.
    pub tokens: u32,
    /// Hash of the prompt of its user turn; empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prompt: String,
}

/// The size a control arm's SFT has to match, fixed when its texts were: later decisions don't change a stage that has
/// begun. Key: stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matched {
    /// Optimizer updates.
    pub updates: usize,
    /// Trained tokens.
    pub tokens: u64,
}

/// Consolidation and failed sets of one iteration (eq. 14). Key: stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitSets {
    /// Who goes where, in the order of the questions.
    pub sets: Partition,
}

/// One optimizer update of SFT. Key: `stage/update`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SftUpdate {
    /// Loss before the update, nats.
    pub loss: f64,
    /// Learning rate.
    pub lr: f64,
    /// Global gradient norm before clipping.
    pub grad_norm: f64,
    /// Trained tokens.
    pub tokens: u64,
}

/// One step of GRPO: its rollouts, rewards and what the updates measured. Key: `stage/step`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GrpoStep {
    /// Groups in order.
    pub groups: Vec<RolloutGroup>,
    /// Mean reward.
    pub reward: f64,
    /// Mean reward minus the mean ρ of the same prompts before RL.
    pub reward_above_before: f64,
    /// Everything else, by name.
    pub metrics: Vec<(String, f64)>,
    /// Tokens sampled and trained.
    pub tokens: u64,
}

/// A failed question on its way into the next SFT. Key: `iteration/question`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recycled {
    /// Question id.
    pub question: String,
    /// Index of the chosen near-miss among the rollouts.
    pub near_miss: u32,
    /// Its score (eq. 30).
    pub score: f64,
    /// Whether the near-miss repeats itself.
    pub repetition: bool,
    /// The response that was diagnosed.
    pub response: String,
    /// The record of the verified trace that the teacher was given beside it; `None` where there was none (reading.md,
    /// row 44).
    pub reference: Option<String>,
    /// What the teacher said; `None` when nothing usable came back.
    pub diagnosis: Option<Diagnosis>,
    /// Where the first error lies in the response, and how it was found.
    pub excerpt: Option<Excerpt>,
    /// The response before the first error.
    pub prefix: String,
    /// Hashes of the prompts that the teacher was asked with, by their names; rules are asked without.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prompts: BTreeMap<String, String>,
    /// Where it stands.
    #[serde(flatten)]
    pub status: Status,
    /// Who decided so; `None` where the checks did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
}

/// A checkpoint's way back. Key: checkpoint id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckpointInfo {
    /// The checkpoint it was trained from.
    pub parent: String,
    /// Hash of the recipe's values.
    pub recipe: String,
    /// Hash over the ids and texts it was trained on.
    pub data: String,
    /// SHA-256 of its weights.
    pub weights: String,
}

/// A completed stage. Key: stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageDone {
    /// One line: what came out.
    pub summary: String,
    /// Wall time over all parts, seconds.
    pub seconds: f64,
    /// Tokens sampled or trained.
    pub tokens: u64,
}

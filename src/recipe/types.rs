//! Every number of a run, as typed fields with the paper's defaults (Tables 5 and 6, `reading.md`).
//!
//! Here the run itself, the questions, the bridge and evaluation; what concerns training is in
//! [`training`](super::training) and exported from here too.

use serde::{Deserialize, Serialize};

pub use super::device::ComputeChoice;
pub use super::lora::{LoraRecipe, LoraTarget};
pub use super::training::*;

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Seed of everything random in the run.
    pub seed: u64,
    /// Number of SFT-then-RL iterations (reading.md, row 40); 0 only evaluates the student.
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
    /// What student and teacher are asked.
    pub prompts: PromptsRecipe,
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

impl Arm {
    /// The word for it, as in a recipe.
    pub fn name(self) -> &'static str {
        match self {
            Arm::Bridged => "bridged",
            Arm::RawHard => "raw-hard",
            Arm::Neutral => "neutral",
        }
    }
}

/// The student.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StudentRecipe {
    /// A Hugging Face folder, a hub id such as `Qwen/Qwen2.5-0.5B-Instruct` (possibly with `@revision`), or `world` for
    /// the built-in base of the generated world.
    pub path: String,
    /// What it computes on: `auto`, `cpu`, `cuda` or `cuda:N` ([`DeviceChoice`](super::DeviceChoice)).
    pub device: String,
    /// In which precision.
    pub compute: ComputeChoice,
    /// Sequences decoded at once; on a GPU at least these, and up to 1024 as its memory allows.
    pub slots: usize,
    /// Tokens that go through a training pass at once, padding included; larger batches are accumulated.
    pub micro_batch_tokens: usize,
    /// Whether a training pass keeps only each layer's input and computes the layer again on the way back: less memory
    /// for more work, the same gradients.
    pub checkpointing: bool,
    /// Low-rank adapters in place of the weights.
    pub lora: LoraRecipe,
}

/// The questions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataRecipe {
    /// `world`, a benchmark's name, or a file of questions (JSONL, JSON, CSV, parquet).
    pub source: String,
    /// Where the files of benchmarks lie.
    pub folder: String,
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
    /// Which rows of SVAMP's 1000 are the benchmark: `all`, `first 300`, `last 300`, `300 by seed 1`.
    pub svamp: String,
    /// Which field of a file is what.
    pub map: MapRecipe,
}

/// Which field of a file of one's own is what. `auto` goes by the names of the fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MapRecipe {
    /// The question; several fields are joined by `+`.
    pub question: String,
    /// The answer, alone or after `####` at the end of a solution.
    pub answer: String,
    /// A worked solution in a field of its own; `none` has none.
    pub solution: String,
    /// A list of options; `none` has none.
    pub choices: String,
    /// What names a question; `none` goes by the line.
    pub id: String,
    /// `field=value` uses the rows that have it; `none` uses all.
    pub filter: String,
    /// Which rows: `all`, `first 300`, `last 300`, `300 by seed 1`.
    pub rows: String,
    /// The form of the answer that is asked for; `auto` goes by options and verifier.
    pub ask: String,
    /// Whether a question that is there twice is refused or kept.
    pub duplicates: String,
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
    /// `rules` for the generated world; `openai` for a model behind an OpenAI-compatible API; `local` for a model on this
    /// machine; `replay` for recorded answers.
    pub kind: String,
    /// A local model, named as students are: a Hugging Face folder (of a model or an adapter), a hub id, or
    /// `session:checkpoint`.
    pub path: String,
    /// The recording that is replayed.
    pub replay: String,
    /// File that every product is recorded to; empty for none.
    pub record: String,
    /// Where the API is, as in `http://localhost:8000/v1`.
    pub base_url: String,
    /// The model's name there.
    pub model: String,
    /// Name of the environment variable that holds the key; empty where the server asks for none.
    pub api_key_env: String,
    /// Times a call that failed, or a product that fails its checks, is asked for again before it goes to review.
    pub max_retries: u32,
    /// Sampling temperature of a model teacher.
    pub temperature: f64,
    /// Nucleus of a model teacher.
    pub top_p: f64,
    /// Longest answer in tokens.
    pub max_tokens: u32,
    /// Calls that may be under way at once.
    pub concurrency: usize,
    /// Calls a minute; 0 sets no limit.
    pub requests_per_minute: u32,
    /// Tokens a minute, prompt and longest answer together; 0 sets no limit.
    pub tokens_per_minute: u32,
    /// Seconds until the answer begins, and between any two parts of it.
    pub timeout: f64,
    /// Most that may be spent over the whole session, in the currency of the prices; `None` (`"off"`) sets no limit.
    #[serde(with = "super::words::off")]
    pub budget: Option<f64>,
    /// Most tokens over the whole session, read and written; 0 sets no limit.
    pub budget_tokens: u64,
    /// Price of a million tokens read.
    pub price_in: f64,
    /// Price of a million tokens written.
    pub price_out: f64,
    /// Allows plain http to a server that is not this machine.
    pub allow_http: bool,
    /// A JSON object added to the body of every call; a `null` takes a field out.
    pub extra_body: String,
}

/// What student and teacher are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PromptsRecipe {
    /// Folder whose files take the place of built-in prompts; empty for none.
    pub folder: String,
}

/// Which steps are scored (reading.md, row 11). One reading is built; the setting says so in every session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScoreOn {
    /// The teacher's original steps.
    #[default]
    Original,
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

/// Evaluation after every sub-stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluateRecipe {
    /// Benchmarks by name, or files of questions; the generated world brings its own.
    pub bench: Vec<String>,
    /// Use the first questions of each of them only; 0 uses all.
    pub limit: usize,
    /// Samples per question for mean@n and pass@k; 0 draws none.
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

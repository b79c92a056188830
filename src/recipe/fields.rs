//! Every setting by its dotted name: what it takes, what it is, and where its default comes from.
//!
//! This one table drives reading (unknown names, types, ranges), writing (order and comments) and the check that no
//! field of [`Recipe`](super::Recipe) is left without a range. Sources: equations (eq.), sections (§), tables and
//! appendices (C.1) of arXiv 2606.04466 and `reading.md` rows; an empty source is our own choice.

use std::ops::Bound::{Excluded, Included, Unbounded};

use super::takes::{Range, Takes, Takes::*};

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Dotted name, such as `grpo.sampling.temperature`.
    pub key: &'static str,
    /// Type and range.
    pub takes: Takes,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Source of its default.
    pub source: &'static str,
}

impl Field {
    /// The section (`grpo.sampling`; empty at the top) and the name in it (`temperature`).
    pub fn split(&self) -> (&'static str, &'static str) {
        self.key.rsplit_once('.').unwrap_or(("", self.key))
    }
}

/// The setting of this dotted name.
pub fn field(key: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.key == key)
}

/// Verifiers a recipe may name.
pub const VERIFIERS: &[&str] =
    &["gsm8k-strict", "gsm8k-flexible", "lm-eval-strict", "lm-eval-flexible", "numeric", "math", "hendrycks", "choice"];
/// Teachers a recipe may name.
pub const TEACHERS: &[&str] = &["rules", "openai", "local", "replay"];

/// Above every count that means something, and small enough for any integer type.
const MANY: u64 = 1_000_000_000;
/// TOML's integers are signed.
const SEEDS: Takes = Whole(0, i64::MAX as u64);
const COUNT: Takes = Whole(1, MANY);
const COUNT_OR_NONE: Takes = Whole(0, MANY);
const POSITIVE: Range = (Excluded(0.0), Unbounded);
const NOT_NEGATIVE: Range = (Included(0.0), Unbounded);
const SHARE: Range = (Included(0.0), Included(1.0));
const SHARE_ABOVE_0: Range = (Excluded(0.0), Included(1.0));
const BELOW_1: Range = (Included(0.0), Excluded(1.0));
const BETWEEN: Range = (Excluded(0.0), Excluded(1.0));
const ABOVE_1: Range = (Excluded(1.0), Unbounded);
const ARMS: &[&str] = &["bridged", "raw-hard", "neutral"];
const ACTIONS: &[&str] = &["keep", "compress", "expand", "drop", "localize"];
const AGGREGATIONS: &[&str] = &["seq-mean-token-mean", "token-mean", "seq-mean-token-sum-norm"];
const LORA_TARGETS: &[&str] = &["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
const GATE: Takes = OneOf(&["auto", "review"]);

const fn at(key: &'static str, takes: Takes, about: &'static str, source: &'static str) -> Field {
    Field { key, takes, about, source }
}

/// Every setting, section by section.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    at("seed", SEEDS, "of everything random in the run", "Table 5"),
    at("iterations", COUNT_OR_NONE, "of SFT, then RL; 0 only evaluates the student", "reading.md 40"),
    at("arm", OneOf(ARMS), "what hard questions become before SFT", "§3.2"),

    at("student.path", Text, "a Hugging Face folder, a hub id, or world", ""),
    at("student.device", Device, "auto, cpu, cuda or cuda:N; auto: a CUDA device that computes, else the CPU", ""),
    at("student.compute", OneOf(&["auto", "f32", "bf16"]), "precision of matrix products; auto: bf16 on a GPU that has it", ""),
    at("student.slots", COUNT, "sequences decoded at once; a GPU takes more as its memory allows", ""),
    at("student.micro_batch_tokens", COUNT, "tokens in one training pass, padding included", ""),
    at("student.checkpointing", Switch, "compute layers again on the way back: less memory, same gradients", ""),
    at("student.lora.rank", Whole(0, 4096), "of the adapters that are trained; 0 trains every weight", ""),
    at("student.lora.alpha", Number(POSITIVE), "adapters are scaled by this over the rank", ""),
    at("student.lora.targets", Several(LORA_TARGETS), "linear maps that have an adapter", ""),

    at("data.source", Text, "world, a benchmark, or a file of questions (JSONL, JSON, CSV, parquet)", ""),
    at("data.folder", Text, "where the files of benchmarks lie", ""),
    at("data.verifier", OneOf(VERIFIERS), "of every reward and score", "reading.md 3"),
    at("data.train", COUNT_OR_NONE, "training questions; 0 uses all of a file", ""),
    at("data.dev", COUNT_OR_NONE, "questions held out for choosing checkpoints", "reading.md 7"),
    at("data.test", COUNT_OR_NONE, "test questions of a generated source", ""),
    at("data.ood", COUNT_OR_NONE, "questions of each further generated bank", ""),
    at("data.seed", SEEDS, "of the generated questions, apart from the run's", ""),
    at("data.svamp", Text, "rows of SVAMP that count: all, first N, last N, N by seed S", "reading.md 4"),

    at("data.map.question", Text, "its field, or several joined by +; auto: by the names of the fields", ""),
    at("data.map.answer", Text, "its field; alone or after #### at the end of a solution", ""),
    at("data.map.solution", Text, "field of a worked solution; none: there is none", ""),
    at("data.map.choices", Text, "field that lists options; none: there is none", ""),
    at("data.map.id", Text, "field that names a question; none: its line does", ""),
    at("data.map.filter", Text, "field=value uses the rows that have it; none: all", ""),
    at("data.map.rows", Text, "all, first N, last N, N by seed S", ""),
    at("data.map.ask", OneOf(&["auto", "answer", "boxed", "choice"]), "form of the answer; auto: by options and verifier", ""),
    at("data.map.duplicates", OneOf(&["refuse", "keep"]), "of questions that are there twice", ""),

    at("difficulty.n", COUNT, "samples per question", "§3.1"),
    at("difficulty.medium_from", Number(SHARE_ABOVE_0), "share of correct samples where medium starts", "§3.1, reading.md 1"),
    at("difficulty.simple_from", Number(SHARE_ABOVE_0), "share where simple starts", "§3.1, reading.md 1"),
    at("difficulty.sampling.temperature", Number(NOT_NEGATIVE), "logits are divided by this", "Table 6, reading.md 2"),
    at("difficulty.sampling.top_p", Number(SHARE_ABOVE_0), "probability of the nucleus", "Table 6, reading.md 2"),
    at("difficulty.sampling.max_new_tokens", COUNT, "longest answer", "Table 6, reading.md 2"),

    at("teacher.kind", OneOf(TEACHERS), "rules knows the generated world; openai: an API; local: a folder; replay: a recording", ""),
    at("teacher.path", TextOrNone, "of a local teacher: a Hugging Face folder, a hub id, or session:checkpoint", ""),
    at("teacher.replay", TextOrNone, "the recording that is replayed", ""),
    at("teacher.record", TextOrNone, "file that every product is recorded to; empty: none", ""),
    at("teacher.base_url", TextOrNone, "of the API, up to /v1", ""),
    at("teacher.model", TextOrNone, "its name at the API", "B.1"),
    at("teacher.api_key_env", TextOrNone, "the environment variable that holds the key; empty: no key", ""),
    at("teacher.max_retries", COUNT_OR_NONE, "times a failed call or product is asked for again", "reading.md 21 and 43"),
    at("teacher.temperature", Number(NOT_NEGATIVE), "of a model teacher", "B.1"),
    at("teacher.top_p", Number(SHARE_ABOVE_0), "of a model teacher", "B.1"),
    at("teacher.max_tokens", COUNT, "longest answer of a model teacher", ""),
    at("teacher.concurrency", Whole(1, 1024), "calls under way at once", ""),
    at("teacher.requests_per_minute", COUNT_OR_NONE, "calls a minute; 0: no limit", ""),
    at("teacher.tokens_per_minute", COUNT_OR_NONE, "prompt and longest answer a minute; 0: no limit", ""),
    at("teacher.timeout", Number((Excluded(0.0), Included(86400.0))), "seconds until an answer begins, and between its parts", ""),
    at("teacher.budget", NumberOr(NOT_NEGATIVE, "off"), "most money over the session, in the prices' currency", ""),
    at("teacher.budget_tokens", SEEDS, "most tokens over the session; 0: no limit", ""),
    at("teacher.price_in", Number(NOT_NEGATIVE), "of a million tokens read", ""),
    at("teacher.price_out", Number(NOT_NEGATIVE), "of a million tokens written", ""),
    at("teacher.allow_http", Switch, "plain http beyond this machine", ""),
    at("teacher.extra_body", TextOrNone, "a JSON object added to each call; null takes a field out", ""),

    at("prompts.folder", TextOrNone, "files that take the place of built-in prompts; empty: none", ""),

    at("bridge.tau_i", Number(SHARE), "I at or below is low importance", "C.1, reading.md 15"),
    at("bridge.tau_j", Number(SHARE), "J above is jumpy", "C.1, reading.md 15"),
    at("bridge.tau_d", NumberOr(NOT_NEGATIVE, "mean"), "D above is hard; mean: of this session's hard traces", "Table 8, reading.md 14"),
    at("bridge.score_on", OneOf(&["original"]), "the steps that are scored: the teacher's own", "reading.md 11"),
    at("bridge.difficulty_under", OneOf(&["base", "current"]), "the student whose likelihood D is", "reading.md 24"),
    at("bridge.without", Several(ACTIONS), "operations that act as keep", "reading.md 20"),
    at("bridge.max_steps", COUNT, "most steps of a trace", "reading.md 22"),

    at("sft.lr_medium", Number(POSITIVE), "peak rate on medium questions", "Table 5"),
    at("sft.lr_bridged", Number(POSITIVE), "peak rate on bridged questions", "Table 5"),
    at("sft.lr_recycled", Number(POSITIVE), "peak rate with recycled lessons", "Table 5"),
    at("sft.batch", COUNT, "conversations per update", "Table 5"),
    at("sft.epochs", COUNT, "passes over the data", "Table 5"),
    at("sft.warmup_ratio", Number(SHARE), "share of updates that warm up from 0", "Table 5, reading.md 26b"),
    at("sft.min_lr_ratio", Number(SHARE), "the cosine ends at this share of the peak", "Table 5"),
    at("sft.loss", OneOf(&["sample-mean", "token-mean"]), "how token losses become one", "eq. 21, reading.md 25"),
    at("sft.max_tokens", COUNT, "longest conversation, cut on the right", "Table 5"),
    at("sft.save_every", COUNT, "updates between saved states", "Table 5"),
    at("sft.adamw.beta1", Number(BELOW_1), "decay of the first moment", "Table 5"),
    at("sft.adamw.beta2", Number(BELOW_1), "decay of the second moment", "Table 5"),
    at("sft.adamw.eps", Number(POSITIVE), "added to the root of the second moment", "reading.md 26b"),
    at("sft.adamw.weight_decay", Number(NOT_NEGATIVE), "decoupled, on all parameters", "Table 5"),
    at("sft.adamw.clip_norm", Number(POSITIVE), "bound of the global gradient norm", "Table 5"),

    at("rollouts.group", COUNT, "G, samples per question before RL", "Table 6, eq. 14"),
    at("rollouts.candidates", OneOf(&["all", "acquisition"]), "questions that may enter RL", "reading.md 35"),
    at("rollouts.sampling.temperature", Number(POSITIVE), "logits are divided by this", "Table 6"),
    at("rollouts.sampling.top_p", Number(SHARE_ABOVE_0), "probability of the nucleus", "Table 6"),
    at("rollouts.sampling.max_new_tokens", COUNT, "longest answer", "Table 6"),

    at("grpo.lr", Number(POSITIVE), "peak rate", "Table 6"),
    at("grpo.warmup_steps", COUNT_OR_NONE, "steps that warm up, the first of them above 0 already", ""),
    at("grpo.final_lr_ratio", Number(SHARE), "the rate falls linearly to this share; 1 keeps it", ""),
    at("grpo.prompts", COUNT, "prompts per step", "Table 6"),
    at("grpo.group", Whole(2, MANY), "G, responses per prompt", "Table 6"),
    at("grpo.mini_batch", COUNT, "prompts per optimizer update", "Table 6, reading.md 32"),
    at("grpo.steps", Wholes(1, MANY), "of each iteration, the last repeats; empty: by epochs", ""),
    at("grpo.epochs", COUNT, "passes over the RL set where steps is empty", "Table 6"),
    at("grpo.max_prompt_tokens", COUNT, "questions with a longer prompt leave the RL set", "Table 6"),
    at("grpo.clip_low", Number(BETWEEN), "ratios below 1 - this are cut", "Table 6, reading.md 28"),
    at("grpo.clip_high", Number(POSITIVE), "ratios above 1 + this are cut", "Table 6, reading.md 28"),
    at("grpo.dual_clip", NumberOr(ABOVE_1, "off"), "bound for negative advantages", "eq. 25, reading.md 31"),
    at("grpo.log_ratio_clamp", Number(POSITIVE), "bound of log-ratios, both signs", "reading.md 33"),
    at("grpo.kl_clamp", Number(POSITIVE), "bound of a token's KL term, both signs", "reading.md 33"),
    at("grpo.beta", Number(NOT_NEGATIVE), "weight of the KL term", "Table 6"),
    at("grpo.agg", OneOf(AGGREGATIONS), "how token terms become one loss", "eq. 27, reading.md 29"),
    at("grpo.norm_len", COUNT, "the constant of seq-mean-token-sum-norm", "reading.md 29"),
    at("grpo.advantage", OneOf(&["std", "biased", "none"]), "how rewards of a group are scaled", "eq. 23, reading.md 30"),
    at("grpo.advantage_eps", Number(POSITIVE), "added to that deviation", "eq. 23, reading.md 30"),
    at("grpo.save_every", COUNT, "steps between saved states", ""),
    at("grpo.sampling.temperature", Number(POSITIVE), "logits are divided by this", "Table 6"),
    at("grpo.sampling.top_p", Number(SHARE_ABOVE_0), "probability of the nucleus", "Table 6"),
    at("grpo.sampling.max_new_tokens", COUNT, "longest answer", "Table 6"),
    at("grpo.adamw.beta1", Number(BELOW_1), "decay of the first moment", ""),
    at("grpo.adamw.beta2", Number(BELOW_1), "decay of the second moment", ""),
    at("grpo.adamw.eps", Number(POSITIVE), "added to the root of the second moment", "reading.md 26b"),
    at("grpo.adamw.weight_decay", Number(NOT_NEGATIVE), "decoupled, on all parameters", ""),
    at("grpo.adamw.clip_norm", Number(POSITIVE), "bound of the global gradient norm", "reading.md 28"),

    at("recycle.tau_len", NumberOr(POSITIVE, "mean"), "tokens of a full-length attempt; mean: of hard traces", "Table 9"),
    at("recycle.tau_steps", NumberOr(POSITIVE, "mean"), "steps of a full attempt; mean: of hard traces", "Table 9"),
    at("recycle.weights", Numbers(3, NOT_NEGATIVE), "of length, steps and final answer; they sum to 3", "eq. 30"),
    at("recycle.max_excerpt", Whole(1, 120), "longest quoted first error, in characters", "reading.md 43"),
    at("recycle.start_from", OneOf(&["policy", "base"]), "where the next SFT starts", "reading.md 39"),

    at("evaluate.bench", Texts, "benchmarks or files to measure on; the generated world brings its own", "Table 7"),
    at("evaluate.limit", COUNT_OR_NONE, "first questions of each of them; 0 uses all", ""),
    at("evaluate.n", COUNT_OR_NONE, "samples per question; 0 draws none", "reading.md 10"),
    at("evaluate.k", COUNT, "k of pass@k", "reading.md 10"),
    at("evaluate.max_new_tokens", COUNT, "longest greedy answer", "Table 6"),
    at("evaluate.format_control", Switch, "also with the answer marker banned as first token", ""),
    at("evaluate.sampling.temperature", Number(NOT_NEGATIVE), "logits are divided by this", "Table 6"),
    at("evaluate.sampling.top_p", Number(SHARE_ABOVE_0), "probability of the nucleus", "Table 6"),
    at("evaluate.sampling.max_new_tokens", COUNT, "longest answer", "Table 6"),

    at("gates.bridge", GATE, "after bridge decisions: auto goes on, review waits for a researcher", ""),
    at("gates.diagnosis", GATE, "after diagnoses: auto goes on, review waits for a researcher", ""),
];

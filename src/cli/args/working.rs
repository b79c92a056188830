//! Arguments of the verbs that work without a session: `difficulty`, `score`, `data`, `world`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::*;

/// Arguments of `difficulty`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  footbridge difficulty --student models/qwen2.5-0.5b --data gsm8k/train.jsonl \
                        --limit 200 --n 4\n  footbridge difficulty --student run-1:1-grpo --data mine.csv \
                        --map question=Body+Question --map answer=Answer")]
pub struct DifficultyArgs {
    /// The student: a Hugging Face folder (of a model or an adapter), a hub id, `session:checkpoint`, or `world` for the
    /// built-in base
    #[arg(long, value_name = "DIR|HUB ID|SESSION:CHECKPOINT")]
    pub student: String,
    /// Questions: a benchmark (gsm8k, math-500, …), a file (JSONL, JSON, CSV, parquet), or `world` for the demo's
    /// training questions
    #[arg(long, value_name = "FILE|NAME")]
    pub data: String,
    /// How the questions are read.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Use only the first N questions
    #[arg(long, value_name = "N", value_parser = whole(1))]
    pub limit: Option<usize>,
    /// Samples per question
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub n: u32,
    /// How an answer is judged; the benchmark's own verifier, or gsm8k-strict, when not given
    #[arg(long, value_name = "NAME")]
    pub verifier: Option<String>,
    /// Seed of the samples
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Longest answer in tokens
    #[arg(long, value_name = "N", value_parser = whole(1))]
    pub max_new_tokens: Option<usize>,
    /// What the student computes on.
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Worker threads; every core when not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// One JSON line per question
    #[arg(long)]
    pub json: bool,
    /// Where the session of a `session:checkpoint` is.
    #[command(flatten)]
    pub sessions: SessionsDir,
}

/// Arguments of `score`.
#[derive(Args, Debug)]
#[command(after_help = "Verifiers: gsm8k-strict, gsm8k-flexible, lm-eval-strict, lm-eval-flexible, numeric, \
                        math, hendrycks, choice\n\nExamples:\n  footbridge score --verifier gsm8k-strict --data gsm8k/test.jsonl \
                        --responses answers.jsonl\n  footbridge score --pattern 'A: (.*)' --data gsm8k/test.jsonl \
                        --responses others.jsonl --field model-1.solution")]
pub struct ScoreArgs {
    /// How an answer is judged
    #[arg(long, value_name = "NAME", required_unless_present = "pattern")]
    pub verifier: Option<String>,
    /// Read the answer from the last match of this expression, first capture group; it is compared by value
    #[arg(long, value_name = "REGEX")]
    pub pattern: Option<String>,
    /// Questions: a benchmark (gsm8k, math-500, …) or a file (JSONL, JSON, CSV, parquet)
    #[arg(long, value_name = "FILE|NAME")]
    pub data: String,
    /// How the questions are read.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Stored generations: JSONL, with an `id` or the `question`, else in the order of the questions
    #[arg(long, value_name = "FILE")]
    pub responses: PathBuf,
    /// Where a line holds its texts: a text, a list of texts, or an object with one text; dots lead inwards. Several
    /// are counted apart; `response` or `responses` when not given
    #[arg(long, value_name = "NAME")]
    pub field: Vec<String>,
    /// One JSON line per response
    #[arg(long)]
    pub json: bool,
}

/// How a file of questions is read.
#[derive(Args, Clone, Debug)]
pub struct ReadingArgs {
    /// Where the files of benchmarks lie
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub folder: PathBuf,
    /// Which field is what, as `data.map` in recipes: question (several joined by +), answer, solution, choices, id,
    /// filter, rows, ask, duplicates; may be repeated
    #[arg(long = "map", value_name = "KEY=FIELD", value_parser = key_value)]
    pub map: Vec<(String, String)>,
    /// Rows of SVAMP that count: all, first N, last N, N by seed S
    #[arg(long, value_name = "ROWS", default_value = "all")]
    pub svamp: String,
}

/// Arguments of `data`.
#[derive(Args, Debug)]
#[command(
    after_help = "Benchmarks: gsm8k-train, gsm8k, gsm8k-platinum, svamp, mawps, math-500, logiqa\n\nExamples:\n  \
                        footbridge data check gsm8k\n  footbridge data check mine.csv --map question=Body+Question \
                        --map answer=Answer\n  footbridge data fetch gsm8k --to data"
)]
pub struct DataArgs {
    /// What to do.
    #[command(subcommand)]
    pub verb: DataVerb,
}

/// What can be done with data.
#[derive(Debug, Subcommand)]
pub enum DataVerb {
    /// Say what is seen: layout, fields, N, hash, verifier, prompt, golds that can be read, doubled questions, examples
    Check {
        /// A benchmark, or a file (JSONL, JSON, CSV, parquet)
        #[arg(value_name = "FILE|NAME")]
        what: String,
        /// Read golds for this verifier instead of the benchmark's own
        #[arg(long, value_name = "NAME")]
        verifier: Option<String>,
        /// How it is read.
        #[command(flatten)]
        reading: ReadingArgs,
        /// As one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Download a benchmark from the hub and check it. `HF_TOKEN`, `HF_ENDPOINT` and `HF_HOME` are followed
    Fetch {
        /// The benchmark
        name: String,
        /// Folder of benchmarks to put it in
        #[arg(long, value_name = "DIR", default_value = "data")]
        to: PathBuf,
    },
}

/// Arguments of `world`.
#[derive(Args, Debug)]
pub struct WorldArgs {
    /// What to do.
    #[command(subcommand)]
    pub verb: WorldVerb,
}

/// What can be done with the generated world.
#[derive(Debug, Subcommand)]
pub enum WorldVerb {
    /// Train the demo's base student from nothing, about five CPU-minutes
    #[command(after_help = "Example:\n  footbridge world pretrain --out base --seed 1")]
    Pretrain {
        /// Folder for the student
        #[arg(long, value_name = "DIR", default_value = "world-base")]
        out: PathBuf,
        /// Seed of weights and texts
        #[arg(long, value_name = "N", default_value_t = 1)]
        seed: u64,
        /// Worker threads; every core when not given. The weights don't depend on it
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
        threads: Option<u16>,
    },
    /// Greedy accuracy of a student on the demo's questions, by split and number of steps
    #[command(after_help = "Example:\n  footbridge world accuracy --student base")]
    Accuracy {
        /// A Hugging Face folder (of a model or an adapter), a hub id, `session:checkpoint`, or `world` for the demo's base
        #[arg(long, value_name = "DIR|HUB ID|SESSION:CHECKPOINT", default_value = "world")]
        student: String,
        /// Where the session of a `session:checkpoint` is.
        #[command(flatten)]
        sessions: SessionsDir,
        /// Worker threads; every core when not given
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
        threads: Option<u16>,
    },
}

//! Arguments of the verbs that run on data of one's own: `run` and `eval`.

use clap::Args;

use super::{ArmName, DeviceArgs, FaceArgs, SessionsDir, key_value};

/// Arguments of `run`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  footbridge run paper-qwen2.5-0.5b --dry-run        what it would take, on this \
                        machine\n  footbridge run my.toml --student models/qwen --data gsm8k-train --limit 200\n  \
                        footbridge run my.toml --set evaluate.bench=gsm8k-platinum,svamp --review")]
pub struct RunArgs {
    /// The recipe: a preset (`paper-qwen2.5-0.5b`, `paper-llama-3.2-1b`, `demo`) or a TOML file
    #[arg(value_name = "PRESET|FILE")]
    pub recipe: String,
    /// Say what the run would take (samples, teacher calls, tokens, memory, time, disk) and make nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Name of the session; the recipe's name and a number when not given
    #[arg(long, value_name = "NAME")]
    pub session: Option<String>,
    /// Seed of everything random in the run; the dev split has its own, `data.seed`
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// The student: a Hugging Face folder (of a model or an adapter), a name on the hub, or a session's checkpoint as
    /// `session:checkpoint` (`student.path`)
    #[arg(long, value_name = "DIR|HUB ID|SESSION:CHECKPOINT")]
    pub student: Option<String>,
    /// The training questions: a benchmark or a file (`data.source`)
    #[arg(long, value_name = "NAME|FILE")]
    pub data: Option<String>,
    /// Where the files of benchmarks lie (`data.folder`)
    #[arg(long, value_name = "DIR")]
    pub data_folder: Option<String>,
    /// At most this many questions of each kind: training, dev, every benchmark
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// What the hard questions become before SFT
    #[arg(long, value_enum, value_name = "ARM")]
    pub arm: Option<ArmName>,
    /// Wait after bridge decisions and after diagnoses until they are approved
    #[arg(long)]
    pub review: bool,
    /// Files that take the place of built-in prompts, such as trace.j2 (`prompts.folder`)
    #[arg(long, value_name = "DIR")]
    pub prompts: Option<String>,
    /// What the student computes on.
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Worker threads; every core when not given. The results don't depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Change one setting of the recipe; may be repeated. `footbridge recipe show` lists them
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub set: Vec<(String, String)>,
    /// Where the session is kept.
    #[command(flatten)]
    pub sessions: SessionsDir,
    /// How it is shown.
    #[command(flatten)]
    pub face: FaceArgs,
}

/// Arguments of `eval`.
#[derive(Args, Debug)]
#[command(after_help = "The same command goes on where it was stopped, and prints its figures again once it is \
                        complete.\n\nExamples:\n  footbridge eval --student models/qwen --bench \
                        gsm8k-platinum,svamp,math-500\n  footbridge eval --student run-1:2-grpo --bench gsm8k --n 64 \
                        --k 1,8 --markdown\n  footbridge eval --student models/qwen --bench my.jsonl --limit 50 --csv")]
pub struct EvalArgs {
    /// A Hugging Face folder (of a model or an adapter), a name on the hub, or a session's checkpoint as
    /// `session:checkpoint`
    #[arg(long, value_name = "DIR|HUB ID|SESSION:CHECKPOINT")]
    pub student: String,
    /// Benchmarks or files of questions, with commas between them
    #[arg(long, value_name = "NAME|FILE", required = true, value_delimiter = ',')]
    pub bench: Vec<String>,
    /// Which field of a file is what, as `data.map` in recipes: question (several joined by +), answer, solution, choices,
    /// id, filter, rows, ask, duplicates; may be repeated. Benchmarks know their own
    #[arg(long = "map", value_name = "KEY=FIELD", value_parser = key_value)]
    pub map: Vec<(String, String)>,
    /// Where the files of benchmarks lie
    #[arg(long, value_name = "DIR")]
    pub data_folder: Option<String>,
    /// Samples per question beside the greedy answer; none when not given
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=4096))]
    pub n: u32,
    /// The k of pass@k, with commas between several; at most n. 8, or n where that is less, when not given
    #[arg(long, value_name = "K", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub k: Vec<u32>,
    /// Only the first N questions of each
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Temperature of the samples
    #[arg(long, value_name = "T")]
    pub temperature: Option<f64>,
    /// Nucleus of the samples
    #[arg(long, value_name = "P")]
    pub top_p: Option<f64>,
    /// Longest answer in tokens, greedy and sampled
    #[arg(long, value_name = "N")]
    pub max_new_tokens: Option<u32>,
    /// Seed of the samples
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Name of the session that keeps every answer; made from the student's name and the settings when not given
    #[arg(long, value_name = "NAME")]
    pub session: Option<String>,
    /// What the student computes on.
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Worker threads; every core when not given. The results don't depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Change one setting of the recipe underneath, such as `student.slots`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub set: Vec<(String, String)>,
    /// The figures as one JSON document
    #[arg(long, group = "form")]
    pub json: bool,
    /// The figures as CSV, a row per benchmark
    #[arg(long, group = "form")]
    pub csv: bool,
    /// The figures as a Markdown table
    #[arg(long, group = "form")]
    pub markdown: bool,
    /// Where the session is kept.
    #[command(flatten)]
    pub sessions: SessionsDir,
}

/// How figures are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A table for the terminal.
    Table,
    /// One JSON document.
    Json,
    /// Comma-separated values.
    Csv,
    /// A Markdown table.
    Markdown,
}

impl EvalArgs {
    /// How the figures are printed.
    pub fn form(&self) -> Form {
        match (self.json, self.csv, self.markdown) {
            (true, ..) => Form::Json,
            (_, true, _) => Form::Csv,
            (_, _, true) => Form::Markdown,
            _ => Form::Table,
        }
    }
}

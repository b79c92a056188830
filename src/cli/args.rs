//! Every verb, argument and help text of the command line. What clap can check is checked here; what needs a file is
//! checked by the verb.

mod runs;
mod teaching;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::review::args::ReviewArgs;
pub use runs::{EvalArgs, Form, RunArgs};
pub use teaching::{PromptsArgs, PromptsVerb, TeacherArgs, TeacherVerb, WhichPrompts};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "footbridge",
    version,
    about = "Teaches small language models to reason, and shows every decision on the way",
    long_about = "Footbridge finds out what a small language model can and cannot do yet, rebuilds the hard lessons \
                  into steps it can learn, trains it (SFT, then GRPO), and turns what it still fails into new \
                  lessons.\n\nStart with `footbridge demo`: the whole loop on a generated world, without a GPU, a \
                  network or any download.",
    after_help = "Examples:\n  footbridge demo                     the whole loop, a minute or two on two cores\n  \
                  footbridge demo --seed 2 --plain    another seed, plain lines instead of the screen\n  \
                  footbridge run my.toml --dry-run    what a run on your data would take\n  footbridge resume demo-1            go on where a run stopped or was killed\n  \
                  footbridge report demo-1            its results, as far as it has come\n\nExit codes: 0 done, 1 \
                  failed, 2 bad usage or input, 130 interrupted (a run can be resumed).",
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the whole loop on the generated world
    Demo(DemoArgs),
    /// Run the loop on a student and questions of your own, or a preset of the paper's
    Run(RunArgs),
    /// Measure a student on benchmarks: accuracy, mean@n and pass@k with intervals
    Eval(EvalArgs),
    /// Go on with a run that was stopped, killed or failed
    Resume(ResumeArgs),
    /// Print the results of a session, as far as it has come
    Report(ReportArgs),
    /// Show what a training text goes back to: question, answers, trace, scores, decisions, checkpoints
    Why(WhyArgs),
    /// Show what SFT trains on: the mix, and every text with its trained tokens marked
    Preview(PreviewArgs),
    /// Take a checkpoint or the training texts of a session out for other programs
    Export(super::export::ExportArgs),
    /// Look at what the teacher made, and approve, edit, reject or override it
    Review(ReviewArgs),
    /// List, show, remove, check, repair or measure sessions
    Sessions(SessionsArgs),
    /// Show a recipe with every number filled in, or check one
    Recipe(RecipeArgs),
    /// Find out what a student finds simple, medium and hard
    Difficulty(DifficultyArgs),
    /// Judge stored answers with a verifier
    Score(ScoreArgs),
    /// Look at questions before using them, or fetch a benchmark from the hub
    Data(DataArgs),
    /// List, show, render or check what student and teacher are asked
    Prompts(PromptsArgs),
    /// Try out a recipe's teacher, or export a session's products for replay
    Teacher(TeacherArgs),
    /// Train the demo's base student anew, or measure a student on the demo's questions
    World(WorldArgs),
    /// Show a student, make one with random weights, or see what it computes
    Student(super::student::args::StudentArgs),
    /// Measure sampling and training speed of this machine
    Bench(BenchArgs),
    /// Print shell completions
    #[command(after_help = "Example:\n  footbridge completions zsh > ~/.zfunc/_footbridge")]
    Completions {
        /// For which shell
        shell: Shell,
    },
}

/// How a run is shown. Without any of these: the live screen on a terminal, plain lines elsewhere.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Face")]
pub struct FaceArgs {
    /// Plain lines on stderr, the final table on stdout; the default where there is no terminal
    #[arg(long)]
    pub plain: bool,
    /// Every event as one JSON line on stdout
    #[arg(long, conflicts_with = "plain")]
    pub json: bool,
    /// Read commands as JSON lines from stdin, such as {"command":"pass-gate"}
    #[arg(long, requires = "json")]
    pub commands: bool,
    /// Draw marks, bars and curves in ASCII, for fonts and terminals without braille and block characters
    #[arg(long)]
    pub ascii: bool,
    /// Colours of the screen: `dark`, `light`, or a TOML file like themes/dark.toml
    #[arg(long, value_name = "NAME|FILE")]
    pub theme: Option<String>,
    /// Redraw at most once a second
    #[arg(long)]
    pub reduced_motion: bool,
    /// Write a picture of the final screen as SVG
    #[arg(long, value_name = "FILE", hide = true)]
    pub shot: Option<PathBuf>,
}

/// The folder of sessions when none is named.
pub const SESSIONS: &str = "sessions";

/// Where sessions live.
#[derive(Args, Clone, Debug)]
pub struct SessionsDir {
    /// Folder that holds the sessions
    #[arg(long = "sessions-dir", value_name = "DIR", default_value = SESSIONS)]
    pub path: PathBuf,
}

/// What the hard questions become before SFT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ArmName {
    /// The method: traces rebuilt step by step
    Bridged,
    /// Control: the raw traces, at equal tokens, steps and rate
    RawHard,
    /// Control: more of the pre-training mix, at equal tokens, steps and rate
    Neutral,
}

/// Arguments of `demo`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  footbridge demo --seed 2\n  footbridge demo --arm raw-hard --session raw\n  \
                        footbridge demo --review                   wait for approval after each gate\n  \
                        footbridge demo --set grpo.lr=5e-5 --set iterations=1\n  footbridge demo --json | jq -c \
                        'select(.name == \"reward\")'")]
pub struct DemoArgs {
    /// Seed of everything random in the run; the questions have their own, `data.seed`
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Name of the session; `demo-1`, `demo-2`, … when not given
    #[arg(long, value_name = "NAME")]
    pub session: Option<String>,
    /// What the hard questions become before SFT
    #[arg(long, value_enum, value_name = "ARM")]
    pub arm: Option<ArmName>,
    /// Wait after bridge decisions and after diagnoses until they are approved, all at once, with a key on the screen
    #[arg(long)]
    pub review: bool,
    /// Files that take the place of built-in prompts, such as trace.j2 (`prompts.folder`)
    #[arg(long, value_name = "DIR")]
    pub prompts: Option<String>,
    /// Worker threads; every core when not given. The results don't depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// The recipe: a preset, or a TOML file that says `extends = "demo"`
    #[arg(long, value_name = "PRESET|FILE", default_value = "demo")]
    pub recipe: String,
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

/// Arguments of `resume`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  footbridge resume demo-1 --plain")]
pub struct ResumeArgs {
    /// Name of the session
    pub name: String,
    /// Change a setting that a session may change on the way, as teacher.budget=20; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub set: Vec<(String, String)>,
    /// Ask a model teacher anew instead of reading its kept answers
    #[arg(long)]
    pub refresh: bool,
    /// Worker threads; every core when not given. The results don't depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Where the session is kept.
    #[command(flatten)]
    pub sessions: SessionsDir,
    /// How it is shown.
    #[command(flatten)]
    pub face: FaceArgs,
}

/// Arguments of `report`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  footbridge report demo-1\n  footbridge report demo-1 --beside raw neutral\n  \
                        footbridge report demo-1 --json | jq .results.comparisons")]
pub struct ReportArgs {
    /// Name of the session
    pub name: String,
    /// Also show the same rows of these sessions (control arms, other seeds) and the paired differences
    #[arg(long, value_name = "OTHER", num_args = 1..)]
    pub beside: Vec<String>,
    /// The same as one JSON document
    #[arg(long)]
    pub json: bool,
    /// Where the session is kept.
    #[command(flatten)]
    pub sessions: SessionsDir,
}

/// Arguments of `why`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  footbridge why demo-1 i1/bridged/train-0042\n  footbridge why demo-1 \
                        2-sft-recycled/000007 --json | jq .decisions")]
pub struct WhyArgs {
    /// Name of the session
    pub name: String,
    /// Id of a training text, or its stage and position; an unknown one is answered with the nearest
    #[arg(value_name = "SFT-SAMPLE-ID")]
    pub id: String,
    /// The same as one JSON document
    #[arg(long)]
    pub json: bool,
    /// Where the session is kept.
    #[command(flatten)]
    pub sessions: SessionsDir,
}

/// What can be shown before it is trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PreviewOf {
    /// The training texts of SFT
    Sft,
}

/// Arguments of `preview`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  footbridge preview demo-1 sft --stage 2-sft-recycled\n  footbridge preview demo-1 \
                        sft --id i1/local/train-0042/03\n  footbridge preview demo-1 sft --limit 0    the mix alone"
)]
pub struct PreviewArgs {
    /// Name of the session
    pub name: String,
    /// What to show
    #[arg(value_enum)]
    pub what: PreviewOf,
    /// Only this stage, for example `2-sft-recycled`
    #[arg(long, value_name = "STAGE")]
    pub stage: Option<String>,
    /// Only the text of this id
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Show at most so many texts; the mix counts all
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub limit: usize,
    /// As one JSON document
    #[arg(long)]
    pub json: bool,
    /// Where the session is kept.
    #[command(flatten)]
    pub sessions: SessionsDir,
}

/// Arguments of `sessions`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  footbridge sessions list\n  footbridge sessions check demo-1\n  footbridge \
                        sessions repair demo-1      rebuild a damaged store from its journal")]
pub struct SessionsArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub verb: SessionsVerb,
}

/// What can be done with sessions.
#[derive(Debug, Subcommand)]
pub enum SessionsVerb {
    /// Every session with its state
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Where they are kept.
        #[command(flatten)]
        sessions: SessionsDir,
    },
    /// One session: recipe, stages, records, checkpoints
    Show {
        /// Name of the session
        name: String,
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Where it is kept.
        #[command(flatten)]
        sessions: SessionsDir,
    },
    /// Remove a session with its records and checkpoints, for good
    Rm {
        /// Name of the session
        name: String,
        /// Really remove it; without this, only say what would go
        #[arg(long, short)]
        yes: bool,
        /// Where it is kept.
        #[command(flatten)]
        sessions: SessionsDir,
    },
    /// Read everything once and name what is damaged
    Check {
        /// Name of the session
        name: String,
        /// Where it is kept.
        #[command(flatten)]
        sessions: SessionsDir,
    },
    /// Measure what a session of many rollouts costs: disk, opening, listing, checking
    Bench(SessionsBenchArgs),
    /// Rebuild the store from the journal, up to the first damaged frame
    Repair {
        /// Name of the session
        name: String,
        /// Where it is kept.
        #[command(flatten)]
        sessions: SessionsDir,
    },
}

/// Arguments of `sessions bench`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  footbridge sessions bench --questions 1000 --samples 8")]
pub struct SessionsBenchArgs {
    /// Questions of the made session
    #[arg(long, value_name = "N", default_value_t = 7473, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=10_000_000))]
    pub questions: usize,
    /// Rollouts of each question
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub samples: u32,
    /// Tokens of a rollout, on average
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=8192))]
    pub tokens: u32,
    /// Seed of the texts
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Leave the session there instead of removing it
    #[arg(long)]
    pub keep: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Where the session is made.
    #[command(flatten)]
    pub sessions: SessionsDir,
}

/// Arguments of `recipe`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  footbridge recipe show demo\n  footbridge recipe show my.toml --set \
                        grpo.group=16\n  footbridge recipe check my.toml")]
pub struct RecipeArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub verb: RecipeVerb,
}

/// What can be done with a recipe.
#[derive(Debug, Subcommand)]
pub enum RecipeVerb {
    /// Print a recipe with every number filled in
    Show {
        /// A preset (`demo`, `paper-qwen2.5-0.5b`, `paper-llama-3.2-1b`) or a TOML file
        #[arg(value_name = "PRESET|FILE", default_value = "demo")]
        recipe: String,
        /// Change one setting; may be repeated
        #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
        set: Vec<(String, String)>,
        /// As JSON instead of TOML
        #[arg(long)]
        json: bool,
    },
    /// Check TOML files; errors name the line and the nearest valid name
    Check {
        /// The files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

/// Arguments of `difficulty`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  footbridge difficulty --student models/qwen2.5-0.5b --data gsm8k/train.jsonl \
                        --limit 200 --n 4")]
pub struct DifficultyArgs {
    /// The student: a Hugging Face folder, a hub id, or `world` for the built-in base
    #[arg(long, value_name = "DIR|ID")]
    pub student: String,
    /// Questions: JSONL with `question` and `answer`, or `world` for the demo's training questions
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// Use only the first N questions
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Samples per question
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub n: u32,
    /// How an answer is judged
    #[arg(long, value_name = "NAME", default_value = "gsm8k-strict")]
    pub verifier: String,
    /// Seed of the samples
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Longest answer in tokens
    #[arg(long, value_name = "N")]
    pub max_new_tokens: Option<usize>,
    /// Worker threads; every core when not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// One JSON line per question
    #[arg(long)]
    pub json: bool,
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
        /// A folder in the Hugging Face layout, a hub id, or `world` for the demo's base
        #[arg(long, value_name = "DIR|ID", default_value = "world")]
        student: String,
        /// Worker threads; every core when not given
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
        threads: Option<u16>,
    },
}

/// What a bench is shaped like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BenchShape {
    /// The student of the generated world, at the demo's batch sizes
    World,
}

/// Arguments of `bench`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  footbridge bench --shape world --threads 2")]
pub struct BenchArgs {
    /// Which student and which batch sizes
    #[arg(long, value_enum, default_value = "world")]
    pub shape: BenchShape,
    /// Worker threads; every core when not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `key=value`, both sides trimmed, the key not empty.
fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_string(), value.trim().to_string())),
        _ => Err("expected KEY=VALUE, for example grpo.lr=5e-5".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn settings_are_split_at_the_first_equals_sign() {
        assert_eq!(key_value("a.b = c=d"), Ok(("a.b".to_string(), "c=d".to_string())));
        assert!(key_value("=1").is_err() && key_value("seed").is_err());
    }
}

//! Every verb, argument and help text of the command line. What clap can check is checked here; what needs a file is
//! checked by the verb.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

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
                  footbridge resume demo-1            go on where a run stopped or was killed\n  \
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
    /// Go on with a run that was stopped, killed or failed
    Resume(ResumeArgs),
    /// Print the results of a session, as far as it has come
    Report(ReportArgs),
    /// List, show, remove, check or repair sessions
    Sessions(SessionsArgs),
    /// Show a recipe with every number filled in, or check one
    Recipe(RecipeArgs),
    /// Find out what a student finds simple, medium and hard
    Difficulty(DifficultyArgs),
    /// Judge stored answers with a verifier
    Score(ScoreArgs),
    /// Train the demo's base student anew, or measure a student on the demo's questions
    World(WorldArgs),
    /// Measure sampling and training speed of this machine
    Bench(super::bench::args::BenchArgs),
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
    /// Rebuild the store from the journal, up to the first damaged frame
    Repair {
        /// Name of the session
        name: String,
        /// Where it is kept.
        #[command(flatten)]
        sessions: SessionsDir,
    },
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
    /// Hugging Face folder of the student, or `world` for the built-in base
    #[arg(long, value_name = "DIR")]
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
                        math\n\nExamples:\n  footbridge score --verifier gsm8k-strict --data gsm8k/test.jsonl \
                        --responses answers.jsonl\n  footbridge score --pattern 'A: (.*)' --data gsm8k/test.jsonl \
                        --responses others.jsonl --field model-1.solution")]
pub struct ScoreArgs {
    /// How an answer is judged
    #[arg(long, value_name = "NAME", required_unless_present = "pattern")]
    pub verifier: Option<String>,
    /// Read the answer from the last match of this expression, first capture group; it is compared by value
    #[arg(long, value_name = "REGEX")]
    pub pattern: Option<String>,
    /// Questions: JSONL with `question` and `answer`
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
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
        /// A folder in the Hugging Face layout, or `world` for the demo's base
        #[arg(long, value_name = "DIR", default_value = "world")]
        student: String,
        /// Worker threads; every core when not given
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
        threads: Option<u16>,
    },
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

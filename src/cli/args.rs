//! Every verb, argument and help text of the command line. What clap can check is checked here; what needs a file is
//! checked by the verb.

mod keeping;
mod looking;
mod runs;
mod screen;
mod teaching;
mod working;

use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::review::args::ReviewArgs;
use crate::recipe::{DeviceChoice, Recipe};
pub use keeping::*;
pub use looking::*;
pub use runs::{EvalArgs, Form, RunArgs};
pub use screen::*;
pub use teaching::{PromptsArgs, PromptsVerb, TeacherArgs, TeacherVerb, WhichPrompts};
pub use working::*;

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
    after_help = "Examples:\n  footbridge                          the workbench: sessions, and what to \
                  begin\n  footbridge demo                     the whole loop, a minute or two on two cores\n  \
                  footbridge demo --seed 2 --plain    another seed, plain lines instead of the screen\n  \
                  footbridge run my.toml --dry-run    what a run on your data would take\n  footbridge resume demo-1            go on where a run stopped or was killed\n  \
                  footbridge report demo-1            its results, as far as it has come\n\nExit codes: 0 done, 1 \
                  failed, 2 bad usage or input, 130 interrupted (a run can be resumed).",
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    /// What to do; without it the workbench opens.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// What the workbench opens with.
    #[command(flatten)]
    pub workbench: WorkbenchArgs,
}

/// Arguments of the workbench.
#[derive(Args, Clone, Debug)]
pub struct WorkbenchArgs {
    /// Open the workbench on this session
    #[arg(long, value_name = "NAME")]
    pub session: Option<String>,
    /// Worker threads of runs begun there; every core when not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Where sessions are kept.
    #[command(flatten)]
    pub sessions: SessionsDir,
    /// How it looks.
    #[command(flatten)]
    pub looks: LookArgs,
}

/// How the screen looks, and its keys.
#[derive(Args, Clone, Debug, Default)]
pub struct LookArgs {
    /// Draw in ASCII alone, for fonts and terminals without braille and block characters; other letters show as ?
    #[arg(long)]
    pub ascii: bool,
    /// Colours of the screen: a built-in theme, or a TOML file like themes/dark.toml
    #[arg(long, value_name = "NAME|FILE")]
    pub theme: Option<String>,
    /// Redraw at most once a second
    #[arg(long)]
    pub reduced_motion: bool,
    /// Keys of the screen: a TOML file as `footbridge keys list --toml` prints it; the usual place is
    /// ~/.config/footbridge/keys.toml
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,
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
    /// Draw a pane of the workbench from a session as SVG, without a terminal
    Shot(ShotArgs),
    /// List the themes of the screen, or show one: which colour means what
    Themes(ThemesArgs),
    /// List the keys of the screen, or check a keymap file
    Keys(KeysArgs),
    /// Measure sampling and training speed of this machine
    Bench(super::bench::args::BenchArgs),
    /// Say what this build and this machine can compute on, and what is missing; compare a GPU with the CPU
    Doctor(super::doctor::args::DoctorArgs),
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
    /// How the screen looks.
    #[command(flatten)]
    pub looks: LookArgs,
}

/// What a student computes on.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct DeviceArgs {
    /// What to compute on: auto, cpu, cuda or cuda:N. Without it as the recipe says, where there is one, else auto: a CUDA device that computes, else the CPU
    #[arg(long = "device", value_name = "DEVICE")]
    pub choice: Option<DeviceChoice>,
}

impl DeviceArgs {
    /// Puts what was asked for into a recipe.
    pub fn choose(self, recipe: &mut Recipe) {
        if let Some(choice) = self.choice {
            recipe.student.device = choice.to_string();
        }
    }
}

/// The folder of sessions when none is named.
pub const SESSIONS: &str = "sessions";

/// Where sessions live.
#[derive(Args, Clone, Debug)]
pub struct SessionsDir {
    /// Folder that holds the sessions
    #[arg(long = "sessions-dir", value_name = "DIR", default_value = SESSIONS, global = true)]
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
    /// What the student computes on.
    #[command(flatten)]
    pub device: DeviceArgs,
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
    /// What the student computes on.
    #[command(flatten)]
    pub device: DeviceArgs,
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

/// A whole number from `least` on that is no nonsense as a count of questions, tokens or sequences.
pub fn whole(least: u64) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(least..=1_000_000_000)
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

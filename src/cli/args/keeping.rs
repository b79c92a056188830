//! Arguments of `sessions` and `recipe`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{SessionsDir, key_value};

/// Arguments of `sessions`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  footbridge sessions list\n  footbridge sessions rename demo-1 first-try\n  \
                        footbridge sessions check demo-1\n  footbridge \
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
    /// Give a session that no run holds another name
    Rename {
        /// Name of the session
        old: String,
        /// Its new name
        new: String,
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

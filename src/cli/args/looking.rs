//! Arguments of the verbs that look into a session: `report`, `why`, `preview`.

use clap::{Args, ValueEnum};

use super::SessionsDir;

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
    #[arg(value_enum, default_value = "sft")]
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

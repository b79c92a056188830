//! Arguments of `footbridge review`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::args::SessionsDir;
use crate::domain::Action;
use crate::pipeline::review::{Kind, ProductId, ScoreName};

/// Arguments of `review`.
#[derive(Args, Debug)]
#[command(after_help = "A product is named trace/QUESTION, scores/QUESTION, bridge/QUESTION or \
                        recycled/ITERATION/QUESTION. Steps are counted from 1.\n\nExamples:\n  footbridge review list \
                        demo-1 --status review\n  footbridge review show demo-1 bridge/train-0017\n  footbridge review \
                        override demo-1 train-0017 2 expand --text '3 * 4 = 12'\n  footbridge review reject demo-1 \
                        recycled/1/train-0042 --reason 'not the first error'\n  footbridge review approve demo-1 --all \
                        --kind bridge\n  footbridge review log demo-1 --author ada --csv decisions.csv")]
pub struct ReviewArgs {
    /// What to do.
    #[command(subcommand)]
    pub verb: ReviewVerb,
}

/// The session a verb is about.
#[derive(Args, Debug)]
pub struct SessionArg {
    /// Name of the session
    #[arg(value_name = "SESSION")]
    pub name: String,
    /// Where it is kept.
    #[command(flatten)]
    pub sessions: SessionsDir,
}

/// Who decides, and why.
#[derive(Args, Debug)]
pub struct ByArgs {
    /// Who decides; the name of your account when not given
    #[arg(long = "as", value_name = "NAME")]
    pub by: Option<String>,
    /// Why; kept with the decision
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Which kind of product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KindName {
    /// Solutions of questions
    Trace,
    /// Scores of their steps
    Scores,
    /// Bridged traces
    Bridge,
    /// Diagnosed failures
    Recycled,
}

impl From<KindName> for Kind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Trace => Kind::Trace,
            KindName::Scores => Kind::Scores,
            KindName::Bridge => Kind::Bridge,
            KindName::Recycled => Kind::Recycled,
        }
    }
}

/// Where a product stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatusName {
    /// Waits for its gate
    Proposed,
    /// May be trained on
    Approved,
    /// Changed by a researcher; may be trained on
    Edited,
    /// Not wanted
    Rejected,
    /// Failed a check
    Review,
}

/// Which products.
#[derive(Args, Debug, Default)]
pub struct FilterArgs {
    /// Only products of this kind
    #[arg(long, value_enum)]
    pub kind: Option<KindName>,
    /// Only those that stand so
    #[arg(long, value_enum)]
    pub status: Option<StatusName>,
    /// Only what this iteration made
    #[arg(long, value_name = "N")]
    pub iteration: Option<u32>,
    /// Only those that hold this text
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
}

/// Products by name, or all that a filter means.
#[derive(Args, Debug)]
pub struct WhichArgs {
    /// The products, such as bridge/train-0017
    #[arg(value_name = "PRODUCT", required_unless_present = "all", conflicts_with = "all")]
    pub products: Vec<ProductId>,
    /// All that the filter means; without --status those that wait for a decision. One undo takes all back
    #[arg(long)]
    pub all: bool,
    /// Which.
    #[command(flatten)]
    pub filter: FilterArgs,
}

/// Where a text comes from. Without either, `$VISUAL` or `$EDITOR` is opened on the present text.
#[derive(Args, Debug)]
pub struct TextArgs {
    /// The new text
    #[arg(long, value_name = "TEXT", conflicts_with = "file")]
    pub text: Option<String>,
    /// A file with the new text
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// What can be done with the teacher's products.
#[derive(Debug, Subcommand)]
pub enum ReviewVerb {
    /// List products
    List {
        /// Of which session.
        #[command(flatten)]
        session: SessionArg,
        /// Which.
        #[command(flatten)]
        filter: FilterArgs,
        /// One JSON line per product
        #[arg(long)]
        json: bool,
    },
    /// Show one product: checks, scores, reasons, what differs from the original, its history
    Show {
        /// Of which session.
        #[command(flatten)]
        session: SessionArg,
        /// The product, such as bridge/train-0017; `review list` names them
        product: ProductId,
        /// As one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Approve products; they must pass their checks
    Approve {
        /// Of which session.
        #[command(flatten)]
        session: SessionArg,
        /// Which.
        #[command(flatten)]
        which: WhichArgs,
        /// Who.
        #[command(flatten)]
        by: ByArgs,
    },
    /// Reject products, for a reason
    Reject {
        /// Of which session.
        #[command(flatten)]
        session: SessionArg,
        /// Which.
        #[command(flatten)]
        which: WhichArgs,
        /// Who, and why.
        #[command(flatten)]
        by: ByArgs,
    },
    /// Change the text of a trace, of a step of a bridged trace, or a diagnosis, in your editor or from the command line
    Edit {
        /// Of which session.
        #[command(flatten)]
        session: SessionArg,
        /// The product, such as bridge/train-0017; `review list` names them
        product: ProductId,
        /// Which step of a bridged trace
        #[arg(long, value_name = "N")]
        step: Option<usize>,
        /// Which field of a diagnosis; without it the whole, as JSON
        #[arg(long, value_name = "NAME")]
        field: Option<String>,
        /// The text.
        #[command(flatten)]
        text: TextArgs,
        /// Who.
        #[command(flatten)]
        by: ByArgs,
    },
    /// Set importance (I), jumpiness (J) or difficulty (D) of a step
    SetScore {
        /// Of which session.
        #[command(flatten)]
        session: SessionArg,
        /// Question
        question: String,
        /// Step, from 1
        step: usize,
        /// I, J or D
        #[arg(value_parser = score)]
        score: ScoreName,
        /// I and J on 0, 0.25, 0.5, 0.75, 1; D in nats per token
        value: f64,
        /// Who.
        #[command(flatten)]
        by: ByArgs,
    },
    /// Choose the operation of a step: keep, compress, expand, drop or localize
    Override {
        /// Of which session.
        #[command(flatten)]
        session: SessionArg,
        /// Question
        question: String,
        /// Step, from 1
        step: usize,
        /// The operation
        #[arg(value_parser = action)]
        action: Action,
        /// Also train an expanded step on its own
        #[arg(long)]
        local: bool,
        /// The step's text; without it an edit made before is used, else the teacher is asked
        #[arg(long, value_name = "TEXT")]
        text: Option<String>,
        /// Who.
        #[command(flatten)]
        by: ByArgs,
    },
    /// Cut a step of the original trace in two
    Split {
        /// Of which session.
        #[command(flatten)]
        session: SessionArg,
        /// Question
        question: String,
        /// Step, from 1
        step: usize,
        /// Characters that stay in the first part
        at: usize,
        /// Who.
        #[command(flatten)]
        by: ByArgs,
    },
    /// Join a step of the original trace with the one after it
    Merge {
        /// Of which session.
        #[command(flatten)]
        session: SessionArg,
        /// Question
        question: String,
        /// The first of the two, from 1
        step: usize,
        /// Who.
        #[command(flatten)]
        by: ByArgs,
    },
    /// Ask the teacher for a product once more
    Ask {
        /// Of which session.
        #[command(flatten)]
        session: SessionArg,
        /// The product, such as bridge/train-0017; `review list` names them
        product: ProductId,
        /// Of scores and bridged traces: only this step
        #[arg(long, value_name = "N")]
        step: Option<usize>,
        /// Who.
        #[command(flatten)]
        by: ByArgs,
    },
    /// Take back the last decision, or the last one on a product
    Undo {
        /// Of which session.
        #[command(flatten)]
        session: SessionArg,
        /// The product; its question's trace, scores and bridge go together
        product: Option<ProductId>,
        /// Who.
        #[command(flatten)]
        by: ByArgs,
    },
    /// Restore what was last taken back
    Redo {
        /// Of which session.
        #[command(flatten)]
        session: SessionArg,
        /// The product, such as bridge/train-0017
        product: Option<ProductId>,
        /// Who.
        #[command(flatten)]
        by: ByArgs,
    },
    /// List the audit log: who changed which product when, why, from what to what
    Log {
        /// Of which session.
        #[command(flatten)]
        session: SessionArg,
        /// Which changes.
        #[command(flatten)]
        log: LogArgs,
    },
}

/// Which changes of the audit log, and where they go.
#[derive(Args, Debug)]
pub struct LogArgs {
    /// Only changes by this author: a name, `researcher`, `rule`, `pipeline`
    #[arg(long, value_name = "NAME")]
    pub author: Option<String>,
    /// Only products of this kind
    #[arg(long, value_enum)]
    pub kind: Option<KindName>,
    /// Only this question
    #[arg(long, value_name = "ID")]
    pub question: Option<String>,
    /// Only changes from this time on, such as 2026-03-01 or 2026-03-01T14:00:00Z, or of the last `90m`, `6h`, `2d`
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// One JSON line per change, with the whole values before and after
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Write a CSV file; `-` is stdout
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
}

fn score(text: &str) -> Result<ScoreName, String> {
    match text {
        "I" | "i" => Ok(ScoreName::I),
        "J" | "j" => Ok(ScoreName::J),
        "D" | "d" => Ok(ScoreName::D),
        _ => Err("expected I, J or D".into()),
    }
}

fn action(text: &str) -> Result<Action, String> {
    let known = Action::ALL.into_iter().find(|action| action.as_str() == text);
    known.ok_or_else(|| "expected keep, compress, expand, drop or localize".into())
}

//! Arguments of the verbs about who is asked and what: `prompts` and `teacher`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{SessionsDir, key_value};

/// Arguments of `prompts`.
#[derive(Args, Debug)]
#[command(
    after_help = "A folder of prompts holds files such as trace.j2; what is not there is built in. A file has text, \
                        {{ variables }} and {% if … %} … {% endif %}, and may begin with a line {# system #} and then {# \
                        user #}.\n\nExamples:\n  footbridge prompts list\n  footbridge prompts show importance\n  \
                        footbridge prompts render diagnosis --question train-0001\n  footbridge prompts check \
                        my-prompts\n  footbridge prompts show local --session demo-1 > local.j2      then edit it\n  \
                        footbridge prompts set demo-1 local local.j2"
)]
pub struct PromptsArgs {
    /// What to do.
    #[command(subcommand)]
    pub verb: PromptsVerb,
}

/// Which prompts are meant.
#[derive(Args, Clone, Debug)]
pub struct WhichPrompts {
    /// Those of a recipe: a preset or a TOML file
    #[arg(long, value_name = "PRESET|FILE", default_value = "demo", conflicts_with = "session")]
    pub recipe: String,
    /// Those of a session
    #[arg(long, value_name = "NAME")]
    pub session: Option<String>,
    /// With the files of this folder in place of others
    #[arg(long, value_name = "DIR")]
    pub prompts: Option<PathBuf>,
    /// Where the session is kept.
    #[command(flatten)]
    pub sessions: SessionsDir,
}

/// What can be done with prompts.
#[derive(Debug, Subcommand)]
pub enum PromptsVerb {
    /// Every prompt: who is asked, for what, its hash, where it comes from
    List {
        /// Which ones.
        #[command(flatten)]
        which: WhichPrompts,
    },
    /// Print a template, ready to be changed
    Show {
        /// Name of the prompt
        name: String,
        /// Which ones.
        #[command(flatten)]
        which: WhichPrompts,
    },
    /// Print what would be asked about a question
    Render {
        /// Name of the prompt
        name: String,
        /// Id of a question of the recipe or session
        #[arg(long, value_name = "ID", required_unless_present = "text", conflicts_with = "text")]
        question: Option<String>,
        /// A question in words
        #[arg(long, value_name = "TEXT")]
        text: Option<String>,
        /// Which ones.
        #[command(flatten)]
        which: WhichPrompts,
    },
    /// Change a prompt of a session that stands still; what was made with the old text stays as it is
    Set {
        /// Name of the session
        session: String,
        /// Name of the prompt
        name: String,
        /// The new text
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Change it although products were made with the old text; without this, only say which
        #[arg(long, short)]
        yes: bool,
        /// Who decides; the name of your account when not given
        #[arg(long = "as", value_name = "NAME")]
        by: Option<String>,
        /// Where the session is kept.
        #[command(flatten)]
        sessions: SessionsDir,
    },
    /// Check a folder of prompts; errors name file and line
    Check {
        /// The folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

/// Arguments of `teacher`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  footbridge teacher check                           the demo's rules\n  footbridge \
                        teacher check --recipe my.toml --set teacher.concurrency=1\n  footbridge teacher export demo-1 \
                        --out demo-1.jsonl      then teacher.kind = \"replay\", teacher.replay = \"demo-1.jsonl\""
)]
pub struct TeacherArgs {
    /// What to do.
    #[command(subcommand)]
    pub verb: TeacherVerb,
}

/// What can be done with a teacher.
#[derive(Debug, Subcommand)]
pub enum TeacherVerb {
    /// Ask for one product of each kind and show what comes back, whether it passes its checks, and what it took
    Check {
        /// The recipe: a preset or a TOML file
        #[arg(long, value_name = "PRESET|FILE", default_value = "demo")]
        recipe: String,
        /// Change one setting of the recipe; may be repeated
        #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
        set: Vec<(String, String)>,
        /// Id of the question that is asked about; the first training question when not given
        #[arg(long, value_name = "ID", conflicts_with = "text")]
        question: Option<String>,
        /// A question in words, for a recipe whose questions are not at hand; give --gold with it
        #[arg(long, value_name = "TEXT", requires = "gold")]
        text: Option<String>,
        /// The right answer to --text
        #[arg(long, value_name = "ANSWER", requires = "text")]
        gold: Option<String>,
        /// With the files of this folder in place of other prompts
        #[arg(long, value_name = "DIR")]
        prompts: Option<PathBuf>,
        /// Worker threads of a local model; every core when not given
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
        threads: Option<u16>,
        /// One JSON line per product
        #[arg(long)]
        json: bool,
        /// Where the session of a `session:checkpoint` is.
        #[command(flatten)]
        sessions: SessionsDir,
    },
    /// Write a session's teacher products to a file that `teacher.kind = "replay"` answers from
    Export {
        /// Name of the session
        session: String,
        /// The file; one that is there is not overwritten
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Where the session is kept.
        #[command(flatten)]
        sessions: SessionsDir,
    },
}

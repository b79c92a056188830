//! Arguments of `student`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::args::{DeviceArgs, SessionsDir, whole};
use crate::student::random::Shape;

/// Arguments of `student`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  footbridge student show Qwen/Qwen2.5-0.5B-Instruct\n  footbridge student random \
                        --shape qwen2.5-0.5b --tokenizer qwen --out trial\n  footbridge student measure trial --work \
                        sft --threads 2")]
pub struct StudentArgs {
    /// What to do.
    #[command(subcommand)]
    pub verb: StudentVerb,
    /// Where the session of a `session:checkpoint` is.
    #[command(flatten)]
    pub sessions: SessionsDir,
}

/// What can be done with a student.
#[derive(Debug, Subcommand)]
pub enum StudentVerb {
    /// Family, size, tokenizer, end-of-turn tokens, and the memory a run would take
    Show {
        /// A Hugging Face folder (of a model or an adapter), a hub id, `session:checkpoint`, or `world`
        student: String,
        /// Worker threads of the run; every core when not given
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
        threads: Option<u16>,
        /// The recipe whose memory is planned: a preset or a TOML file; the paper's settings when not given
        #[arg(long, value_name = "PRESET|FILE")]
        recipe: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write a student of a published shape with random weights, in bf16, for trials
    Random {
        /// Which shape
        #[arg(long, value_enum)]
        shape: ShapeName,
        /// Folder with its tokenizer.json (or tokenizer.model), tokenizer_config.json and chat template
        #[arg(long, value_name = "DIR")]
        tokenizer: PathBuf,
        /// Seed of the weights
        #[arg(long, value_name = "N", default_value_t = 1)]
        seed: u64,
        /// Number of files the weights are cut into
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=999))]
        shards: u16,
        /// The new folder
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Write a student as a folder of its own, in single precision
    Save {
        /// A Hugging Face folder (of a model or an adapter), a hub id, `session:checkpoint`, or `world`
        student: String,
        /// The new folder
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// What it computes for a question: ids, logits after the last tokens, the greedy answer; as JSON
    #[command(after_help = "tests/transformers/parity.py holds the output against transformers.")]
    Logits {
        /// A Hugging Face folder (of a model or an adapter), a hub id, `session:checkpoint`, or `world`
        student: String,
        /// The question, asked through the chat template; may be repeated
        #[arg(long, required = true)]
        text: Vec<String>,
        /// Tokens whose logits are given, counted from the end
        #[arg(long, value_name = "N", default_value_t = 4, value_parser = whole(1))]
        last: usize,
        /// Tokens of the greedy answer, which is not ended by an end-of-turn token
        #[arg(long, value_name = "N", default_value_t = 32, value_parser = whole(0))]
        greedy: usize,
        /// What the student computes on.
        #[command(flatten)]
        device: DeviceArgs,
    },
    /// What sampling, or steps of SFT, really take of memory, beside the plan
    Measure {
        /// A Hugging Face folder (of a model or an adapter), a hub id, `session:checkpoint`, or `world`
        student: String,
        /// Which work
        #[arg(long, value_enum)]
        work: Work,
        /// Worker threads; every core when not given
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
        threads: Option<u16>,
        /// Sequences sampled at once, or conversations of the step
        #[arg(long, value_name = "N", default_value_t = 8, value_parser = whole(1))]
        sequences: usize,
        /// Tokens of a prompt, or of a conversation
        #[arg(long, value_name = "N", default_value_t = 128, value_parser = whole(1))]
        length: usize,
        /// Tokens sampled behind each prompt
        #[arg(long, value_name = "N", default_value_t = 16, value_parser = whole(1))]
        new: usize,
        /// Most tokens of a training pass
        #[arg(long, value_name = "N", default_value_t = 4096, value_parser = whole(1))]
        micro_batch_tokens: usize,
        /// Compute layers again on the way back
        #[arg(long)]
        checkpointing: bool,
        /// Train adapters of this rank on every linear map; 0 trains every weight
        #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole(0))]
        lora_rank: usize,
        /// What computes, and whose memory it is about.
        #[command(flatten)]
        device: DeviceArgs,
    },
}

/// Work that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Work {
    /// Sampling
    Sample,
    /// Two SFT steps
    Sft,
}

/// A published shape by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ShapeName {
    /// Qwen2.5-0.5B
    #[value(name = "qwen2.5-0.5b")]
    Qwen25,
    /// Llama-3.2-1B
    #[value(name = "llama-3.2-1b")]
    Llama32,
}

impl From<ShapeName> for Shape {
    fn from(name: ShapeName) -> Self {
        match name {
            ShapeName::Qwen25 => Shape::Qwen25_05B,
            ShapeName::Llama32 => Shape::Llama32_1B,
        }
    }
}

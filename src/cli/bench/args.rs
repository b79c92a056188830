//! What `bench` is asked.

use clap::{Args, ValueEnum};

use crate::cli::args::DeviceArgs;
use crate::recipe::ComputeChoice;

/// What a bench is shaped like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BenchShape {
    /// The student of the generated world, at the demo's batch sizes
    World,
    /// Qwen2.5-0.5B with random weights: 5 GiB to decode, 10 GiB to train
    #[value(name = "qwen2.5-0.5b")]
    Qwen,
    /// Llama-3.2-1B with random weights: 8 GiB to decode, 22 GiB to train
    #[value(name = "llama-3.2-1b")]
    Llama,
}

/// A part of a bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BenchPart {
    /// Sampling and training as the demo does (the world's shape only)
    Pace,
    /// A prompt of 300 tokens, then one token at a time for each batch size
    Decode,
    /// An SFT step
    Sft,
    /// A GRPO step with its rollouts
    Grpo,
    /// 256 sequences with prompts of 100 to 1024 tokens, 562 generated for each
    Nano,
}

/// Arguments of `bench`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  footbridge bench --threads 2\n  footbridge bench --shape qwen2.5-0.5b --batch 1,64 --only decode --json\n  footbridge bench --device cuda --shape qwen2.5-0.5b --batch 64,256,1024"
)]
pub struct BenchArgs {
    /// Which student and which batch sizes
    #[arg(long, value_enum, default_value = "world")]
    pub shape: BenchShape,
    /// Batch sizes of decoding
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,8,64", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub batch: Vec<u16>,
    /// What to measure; without it pace, decode, sft and grpo of the world, decode and sft of the others
    #[arg(long, value_enum, value_name = "PART,…", value_delimiter = ',')]
    pub only: Vec<BenchPart>,
    /// What is measured; the CPU when not given.
    #[command(flatten)]
    pub device: DeviceArgs,
    /// In which precision; auto: bf16 on a GPU that has it
    #[arg(long, value_name = "PRECISION", default_value = "auto")]
    pub compute: ComputeChoice,
    /// Worker threads; every core when not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Measure the workbench instead: frames, keys, and what it costs to be left alone
    #[arg(long, conflicts_with_all = ["shape", "batch", "only", "threads"])]
    pub screen: bool,
    /// How large the session is on which the workbench is measured.
    #[command(flatten)]
    pub of: ScreenBench,
}

/// How large the session is on which the workbench is measured.
#[derive(Args, Clone, Debug)]
pub struct ScreenBench {
    /// With --screen: questions of the session
    #[arg(long, value_name = "N", default_value_t = 7473, requires = "screen", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    pub questions: usize,
    /// With --screen: answers to each question
    #[arg(long, value_name = "N", default_value_t = 64, requires = "screen", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub samples: u32,
}

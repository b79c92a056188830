//! What `doctor` is asked.

use clap::Args;

use crate::cli::args::DeviceArgs;
use crate::cli::bench::args::BenchShape;

/// Arguments of `doctor`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes: 0 the device asked for computes (auto: the CPU does, if nothing else), 1 it does not; with \
                  --parity 1 where it computes something else than the CPU, 2 where it is not there.\n\nExamples:\n  \
                  footbridge doctor\n  footbridge doctor --device cuda && footbridge demo --device cuda\n  footbridge \
                  doctor --parity --device cuda --json"
)]
pub struct DoctorArgs {
    /// What is to be computed on.
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Compare the device with the CPU: logits, losses, gradients, ten training steps, in f32 and bf16; in a build with
    /// fusion with it and without. With --device cpu the operations that other devices run are compared with the CPU's own
    #[arg(long)]
    pub parity: bool,
    /// Students to compare with; world, and on a GPU qwen2.5-0.5b (10 GiB of memory) when not given
    #[arg(long, value_enum, value_name = "SHAPE,…", value_delimiter = ',', requires = "parity")]
    pub shape: Vec<BenchShape>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

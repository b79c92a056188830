//! `footbridge bench`: how fast this machine samples and trains. Every figure is told on the clock and in processor time,
//! so that figures from busy machines can be compared.
//!
//! | file | idea |
//! |---|---|
//! | `args` | what is asked |
//! | `shapes` | the students that are measured |
//! | `world` | the demo's own work |
//! | `decode`, `resident` | one token for each of a batch; reading a prompt: on the CPU, on another device |
//! | `peaks` | what a GPU can do at most |
//! | `steps` | an SFT step, a GRPO step, a load of many sequences |
//! | `clock` | time and memory |
//! | `table` | the figures as lines |

pub mod args;
pub(super) mod clock;
mod decode;
pub mod peaks;
mod resident;
pub(super) mod shapes;
mod steps;
mod table;
mod world;

use std::sync::Arc;

use serde::Serialize;

pub use clock::Pace;
pub use decode::{Decode, Prefill};
pub use steps::{Grpo, Load, Step};
pub use world::Paces;

use crate::data::world::splits::WorldError;
use crate::sample::SampleError;
use crate::student::device::Placed;
use crate::student::workers::Workers;
use crate::student::{Precision, StudentError};
use crate::train::TrainError;
use args::{BenchPart, BenchShape};

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The built-in student could not be read.
    #[error(transparent)]
    Student(#[from] StudentError),
    /// Sampling failed.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// Training failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The questions could not be made.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The figures could not be written.
    #[error("the figures could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// The figures of one machine; what was not measured is left out.
#[derive(Clone, Debug, Serialize)]
pub struct Bench {
    /// The student's shape.
    pub shape: &'static str,
    /// What was measured.
    pub device: String,
    /// In which precision.
    pub precision: &'static str,
    /// Worker threads.
    pub threads: usize,
    /// Its parameters.
    pub parameters: usize,
    /// The demo's own work; of the world's student only.
    #[serde(flatten)]
    pub paces: Option<Paces>,
    /// Reading a prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefill: Option<Prefill>,
    /// Decoding, per batch size.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decode: Vec<Decode>,
    /// An SFT step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sft: Option<Step>,
    /// A GRPO step, rollouts included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpo: Option<Grpo>,
    /// 256 sequences of many lengths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nano: Option<Load>,
    /// Most memory the process held in any part, in MiB.
    pub peak_mib: f64,
    /// Memory that was taken on the device at the end, in MiB; what it keeps for the next step is in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_mib: Option<f64>,
}

/// What is measured.
#[derive(Clone, Debug)]
pub struct BenchPlan {
    /// The student.
    pub shape: BenchShape,
    /// What computes.
    pub placed: Placed,
    /// Worker threads.
    pub threads: usize,
    /// Batch sizes of decoding.
    pub batches: Vec<usize>,
    /// The parts; empty means those that fit the shape.
    pub parts: Vec<BenchPart>,
}

/// Measures. `told` hears what begins.
///
/// # Errors
/// Those of sampling and training.
pub fn measure(plan: &BenchPlan, told: &mut dyn FnMut(&str)) -> Result<Bench, BenchError> {
    let world = plan.shape == BenchShape::World;
    let usual: &[BenchPart] = if world {
        &[BenchPart::Pace, BenchPart::Decode, BenchPart::Sft, BenchPart::Grpo]
    } else {
        &[BenchPart::Decode, BenchPart::Sft]
    };
    let parts = if plan.parts.is_empty() { usual } else { &plan.parts };
    clock::forget_peak();
    told("making the weights");
    let student = plan.placed.take(shapes::student(plan.shape)?);
    let (portable, peaks) = (student.model.compute.is_portable(), peaks::of(&plan.placed.name));
    let precision = student.model.compute.precision();
    let workers = Arc::new(Workers::new(plan.threads));
    let mut bench = Bench {
        shape: plan.shape.name(),
        device: plan.placed.name.clone(),
        precision: precision.name(),
        threads: plan.threads,
        parameters: student.model.parameter_count(),
        paces: None,
        prefill: None,
        decode: Vec::new(),
        sft: None,
        grpo: None,
        nano: None,
        peak_mib: 0.0,
        device_mib: None,
    };
    let wanted = |part: BenchPart| parts.contains(&part);
    if wanted(BenchPart::Pace) && world {
        told("sampling and training as the demo does");
        bench.paces = Some(world::paces(&student, &workers)?);
        bench.peak_mib = bench.peak_mib.max(clock::peak_mib());
    }
    if wanted(BenchPart::Decode) {
        told("reading a prompt and decoding");
        let seconds = if world { 0.5 } else { 4.0 };
        let (prefill, decode) = if portable {
            resident::measure(&student, &plan.batches, seconds, peaks)?
        } else {
            decode::measure(&student, &workers, &plan.batches, seconds)?
        };
        (bench.prefill, bench.decode) = (Some(prefill), decode);
        bench.peak_mib = bench.decode.iter().map(|d| d.peak_mib).fold(bench.peak_mib, f64::max);
    }
    if wanted(BenchPart::Grpo) {
        told("two GRPO steps");
        let (groups, lengths) = match (world, plan.placed.is_cpu()) {
            (true, _) => ((8, 8), (64, 128)),
            (false, true) => ((1, 4), (64, 32)),
            (false, false) => ((8, 8), (256, 256)),
        };
        let grpo = steps::grpo(student.clone(), &workers, groups, lengths)?;
        bench.peak_mib = bench.peak_mib.max(grpo.peak_mib);
        bench.grpo = Some(grpo);
    }
    if wanted(BenchPart::Nano) {
        told("256 sequences of many lengths");
        let nano = steps::nano(student.clone(), &workers)?;
        bench.peak_mib = bench.peak_mib.max(nano.peak_mib);
        bench.nano = Some(nano);
    }
    if wanted(BenchPart::Sft) {
        told("SFT steps");
        let (batch, repeats) = match (world, plan.placed.is_cpu()) {
            (true, _) => ((32, 128), 10),
            (false, true) => ((1, 256), 2),
            (false, false) => ((16, 512), 5),
        };
        // The last part takes the student: a second handle on its weights would make the first update copy them.
        let sft = steps::sft(student, &workers, batch, repeats, peaks.filter(|_| precision == Precision::Bf16))?;
        bench.peak_mib = bench.peak_mib.max(sft.peak_mib);
        bench.sft = Some(sft);
    }
    bench.device_mib = plan.placed.memory().map(|bytes| bytes as f64 / f64::from(1 << 20));
    Ok(bench)
}

/// [`measure`], as lines or as JSON.
///
/// # Errors
/// As [`measure`].
pub fn run(plan: &BenchPlan, json: bool, told: &mut dyn FnMut(&str)) -> Result<String, BenchError> {
    let bench = measure(plan, told)?;
    if json { Ok(serde_json::to_string(&bench)?) } else { Ok(table::lines(&bench)) }
}

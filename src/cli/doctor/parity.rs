//! A device beside the CPU's kernels: the same students, prompts, batches and steps, in each precision of the device.
//!
//! What is allowed is a bound on rounding, not a promise of equal bits. f32 leaves room for a GPU that multiplies in TF32,
//! with 10 bits of a number; bf16 has 7.
//!
//! A build with `fusion` compares twice: with operations joined, and, in a process of its own ([`super::unfused`]), without.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::measures::{Computed, agreement, apart, compute, curves, worst};
use super::unfused;
use crate::cli::bench::args::BenchShape;
use crate::cli::bench::shapes;
use crate::sample::SampleError;
use crate::student::device::{Placed, has_half};
use crate::student::workers::Workers;
use crate::student::{Compute, Precision, StudentError};
use crate::train::TrainError;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum ParityError {
    /// The student could not be made.
    #[error(transparent)]
    Student(#[from] StudentError),
    /// Sampling failed.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// Training failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The comparison without fusion, in a process of its own, came to nothing.
    #[error("the comparison without fusion could not be made: {0}")]
    Unfused(String),
}

/// Every comparison.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// What was compared with the CPU.
    pub device: String,
    /// The figures.
    pub rows: Vec<Row>,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The student's shape.
    pub shape: String,
    /// The device's precision.
    pub precision: String,
    /// Whether operations were joined into larger kernels (feature `fusion`).
    pub fused: bool,
    /// What is compared.
    pub what: String,
    /// How far it is off, relative to its size; of greedy answers, the share of tokens that differ. [`f64::MAX`] where one
    /// of the two is no number.
    pub off: f64,
    /// How far it may be.
    pub allowed: f64,
    /// Whether it is within.
    pub fine: bool,
}

/// Compares; `told` hears what begins.
///
/// # Errors
/// Those of sampling and training.
pub fn run(placed: &Placed, which: &[BenchShape], told: &mut dyn FnMut(&str)) -> Result<Report, ParityError> {
    let workers = Arc::new(Workers::available());
    let mut rows = Vec::new();
    for shape in which {
        told(&format!("{}: on the CPU, by its kernels", shape.name()));
        let wanted = compute(shapes::student(*shape)?, &workers)?;
        for precision in [Precision::F32, Precision::Bf16] {
            if precision == Precision::Bf16 && !has_half(&placed.device) {
                told(&format!("{} has no bf16", placed.name));
                continue;
            }
            told(&format!("{}: on {}, {}", shape.name(), device(placed), precision.name()));
            let on = Placed { compute: Compute::Portable(precision), ..placed.clone() };
            let found = compute(on.take(shapes::student(*shape)?), &workers)?;
            let joined = unfused::fuses() && !placed.is_cpu();
            rows.extend(figures((shape.name(), precision, joined), &wanted, &found));
        }
    }
    Ok(Report { device: device(placed), rows })
}

/// What stands beside the CPU's kernels.
fn device(placed: &Placed) -> String {
    match placed.name.rsplit_once(", ") {
        // Its precision is said by each figure.
        Some((name, _)) if !placed.is_cpu() => name.to_owned(),
        _ => "cpu, portable operations".into(),
    }
}

/// The figures of a shape in a precision, with operations joined or not.
fn figures((shape, precision, fused): (&str, Precision, bool), wanted: &Computed, found: &Computed) -> Vec<Row> {
    let (name, worst) = worst(&wanted.gradients, &found.gradients);
    let flat = |all: &[(String, Vec<f32>)]| all.iter().flat_map(|(_, v)| v.iter().copied()).collect::<Vec<f32>>();
    let gradients = apart(&flat(&wanted.gradients), &flat(&found.gradients));
    let half = precision == Precision::Bf16;
    let row = |what: String, off: f64, single: f64, halved: f64| {
        let allowed = if half { halved } else { single };
        // JSON has no infinity.
        let off = if off.is_finite() { off } else { f64::MAX };
        let (shape, precision) = (shape.to_owned(), precision.name().to_owned());
        Row { shape, precision, fused, what, off, allowed, fine: off <= allowed }
    };
    vec![
        row("logits".into(), apart(&wanted.logits, &found.logits), 5e-3, 5e-2),
        row("losses per token".into(), apart(&wanted.losses, &found.losses), 5e-3, 5e-2),
        row("loss of the batch".into(), curves(&[wanted.loss], &[found.loss]), 1e-3, 2e-2),
        row("gradient".into(), gradients, 1e-2, 1e-1),
        row(format!("gradient, {name}"), worst, 5e-2, 5e-1),
        row("losses of ten steps".into(), curves(&wanted.steps, &found.steps), 5e-3, 5e-2),
        row("weights after them".into(), apart(&wanted.weights, &found.weights), 5e-3, 2e-2),
        // One token that falls the other way takes the rest along, so this says how far they went together.
        row("greedy answers".into(), 1.0 - agreement(&wanted.greedy, &found.greedy), 0.5, 1.0),
    ]
}

//! Decoding and reading a prompt on a device, through the sampler a run uses: what one more token of every sequence costs is
//! told by two answers of different length.

use std::ops::ControlFlow;

use super::BenchError;
use super::clock::{Clock, Pace, forget_peak, peak_mib};
use super::decode::{CONTEXT, Decode, Prefill};
use super::peaks::{Peaks, share};
use super::shapes::{multiply_adds, tokens};
use crate::sample::{Group, SamplerSettings, generate};
use crate::student::workers::Workers;
use crate::student::{ModelConfig, Precision, Student};

/// Tokens of the shorter answers, a multiple of the sampler's steps between two looks.
const SHORT: usize = 16;

/// Reads a prompt, then decodes at each batch size; a batch is measured for about `seconds`. The first answers of each
/// batch, for which a GPU's kernels are compiled and chosen, don't count.
///
/// # Errors
/// Those of sampling.
pub(super) fn measure(
    student: &Student,
    batches: &[usize],
    seconds: f64,
    peaks: Option<Peaks>,
) -> Result<(Prefill, Vec<Decode>), BenchError> {
    let mut student = student.clone();
    // Nothing ends an answer but its length.
    student.end_of_turn = Vec::new();
    answer(&student, 1, 1)?;
    let Pace { seconds: read, cpu_seconds, .. } = answer(&student, 1, 1)?;
    let gflops = 2e-9 * multiply_adds(&student.config) * CONTEXT as f64 / read;
    let prefill = Prefill { tokens: CONTEXT, ms: read * 1e3, cpu_ms: cpu_seconds * 1e3, gflops };
    let decodes: Result<_, BenchError> = batches.iter().map(|batch| decode(&student, *batch, seconds, peaks)).collect();
    Ok((prefill, decodes?))
}

fn decode(student: &Student, batch: usize, seconds: f64, peaks: Option<Peaks>) -> Result<Decode, BenchError> {
    forget_peak();
    answer(student, batch, SHORT)?;
    let short = answer(student, batch, SHORT)?;
    let probe = (short.seconds / SHORT as f64).max(1e-6);
    let steps = ((seconds / probe) as usize).clamp(16, 512).next_multiple_of(8);
    answer(student, batch, SHORT + steps)?;
    let (short, long) = (answer(student, batch, SHORT)?, answer(student, batch, SHORT + steps)?);
    let per = |long: f64, short: f64| (long - short).max(1e-9) / steps as f64;
    let (step, cpu) = (per(long.seconds, short.seconds), per(long.cpu_seconds, short.cpu_seconds));
    let config = &student.config;
    let flops = 2.0 * multiply_adds(config) * batch as f64 / step;
    let precision = student.model.compute.precision();
    let bytes = step_bytes(config, batch, CONTEXT + SHORT + steps / 2, precision) / step;
    let bf16 = precision == Precision::Bf16;
    Ok(Decode {
        batch,
        context: CONTEXT,
        steps,
        ms: step * 1e3,
        cpu_ms: cpu * 1e3,
        tokens_per_second: batch as f64 / step,
        gflops: flops * 1e-9,
        gb_per_second: bytes * 1e-9,
        flops_share: peaks.filter(|_| bf16).map(|peaks| share(flops, peaks.flops)),
        bandwidth_share: peaks.map(|peaks| share(bytes, peaks.bytes)),
        peak_mib: peak_mib(),
    })
}

/// Bytes a step must read: every matrix once, and the keys and values of all sequences.
fn step_bytes(config: &ModelConfig, batch: usize, context: usize, precision: Precision) -> f64 {
    let number = if precision == Precision::Bf16 { 2.0 } else { 4.0 };
    let cache = (2 * config.layers * config.kv_width()) as f64 * (batch * context) as f64;
    number * (multiply_adds(config) + cache)
}

/// `batch` answers of `length` tokens to one prompt.
fn answer(student: &Student, batch: usize, length: usize) -> Result<Pace, BenchError> {
    let prompt = tokens(CONTEXT, 0, student.config.vocab_size);
    let group = Group { prompt, stream: 0, samples: 0..batch as u32 };
    let settings = SamplerSettings {
        temperature: 1.0,
        top_p: 1.0,
        max_new_tokens: length,
        slots: batch,
        banned_first: Vec::new(),
        log_probs: false,
    };
    let clock = Clock::start();
    generate(student, &Workers::new(1), &[group], &settings, &mut |_| ControlFlow::Continue(()))?;
    Ok(clock.stop((batch * length) as u64))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::cli::bench::args::BenchShape;
    use crate::cli::bench::{peaks, shapes};
    use crate::student::Compute;

    #[test]
    fn a_batch_is_measured_by_what_longer_answers_take_more() {
        let student = shapes::student(BenchShape::World).unwrap().with_compute(Compute::Portable(Precision::Bf16));
        let (prefill, decode) = measure(&student, &[2], 0.0, peaks::of("NVIDIA H200")).unwrap();
        assert!(prefill.tokens == CONTEXT && prefill.ms > 0.0);
        let [one] = decode[..] else { panic!("one batch was asked for") };
        assert_eq!((one.batch, one.context, one.steps), (2, CONTEXT, 16));
        let (flops, bytes) = (one.flops_share.unwrap(), one.bandwidth_share.unwrap());
        assert!((flops - one.gflops * 1e9 / 989e12).abs() < 1e-12 && (bytes - one.gb_per_second / 4800.0).abs() < 1e-9);
        // Two sequences do two multiply-adds per weight, and a weight of two bytes is read once for both.
        let weights = multiply_adds(&student.config);
        assert!(step_bytes(&student.config, 2, 300, Precision::Bf16) > 2.0 * weights);
        assert_eq!(step_bytes(&student.config, 0, 300, Precision::F32), 4.0 * weights);
    }
}

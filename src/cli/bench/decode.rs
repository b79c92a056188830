//! Decoding at a fixed batch and a fixed context, and reading a prompt.

use rayon::prelude::*;
use serde::Serialize;

use super::clock::{Clock, Pace, forget_peak, peak_mib};
use super::shapes::{multiply_adds, tokens};
use crate::sample::pick::{Picker, stream};
use crate::student::cache::KvCache;
use crate::student::packed::{Row, Scratch};
use crate::student::workers::Workers;
use crate::student::{PackedDecoder, Student, StudentError};

/// Tokens that stand before the measured ones.
pub(super) const CONTEXT: usize = 300;

/// One token for each of some sequences.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Decode {
    /// Sequences.
    pub batch: usize,
    /// Tokens before the first measured one.
    pub context: usize,
    /// Steps that were measured.
    pub steps: usize,
    /// A step, on the clock.
    pub ms: f64,
    /// A step, in processor time.
    pub cpu_ms: f64,
    /// Tokens per second on the clock.
    pub tokens_per_second: f64,
    /// Products of the matrices, in 10⁹ floating-point operations per second.
    pub gflops: f64,
    /// Weights once per step (on a device keys and values too), in 10⁹ bytes per second.
    pub gb_per_second: f64,
    /// Share of the device's arithmetic, where its peak is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flops_share: Option<f64>,
    /// Share of its memory's bandwidth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth_share: Option<f64>,
    /// Most memory held.
    pub peak_mib: f64,
}

/// Reading a prompt.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Prefill {
    /// Its tokens.
    pub tokens: usize,
    /// On the clock.
    pub ms: f64,
    /// In processor time.
    pub cpu_ms: f64,
    /// Products of the matrices, in 10⁹ floating-point operations per second.
    pub gflops: f64,
}

/// What one thread, or all together for a large student, decodes.
struct Lane {
    caches: Vec<KvCache>,
    rows: Vec<Row>,
    scratch: Scratch,
    pickers: Vec<(Picker, rand_chacha::ChaCha8Rng)>,
}

impl Lane {
    /// `batch` sequences that start with what `prompt` holds.
    fn new(decoder: &PackedDecoder, prompt: &KvCache, batch: usize, positions: usize) -> Self {
        let cache = |_| {
            let mut cache = KvCache::default();
            decoder.reserve(&mut cache, positions);
            decoder.share(prompt, &mut cache, CONTEXT);
            cache
        };
        let row = |sequence| Row { sequence, position: CONTEXT, token: 1 };
        Self {
            caches: (0..batch).map(cache).collect(),
            rows: (0..batch).map(row).collect(),
            scratch: Scratch::default(),
            pickers: (0..batch).map(|i| (Picker::default(), stream(0, i as u32))).collect(),
        }
    }

    /// One more token for each, drawn at temperature 1.
    fn step(&mut self, decoder: &PackedDecoder) {
        decoder.step(&self.rows, &mut self.caches, &mut self.scratch);
        let logits = decoder.logits(self.rows.len(), &mut self.scratch);
        let vocab = decoder.config().vocab_size;
        let one = |((row, (picker, random)), logits): ((&mut Row, &mut (Picker, _)), &[f32])| {
            row.token = picker.pick(logits, 1.0, 1.0, random).unwrap_or(0);
            row.position += 1;
        };
        if decoder.is_large() {
            let rows = self.rows.par_iter_mut().zip(&mut self.pickers);
            rows.zip(logits.par_chunks_exact(vocab)).for_each(one);
        } else {
            self.rows.iter_mut().zip(&mut self.pickers).zip(logits.chunks_exact(vocab)).for_each(one);
        }
    }
}

/// Reads a prompt, then decodes at each batch size; a batch is measured for about `seconds`.
///
/// # Errors
/// If the weights cannot be read.
pub(super) fn measure(
    student: &Student,
    workers: &Workers,
    batches: &[usize],
    seconds: f64,
) -> Result<(Prefill, Vec<Decode>), StudentError> {
    let most = 4096;
    let decoder = PackedDecoder::new(&student.model, CONTEXT + most + 2)?;
    let mut prompt = KvCache::default();
    let prefill = prefill(&decoder, student, workers, &mut prompt);
    let decodes = batches.iter().map(|batch| decode(&decoder, workers, &prompt, *batch, seconds, most));
    Ok((prefill, decodes.collect()))
}

/// Reads a prompt of [`CONTEXT`] tokens twice and tells the second time.
fn prefill(decoder: &PackedDecoder, student: &Student, workers: &Workers, cache: &mut KvCache) -> Prefill {
    let ids = tokens(CONTEXT, 0, student.config.vocab_size);
    let rows: Vec<Row> = (0..).zip(ids).map(|(position, token)| Row { sequence: 0, position, token }).collect();
    let mut scratch = Scratch::default();
    let mut read = || {
        let clock = Clock::start();
        decoder.reserve(cache, CONTEXT);
        let caches = std::slice::from_mut(&mut *cache);
        let mut work = || {
            decoder.step(&rows, caches, &mut scratch);
            decoder.logits(1, &mut scratch);
        };
        if decoder.is_large() {
            workers.together(work)
        } else {
            work()
        }
        clock.stop(CONTEXT as u64)
    };
    read();
    let Pace { seconds, cpu_seconds, .. } = read();
    let gflops = 2e-9 * multiply_adds(&student.config) * CONTEXT as f64 / seconds;
    Prefill { tokens: CONTEXT, ms: seconds * 1e3, cpu_ms: cpu_seconds * 1e3, gflops }
}

fn decode(
    decoder: &PackedDecoder,
    workers: &Workers,
    prompt: &KvCache,
    batch: usize,
    seconds: f64,
    most: usize,
) -> Decode {
    forget_peak();
    let lanes = if decoder.is_large() { 1 } else { workers.count().min(batch) };
    let share = |lane: usize| batch / lanes + usize::from(lane < batch % lanes);
    let run = |steps: usize, warm: usize| {
        let times = std::sync::Mutex::new(Vec::new());
        let work = |lane: usize| {
            if lane >= lanes {
                return;
            }
            let mut lane = Lane::new(decoder, prompt, share(lane), CONTEXT + warm + steps + 1);
            (0..warm).for_each(|_| lane.step(decoder));
            let clock = Clock::start();
            (0..steps).for_each(|_| lane.step(decoder));
            times.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(clock.stop(0));
        };
        if decoder.is_large() {
            workers.together(|| work(0))
        } else {
            workers.run(work)
        }
        let times = times.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Lanes start together; the slowest tells the wall, and its processor time holds that of the others beside it.
        times.into_iter().max_by(|a, b| a.seconds.total_cmp(&b.seconds)).unwrap_or(Clock::start().stop(0))
    };
    let probe = run(1, 1).seconds.max(1e-6);
    let steps = ((seconds / probe) as usize).clamp(3, most - 2);
    let Pace { seconds, cpu_seconds, .. } = run(steps, 1);
    let per_step = seconds / steps as f64;
    let work = multiply_adds(decoder.config());
    Decode {
        batch,
        context: CONTEXT,
        steps,
        ms: per_step * 1e3,
        cpu_ms: cpu_seconds / steps as f64 * 1e3,
        tokens_per_second: batch as f64 / per_step,
        gflops: 2e-9 * work * batch as f64 / per_step,
        gb_per_second: 4e-9 * work / per_step,
        flops_share: None,
        bandwidth_share: None,
        peak_mib: peak_mib(),
    }
}

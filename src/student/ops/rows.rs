//! Row-wise kernels: RMSNorm, SwiGLU and the log-probability head, forward and backward, on slices.

use super::gemm::{Mat, matmul};
use super::reuse;
use super::simd::{dot, exp, exp_sum, max, simd};
use rayon::prelude::*;
use std::slice::{from_mut, from_ref};

/// Rows of logits alive at once in the head: 155 MB of a 151,936-token vocabulary.
const HEAD_ROWS: usize = 256;
/// Entries a thread works through at a time, where an operation is spread over the threads of the current pool.
const PIECE: usize = 1 << 15;

/// Whether an operation on this many entries is to be spread.
fn spread(entries: usize) -> bool {
    entries >= 4 * PIECE && rayon::current_num_threads() > 1
}

simd! {
    /// RMSNorm of the rows of `x` into `y`.
    pub fn rms_norm(x: &'a [f32], gain: &'a [f32], y: &'a mut [f32], eps: f32) {
        let d = gain.len();
        for (x, y) in x.chunks_exact(d).zip(y.chunks_exact_mut(d)) {
            let scale = 1.0 / (dot(x, x) / d as f32 + eps).sqrt();
            for ((y, x), g) in y.iter_mut().zip(x).zip(gain) {
                *y = x * scale * g;
            }
        }
    }
}

simd! {
    /// RMSNorm of the rows of `x`, in place; the same numbers as [`rms_norm`].
    pub fn rms_norm_in_place(x: &'a mut [f32], gain: &'a [f32], eps: f32) {
        let d = gain.len();
        for x in x.chunks_exact_mut(d) {
            let scale = 1.0 / (dot(x, x) / d as f32 + eps).sqrt();
            for (x, g) in x.iter_mut().zip(gain) {
                *x = *x * scale * g;
            }
        }
    }
}

simd! {
    /// Gradients of [`rms_norm`]: `dx` is written, `dgain` is added to, row by row in order.
    pub fn rms_norm_back(
        x: &'a [f32], gain: &'a [f32], dy: &'a [f32], dx: &'a mut [f32], dgain: &'a mut [f32], eps: f32,
    ) {
        let d = gain.len();
        for ((x, dy), dx) in x.chunks_exact(d).zip(dy.chunks_exact(d)).zip(dx.chunks_exact_mut(d)) {
            let scale = 1.0 / (dot(x, x) / d as f32 + eps).sqrt();
            for ((dx, dy), g) in dx.iter_mut().zip(dy).zip(gain) {
                *dx = dy * g;
            }
            let pull = dot(dx, x) * scale * scale * scale / d as f32;
            for (((dx, x), dy), dg) in dx.iter_mut().zip(x).zip(dy).zip(dgain.iter_mut()) {
                *dx = *dx * scale - x * pull;
                *dg += dy * x * scale;
            }
        }
    }
}

/// `y = silu(gate) · up`.
pub fn swiglu(gate: &[f32], up: &[f32], y: &mut [f32]) {
    if !spread(y.len()) {
        return swiglu_piece(gate, up, y);
    }
    let pieces = y.par_chunks_mut(PIECE).zip(gate.par_chunks(PIECE)).zip(up.par_chunks(PIECE));
    pieces.for_each(|((y, gate), up)| swiglu_piece(gate, up, y));
}

simd! {
    /// See [`swiglu`].
    fn swiglu_piece(gate: &'a [f32], up: &'a [f32], y: &'a mut [f32]) {
        for ((y, g), u) in y.iter_mut().zip(gate).zip(up) {
            *y = g / (1.0 + exp(-g)) * u;
        }
    }
}

/// Gradients of [`swiglu`].
pub fn swiglu_back(gate: &[f32], up: &[f32], dy: &[f32], dgate: &mut [f32], dup: &mut [f32]) {
    if !spread(dy.len()) {
        return swiglu_back_piece(gate, up, dy, dgate, dup);
    }
    let above = gate.par_chunks(PIECE).zip(up.par_chunks(PIECE)).zip(dy.par_chunks(PIECE));
    let pieces = above.zip(dgate.par_chunks_mut(PIECE)).zip(dup.par_chunks_mut(PIECE));
    pieces.for_each(|((((gate, up), dy), dgate), dup)| swiglu_back_piece(gate, up, dy, dgate, dup));
}

simd! {
    /// See [`swiglu_back`].
    fn swiglu_back_piece(gate: &'a [f32], up: &'a [f32], dy: &'a [f32], dgate: &'a mut [f32], dup: &'a mut [f32]) {
        for ((((g, u), dy), dg), du) in gate.iter().zip(up).zip(dy).zip(dgate).zip(dup) {
            let s = 1.0 / (1.0 + exp(-g));
            let silu = g * s;
            *du = dy * silu;
            *dg = dy * u * (s + silu * (1.0 - s));
        }
    }
}

simd! {
    /// Sum of the rows of `x` into `sum`.
    pub fn column_sums(x: &'a [f32], sum: &'a mut [f32]) {
        for row in x.chunks_exact(sum.len()) {
            for (s, x) in sum.iter_mut().zip(row) {
                *s += x;
            }
        }
    }
}

simd! {
    /// Logits to ln p(target) and to the logarithm of their exponential sum, after division by the temperature.
    fn log_probs_of_logits(
        logits: &'a mut [f32], vocab: usize, targets: &'a [usize], inverse: f32, log_probs: &'a mut [f32],
        totals: &'a mut [f32],
    ) {
        let out = log_probs.iter_mut().zip(totals.iter_mut());
        for ((row, target), (log_prob, total)) in logits.chunks_exact_mut(vocab).zip(targets).zip(out) {
            for x in row.iter_mut() {
                *x *= inverse;
            }
            let top = max(row);
            *total = top + exp_sum(row, top).ln();
            *log_prob = row.get(*target).map_or(f32::NAN, |x| x - *total);
        }
    }
}

simd! {
    /// Logits to their gradient, in place: `dy / T · (1[target] − p)`.
    fn logits_back(
        logits: &'a mut [f32], vocab: usize, targets: &'a [usize], inverse: f32, totals: &'a [f32], dy: &'a [f32],
    ) {
        for (((row, target), total), dy) in logits.chunks_exact_mut(vocab).zip(targets).zip(totals).zip(dy) {
            let dy = dy * inverse;
            for x in row.iter_mut() {
                *x = -dy * exp(*x * inverse - total);
            }
            if let Some(x) = row.get_mut(*target) {
                *x += dy;
            }
        }
    }
}

simd! {
    /// Entropy of each row's distribution in nats; destroys the logits, which are divided by the temperature already.
    fn entropies_of_logits(logits: &'a mut [f32], vocab: usize, totals: &'a [f32], entropies: &'a mut [f32]) {
        let mut lacks = vec![0.0; vocab];
        for ((row, total), entropy) in logits.chunks_exact_mut(vocab).zip(totals).zip(entropies.iter_mut()) {
            for (lack, x) in lacks.iter_mut().zip(row.iter_mut()) {
                *lack = total - *x;
                *x = exp(-*lack);
            }
            *entropy = dot(row, &lacks);
        }
    }
}

/// The output matrix with what it is asked for.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// Hidden states, `[n, width]`.
    pub h: &'a [f32],
    /// Output matrix, `[vocab, width]`.
    pub weight: &'a [f32],
    /// Width of a hidden state.
    pub width: usize,
    /// A token of each row.
    pub targets: &'a [usize],
    /// One over the temperature.
    pub inverse: f32,
}

impl Head<'_> {
    fn vocab(&self) -> usize {
        self.weight.len() / self.width
    }

    /// Calls `f` with the logits of a few rows at a time and the range of those rows.
    fn chunks(&self, mut f: impl FnMut(&mut [f32], std::ops::Range<usize>)) {
        let (n, vocab) = (self.targets.len(), self.vocab());
        let mut logits = vec![0.0; n.min(HEAD_ROWS) * vocab];
        for from in (0..n).step_by(HEAD_ROWS) {
            let to = n.min(from + HEAD_ROWS);
            let logits = &mut logits[..(to - from) * vocab];
            let rows = Mat::new(&self.h[from * self.width..], to - from, self.width, self.width);
            matmul(logits, vocab, rows, Mat::new(self.weight, vocab, self.width, self.width).t(), false);
            f(logits, from..to);
        }
    }

    /// ln p(target) and the logarithm of the exponential sum, each `[n]`; entropies too where asked for.
    pub fn forward(&self, mut entropies: Option<&mut [f32]>) -> (Vec<f32>, Vec<f32>) {
        let (n, vocab) = (self.targets.len(), self.vocab());
        let (mut log_probs, mut totals) = (vec![0.0; n], vec![0.0; n]);
        self.chunks(|logits, r| {
            let (lp, total) = (&mut log_probs[r.clone()], &mut totals[r.clone()]);
            let targets = &self.targets[r.clone()];
            if spread(logits.len()) {
                let out = lp.par_iter_mut().zip(total.par_iter_mut());
                let rows = logits.par_chunks_exact_mut(vocab).zip(targets).zip(out);
                rows.for_each(|((row, target), (lp, total))| {
                    let (target, lp, total) = (from_ref(target), from_mut(lp), from_mut(total));
                    log_probs_of_logits(row, vocab, target, self.inverse, lp, total);
                });
            } else {
                log_probs_of_logits(logits, vocab, targets, self.inverse, lp, total);
            }
            if let Some(entropies) = entropies.as_deref_mut() {
                entropies_of_logits(logits, vocab, &totals[r.clone()], &mut entropies[r]);
            }
        });
        (log_probs, totals)
    }

    /// Gradients `dh [n, width]` and `dweight [vocab, width]` from `dy [n]`; logits are computed a second time, which
    /// costs less than keeping them.
    pub fn backward(&self, totals: &[f32], dy: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (vocab, width) = (self.vocab(), self.width);
        let (mut dh, mut dweight) = (vec![0.0; self.h.len()], reuse::take(self.weight.len()));
        if self.targets.is_empty() {
            dweight.fill(0.0);
        }
        self.chunks(|logits, r| {
            let (targets, totals, dy) = (&self.targets[r.clone()], &totals[r.clone()], &dy[r.clone()]);
            if spread(logits.len()) {
                let rows = logits.par_chunks_exact_mut(vocab).zip(targets).zip(totals).zip(dy);
                rows.for_each(|(((row, target), total), dy)| {
                    logits_back(row, vocab, from_ref(target), self.inverse, from_ref(total), from_ref(dy));
                });
            } else {
                logits_back(logits, vocab, targets, self.inverse, totals, dy);
            }
            let d = Mat::new(logits, r.len(), vocab, vocab);
            let rows = r.start * width..r.end * width;
            matmul(&mut dh[rows.clone()], width, d, Mat::new(self.weight, vocab, width, width), false);
            let add = r.start > 0;
            matmul(&mut dweight, width, d.t(), Mat::new(&self.h[rows], r.len(), width, width), add);
        });
        (dh, dweight)
    }
}

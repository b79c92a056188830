//! Causal grouped-query attention with rotary positions, forward and backward, on slices.
//!
//! Probabilities live for a block of rows only; the backward pass makes them again from the logarithms of the rows'
//! sums, so memory grows with the length and not with its square (as in FlashAttention, Dao et al. 2022). A row reads
//! only positions up to its own and in a fixed order: neither padding nor other sequences change its bits.

use super::AttentionShape;
use super::gemm::{Mat, Panels, matmul, matmul_panels};
use super::simd::{dot, exp_in_place, max, simd, turn};
use rayon::prelude::*;

/// Rows of scores alive at once.
const BLOCK: usize = 48;

/// What goes in: rows of tokens, heads side by side.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// Queries `[batch * seq, heads * head_dim]`, not rotated.
    pub q: &'a [f32],
    /// Keys `[batch * seq, kv_heads * head_dim]`, not rotated.
    pub k: &'a [f32],
    /// Values, as the keys.
    pub v: &'a [f32],
    /// Cosines `[max, head_dim / 2]`.
    pub cos: &'a [f32],
    /// Sines, as the cosines.
    pub sin: &'a [f32],
    /// Shape.
    pub shape: AttentionShape,
}

impl AttentionShape {
    fn q_width(&self) -> usize {
        self.heads * self.head_dim
    }

    fn kv_width(&self) -> usize {
        self.kv_heads * self.head_dim
    }

    /// Query heads of a key head.
    fn group(&self) -> usize {
        self.heads / self.kv_heads
    }

    fn group_width(&self) -> usize {
        self.group() * self.head_dim
    }

    fn scale(&self) -> f32 {
        1.0 / (self.head_dim as f32).sqrt()
    }

    /// Row blocks of a sequence: first row and number of rows.
    fn blocks(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let seq = self.seq;
        (0..seq).step_by(BLOCK).map(move |from| (from, BLOCK.min(seq - from)))
    }
}

simd! {
    /// Rotates one head of every row into `out [seq, head_dim]`: rows of `x` are `stride` apart.
    fn rotate(x: &'a [f32], stride: usize, cos: &'a [f32], sin: &'a [f32], scale: f32, out: &'a mut [f32], hd: usize) {
        let half = hd / 2;
        let tables = cos.chunks_exact(half).zip(sin.chunks_exact(half));
        for ((out, x), (cos, sin)) in out.chunks_exact_mut(hd).zip(x.chunks(stride)).zip(tables) {
            let (low, high) = out.split_at_mut(half);
            let (a, b) = x[..hd].split_at(half);
            turn((a, b), (cos, sin), scale, (low, high));
        }
    }
}

simd! {
    /// Rotates back, the transpose of [`rotate`]: `x [seq, head_dim]` into one head of the rows of `out`.
    fn rotate_back(x: &'a [f32], cos: &'a [f32], sin: &'a [f32], scale: f32, out: &'a mut [f32], stride: usize, hd: usize) {
        let half = hd / 2;
        let tables = cos.chunks_exact(half).zip(sin.chunks_exact(half));
        for ((x, out), (cos, sin)) in x.chunks_exact(hd).zip(out.chunks_mut(stride)).zip(tables) {
            let (a, b) = x.split_at(half);
            let (low, high) = out[..hd].split_at_mut(half);
            // By the same angle the other way: the halves change places.
            turn((b, a), (cos, sin), scale, (high, low));
        }
    }
}

simd! {
    /// Scores of rows `from ..` to e^(score − top), zeros to the right of the diagonal; sums and tops of the rows.
    fn exp_rows(scores: &'a mut [f32], width: usize, from: usize, sums: &'a mut [f32], tops: &'a mut [f32]) {
        let out = sums.iter_mut().zip(tops.iter_mut());
        for ((i, row), (sum, top)) in scores.chunks_exact_mut(width).enumerate().zip(out) {
            let (seen, unseen) = row.split_at_mut((from + i + 1).min(width));
            *top = max(seen);
            *sum = exp_in_place(seen, *top);
            unseen.fill(0.0);
        }
    }
}

simd! {
    /// Scores of rows `from ..` to probabilities, given the logarithms of the rows' sums.
    fn probabilities(scores: &'a mut [f32], width: usize, from: usize, totals: &'a [f32]) {
        for ((i, row), total) in scores.chunks_exact_mut(width).enumerate().zip(totals) {
            let (seen, unseen) = row.split_at_mut((from + i + 1).min(width));
            exp_in_place(seen, *total);
            unseen.fill(0.0);
        }
    }
}

simd! {
    /// Divides one head of the rows of `out` by the rows' sums.
    fn normalise(out: &'a mut [f32], stride: usize, hd: usize, sums: &'a [f32]) {
        for (row, sum) in out.chunks_mut(stride).zip(sums) {
            let inverse = 1.0 / sum;
            for x in &mut row[..hd] {
                *x *= inverse;
            }
        }
    }
}

simd! {
    /// Gradient of the probabilities to gradient of the scores, in place: `p · (dp − Σ p · dp)`.
    fn softmax_back(dp: &'a mut [f32], p: &'a [f32], width: usize) {
        for (dp, p) in dp.chunks_exact_mut(width).zip(p.chunks_exact(width)) {
            let mean = dot(dp, p);
            for (d, p) in dp.iter_mut().zip(p) {
                *d = p * (*d - mean);
            }
        }
    }
}

/// Output `[batch * seq, heads * head_dim]`, and the logarithm of the sum behind every row's softmax
/// `[batch, heads, seq]`.
pub fn forward(x: Inputs) -> (Vec<f32>, Vec<f32>) {
    let s = x.shape;
    let mut out = vec![0.0; s.batch * s.seq * s.q_width()];
    let mut totals = vec![0.0; s.batch * s.heads * s.seq];
    if out.is_empty() {
        return (out, totals);
    }
    let parts = out.chunks_mut(s.seq * s.q_width()).zip(totals.chunks_mut(s.heads * s.seq)).enumerate();
    match spread(s) {
        Spread::Sequences => {
            parts.collect::<Vec<_>>().into_par_iter().for_each(|(i, (out, totals))| sequence(x, i, out, totals));
        }
        Spread::Heads => parts.for_each(|(i, (out, totals))| heads_beside(x, i, out, totals)),
        Spread::Nothing => parts.for_each(|(i, (out, totals))| sequence(x, i, out, totals)),
    }
    (out, totals)
}

/// What the threads of the current pool share.
enum Spread {
    Nothing,
    Sequences,
    Heads,
}

fn spread(s: AttentionShape) -> Spread {
    match rayon::current_num_threads() {
        ..2 => Spread::Nothing,
        threads if s.batch < threads && s.kv_heads > 1 => Spread::Heads,
        _ => Spread::Sequences,
    }
}

/// The group of query heads that share one key head.
#[derive(Clone, Copy)]
struct Group<'a> {
    shape: AttentionShape,
    /// Queries from the group's first column, rows `shape.q_width()` apart.
    q: &'a [f32],
    /// Keys and values from their column, rows `shape.kv_width()` apart.
    k: &'a [f32],
    v: &'a [f32],
    cos: &'a [f32],
    sin: &'a [f32],
}

impl<'a> Inputs<'a> {
    /// Key head `kv` of sequence `index`.
    fn group(self, index: usize, kv: usize) -> Group<'a> {
        let s = self.shape;
        let (q, kv) =
            (index * s.seq * s.q_width() + kv * s.group_width(), index * s.seq * s.kv_width() + kv * s.head_dim);
        Group { shape: s, q: &self.q[q..], k: &self.k[kv..], v: &self.v[kv..], cos: self.cos, sin: self.sin }
    }
}

/// Attention within sequence `index` of the batch.
fn sequence(x: Inputs, index: usize, out: &mut [f32], totals: &mut [f32]) {
    let s = x.shape;
    let mut memory = Forward::default();
    for (kv, totals) in totals.chunks_exact_mut(s.group() * s.seq).enumerate() {
        memory.group(x.group(index, kv), &mut out[kv * s.group_width()..], s.q_width(), totals);
    }
}

/// As [`sequence`], its key heads shared by the threads.
fn heads_beside(x: Inputs, index: usize, out: &mut [f32], totals: &mut [f32]) {
    let (s, width) = (x.shape, x.shape.group_width());
    let groups = totals.par_chunks_exact_mut(s.group() * s.seq).enumerate().map(|(kv, totals)| {
        let mut own = vec![0.0; s.seq * width];
        Forward::default().group(x.group(index, kv), &mut own, width, totals);
        own
    });
    for (kv, own) in groups.collect::<Vec<_>>().iter().enumerate() {
        place(own, width, &mut out[kv * width..], s.q_width());
    }
}

/// Copies rows of `width` values to rows `stride` apart.
fn place(rows: &[f32], width: usize, to: &mut [f32], stride: usize) {
    for (row, to) in rows.chunks_exact(width).zip(to.chunks_mut(stride)) {
        to[..width].copy_from_slice(row);
    }
}

/// Memory of a forward pass.
#[derive(Default)]
struct Forward {
    rotated: Vec<f32>,
    scores: Vec<f32>,
    keys: Panels,
    values: Panels,
}

impl Forward {
    /// Attention of one group; `out` begins with the group's first column and its rows are `stride` apart.
    fn group(&mut self, x: Group, out: &mut [f32], stride: usize, totals: &mut [f32]) {
        let s = x.shape;
        let (hd, seq, qw, kw) = (s.head_dim, s.seq, s.q_width(), s.kv_width());
        let Self { rotated, scores, keys, values } = self;
        rotated.resize(seq * hd, 0.0);
        scores.resize(BLOCK * seq, 0.0);
        let (mut tops, mut sums) = ([0.0; BLOCK], [0.0; BLOCK]);
        rotate(x.k, kw, x.cos, x.sin, 1.0, rotated, hd);
        keys.fill(Mat::new(rotated, seq, hd, hd).t());
        values.fill(Mat::new(x.v, seq, hd, kw));
        for (head, totals) in totals.chunks_exact_mut(seq).enumerate() {
            rotate(&x.q[head * hd..], qw, x.cos, x.sin, s.scale(), rotated, hd);
            for (from, n) in s.blocks() {
                let width = from + n;
                let scores = &mut scores[..n * width];
                matmul_panels(scores, width, Mat::new(&rotated[from * hd..], n, hd, hd), keys.left(width), false);
                exp_rows(scores, width, from, &mut sums[..n], &mut tops[..n]);
                let out = &mut out[from * stride + head * hd..];
                matmul_panels(out, stride, Mat::new(scores, n, width, width), values.top(width), false);
                normalise(out, stride, hd, &sums[..n]);
                for ((total, sum), top) in totals[from..][..n].iter_mut().zip(&sums).zip(&tops) {
                    *total = top + sum.ln();
                }
            }
        }
    }
}

/// Gradients of `q`, `k` and `v` from that of the output, given what [`forward`] kept.
pub fn backward(x: Inputs, totals: &[f32], dout: &[f32]) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let s = x.shape;
    let (qw, kw) = (s.seq * s.q_width(), s.seq * s.kv_width());
    let (mut dq, mut dk, mut dv) = (vec![0.0; s.batch * qw], vec![0.0; s.batch * kw], vec![0.0; s.batch * kw]);
    if dq.is_empty() {
        return (dq, dk, dv);
    }
    let parts = dq.chunks_mut(qw).zip(dk.chunks_mut(kw)).zip(dv.chunks_mut(kw));
    let parts = parts.map(|((dq, dk), dv)| Gradients { dq, dk, dv }).enumerate();
    let above = |i: usize| Above { totals: &totals[i * s.heads * s.seq..], dout: &dout[i * qw..] };
    match spread(s) {
        Spread::Sequences => {
            parts.collect::<Vec<_>>().into_par_iter().for_each(|(i, into)| sequence_back(x, i, above(i), into));
        }
        Spread::Heads => parts.for_each(|(i, into)| heads_beside_back(x, i, above(i), into)),
        Spread::Nothing => parts.for_each(|(i, into)| sequence_back(x, i, above(i), into)),
    }
    (dq, dk, dv)
}

/// A part of the gradients, from its first column on.
struct Gradients<'a> {
    dq: &'a mut [f32],
    dk: &'a mut [f32],
    dv: &'a mut [f32],
}

/// What a backward pass starts from: the logarithms of the rows' sums, and the output's gradient.
#[derive(Clone, Copy)]
struct Above<'a> {
    totals: &'a [f32],
    dout: &'a [f32],
}

impl<'a> Above<'a> {
    /// Of a sequence, the part of key head `kv`.
    fn group(self, s: AttentionShape, kv: usize) -> Self {
        Above { totals: &self.totals[kv * s.group() * s.seq..], dout: &self.dout[kv * s.group_width()..] }
    }
}

/// Gradients within sequence `index` of the batch.
fn sequence_back(x: Inputs, index: usize, above: Above, into: Gradients) {
    let (s, mut memory) = (x.shape, Backward::default());
    for kv in 0..s.kv_heads {
        let (q, kv_at) = (kv * s.group_width(), kv * s.head_dim);
        let into = Gradients { dq: &mut into.dq[q..], dk: &mut into.dk[kv_at..], dv: &mut into.dv[kv_at..] };
        memory.group(x.group(index, kv), above.group(s, kv), into, (s.q_width(), s.kv_width()));
    }
}

/// As [`sequence_back`], its key heads shared by the threads.
fn heads_beside_back(x: Inputs, index: usize, above: Above, into: Gradients) {
    let (s, width, hd) = (x.shape, x.shape.group_width(), x.shape.head_dim);
    let groups = (0..s.kv_heads).into_par_iter().map(|kv| {
        let (mut dq, mut dk, mut dv) = (vec![0.0; s.seq * width], vec![0.0; s.seq * hd], vec![0.0; s.seq * hd]);
        let own = Gradients { dq: &mut dq, dk: &mut dk, dv: &mut dv };
        Backward::default().group(x.group(index, kv), above.group(s, kv), own, (width, hd));
        (dq, dk, dv)
    });
    for (kv, (dq, dk, dv)) in groups.collect::<Vec<_>>().iter().enumerate() {
        place(dq, width, &mut into.dq[kv * width..], s.q_width());
        place(dk, hd, &mut into.dk[kv * hd..], s.kv_width());
        place(dv, hd, &mut into.dv[kv * hd..], s.kv_width());
    }
}

/// Memory of a backward pass.
#[derive(Default)]
struct Backward {
    buffer: Vec<f32>,
    keys_t: Panels,
    keys: Panels,
    values_t: Panels,
}

impl Backward {
    /// Gradients of one group, into rows as far apart as `strides` says of queries and of keys and values.
    fn group(&mut self, x: Group, above: Above, into: Gradients, (q_stride, kv_stride): (usize, usize)) {
        let Gradients { dq, dk, dv } = into;
        let s = x.shape;
        let (hd, seq, qw, kw) = (s.head_dim, s.seq, s.q_width(), s.kv_width());
        let Self { buffer, keys_t, keys, values_t } = self;
        buffer.resize(4 * seq * hd + 2 * BLOCK * seq, 0.0);
        let (key, rest) = buffer.split_at_mut(seq * hd);
        let (query, rest) = rest.split_at_mut(seq * hd);
        let (dquery, rest) = rest.split_at_mut(seq * hd);
        let (dkey, rest) = rest.split_at_mut(seq * hd);
        let (p, dp) = rest.split_at_mut(BLOCK * seq);
        rotate(x.k, kw, x.cos, x.sin, 1.0, key, hd);
        let matrix = Mat::new(key, seq, hd, hd);
        keys.fill(matrix);
        keys_t.fill(matrix.t());
        values_t.fill(Mat::new(x.v, seq, hd, kw).t());
        dkey.fill(0.0);
        for (head, totals) in above.totals.chunks_exact(seq).enumerate().take(s.group()) {
            rotate(&x.q[head * hd..], qw, x.cos, x.sin, s.scale(), query, hd);
            for (from, n) in s.blocks() {
                let width = from + n;
                let (p, dp) = (&mut p[..n * width], &mut dp[..n * width]);
                let rows = Mat::new(&query[from * hd..], n, hd, hd);
                let dy = Mat::new(&above.dout[from * qw + head * hd..], n, hd, qw);
                matmul_panels(p, width, rows, keys_t.left(width), false);
                probabilities(p, width, from, &totals[from..][..n]);
                matmul(dv, kv_stride, Mat::new(p, n, width, width).t(), dy, true);
                matmul_panels(dp, width, dy, values_t.left(width), false);
                softmax_back(dp, p, width);
                let ds = Mat::new(dp, n, width, width);
                matmul_panels(&mut dquery[from * hd..], hd, ds, keys.top(width), false);
                matmul(dkey, hd, ds.t(), rows, true);
            }
            rotate_back(dquery, x.cos, x.sin, s.scale(), &mut dq[head * hd..], q_stride, hd);
        }
        rotate_back(dkey, x.cos, x.sin, 1.0, dk, kv_stride, hd);
    }
}

//! Keys and values of one sequence, all layers, for decoding token by token.
//!
//! Keys stand turned over in blocks of `BLOCK` positions, `[layer, kv head, block, head_dim, BLOCK]`, so that the
//! scores of a whole block come from vector instructions; values stand as `[layer, kv head, position, head_dim]`. The
//! attention step below reads positions in a fixed order, whoever shares the batch.

use super::ops::AttentionShape;
use super::ops::simd::{exp_in_place, max, simd};

/// Positions of a block of keys.
const BLOCK: usize = 64;
/// Values of a head added up at once.
const LANES: usize = 32;

/// Room for one sequence.
#[derive(Clone, Debug, Default)]
pub struct KvCache {
    keys: Vec<f32>,
    values: Vec<f32>,
    /// Keys, and values, of one layer.
    layer: usize,
    capacity: usize,
}

impl KvCache {
    /// Makes room for `positions` tokens of a model with `layers` layers, in the memory it already has where that is
    /// enough. What stood there is lost.
    pub fn reserve(&mut self, layers: usize, shape: AttentionShape, positions: usize) {
        self.capacity = positions.next_multiple_of(BLOCK);
        self.layer = self.capacity * shape.kv_heads * shape.head_dim;
        self.keys.resize(self.layer * layers, 0.0);
        self.values.resize(self.layer * layers, 0.0);
    }

    /// Takes over the first `positions` positions of another sequence; both must be of one model.
    pub fn copy_from(&mut self, other: &Self, shape: AttentionShape, positions: usize) {
        let used = positions.next_multiple_of(BLOCK).min(self.capacity).min(other.capacity) * shape.head_dim;
        let (here, there) = (self.capacity * shape.head_dim, other.capacity * shape.head_dim);
        if here == 0 || there == 0 {
            return;
        }
        for (to, from) in [(&mut self.keys, &other.keys), (&mut self.values, &other.values)] {
            for (to, from) in to.chunks_exact_mut(here).zip(from.chunks_exact(there)) {
                to[..used].copy_from_slice(&from[..used]);
            }
        }
    }

    /// One token at `at.position`: rotates the queries and keys of its row `[q | k | v]` in place, keeps keys and values
    /// of the layer, and attends to every position so far; `out` is `[heads * head_dim]`.
    pub fn attend(
        &mut self,
        at: Place,
        row: &mut [f32],
        out: &mut [f32],
        scores: &mut Vec<f32>,
        shape: AttentionShape,
    ) {
        let Place { layer, position, cos, sin } = at;
        let span = layer * self.layer..(layer + 1) * self.layer;
        let (keys, values) = (&mut self.keys[span.clone()], &mut self.values[span]);
        scores.resize((position + 1).next_multiple_of(BLOCK), 0.0);
        attend(row, cos, sin, keys, values, position, self.capacity, out, scores, shape);
    }
}

/// Where a token stands.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Number of the layer.
    pub layer: usize,
    /// Position in the sequence.
    pub position: usize,
    /// Cosines of the position, `[head_dim / 2]`.
    pub cos: &'a [f32],
    /// Sines, as the cosines.
    pub sin: &'a [f32],
}

simd! {
    fn attend(
        row: &'a mut [f32], cos: &'a [f32], sin: &'a [f32], keys: &'a mut [f32], values: &'a mut [f32], position: usize,
        capacity: usize, out: &'a mut [f32], scores: &'a mut [f32], shape: AttentionShape,
    ) {
        let AttentionShape { heads, kv_heads, head_dim: hd, .. } = shape;
        let half = hd / 2;
        let (rotated, value) = row.split_at_mut((heads + kv_heads) * hd);
        for head in rotated.chunks_exact_mut(hd) {
            let (low, high) = head.split_at_mut(half);
            for i in 0..half {
                let (a, b) = (low[i], high[i]);
                low[i] = a * cos[i] - b * sin[i];
                high[i] = b * cos[i] + a * sin[i];
            }
        }
        let (queries, key) = rotated.split_at(heads * hd);
        let (seen, group, scale) = (position + 1, heads / kv_heads, 1.0 / (hd as f32).sqrt());
        let stores = keys.chunks_exact_mut(capacity * hd).zip(values.chunks_exact_mut(capacity * hd));
        let news = key.chunks_exact(hd).zip(value.chunks_exact(hd));
        let answers = queries.chunks_exact(group * hd).zip(out.chunks_exact_mut(group * hd));
        for (((keys, values), (key, value)), (queries, out)) in stores.zip(news).zip(answers) {
            let block = &mut keys[position / BLOCK * BLOCK * hd..][..BLOCK * hd];
            for (column, key) in block.chunks_exact_mut(BLOCK).zip(key) {
                column[position % BLOCK] = *key;
            }
            values[position * hd..][..hd].copy_from_slice(value);
            for (query, out) in queries.chunks_exact(hd).zip(out.chunks_exact_mut(hd)) {
                for (keys, scores) in keys.chunks_exact(BLOCK * hd).zip(scores.chunks_exact_mut(BLOCK)) {
                    let sums = block_scores(keys, query);
                    for (score, sum) in scores.iter_mut().zip(sums) {
                        *score = sum * scale;
                    }
                }
                let scores = &mut scores[..seen];
                let top = max(scores);
                let inverse = 1.0 / exp_in_place(scores, top);
                weigh(scores, &values[..seen * hd], hd, inverse, out);
            }
        }
    }
}

/// Inner products of a query with the keys of a block.
#[inline(always)]
fn block_scores(keys: &[f32], query: &[f32]) -> [f32; BLOCK] {
    let mut sums = [0.0; BLOCK];
    for (column, q) in keys.as_chunks::<BLOCK>().0.iter().zip(query) {
        for j in 0..BLOCK {
            sums[j] = column[j].mul_add(*q, sums[j]);
        }
    }
    sums
}

/// `sum += row · weight`.
#[inline(always)]
fn add(sum: &mut [f32; LANES], row: &[f32; LANES], weight: f32) {
    for i in 0..LANES {
        sum[i] = row[i].mul_add(weight, sum[i]);
    }
}

/// `out = inverse · Σ weights · values`, a strip of columns at a time where the width allows it.
#[inline(always)]
fn weigh(weights: &[f32], values: &[f32], hd: usize, inverse: f32, out: &mut [f32]) {
    let (strips, whole) = (values.as_chunks::<LANES>().0, hd / LANES);
    let even_strips = if hd.is_multiple_of(LANES) { whole } else { 0 };
    for (strip, out) in out.as_chunks_mut::<LANES>().0.iter_mut().enumerate().take(even_strips) {
        let (mut even, mut odd) = ([0.0; LANES], [0.0; LANES]);
        let (pairs, last) = weights.as_chunks::<2>();
        for ([p, q], rows) in pairs.iter().zip(strips.chunks_exact(2 * whole)) {
            if let (Some(a), Some(b)) = (rows.get(strip), rows.get(whole + strip)) {
                add(&mut even, a, *p);
                add(&mut odd, b, *q);
            }
        }
        if let (Some(row), [p]) = (strips.get((weights.len() - 1) * whole + strip), last) {
            add(&mut even, row, *p);
        }
        for i in 0..LANES {
            out[i] = (even[i] + odd[i]) * inverse;
        }
    }
    let at = even_strips * LANES;
    out[at..].fill(0.0);
    for (weight, row) in weights.iter().zip(values.chunks_exact(hd)) {
        for (out, value) in out[at..].iter_mut().zip(&row[at..]) {
            *out = value.mul_add(weight * inverse, *out);
        }
    }
}

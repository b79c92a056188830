//! Keys and values of one sequence, all layers, for decoding token by token.
//!
//! Keys stand turned over in blocks of `BLOCK` positions, `[layer, kv head, block, head_dim, BLOCK]`, so that the
//! scores of a whole block come from vector instructions; values stand as `[layer, kv head, position, head_dim]`. The
//! attention step below reads positions in a fixed order, whoever shares the batch.

use super::ops::AttentionShape;
use super::ops::simd::{exp_in_place, max, simd, turn_in_place};

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
        // Of two heads at most.
        scores.resize(2 * (position + 1).next_multiple_of(BLOCK), 0.0);
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
            turn_in_place(head.split_at_mut(half), (cos, sin));
        }
        let (queries, key) = rotated.split_at(heads * hd);
        let (seen, group) = (position + 1, heads / kv_heads);
        let stores = keys.chunks_exact_mut(capacity * hd).zip(values.chunks_exact_mut(capacity * hd));
        let news = key.chunks_exact(hd).zip(value.chunks_exact(hd));
        let answers = queries.chunks_exact(group * hd).zip(out.chunks_exact_mut(group * hd));
        for (((keys, values), (key, value)), (queries, out)) in stores.zip(news).zip(answers) {
            let block = &mut keys[position / BLOCK * BLOCK * hd..][..BLOCK * hd];
            for (column, key) in block.chunks_exact_mut(BLOCK).zip(key) {
                column[position % BLOCK] = *key;
            }
            values[position * hd..][..hd].copy_from_slice(value);
            // Heads that share their keys go in pairs: what is read is read once, and there are more sums to go on with. An
            // instruction set with few registers would lose what it wins.
            let paired = if S::lanes32() >= 16 { queries.len() / (2 * hd) * 2 * hd } else { 0 };
            let (pairs, single) = queries.split_at(paired);
            let (pairs_out, single_out) = out.split_at_mut(paired);
            for (pair, out) in pairs.chunks_exact(2 * hd).zip(pairs_out.chunks_exact_mut(2 * hd)) {
                answer([&pair[..hd], &pair[hd..]], keys, values, (seen, hd), scores, out);
            }
            for (query, out) in single.chunks_exact(hd).zip(single_out.chunks_exact_mut(hd)) {
                answer([query], keys, values, (seen, hd), scores, out);
            }
        }
    }
}

/// What some query heads that share their keys get from the first `seen` positions: `out` is a row of `hd` for each.
#[inline(always)]
fn answer<const G: usize>(
    queries: [&[f32]; G],
    keys: &[f32],
    values: &[f32],
    (seen, hd): (usize, usize),
    scores: &mut [f32],
    out: &mut [f32],
) {
    let (length, scale) = (seen.next_multiple_of(BLOCK), 1.0 / (hd as f32).sqrt());
    for (block, keys) in keys.chunks_exact(BLOCK * hd).take(length / BLOCK).enumerate() {
        for (sums, scores) in block_scores(keys, queries).iter().zip(scores.chunks_exact_mut(length)) {
            for (score, sum) in scores[block * BLOCK..][..BLOCK].iter_mut().zip(sums) {
                *score = sum * scale;
            }
        }
    }
    let mut inverse = [0.0; G];
    for (scores, inverse) in scores.chunks_exact_mut(length).zip(&mut inverse) {
        let scores = &mut scores[..seen];
        let top = max(scores);
        *inverse = 1.0 / exp_in_place(scores, top);
    }
    let weights: [&[f32]; G] = std::array::from_fn(|g| &scores[g * length..][..seen]);
    weigh(weights, &values[..seen * hd], hd, inverse, out);
}

/// Inner products of queries with the keys of a block.
#[inline(always)]
fn block_scores<const G: usize>(keys: &[f32], queries: [&[f32]; G]) -> [[f32; BLOCK]; G] {
    let (columns, _) = keys.as_chunks::<BLOCK>();
    let queries: [&[f32]; G] = std::array::from_fn(|g| &queries[g][..columns.len()]);
    let mut sums = [[0.0; BLOCK]; G];
    for (i, column) in columns.iter().enumerate() {
        for (sums, query) in sums.iter_mut().zip(queries) {
            for j in 0..BLOCK {
                sums[j] = column[j].mul_add(query[i], sums[j]);
            }
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

/// `out = inverse · Σ weights · values` of some heads, a strip of columns at a time where the width allows it.
#[inline(always)]
fn weigh<const G: usize>(weights: [&[f32]; G], values: &[f32], hd: usize, inverse: [f32; G], out: &mut [f32]) {
    let (strips, whole) = (values.as_chunks::<LANES>().0, hd / LANES);
    let even_strips = if hd.is_multiple_of(LANES) { whole } else { 0 };
    let count = values.len() / hd;
    let weights: [&[f32]; G] = std::array::from_fn(|g| &weights[g][..count]);
    for strip in 0..even_strips {
        let mut sums = [[[0.0; LANES]; 2]; G];
        for (pair, rows) in strips.chunks_exact(2 * whole).enumerate() {
            if let (Some(a), Some(b)) = (rows.get(strip), rows.get(whole + strip)) {
                for ([even, odd], weights) in sums.iter_mut().zip(weights) {
                    add(even, a, weights[2 * pair]);
                    add(odd, b, weights[2 * pair + 1]);
                }
            }
        }
        if let (Some(row), 1) = (strips.get(count.saturating_sub(1) * whole + strip), count % 2) {
            for ([even, _], weights) in sums.iter_mut().zip(weights) {
                add(even, row, weights[count - 1]);
            }
        }
        for (([even, odd], inverse), out) in sums.iter().zip(inverse).zip(out.chunks_exact_mut(hd)) {
            let out = &mut out[strip * LANES..][..LANES];
            for i in 0..LANES {
                out[i] = (even[i] + odd[i]) * inverse;
            }
        }
    }
    let at = even_strips * LANES;
    if at == hd {
        return;
    }
    for ((weights, inverse), out) in weights.iter().zip(inverse).zip(out.chunks_exact_mut(hd)) {
        out[at..].fill(0.0);
        for (weight, row) in weights.iter().zip(values.chunks_exact(hd)) {
            for (out, value) in out[at..].iter_mut().zip(&row[at..]) {
                *out = value.mul_add(weight * inverse, *out);
            }
        }
    }
}

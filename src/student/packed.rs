//! The decoder laid out for generation: matrices that share an input side by side, in the panels of the matrix product.
//!
//! A step takes any tokens of any sequences: one new token each of many sequences, or a prompt's tokens one after the
//! other. A row's result has the same bits in every company, which makes a sample independent of its batch.

use burn::tensor::Tensor;

use super::cache::{KvCache, Place};
use super::config::ModelConfig;
use super::decoder::{Decoder, Linear};
use super::error::StudentError;
use super::ops::AttentionShape;
use super::ops::gemm::{Mat, Panels, matmul_panels};
use super::ops::rows;
use super::rope::RopeTable;

/// A matrix and its bias; an empty bias is none.
struct Joined {
    panels: Panels,
    bias: Vec<f32>,
}

struct PackedLayer {
    input_norm: Vec<f32>,
    qkv: Joined,
    /// Gains of the norms on each head's queries and keys; empty where the family has none.
    q_norm: Vec<f32>,
    k_norm: Vec<f32>,
    o: Joined,
    post_norm: Vec<f32>,
    gate_up: Joined,
    down: Joined,
}

/// A copy of a decoder's weights, for generation on the CPU.
pub struct PackedDecoder {
    embed: Vec<f32>,
    layers: Vec<PackedLayer>,
    norm: Vec<f32>,
    head: Panels,
    cos: Vec<f32>,
    sin: Vec<f32>,
    config: ModelConfig,
}

/// One token of one sequence.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Which of the caches is the sequence's.
    pub sequence: usize,
    /// Position of the token; all earlier ones must be in the cache, or stand before it in the same step.
    pub position: usize,
    /// The token.
    pub token: u32,
}

/// Memory of a step, kept between steps.
#[derive(Default)]
pub struct Scratch {
    x: Vec<f32>,
    h: Vec<f32>,
    wide: Vec<f32>,
    inner: Vec<f32>,
    scores: Vec<f32>,
}

/// The values of a tensor of any backend.
fn values<const D: usize>(t: &Tensor<D>) -> Result<Vec<f32>, StudentError> {
    let data = t.clone().inner().into_data();
    data.try_to_vec::<f32>().map_err(|e| StudentError::Weights {
        file: "the student in memory".to_owned(),
        message: format!("a weight is not of 32-bit floats: {e:?}"),
    })
}

/// Matrices with the same number of rows, side by side.
fn join(parts: &[&Linear]) -> Result<Joined, StudentError> {
    let matrices = parts.iter().map(|p| values(&p.weight.val())).collect::<Result<Vec<_>, _>>()?;
    let sizes: Vec<[usize; 2]> = parts.iter().map(|p| p.weight.dims()).collect();
    let rows = sizes.first().map_or(0, |s| s[0]);
    let width: usize = sizes.iter().map(|s| s[1]).sum();
    let mut all = Vec::with_capacity(rows * width);
    for i in 0..rows {
        for (matrix, [_, n]) in matrices.iter().zip(&sizes) {
            all.extend_from_slice(&matrix[i * n..(i + 1) * n]);
        }
    }
    let mut bias = Vec::new();
    if parts.iter().any(|p| p.bias.is_some()) {
        for (part, [_, n]) in parts.iter().zip(&sizes) {
            match &part.bias {
                Some(b) => bias.extend(values(&b.val())?),
                None => bias.extend(std::iter::repeat_n(0.0, *n)),
            }
        }
    }
    Ok(Joined { panels: Panels::new(Mat::new(&all, rows, width, width)), bias })
}

impl Joined {
    /// `y = x · matrix + bias`, or `y += x · matrix + bias` with `add`; `y` is sized to fit.
    fn apply(&self, x: &[f32], y: &mut Vec<f32>, n: usize, add: bool) {
        let (k, m) = (x.len() / n.max(1), self.panels.all().cols());
        y.resize(n * m, 0.0);
        if !self.bias.is_empty() {
            for row in y.chunks_exact_mut(m) {
                for (y, b) in row.iter_mut().zip(&self.bias) {
                    *y = if add { *y + b } else { *b };
                }
            }
        }
        matmul_panels(y, m, Mat::new(x, n, k, k), self.panels.all(), add || !self.bias.is_empty());
    }
}

impl PackedDecoder {
    /// Copies the weights of `decoder`, which may live on any device; sequences may grow to `positions` tokens.
    pub fn new(decoder: &Decoder, positions: usize) -> Result<Self, StudentError> {
        let config = decoder.config.clone();
        let mut layers = Vec::with_capacity(decoder.layers.len());
        for layer in &decoder.layers {
            layers.push(PackedLayer {
                input_norm: values(&layer.input_norm.val())?,
                qkv: join(&[&layer.q, &layer.k, &layer.v])?,
                q_norm: layer.q_norm.as_ref().map_or(Ok(Vec::new()), |gain| values(&gain.val()))?,
                k_norm: layer.k_norm.as_ref().map_or(Ok(Vec::new()), |gain| values(&gain.val()))?,
                o: join(&[&layer.o])?,
                post_norm: values(&layer.post_norm.val())?,
                gate_up: join(&[&layer.gate, &layer.up])?,
                down: join(&[&layer.down])?,
            });
        }
        let (vocab, width) = (config.vocab_size, config.hidden_size);
        let embed = values(&decoder.embed.val())?;
        let head = match &decoder.lm_head {
            Some(head) => Panels::new(Mat::new(&values(&head.val())?, vocab, width, width).t()),
            None => Panels::new(Mat::new(&embed, vocab, width, width).t()),
        };
        let rope = RopeTable::new(&config, positions, &burn::tensor::Device::flex());
        Ok(Self {
            embed,
            layers,
            norm: values(&decoder.norm.val())?,
            head,
            cos: values(&rope.cos)?,
            sin: values(&rope.sin)?,
            config,
        })
    }

    /// Shape and constants.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Makes room in `cache` for `positions` tokens.
    pub fn reserve(&self, cache: &mut KvCache, positions: usize) {
        cache.reserve(self.layers.len(), self.shape(), positions);
    }

    /// Makes `to` start with the first `positions` tokens of `from`.
    pub fn share(&self, from: &KvCache, to: &mut KvCache, positions: usize) {
        to.copy_from(from, self.shape(), positions);
    }

    fn shape(&self) -> AttentionShape {
        let c = &self.config;
        AttentionShape { batch: 1, seq: 1, heads: c.heads, kv_heads: c.kv_heads, head_dim: c.head_dim }
    }

    /// Takes tokens in: their keys and values go into the caches, their last hidden states, before the last norm, into
    /// `scratch`. A token outside the vocabulary counts as the first.
    pub fn step(&self, rows: &[Row], caches: &mut [KvCache], scratch: &mut Scratch) {
        let (n, width, eps) = (rows.len(), self.config.hidden_size, self.config.rms_norm_eps as f32);
        let Scratch { x, h, wide, inner, scores } = scratch;
        x.clear();
        for row in rows {
            let token = row.token as usize * width;
            x.extend_from_slice(self.embed.get(token..token + width).unwrap_or(&self.embed[..width]));
        }
        h.resize(n * width, 0.0);
        for (index, layer) in self.layers.iter().enumerate() {
            rows::rms_norm(x, &layer.input_norm, h, eps);
            layer.qkv.apply(h, wide, n, false);
            self.attend(index, rows, wide, inner, scores, caches);
            layer.o.apply(inner, x, n, true);
            rows::rms_norm(x, &layer.post_norm, h, eps);
            layer.gate_up.apply(h, wide, n, false);
            let ff = self.config.intermediate_size;
            inner.resize(n * ff, 0.0);
            for (y, gate_up) in inner.chunks_exact_mut(ff).zip(wide.chunks_exact(2 * ff)) {
                let (gate, up) = gate_up.split_at(ff);
                rows::swiglu(gate, up, y);
            }
            layer.down.apply(inner, x, n, true);
        }
    }

    fn attend(
        &self,
        layer: usize,
        rows: &[Row],
        qkv: &mut [f32],
        out: &mut Vec<f32>,
        scores: &mut Vec<f32>,
        caches: &mut [KvCache],
    ) {
        let shape = self.shape();
        let (half, q_width) = (shape.head_dim / 2, shape.heads * shape.head_dim);
        let width = q_width + 2 * shape.kv_heads * shape.head_dim;
        out.resize(rows.len() * q_width, 0.0);
        if let Some(PackedLayer { q_norm, k_norm, .. }) = self.layers.get(layer).filter(|l| !l.q_norm.is_empty()) {
            let k_end = q_width + shape.kv_heads * shape.head_dim;
            for row in qkv.chunks_exact_mut(width) {
                rows::rms_norm_in_place(&mut row[..q_width], q_norm, self.config.rms_norm_eps as f32);
                rows::rms_norm_in_place(&mut row[q_width..k_end], k_norm, self.config.rms_norm_eps as f32);
            }
        }
        let data = qkv.chunks_exact_mut(width).zip(out.chunks_exact_mut(q_width));
        for (row, (qkv, out)) in rows.iter().zip(data) {
            let angles = row.position * half..(row.position + 1) * half;
            let (cos, sin) = (&self.cos[angles.clone()], &self.sin[angles]);
            let place = Place { layer, position: row.position, cos, sin };
            caches[row.sequence].attend(place, qkv, out, scores, shape);
        }
    }

    /// Logits `[n, vocab]` after the last `n` rows of the last step.
    pub fn logits<'a>(&self, n: usize, scratch: &'a mut Scratch) -> &'a mut [f32] {
        let width = self.config.hidden_size;
        let Scratch { x, h, wide, .. } = scratch;
        let from = x.len().saturating_sub(n * width);
        h.resize(n * width, 0.0);
        rows::rms_norm(&x[from..], &self.norm, h, self.config.rms_norm_eps as f32);
        wide.resize(n * self.config.vocab_size, 0.0);
        let rows = Mat::new(h, n, width, width);
        matmul_panels(wide, self.config.vocab_size, rows, self.head.all(), false);
        wide
    }
}

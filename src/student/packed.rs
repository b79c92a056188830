//! The decoder for generation, without graph and tensors.
//!
//! A small decoder is copied: matrices that share an input side by side, in the panels of the matrix product. Of a large
//! one nothing is copied: its matrices are read as they lie, in the tensors' own memory, and the threads share each
//! product (see [`PackedDecoder::is_large`]).
//!
//! A step takes any tokens of any sequences: one new token each of many sequences, or a prompt's tokens one after the
//! other. A row's result has the same bits in every company, which makes a sample independent of its batch.

use burn::backend::Flex;
use burn::tensor::{DType, Tensor};
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::cache::{KvCache, Place};
use super::config::ModelConfig;
use super::decoder::{Decoder, Linear};
use super::error::StudentError;
use super::ops::AttentionShape;
use super::ops::gemm::{Mat, Panels, matmul, matmul_panels};
use super::ops::rows;
use super::rope::RopeTable;

/// The values of a tensor, in its own memory where it lies on the CPU.
struct Shared(FlexTensor);

impl Shared {
    fn new<const D: usize>(t: &Tensor<D>) -> Result<Self, StudentError> {
        let t = t.clone().inner();
        let values = match t.clone().try_into_primitive::<Flex>() {
            Ok(values) => values.to_contiguous(),
            Err(_) => FlexTensor::from_data(t.into_data()),
        };
        match values.dtype() {
            DType::F32 => Ok(Self(values)),
            other => Err(StudentError::Weights {
                file: "the student in memory".to_owned(),
                message: format!("a weight is of type {other:?}, not of 32-bit floats"),
            }),
        }
    }

    fn values(&self) -> &[f32] {
        self.0.storage()
    }
}

/// Matrices with the same input, their results side by side.
enum Matrices {
    Panels(Panels),
    /// Each with its number of columns.
    Plain(Vec<(Shared, usize)>),
}

/// Matrices and their bias; an empty bias is none.
struct Joined {
    matrices: Matrices,
    bias: Vec<f32>,
    /// Columns of all together.
    width: usize,
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

/// The output matrix, `[vocab, hidden]` in memory.
enum HeadMatrix {
    Panels(Panels),
    /// It is the embedding.
    Embedding,
    Plain(Shared),
}

/// A decoder's weights, for generation on the CPU.
pub struct PackedDecoder {
    embed: Shared,
    layers: Vec<PackedLayer>,
    norm: Vec<f32>,
    head: HeadMatrix,
    cos: Vec<f32>,
    sin: Vec<f32>,
    large: bool,
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
    logits: Vec<f32>,
}

/// A copy of the values of a tensor of any backend.
fn values<const D: usize>(t: &Tensor<D>) -> Result<Vec<f32>, StudentError> {
    Ok(Shared::new(t)?.values().to_vec())
}

/// Matrices with the same number of rows, side by side; copied into panels unless `large`.
fn join(parts: &[&Linear], large: bool) -> Result<Joined, StudentError> {
    let mut plain = Vec::with_capacity(parts.len());
    for part in parts {
        plain.push((Shared::new(&part.weight.val())?, part.weight.dims()[1]));
    }
    let width = plain.iter().map(|(_, n)| n).sum();
    let mut bias = Vec::new();
    if parts.iter().any(|p| p.bias.is_some()) {
        for (part, (_, n)) in parts.iter().zip(&plain) {
            match &part.bias {
                Some(b) => bias.extend_from_slice(Shared::new(&b.val())?.values()),
                None => bias.extend(std::iter::repeat_n(0.0, *n)),
            }
        }
    }
    let matrices = if large { Matrices::Plain(plain) } else { Matrices::Panels(side_by_side(&plain, width)) };
    Ok(Joined { matrices, bias, width })
}

/// The panels of `[a | b | …]`, `width` columns in all.
fn side_by_side(parts: &[(Shared, usize)], width: usize) -> Panels {
    let rows = parts.first().map_or(0, |(first, n)| first.values().len() / n);
    let mut all = Vec::with_capacity(rows * width);
    for i in 0..rows {
        for (matrix, n) in parts {
            all.extend_from_slice(&matrix.values()[i * n..(i + 1) * n]);
        }
    }
    Panels::new(Mat::new(&all, rows, width, width))
}

impl Joined {
    /// `y = x · matrix + bias`, or `y += x · matrix + bias` with `add`; `y` is sized to fit.
    fn apply(&self, x: &[f32], y: &mut Vec<f32>, n: usize, add: bool) {
        let (k, m) = (x.len() / n.max(1), self.width);
        y.resize(n * m, 0.0);
        if !self.bias.is_empty() {
            for row in y.chunks_exact_mut(m) {
                for (y, b) in row.iter_mut().zip(&self.bias) {
                    *y = if add { *y + b } else { *b };
                }
            }
        }
        let (rows, add) = (Mat::new(x, n, k, k), add || !self.bias.is_empty());
        match &self.matrices {
            Matrices::Panels(panels) => matmul_panels(y, m, rows, panels.all(), add),
            Matrices::Plain(parts) => {
                let mut at = 0;
                for (matrix, width) in parts {
                    matmul(&mut y[at..], m, rows, Mat::new(matrix.values(), k, *width, *width), add);
                    at += width;
                }
            }
        }
    }
}

impl PackedDecoder {
    /// Takes the weights of `decoder`, which may live on any device; sequences may grow to `positions` tokens.
    pub fn new(decoder: &Decoder, positions: usize) -> Result<Self, StudentError> {
        Self::laid_out(decoder, positions, decoder.is_large())
    }

    fn laid_out(decoder: &Decoder, positions: usize, large: bool) -> Result<Self, StudentError> {
        let config = decoder.config.clone();
        let mut layers = Vec::with_capacity(decoder.layers.len());
        for layer in &decoder.layers {
            layers.push(PackedLayer {
                input_norm: values(&layer.input_norm.val())?,
                qkv: join(&[&layer.q, &layer.k, &layer.v], large)?,
                q_norm: layer.q_norm.as_ref().map_or(Ok(Vec::new()), |gain| values(&gain.val()))?,
                k_norm: layer.k_norm.as_ref().map_or(Ok(Vec::new()), |gain| values(&gain.val()))?,
                o: join(&[&layer.o], large)?,
                post_norm: values(&layer.post_norm.val())?,
                gate_up: join(&[&layer.gate, &layer.up], large)?,
                down: join(&[&layer.down], large)?,
            });
        }
        let embed = Shared::new(&decoder.embed.val())?;
        let head = match (&decoder.lm_head, large) {
            (None, true) => HeadMatrix::Embedding,
            (None, false) => HeadMatrix::Panels(Panels::new(across(&embed, &config))),
            (Some(head), true) => HeadMatrix::Plain(Shared::new(&head.val())?),
            (Some(head), false) => HeadMatrix::Panels(Panels::new(across(&Shared::new(&head.val())?, &config))),
        };
        let rope = RopeTable::new(&config, positions, &burn::tensor::Device::flex());
        let (cos, sin, norm) = (values(&rope.cos)?, values(&rope.sin)?, values(&decoder.norm.val())?);
        Ok(Self { embed, layers, norm, head, cos, sin, large, config })
    }

    /// See [`Decoder::is_large`].
    pub fn is_large(&self) -> bool {
        self.large
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
        let Scratch { x, h, wide, inner, scores, .. } = scratch;
        let embed = self.embed.values();
        x.clear();
        for row in rows {
            let token = row.token as usize * width;
            x.extend_from_slice(embed.get(token..token + width).unwrap_or(&embed[..width]));
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
            let swiglu = |(y, gate_up): (&mut [f32], &[f32])| {
                let (gate, up) = gate_up.split_at(ff);
                rows::swiglu(gate, up, y);
            };
            if self.spread() {
                inner.par_chunks_exact_mut(ff).zip(wide.par_chunks_exact(2 * ff)).for_each(swiglu);
            } else {
                inner.chunks_exact_mut(ff).zip(wide.chunks_exact(2 * ff)).for_each(swiglu);
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
        let one = |row: &Row, cache: &mut KvCache, qkv: &mut [f32], out: &mut [f32], scores: &mut Vec<f32>| {
            let angles = row.position * half..(row.position + 1) * half;
            let (cos, sin) = (&self.cos[angles.clone()], &self.sin[angles]);
            cache.attend(Place { layer, position: row.position, cos, sin }, qkv, out, scores, shape);
        };
        if self.spread() && rows.iter().map(|row| row.sequence).eq(0..caches.len()) {
            let data = qkv.par_chunks_exact_mut(width).zip(out.par_chunks_exact_mut(q_width));
            let data = rows.par_iter().zip(caches).zip(data);
            data.for_each_init(Vec::new, |scores, ((row, cache), (qkv, out))| one(row, cache, qkv, out, scores));
        } else {
            let data = qkv.chunks_exact_mut(width).zip(out.chunks_exact_mut(q_width));
            for (row, (qkv, out)) in rows.iter().zip(data) {
                one(row, &mut caches[row.sequence], qkv, out, scores);
            }
        }
    }

    /// Whether work is to be spread over the threads of the current pool.
    fn spread(&self) -> bool {
        self.large && rayon::current_num_threads() > 1
    }

    /// Logits `[n, vocab]` after the last `n` rows of the last step.
    pub fn logits<'a>(&self, n: usize, scratch: &'a mut Scratch) -> &'a mut [f32] {
        let width = self.config.hidden_size;
        let Scratch { x, h, logits, .. } = scratch;
        let from = x.len().saturating_sub(n * width);
        h.resize(n * width, 0.0);
        rows::rms_norm(&x[from..], &self.norm, h, self.config.rms_norm_eps as f32);
        logits.resize(n * self.config.vocab_size, 0.0);
        let (rows, vocab) = (Mat::new(h, n, width, width), self.config.vocab_size);
        match &self.head {
            HeadMatrix::Panels(panels) => matmul_panels(logits, vocab, rows, panels.all(), false),
            HeadMatrix::Embedding => matmul(logits, vocab, rows, across(&self.embed, &self.config), false),
            HeadMatrix::Plain(head) => matmul(logits, vocab, rows, across(head, &self.config), false),
        }
        logits
    }
}

/// A table `[vocab, hidden]` as the output matrix.
fn across<'a>(table: &'a Shared, config: &ModelConfig) -> Mat<'a> {
    Mat::new(table.values(), config.vocab_size, config.hidden_size, config.hidden_size).t()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    const CONFIG: &[u8] = br#"{"model_type":"qwen2","architectures":["Qwen2ForCausalLM"],"vocab_size":301,
        "hidden_size":64,"intermediate_size":160,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,
        "tie_word_embeddings":true}"#;

    /// Logits of two sequences that share a prompt, after it and after a few tokens of their own.
    fn logits(decoder: &PackedDecoder) -> Vec<f32> {
        let mut caches = vec![KvCache::default(), KvCache::default()];
        let mut scratch = Scratch::default();
        let row = |sequence, position| Row { sequence, position, token: (position * 37 + sequence) as u32 };
        caches.iter_mut().for_each(|cache| decoder.reserve(cache, 30));
        let prompt: Vec<Row> = (0..20).map(|position| row(0, position)).collect();
        decoder.step(&prompt, &mut caches[..1], &mut scratch);
        let mut all = decoder.logits(1, &mut scratch).to_vec();
        let (first, second) = caches.split_at_mut(1);
        decoder.share(&first[0], &mut second[0], 20);
        for position in 20..25 {
            decoder.step(&[row(0, position), row(1, position)], &mut caches, &mut scratch);
            all.extend_from_slice(decoder.logits(2, &mut scratch));
        }
        all
    }

    #[test]
    fn both_layouts_and_any_number_of_threads_give_the_same_bits() {
        let decoder = Decoder::fresh(&ModelConfig::from_json(CONFIG).unwrap(), 1, &Device::flex());
        let expected = logits(&PackedDecoder::laid_out(&decoder, 30, false).unwrap());
        assert!(expected.iter().all(|x| x.is_finite()) && expected[0] != expected[1]);
        let large = PackedDecoder::laid_out(&decoder, 30, true).unwrap();
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| logits(&large)), expected, "{threads} threads");
        }
    }
}

//! The decoder for generation on any device, by tensor operations: many sequences one token further, their keys and values
//! in one block per layer.
//!
//! Time runs along the columns of the block, the same for all sequences: the token of a step goes into one column,
//! whatever its position in its own sequence, so that a step writes one slice and all its shapes are fixed. A sequence
//! that begins later has its prompt written into the columns before. Keys are stored rotated by their own positions, and
//! attention does not care about order; a mask says which columns are a sequence's own. Matrices with the same input stand
//! side by side, cast to the precision of the products once.

use burn::module::Param;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use super::compute::Precision;
use super::config::ModelConfig;
use super::decoder::{Decoder, Linear};
pub use super::ops::decode::KeysValues;
use super::ops::decode::{Heads, Places, Turn, add_norm, attend, attend_one, gated, norm};
use super::ops::portable;
use super::rope::RopeTable;

/// Matrices side by side, `[in, width]`, with their bias where one of them has one.
struct Joined {
    weight: Tensor<2>,
    bias: Option<Tensor<2>>,
}

struct Layer {
    input_norm: Tensor<1>,
    /// Of queries, keys and values; their bias stands in `turn`.
    qkv: Tensor<2>,
    turn: Turn,
    o: Joined,
    post_norm: Tensor<1>,
    gate_up: Joined,
    down: Joined,
}

/// A decoder's weights on a device, for generation.
pub struct ResidentDecoder {
    embed: Tensor<2>,
    layers: Vec<Layer>,
    norm: Tensor<1>,
    head: Tensor<2>,
    /// Cosines and sines, `[positions, head_dim / 2]`.
    rope: RopeTable,
    precision: Precision,
    device: Device,
    config: ModelConfig,
}

/// A prompt block that was read: left-padded to one width.
pub struct ReadPrompts {
    /// Logits after the last token of each, `[rows, vocab]`, in the precision of the products.
    pub logits: Tensor<2>,
    /// Keys and values per layer; a prompt ends in the last column.
    pub layers: Vec<KeysValues>,
    /// Columns.
    pub width: usize,
}

impl ResidentDecoder {
    /// Takes the weights of `decoder`, on its device; sequences may grow to `positions` tokens.
    pub fn new(decoder: &Decoder, positions: usize) -> Self {
        let (device, config) = (decoder.device().inner(), decoder.config.clone());
        let precision = decoder.compute.precision();
        let dtype = precision.dtype();
        let table = |p: &Param<Tensor<2>>| p.val().inner().cast(dtype);
        let gain = |p: &Param<Tensor<1>>| p.val().inner();
        let join = |parts: &[&Linear]| joined(parts, dtype);
        let heads = Heads { heads: config.heads, kv_heads: config.kv_heads, head_dim: config.head_dim };
        let layers = decoder.layers.iter().map(|layer| {
            let Joined { weight, bias } = join(&[&layer.q, &layer.k, &layer.v]);
            let norms = layer.q_norm.as_ref().zip(layer.k_norm.as_ref());
            let norms = norms.map(|(q, k)| Tensor::stack(vec![gain(q), gain(k)], 0));
            Layer {
                input_norm: gain(&layer.input_norm),
                qkv: weight,
                turn: Turn { heads, bias, norms, eps: config.rms_norm_eps },
                o: join(&[&layer.o]),
                post_norm: gain(&layer.post_norm),
                gate_up: join(&[&layer.gate, &layer.up]),
                down: join(&[&layer.down]),
            }
        });
        let embed = table(&decoder.embed);
        Self {
            layers: layers.collect(),
            norm: gain(&decoder.norm),
            head: decoder.lm_head.as_ref().map_or_else(|| embed.clone(), table),
            embed,
            rope: RopeTable::new(&config, positions, &device),
            precision,
            device,
            config,
        }
    }

    /// Shape and constants.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Where it lives.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Positions there are angles for.
    pub fn positions(&self) -> usize {
        self.rope.positions()
    }

    /// An empty block for `rows` sequences.
    pub fn block(&self, rows: usize, columns: usize) -> Vec<KeysValues> {
        let c = &self.config;
        let empty =
            || Tensor::<4>::zeros([rows, c.kv_heads, columns, c.head_dim], &self.device).cast(self.precision.dtype());
        (0..c.layers).map(|_| KeysValues { keys: empty(), values: empty() }).collect()
    }

    /// Bytes of keys and values that one column of one row takes, over all layers.
    pub fn bytes_per_token(&self) -> usize {
        let width = if self.precision == Precision::Bf16 { 2 } else { 4 };
        2 * width * self.config.layers * self.config.kv_width()
    }

    /// Reads prompts, none empty, padded on the left to the longest.
    pub fn read(&self, prompts: &[&[u32]]) -> ReadPrompts {
        let (rows, width) = (prompts.len(), prompts.iter().map(|p| p.len()).max().unwrap_or(0));
        let (mut ids, mut places) = (Vec::with_capacity(rows * width), Vec::with_capacity(rows * width));
        for prompt in prompts {
            let pad = width - prompt.len();
            ids.extend((0..width).map(|i| if i < pad { 0 } else { i64::from(prompt[i - pad]) }));
            places.extend((0..width).map(|i| i.saturating_sub(pad) as i64));
        }
        let mask = self.prompt_mask(prompts, width);
        let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [rows * width]), &self.device);
        let places = Tensor::from_data(TensorData::new(places, [rows * width]), &self.device);
        let places = Places::new(&self.rope, places, rows, width);
        let mut layers = Vec::with_capacity(self.layers.len());
        let last = self.through(ids, |layer, product| {
            let (queries, kv) = layer.turn.apart(product, &places);
            let attended = attend(queries, &kv, &mask);
            layers.push(KeysValues { keys: self.apart(kv.keys), values: self.apart(kv.values) });
            attended
        });
        let d = self.config.hidden_size;
        let last = last.reshape([rows, width, d]).narrow(1, width - 1, 1).reshape([rows, d]);
        ReadPrompts { logits: self.logits(last), layers, width }
    }

    /// The same numbers in memory of their own: a part of a larger tensor would keep all of that.
    fn apart(&self, part: Tensor<4>) -> Tensor<4> {
        let dims = part.dims();
        let own = Tensor::<4>::zeros(dims, &self.device).cast(self.precision.dtype());
        own.slice_assign(dims.map(|n| 0..n), part)
    }

    /// 0 where a prompt's token may look, −∞ elsewhere: `[rows, 1, width, width]`. Padding looks at itself, so that no row
    /// of the softmax is empty.
    fn prompt_mask(&self, prompts: &[&[u32]], width: usize) -> Tensor<4> {
        let mut mask = Vec::with_capacity(prompts.len() * width * width);
        for prompt in prompts {
            let pad = width - prompt.len();
            let cell = |i: usize, j: usize| if i == j || (j <= i && j >= pad) { 0.0 } else { f32::NEG_INFINITY };
            mask.extend((0..width * width).map(|at| cell(at / width, at % width)));
        }
        Tensor::from_data(TensorData::new(mask, [prompts.len(), 1, width, width]), &self.device)
    }

    /// Moves every row on by one token: `tokens [rows]` at `positions [rows]` go into `column` of the block. `mask` is
    /// 0 for a row's own columns, this one included, and −∞ for the others: `[rows, columns]`. Gives the logits,
    /// `[rows, vocab]`, in the precision of the products.
    pub fn step(
        &self,
        tokens: Tensor<1, Int>,
        positions: Tensor<1, Int>,
        (block, column): (&mut Vec<KeysValues>, usize),
        mask: &Tensor<2>,
    ) -> Tensor<2> {
        let [rows] = tokens.dims();
        let places = Places::new(&self.rope, positions, rows, 1);
        // Taken out, so that each buffer has one holder and is written in place.
        let mut old = std::mem::take(block).into_iter();
        let last = self.through(tokens, |layer, product| {
            // As many as layers: one of each was made by `block`.
            let Some(kv) = old.next() else { return product };
            let (queries, kv) = layer.turn.step(product, &places, kv, column);
            let attended = attend_one(queries, &kv, mask, layer.turn.heads);
            block.push(kv);
            attended
        });
        self.logits(last)
    }

    /// The stream behind the last layer, before its norm: `attended` makes what `o` takes from the product of a layer's
    /// input with its query, key and value matrices.
    fn through(&self, ids: Tensor<1, Int>, mut attended: impl FnMut(&Layer, Tensor<2>) -> Tensor<2>) -> Tensor<2> {
        let eps = self.config.rms_norm_eps;
        let mut x = portable::embedding(self.embed.clone(), ids);
        let mut delta: Option<Tensor<2>> = None;
        for layer in &self.layers {
            let h = match delta.take() {
                None => norm(x.clone(), layer.input_norm.clone(), eps),
                Some(down) => {
                    let (sum, h) = add_norm(x, down, layer.input_norm.clone(), eps);
                    x = sum;
                    h
                }
            };
            let out = layer.o.apply(attended(layer, h.matmul(layer.qkv.clone())));
            let (sum, h) = add_norm(x, out, layer.post_norm.clone(), eps);
            x = sum;
            delta = Some(layer.down.apply(gated(layer.gate_up.apply(h))));
        }
        match delta {
            Some(down) => x + down,
            None => x,
        }
    }

    /// Logits of `x [n, hidden]`, in the precision of the products.
    fn logits(&self, x: Tensor<2>) -> Tensor<2> {
        let h = norm(x, self.norm.clone(), self.config.rms_norm_eps);
        h.matmul(self.head.clone().transpose())
    }
}

impl Joined {
    fn apply(&self, x: Tensor<2>) -> Tensor<2> {
        let y = x.matmul(self.weight.clone());
        match &self.bias {
            Some(bias) => y + bias.clone(),
            None => y,
        }
    }
}

fn joined(parts: &[&Linear], dtype: DType) -> Joined {
    let weights: Vec<Tensor<2>> = parts.iter().map(|part| part.weight.val().inner().cast(dtype)).collect();
    let bias = |part: &&Linear| match &part.bias {
        Some(bias) => bias.val().inner(),
        None => Tensor::zeros([part.weight.dims()[1]], &part.weight.val().device().inner()),
    };
    let biased = parts.iter().any(|part| part.bias.is_some());
    let bias = biased.then(|| Tensor::cat(parts.iter().map(bias).collect(), 0).cast(dtype).unsqueeze::<2>());
    Joined { weight: Tensor::cat(weights, 1), bias }
}

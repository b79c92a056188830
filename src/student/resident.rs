//! The decoder for generation on any device, by tensor operations: many sequences one token further, their keys and values
//! in one block per layer.
//!
//! Time runs along the columns of the block, the same for all sequences: the token of a step goes into one column,
//! whatever its position in its own sequence, so that a step writes one slice and all its shapes are fixed. A sequence
//! that begins later has its prompt written into the columns before. Keys are stored rotated by their own positions, and
//! attention does not care about order; a mask says which columns are a sequence's own. Matrices with the same input stand
//! side by side, cast to the precision of the products once.

use burn::module::Param;
use burn::tensor::activation::{silu, softmax};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use super::compute::Precision;
use super::config::ModelConfig;
use super::decoder::{Decoder, Linear};
use super::ops::portable;
use super::rope::RopeTable;

/// Matrices side by side, `[in, width]`, with their bias where one of them has one.
struct Joined {
    weight: Tensor<2>,
    bias: Option<Tensor<2>>,
}

struct Layer {
    input_norm: Tensor<1>,
    qkv: Joined,
    q_norm: Option<Tensor<1>>,
    k_norm: Option<Tensor<1>>,
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

/// Keys and values of one layer, `[rows, kv_heads, columns, head_dim]` each.
#[derive(Clone, Debug)]
pub struct KeysValues {
    /// Rotated keys.
    pub keys: Tensor<4>,
    /// Values.
    pub values: Tensor<4>,
}

/// A prompt block that was read: left-padded to one width.
pub struct ReadPrompts {
    /// Logits after the last token of each, `[rows, vocab]`, f32.
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
        let layers = decoder.layers.iter().map(|layer| Layer {
            input_norm: gain(&layer.input_norm),
            qkv: join(&[&layer.q, &layer.k, &layer.v]),
            q_norm: layer.q_norm.as_ref().map(gain),
            k_norm: layer.k_norm.as_ref().map(gain),
            o: join(&[&layer.o]),
            post_norm: gain(&layer.post_norm),
            gate_up: join(&[&layer.gate, &layer.up]),
            down: join(&[&layer.down]),
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
        let angles = self.angles(Tensor::from_data(TensorData::new(places, [rows * width]), &self.device), rows, width);
        let mut layers = Vec::with_capacity(self.layers.len());
        let mut x = self.embedded(ids);
        for layer in &self.layers {
            let (q, kv) = self.qkv(layer, x.clone(), &angles, rows, width);
            let attended = self.attend(q, &kv, &mask, rows, width);
            x = self.finish(layer, x, attended);
            layers.push(kv);
        }
        let d = self.config.hidden_size;
        let last = x.reshape([rows, width, d]).narrow(1, width - 1, 1).reshape([rows, d]);
        ReadPrompts { logits: self.logits(last), layers, width }
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
    /// 0 for a row's own columns, this one included, and −∞ for the others: `[rows, 1, 1, columns]`. Gives the logits,
    /// `[rows, vocab]`, f32.
    pub fn step(
        &self,
        tokens: Tensor<1, Int>,
        positions: Tensor<1, Int>,
        (block, column): (&mut Vec<KeysValues>, usize),
        mask: &Tensor<4>,
    ) -> Tensor<2> {
        let [rows] = tokens.dims();
        let angles = self.angles(positions, rows, 1);
        let mut x = self.embedded(tokens);
        // Taken out, so that each buffer has one holder and is written in place.
        let old = std::mem::take(block);
        for (layer, old) in self.layers.iter().zip(old) {
            let (q, new) = self.qkv(layer, x.clone(), &angles, rows, 1);
            let [_, heads, _, width] = new.keys.dims();
            let place = [0..rows, 0..heads, column..column + 1, 0..width];
            let kv = KeysValues {
                keys: old.keys.slice_assign(place.clone(), new.keys),
                values: old.values.slice_assign(place, new.values),
            };
            let attended = self.attend(q, &kv, mask, rows, 1);
            x = self.finish(layer, x, attended);
            block.push(kv);
        }
        self.logits(x)
    }

    fn embedded(&self, ids: Tensor<1, Int>) -> Tensor<2> {
        portable::embedding(self.embed.clone(), ids)
    }

    /// Cosines and sines at `positions [rows·width]`: `[rows, 1, width, head_dim / 2]` each.
    fn angles(&self, positions: Tensor<1, Int>, rows: usize, width: usize) -> (Tensor<4>, Tensor<4>) {
        let half = self.config.head_dim / 2;
        let of = |table: &Tensor<2>| table.clone().select(0, positions.clone()).reshape([rows, 1, width, half]);
        (of(&self.rope.cos), of(&self.rope.sin))
    }

    /// Rotated and scaled queries `[rows, heads, width, head_dim]`, rotated keys and values, of `x [rows·width, hidden]`.
    fn qkv(
        &self,
        layer: &Layer,
        x: Tensor<2>,
        (cos, sin): &(Tensor<4>, Tensor<4>),
        rows: usize,
        width: usize,
    ) -> (Tensor<4>, KeysValues) {
        let c = &self.config;
        let h = layer.qkv.apply(portable::rms_norm(x, layer.input_norm.clone(), c.rms_norm_eps));
        let dtype = h.dtype();
        let part = |at: usize, heads: usize| {
            h.clone().narrow(1, at, heads * c.head_dim).reshape([rows * width * heads, c.head_dim])
        };
        let split = |x: Tensor<2>, heads: usize| x.reshape([rows, width, heads, c.head_dim]).swap_dims(1, 2);
        let normed = |x: Tensor<2>, gain: &Option<Tensor<1>>| match gain {
            Some(gain) => portable::rms_norm(x, gain.clone(), c.rms_norm_eps),
            None => x,
        };
        let turned = |x: Tensor<2>, heads: usize| portable::rotate(split(x.cast(DType::F32), heads), cos, sin);
        let q = turned(normed(part(0, c.heads), &layer.q_norm), c.heads) * (c.head_dim as f64).powf(-0.5);
        let k = turned(normed(part(c.query_width(), c.kv_heads), &layer.k_norm), c.kv_heads);
        let values = split(part(c.query_width() + c.kv_width(), c.kv_heads), c.kv_heads);
        (q.cast(dtype), KeysValues { keys: k.cast(dtype), values })
    }

    /// Attention of `q [rows, heads, width, head_dim]` over a block: `[rows·width, heads·head_dim]`.
    fn attend(&self, q: Tensor<4>, kv: &KeysValues, mask: &Tensor<4>, rows: usize, width: usize) -> Tensor<2> {
        let c = &self.config;
        let [_, _, columns, _] = kv.keys.dims();
        let (dtype, group) = (q.dtype(), c.heads / c.kv_heads * width);
        // Query heads that share a key head become rows of one matrix, so that nothing is repeated.
        let scores = q.reshape([rows, c.kv_heads, group, c.head_dim]).matmul(kv.keys.clone().swap_dims(2, 3));
        let scores = scores.cast(DType::F32).reshape([rows, c.heads, width, columns]) + mask.clone();
        let weights = softmax(scores, 3).cast(dtype).reshape([rows, c.kv_heads, group, columns]);
        let out = weights.matmul(kv.values.clone()).reshape([rows, c.heads, width, c.head_dim]);
        out.swap_dims(1, 2).reshape([rows * width, c.query_width()])
    }

    fn finish(&self, layer: &Layer, x: Tensor<2>, attended: Tensor<2>) -> Tensor<2> {
        let c = &self.config;
        let x = x + layer.o.apply(attended);
        let h = layer.gate_up.apply(portable::rms_norm(x.clone(), layer.post_norm.clone(), c.rms_norm_eps));
        let (gate, up) =
            (h.clone().narrow(1, 0, c.intermediate_size), h.narrow(1, c.intermediate_size, c.intermediate_size));
        x + layer.down.apply(silu(gate) * up)
    }

    fn logits(&self, x: Tensor<2>) -> Tensor<2> {
        portable::logits(portable::rms_norm(x, self.norm.clone(), self.config.rms_norm_eps), self.head.clone())
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

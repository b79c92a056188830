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
use super::decoder::{self, Decoder, Linear};
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
    /// Gains of the norms on each head's queries and keys, `[1, heads + kv_heads, head_dim]`, where the family has them.
    head_norms: Option<Tensor<3>>,
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
    /// Cosines of every position, `[positions, head_dim / 2]`, and its sines with the sign they have in either half,
    /// `[positions, head_dim]`. Both times `head_dim^-¼`, so that queries and keys turned by them have products to scale.
    rope: (Tensor<2>, Tensor<2>),
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
            head_norms: head_norms(layer, &config),
            o: join(&[&layer.o]),
            post_norm: gain(&layer.post_norm),
            gate_up: join(&[&layer.gate, &layer.up]),
            down: join(&[&layer.down]),
        });
        let embed = table(&decoder.embed);
        let RopeTable { cos, sin } = RopeTable::new(&config, positions, &device);
        let scale = (config.head_dim as f64).powf(-0.25);
        Self {
            layers: layers.collect(),
            norm: gain(&decoder.norm),
            head: decoder.lm_head.as_ref().map_or_else(|| embed.clone(), table),
            embed,
            rope: (cos * scale, Tensor::cat(vec![sin.clone().neg(), sin], 1) * scale),
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
        self.rope.0.dims()[0]
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
        let angles = self.angles(Tensor::from_data(TensorData::new(places, [rows * width]), &self.device));
        let mut layers = Vec::with_capacity(self.layers.len());
        let mut x = self.embedded(ids);
        for layer in &self.layers {
            let (q, kv) = self.qkv(layer, x.clone(), &angles, rows, width);
            let attended = self.attend(q, &kv, &mask, rows, width);
            x = self.finish(layer, x, attended);
            layers.push(KeysValues { keys: self.apart(kv.keys), values: self.apart(kv.values) });
        }
        let d = self.config.hidden_size;
        let last = x.reshape([rows, width, d]).narrow(1, width - 1, 1).reshape([rows, d]);
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
        let angles = self.angles(positions);
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

    /// Cosines and sines at `positions [n]`: `[n, 1, 1, head_dim / 2]` and, for both halves, `[n, 1, 2, head_dim / 2]`.
    fn angles(&self, positions: Tensor<1, Int>) -> (Tensor<4>, Tensor<4>) {
        let ([n], half) = (positions.dims(), self.config.head_dim / 2);
        let (cos, sin) = &self.rope;
        let of = |table: &Tensor<2>| table.clone().select(0, positions.clone());
        (of(cos).reshape([n, 1, 1, half]), of(sin).reshape([n, 1, 2, half]))
    }

    /// Rotated queries `[rows, heads, width, head_dim]`, rotated keys and values, of `x [rows·width, hidden]`. Queries and
    /// keys are turned together: every operation is a launch, and at this size launches are what a step takes.
    fn qkv(
        &self,
        layer: &Layer,
        x: Tensor<2>,
        (cos, sin): &(Tensor<4>, Tensor<4>),
        rows: usize,
        width: usize,
    ) -> (Tensor<4>, KeysValues) {
        let c = &self.config;
        let (turned, all) = (c.query_width() + c.kv_width(), c.heads + c.kv_heads);
        let h = layer.qkv.apply(portable::rms_norm(x, layer.input_norm.clone(), c.rms_norm_eps));
        let dtype = h.dtype();
        let values = h.clone().narrow(1, turned, c.kv_width()).reshape([rows, width, c.kv_heads, c.head_dim]);
        let mut qk = h.cast(DType::F32).narrow(1, 0, turned).reshape([rows * width, all, c.head_dim]);
        if let Some(gains) = &layer.head_norms {
            let root = (qk.clone().square().mean_dim(2) + c.rms_norm_eps).sqrt();
            qk = qk / root * gains.clone();
        }
        // (a, b) to (a cos − b sin, b cos + a sin).
        let qk = qk.reshape([rows * width, all, 2, c.head_dim / 2]);
        let qk = qk.clone() * cos.clone() + qk.flip([2]) * sin.clone();
        let qk = qk.reshape([rows, width, all, c.head_dim]);
        let part = |from: usize, heads: usize| qk.clone().narrow(2, from, heads).cast(dtype).swap_dims(1, 2);
        let keys = part(c.heads, c.kv_heads);
        (part(0, c.heads), KeysValues { keys, values: values.swap_dims(1, 2) })
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

/// The gains of a layer's norms on queries and keys, one row per head.
fn head_norms(layer: &decoder::Layer, c: &ModelConfig) -> Option<Tensor<3>> {
    let rows =
        |gain: &Param<Tensor<1>>, heads: usize| gain.val().inner().reshape([1, 1, c.head_dim]).repeat_dim(1, heads);
    let (q, k) = (layer.q_norm.as_ref()?, layer.k_norm.as_ref()?);
    Some(Tensor::cat(vec![rows(q, c.heads), rows(k, c.kv_heads)], 1))
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

//! The operations of a decoding step, one token of each of many sequences: on a GPU by kernels of their own
//! (`kernels`, with a build for one), elsewhere by the portable bodies here, which are what those are tested against.

#[cfg(feature = "kernels")]
pub mod kernels;

use burn::tensor::activation::{silu, softmax};
use burn::tensor::{DType, Device, Int, Tensor};

use super::portable::{self, rotate};
use crate::student::rope::RopeTable;

/// Halvings of the threshold of a nucleus; a multiple of three.
pub const HALVINGS: usize = 21;
/// Largest share of a row that a draw may ask for: one step of single precision more would round to 1.
pub const MOST: f32 = 1.0 - 1.0 / (1 << 22) as f32;

/// The log of the weight under which no nucleus ends, the likeliest token's weight being 1: tokens under
/// `(1 − top_p) / vocab` weigh together less than may be left out.
pub fn least(top_p: f64, vocab: usize) -> f32 {
    ((1.0 - top_p) / vocab as f64).ln() as f32
}

/// How a row of `[queries | keys | values]` divides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of a head; even.
    pub head_dim: usize,
}

/// Keys and values of one layer, `[rows, kv_heads, columns, head_dim]` each.
#[derive(Clone, Debug)]
pub struct KeysValues {
    /// Rotated keys.
    pub keys: Tensor<4>,
    /// Values.
    pub values: Tensor<4>,
}

/// Positions of the tokens of a batch, row by row: `rows · width` of them.
pub struct Places<'a> {
    rope: &'a RopeTable,
    /// `[rows · width]`.
    at: Tensor<1, Int>,
    rows: usize,
    width: usize,
    /// Cosines and sines, `[rows, 1, width, head_dim / 2]`, where the portable bodies want them.
    angles: Option<(Tensor<4>, Tensor<4>)>,
}

impl<'a> Places<'a> {
    /// Positions `at [rows · width]`.
    pub fn new(rope: &'a RopeTable, at: Tensor<1, Int>, rows: usize, width: usize) -> Self {
        let by_kernels = width == 1 && is_cube(&at.device());
        let mut places = Self { rope, at, rows, width, angles: None };
        places.angles = (!by_kernels).then(|| places.angles());
        places
    }

    fn angles(&self) -> (Tensor<4>, Tensor<4>) {
        let [_, half] = self.rope.cos.dims();
        let shape = [self.rows, 1, self.width, half];
        let of = |table: &Tensor<2>| table.clone().select(0, self.at.clone()).reshape(shape);
        self.angles.clone().unwrap_or_else(|| (of(&self.rope.cos), of(&self.rope.sin)))
    }
}

/// What queries, keys and values of a layer go through besides their matrix.
pub struct Turn {
    /// How the product divides.
    pub heads: Heads,
    /// `[1, width of the product]`.
    pub bias: Option<Tensor<2>>,
    /// Gains of the RMSNorm over each head of the queries and of the keys, `[2, head_dim]`.
    pub norms: Option<Tensor<2>>,
    /// Its ε.
    pub eps: f64,
}

impl Turn {
    /// Rotated and scaled queries `[rows, heads, width, head_dim]`, rotated keys, and values, of the product
    /// `[rows · width, …]`.
    pub fn apart(&self, product: Tensor<2>, places: &Places<'_>) -> (Tensor<4>, KeysValues) {
        let Heads { heads, kv_heads, head_dim } = self.heads;
        let (rows, width) = (places.rows, places.width);
        let dtype = product.dtype();
        let h = match &self.bias {
            Some(bias) => product + bias.clone(),
            None => product,
        };
        let (cos, sin) = places.angles();
        let part = |at: usize, n: usize| h.clone().narrow(1, at * head_dim, n * head_dim);
        let split = |x: Tensor<2>, n: usize| x.reshape([rows, width, n, head_dim]).swap_dims(1, 2);
        let normed = |x: Tensor<2>, n: usize, which: usize| match &self.norms {
            Some(norms) => {
                let gain = norms.clone().narrow(0, which, 1).reshape([head_dim]);
                portable::rms_norm(x.reshape([rows * width * n, head_dim]), gain, self.eps)
                    .reshape([rows * width, n * head_dim])
            }
            None => x,
        };
        let turned = |x: Tensor<2>, n: usize| rotate(split(x.cast(DType::F32), n), &cos, &sin);
        let queries = turned(normed(part(0, heads), heads, 0), heads) * (head_dim as f64).powf(-0.5);
        let keys = turned(normed(part(heads, kv_heads), kv_heads, 1), kv_heads);
        let values = split(part(heads + kv_heads, kv_heads), kv_heads);
        (queries.cast(dtype), KeysValues { keys: keys.cast(dtype), values })
    }

    /// Of one token per row: rotated and scaled queries `[rows, heads · head_dim]`, and the block with the token's keys and
    /// values in `column`. The block is written in place where nobody else holds it.
    pub fn step(
        &self,
        product: Tensor<2>,
        places: &Places<'_>,
        block: KeysValues,
        column: usize,
    ) -> (Tensor<2>, KeysValues) {
        #[cfg(feature = "kernels")]
        if is_cube(&product.device()) {
            return cube::turn(self, product, places, block, column);
        }
        let Heads { heads, kv_heads, head_dim } = self.heads;
        let (queries, new) = self.apart(product, places);
        let place = [0..places.rows, 0..kv_heads, column..column + 1, 0..head_dim];
        let block = KeysValues {
            keys: block.keys.slice_assign(place.clone(), new.keys),
            values: block.values.slice_assign(place, new.values),
        };
        (queries.reshape([places.rows, heads * head_dim]), block)
    }
}

/// Attention of `queries [rows, heads, width, head_dim]`, scaled already, over a block; `mask` is 0 where a token may look
/// and −∞ elsewhere, `[rows, 1, width, columns]`. Gives `[rows · width, heads · head_dim]`.
pub fn attend(queries: Tensor<4>, block: &KeysValues, mask: &Tensor<4>) -> Tensor<2> {
    let [rows, heads, width, head_dim] = queries.dims();
    let [_, kv_heads, columns, _] = block.keys.dims();
    let (dtype, group) = (queries.dtype(), heads / kv_heads * width);
    // Query heads that share a key head become rows of one matrix, so that nothing is repeated.
    let scores = queries.reshape([rows, kv_heads, group, head_dim]).matmul(block.keys.clone().swap_dims(2, 3));
    let scores = scores.cast(DType::F32).reshape([rows, heads, width, columns]) + mask.clone();
    let weights = softmax(scores, 3).cast(dtype).reshape([rows, kv_heads, group, columns]);
    let out = weights.matmul(block.values.clone()).reshape([rows, heads, width, head_dim]);
    out.swap_dims(1, 2).reshape([rows * width, heads * head_dim])
}

/// As [`attend`] for one token per row: `queries` is `[rows, heads · head_dim]`, `mask` is `[rows, columns]`.
pub fn attend_one(queries: Tensor<2>, block: &KeysValues, mask: &Tensor<2>, heads: Heads) -> Tensor<2> {
    #[cfg(feature = "kernels")]
    if is_cube(&queries.device()) {
        return cube::attend(queries, block, mask, heads);
    }
    let [rows, columns] = mask.dims();
    let queries = queries.reshape([rows, heads.heads, 1, heads.head_dim]);
    attend(queries, block, &mask.clone().reshape([rows, 1, 1, columns]))
}

/// `x + delta`, and its RMSNorm: all `[n, d]`, `gain` is `[d]`.
pub fn add_norm(x: Tensor<2>, delta: Tensor<2>, gain: Tensor<1>, eps: f64) -> (Tensor<2>, Tensor<2>) {
    #[cfg(feature = "kernels")]
    if is_cube(&x.device()) {
        return cube::add_norm(x, delta, gain, eps);
    }
    let sum = x + delta;
    (sum.clone(), portable::rms_norm(sum, gain, eps))
}

/// RMSNorm of `x [n, d]`.
pub fn norm(x: Tensor<2>, gain: Tensor<1>, eps: f64) -> Tensor<2> {
    #[cfg(feature = "kernels")]
    if is_cube(&x.device()) {
        return cube::norm(x, gain, eps);
    }
    portable::rms_norm(x, gain, eps)
}

/// SwiGLU of `[gate | up]`, `[n, 2 · ff]`: `[n, ff]`.
pub fn gated(gate_up: Tensor<2>) -> Tensor<2> {
    #[cfg(feature = "kernels")]
    if is_cube(&gate_up.device()) {
        return cube::gated(gate_up);
    }
    let ff = gate_up.dims()[1] / 2;
    silu(gate_up.clone().narrow(1, 0, ff)) * gate_up.narrow(1, ff, ff)
}

/// A token of each row of `logits [rows, vocab]`, and which rows are no numbers: what `sample::draw` defines, where the
/// device has a kernel for it.
#[cfg(feature = "kernels")]
pub use cube::pick;

/// Whether tensors of this device go through the kernels of `kernels`.
pub fn is_cube(device: &Device) -> bool {
    #[cfg(feature = "kernels")]
    {
        matches!(device.as_dispatch(), burn::backend::DispatchDevice::Cube(_))
    }
    #[cfg(not(feature = "kernels"))]
    {
        let _ = device;
        false
    }
}

/// From tensors to the kernels and back.
#[cfg(feature = "kernels")]
mod cube {
    use super::kernels::{DecodeOps, Turning};
    use super::{Heads, KeysValues, Places, Turn};
    use burn::backend::Dispatch;
    use burn::tensor::{Bool, Int, Tensor};

    pub(super) fn add_norm(x: Tensor<2>, delta: Tensor<2>, gain: Tensor<1>, eps: f64) -> (Tensor<2>, Tensor<2>) {
        let (x, delta, gain) = (x.into_dispatch(), delta.into_dispatch(), gain.into_dispatch());
        let (sum, norm) = <Dispatch as DecodeOps>::add_norm(x, delta, gain, eps as f32);
        (Tensor::from_dispatch(sum), Tensor::from_dispatch(norm))
    }

    pub(super) fn norm(x: Tensor<2>, gain: Tensor<1>, eps: f64) -> Tensor<2> {
        Tensor::from_dispatch(<Dispatch as DecodeOps>::norm(x.into_dispatch(), gain.into_dispatch(), eps as f32))
    }

    pub(super) fn gated(gate_up: Tensor<2>) -> Tensor<2> {
        Tensor::from_dispatch(Dispatch::gated(gate_up.into_dispatch()))
    }

    pub(super) fn turn(
        turn: &Turn,
        product: Tensor<2>,
        places: &Places<'_>,
        block: KeysValues,
        column: usize,
    ) -> (Tensor<2>, KeysValues) {
        let product = product.into_dispatch();
        let (cos, sin) = (places.rope.cos.clone().into_dispatch(), places.rope.sin.clone().into_dispatch());
        // What is not there is not read either: anything of the right kind stands for it.
        let bias = turn.bias.clone().map_or_else(|| product.clone(), Tensor::into_dispatch);
        let norms = turn.norms.clone().map_or_else(|| cos.clone(), Tensor::into_dispatch);
        let turning = Turning {
            heads: turn.heads,
            biased: turn.bias.is_some(),
            normed: turn.norms.is_some(),
            eps: turn.eps as f32,
            column,
        };
        let (keys, values) = (block.keys.into_dispatch(), block.values.into_dispatch());
        let at = places.at.clone().into_dispatch();
        let (queries, keys, values) = Dispatch::turn(product, bias, norms, cos, sin, at, keys, values, turning);
        let block = KeysValues { keys: Tensor::from_dispatch(keys), values: Tensor::from_dispatch(values) };
        (Tensor::from_dispatch(queries), block)
    }

    pub(super) fn attend(queries: Tensor<2>, block: &KeysValues, mask: &Tensor<2>, heads: Heads) -> Tensor<2> {
        let (keys, values) = (block.keys.clone().into_dispatch(), block.values.clone().into_dispatch());
        let mask = mask.clone().into_dispatch();
        Tensor::from_dispatch(<Dispatch as DecodeOps>::attend(queries.into_dispatch(), keys, values, mask, heads))
    }

    /// A draw by the kernel: tokens `[rows]`, and which rows are broken. A `temperature` of 0 is greedy; `shares [rows]`
    /// says how far each draw goes.
    pub fn pick(
        logits: Tensor<2>,
        temperature: f64,
        top_p: f64,
        shares: Tensor<1>,
    ) -> (Tensor<1, Int>, Tensor<1, Bool>) {
        let scale = if temperature > 0.0 { 1.0 / temperature } else { 0.0 };
        let least = super::least(top_p, logits.dims()[1]);
        let (logits, shares) = (logits.into_dispatch(), shares.into_dispatch());
        let (tokens, broken) = Dispatch::pick(logits, shares, scale as f32, top_p as f32, least);
        (Tensor::from_dispatch(tokens), Tensor::<1, Int>::from_dispatch(broken).equal_elem(1))
    }
}

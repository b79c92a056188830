//! The operations a transformer spends its time in.
//!
//! Each has a portable body made of ordinary tensor operations ([`portable`]), which runs on any backend and is the
//! definition the fast ones are tested against. On the CPU the public functions below take a fused kernel with its own
//! backward pass instead. All tensors are two-dimensional: the rows are the tokens of all sequences, one after the
//! other (`[batch * seq, width]`), so a row is a token everywhere.

mod attention;
mod autodiff;
mod flex;
pub(crate) mod gemm;
pub mod head;
pub mod portable;
pub(crate) mod reuse;
pub(crate) mod rows;
pub(crate) mod simd;
#[cfg(test)]
mod tests;

use burn::backend::{Dispatch, DispatchDevice};
use burn::tensor::{DType, Device, Int, Tensor};
use flex::FastOps;

/// How the rows of an attention call fold into sequences and heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttentionShape {
    /// Sequences.
    pub batch: usize,
    /// Tokens of each sequence, padding on the right included.
    pub seq: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads` (grouped-query attention).
    pub kv_heads: usize,
    /// Width of a head; even.
    pub head_dim: usize,
}

/// `x · weight + bias`: `x` is `[n, k]`, `weight` is `[k, m]`, `bias` is `[m]`; gives `[n, m]`.
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    if !is_fast(&x) {
        return portable::linear(x, weight, bias);
    }
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(match bias {
        Some(bias) => Dispatch::linear_bias(x, weight, bias.into_dispatch()),
        None => <Dispatch as FastOps>::linear(x, weight),
    })
}

/// Rows `ids` of a table: `weight` is `[vocab, d]`, `ids` is `[n]`; gives `[n, d]`.
pub fn embedding(weight: Tensor<2>, ids: Tensor<1, Int>) -> Tensor<2> {
    if !is_fast(&weight) {
        return portable::embedding(weight, ids);
    }
    Tensor::from_dispatch(Dispatch::embed(weight.into_dispatch(), ids.into_dispatch()))
}

/// RMSNorm: every row of `x` `[n, d]` divided by its root mean square, times `gain` `[d]`.
pub fn rms_norm(x: Tensor<2>, gain: Tensor<1>, eps: f64) -> Tensor<2> {
    if !is_fast(&x) {
        return portable::rms_norm(x, gain, eps);
    }
    Tensor::from_dispatch(Dispatch::rms_norm(x.into_dispatch(), gain.into_dispatch(), eps as f32))
}

/// SwiGLU: `silu(gate) * up`, both `[n, ff]`.
pub fn swiglu(gate: Tensor<2>, up: Tensor<2>) -> Tensor<2> {
    if !is_fast(&gate) {
        return portable::swiglu(gate, up);
    }
    Tensor::from_dispatch(Dispatch::swiglu(gate.into_dispatch(), up.into_dispatch()))
}

/// Causal grouped-query attention with rotary positions.
///
/// `q` is `[batch * seq, heads * head_dim]`, `k` and `v` are `[batch * seq, kv_heads * head_dim]`, not yet rotated;
/// `cos` and `sin` are `[max, head_dim / 2]` with `max >= seq`, position 0 first. Rotation is the rotate-half form of
/// Hugging Face weights. Padding must stand on the right; rows of padding are computed like any other and never reach a
/// real row. Gives `[batch * seq, heads * head_dim]`.
pub fn causal_attention(
    q: Tensor<2>,
    k: Tensor<2>,
    v: Tensor<2>,
    cos: Tensor<2>,
    sin: Tensor<2>,
    shape: AttentionShape,
) -> Tensor<2> {
    if !is_fast(&q) {
        return portable::causal_attention(q, k, v, cos, sin, shape);
    }
    let [q, k, v, cos, sin] = [q, k, v, cos, sin].map(|t| t.into_dispatch());
    Tensor::from_dispatch(<Dispatch as FastOps>::attention(q, k, v, cos, sin, shape))
}

/// `ln softmax(h · weightᵀ / temperature)[target]` of every row: `h` is `[n, d]`, `weight` is `[vocab, d]`, `targets`
/// is `[n]` and `temperature` is positive; gives `[n]`, in nats.
pub fn log_prob_head(h: Tensor<2>, weight: Tensor<2>, targets: Tensor<1, Int>, temperature: f64) -> Tensor<1> {
    if !is_fast(&h) {
        return portable::log_prob_head(h, weight, targets, temperature);
    }
    let (h, weight, targets) = (h.into_dispatch(), weight.into_dispatch(), targets.into_dispatch());
    Tensor::from_dispatch(Dispatch::log_probs(h, weight, targets, temperature as f32))
}

/// As [`log_prob_head`], with the entropy of each row's distribution beside it, in nats. Without gradient.
pub fn log_prob_entropy(
    h: Tensor<2>,
    weight: Tensor<2>,
    targets: Tensor<1, Int>,
    temperature: f64,
) -> (Tensor<1>, Tensor<1>) {
    let (h, weight) = (h.inner(), weight.inner());
    if !is_fast(&h) {
        return portable::log_prob_entropy(h, weight, targets.inner(), temperature);
    }
    flex::log_prob_entropy(h, weight, targets.inner(), temperature)
}

/// Whether the CPU's kernels can take this tensor: they compute in single precision.
fn is_fast(x: &Tensor<2>) -> bool {
    x.dtype() == DType::F32 && is_flex(&x.device())
}

/// Whether tensors of this device, with or without autodiff, are plain memory of the CPU backend.
pub fn is_flex(device: &Device) -> bool {
    matches!(device.clone().inner().as_dispatch(), DispatchDevice::Flex(_))
}

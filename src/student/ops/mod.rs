//! The five operations a transformer layer spends its time in.
//!
//! Each has a portable body made of ordinary tensor operations ([`portable`]), which runs on any backend and is the
//! definition the fast ones are tested against. On the CPU the public functions below take a fused kernel with its own
//! backward pass instead. All tensors are two-dimensional: the rows are the tokens of all sequences, one after the
//! other (`[batch * seq, width]`), so a row is a token everywhere.

pub mod portable;

use burn::tensor::{Int, Tensor};

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
    portable::linear(x, weight, bias)
}

/// RMSNorm: every row of `x` `[n, d]` divided by its root mean square, times `gain` `[d]`.
pub fn rms_norm(x: Tensor<2>, gain: Tensor<1>, eps: f64) -> Tensor<2> {
    portable::rms_norm(x, gain, eps)
}

/// SwiGLU: `silu(gate) * up`, both `[n, ff]`.
pub fn swiglu(gate: Tensor<2>, up: Tensor<2>) -> Tensor<2> {
    portable::swiglu(gate, up)
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
    portable::causal_attention(q, k, v, cos, sin, shape)
}

/// `ln softmax(h · weightᵀ / temperature)[target]` of every row: `h` is `[n, d]`, `weight` is `[vocab, d]`, `targets`
/// is `[n]` and `temperature` is positive; gives `[n]`, in nats.
pub fn log_prob_head(h: Tensor<2>, weight: Tensor<2>, targets: Tensor<1, Int>, temperature: f64) -> Tensor<1> {
    portable::log_prob_head(h, weight, targets, temperature)
}

/// As [`log_prob_head`], with the entropy of each row's distribution beside it, in nats. Without gradient.
pub fn log_prob_entropy(
    h: Tensor<2>,
    weight: Tensor<2>,
    targets: Tensor<1, Int>,
    temperature: f64,
) -> (Tensor<1>, Tensor<1>) {
    portable::log_prob_entropy(h.detach(), weight.detach(), targets, temperature)
}

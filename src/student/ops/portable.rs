//! The operations as compositions of tensor operations: short, the definition of what the CPU's fast ones compute, and what
//! every other device runs.
//!
//! The number type of the stream (`x`, `q`, `h`) decides: matrices are cast to it for their products. Means, rotations,
//! softmax and log-probabilities are single precision whatever it is.

use super::AttentionShape;
use burn::tensor::activation::{log_softmax, silu, softmax};
use burn::tensor::{Bool, DType, Int, Tensor};

/// See [`super::linear`].
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let dtype = x.dtype();
    let y = x.matmul(weight.cast(dtype));
    match bias {
        Some(bias) => y + bias.cast(dtype).unsqueeze::<2>(),
        None => y,
    }
}

/// See [`super::embedding`].
pub fn embedding(weight: Tensor<2>, ids: Tensor<1, Int>) -> Tensor<2> {
    burn::tensor::module::embedding(weight, ids.unsqueeze::<2>()).squeeze_dim(0)
}

/// See [`super::rms_norm`].
pub fn rms_norm(x: Tensor<2>, gain: Tensor<1>, eps: f64) -> Tensor<2> {
    let dtype = x.dtype();
    let x = x.cast(DType::F32);
    let root = (x.clone().square().mean_dim(1) + eps).sqrt();
    ((x / root) * gain.unsqueeze::<2>()).cast(dtype)
}

/// See [`super::swiglu`].
pub fn swiglu(gate: Tensor<2>, up: Tensor<2>) -> Tensor<2> {
    silu(gate) * up
}

/// See [`super::causal_attention`].
pub fn causal_attention(
    q: Tensor<2>,
    k: Tensor<2>,
    v: Tensor<2>,
    cos: Tensor<2>,
    sin: Tensor<2>,
    shape: AttentionShape,
) -> Tensor<2> {
    let AttentionShape { batch, seq, heads, kv_heads, head_dim } = shape;
    let dtype = q.dtype();
    let split = |x: Tensor<2>, n: usize| x.reshape([batch, seq, n, head_dim]).swap_dims(1, 2);
    let table = |x: Tensor<2>| x.narrow(0, 0, seq).unsqueeze::<4>();
    let (cos, sin) = (table(cos), table(sin));
    let q = rotate(split(q.cast(DType::F32), heads), &cos, &sin) * (head_dim as f64).powf(-0.5);
    let k = rotate(split(k.cast(DType::F32), kv_heads), &cos, &sin);
    let (q, k) = (q.cast(dtype), k.cast(dtype));
    let v = split(v, kv_heads);
    // The query heads that share a key head become rows of one matrix, so that nothing is repeated.
    let rows = (heads / kv_heads) * seq;
    let scores = q.reshape([batch, kv_heads, rows, head_dim]).matmul(k.swap_dims(2, 3));
    let mask = Tensor::<2, Bool>::tril_mask([seq, seq], 0, &scores.device()).unsqueeze::<4>();
    let scores = scores.cast(DType::F32).reshape([batch, heads, seq, seq]).mask_fill(mask, f32::NEG_INFINITY);
    let prob = softmax(scores, 3).cast(dtype).reshape([batch, kv_heads, rows, seq]);
    prob.matmul(v).reshape([batch, heads, seq, head_dim]).swap_dims(1, 2).reshape([batch * seq, heads * head_dim])
}

/// Rotary positions in the rotate-half form: `x` is `[batch, heads, seq, head_dim]`, the tables `[1, 1, seq, half]`.
pub(crate) fn rotate(x: Tensor<4>, cos: &Tensor<4>, sin: &Tensor<4>) -> Tensor<4> {
    let half = x.dims()[3] / 2;
    let (a, b) = (x.clone().narrow(3, 0, half), x.narrow(3, half, half));
    let low = a.clone() * cos.clone() - b.clone() * sin.clone();
    let high = b * cos.clone() + a * sin.clone();
    Tensor::cat(vec![low, high], 3)
}

/// `h · weightᵀ` in single precision: `[n, d]` by `[vocab, d]` gives `[n, vocab]`.
pub(crate) fn logits(h: Tensor<2>, weight: Tensor<2>) -> Tensor<2> {
    let weight = weight.cast(h.dtype());
    h.matmul(weight.transpose()).cast(DType::F32)
}

/// See [`super::log_prob_head`].
pub fn log_prob_head(h: Tensor<2>, weight: Tensor<2>, targets: Tensor<1, Int>, temperature: f64) -> Tensor<1> {
    let log_probs = log_softmax(logits(h, weight) / temperature, 1);
    log_probs.gather(1, targets.unsqueeze_dim(1)).squeeze_dim(1)
}

/// See [`super::log_prob_entropy`].
pub fn log_prob_entropy(
    h: Tensor<2>,
    weight: Tensor<2>,
    targets: Tensor<1, Int>,
    temperature: f64,
) -> (Tensor<1>, Tensor<1>) {
    let log_probs = log_softmax(logits(h, weight) / temperature, 1);
    let entropy = (log_probs.clone().exp() * log_probs.clone()).sum_dim(1).neg().squeeze_dim(1);
    (log_probs.gather(1, targets.unsqueeze_dim(1)).squeeze_dim(1), entropy)
}

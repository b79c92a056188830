//! The kernels as operations of burn's CPU backend, and their place in the autodiff graph.
//!
//! `FastOps` is a backend extension: burn routes a call on a `Tensor` to `Flex`, or to `Autodiff<Flex>`, whose
//! implementation records one node with a hand-written backward pass. Other backends never come here, see
//! [`super::is_flex`].

use super::AttentionShape;
use super::attention::{self, Inputs};
use super::gemm::{Mat, matmul};
use super::rows::{self, Head};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Flex, backend_extension};
use burn::tensor::{Bytes, DType, Int, Shape, Tensor};
use burn_flex::{FlexTensor, Layout};

/// The operations of [`super`] on a backend's own tensors; arguments and shapes as there.
#[backend_extension(Flex, Autodiff)]
pub trait FastOps: Backend {
    /// See [`super::linear`], without bias.
    fn linear(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self>;
    /// See [`super::linear`], with bias.
    fn linear_bias(x: FloatTensor<Self>, weight: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self>;
    /// See [`super::embedding`]; `ids` is `[n]`.
    fn embed(weight: FloatTensor<Self>, ids: IntTensor<Self>) -> FloatTensor<Self>;
    /// See [`super::rms_norm`].
    fn rms_norm(x: FloatTensor<Self>, gain: FloatTensor<Self>, eps: f32) -> FloatTensor<Self>;
    /// See [`super::swiglu`].
    fn swiglu(gate: FloatTensor<Self>, up: FloatTensor<Self>) -> FloatTensor<Self>;
    /// See [`super::causal_attention`].
    fn attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
        shape: AttentionShape,
    ) -> FloatTensor<Self>;
    /// See [`super::log_prob_head`].
    fn log_probs(
        h: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        targets: IntTensor<Self>,
        temperature: f32,
    ) -> FloatTensor<Self>;
}

/// A new tensor.
pub(super) fn tensor(values: Vec<f32>, shape: &[usize]) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(Shape::from(shape.to_vec())), DType::F32)
}

/// The size of a dimension.
pub(super) fn dim(t: &FlexTensor, i: usize) -> usize {
    t.layout().shape().get(i).copied().unwrap_or(1)
}

/// Binds names to the contiguous values of tensors; copies only what is strided.
macro_rules! values {
    ($($t:ident),*) => { $( let $t = $t.to_contiguous(); let $t: &[f32] = $t.storage(); )* };
}
pub(super) use values;

/// Token numbers as indices; a negative one becomes an index out of range.
pub(super) fn indices(t: &FlexTensor) -> Vec<usize> {
    let t = t.to_contiguous();
    match t.dtype() {
        DType::I32 => t.storage::<i32>().iter().map(|&i| i as usize).collect(),
        _ => t.storage::<i64>().iter().map(|&i| i as usize).collect(),
    }
}

impl FastOps for Flex {
    fn linear(x: FlexTensor, weight: FlexTensor) -> FlexTensor {
        let (n, k, m) = (dim(&x, 0), dim(&weight, 0), dim(&weight, 1));
        values!(x, weight);
        let mut y = vec![0.0; n * m];
        matmul(&mut y, m, Mat::new(x, n, k, k), Mat::new(weight, k, m, m), false);
        tensor(y, &[n, m])
    }

    fn linear_bias(x: FlexTensor, weight: FlexTensor, bias: FlexTensor) -> FlexTensor {
        let (n, k, m) = (dim(&x, 0), dim(&weight, 0), dim(&weight, 1));
        values!(x, weight, bias);
        let mut y = bias.repeat(n);
        matmul(&mut y, m, Mat::new(x, n, k, k), Mat::new(weight, k, m, m), true);
        tensor(y, &[n, m])
    }

    fn embed(weight: FlexTensor, ids: FlexTensor) -> FlexTensor {
        let (ids, d) = (indices(&ids), dim(&weight, 1));
        values!(weight);
        let mut y = Vec::with_capacity(ids.len() * d);
        for id in &ids {
            match weight.get(id.saturating_mul(d)..).and_then(|rest| rest.get(..d)) {
                Some(row) => y.extend_from_slice(row),
                None => y.resize(y.len() + d, f32::NAN),
            }
        }
        tensor(y, &[ids.len(), d])
    }

    fn rms_norm(x: FlexTensor, gain: FlexTensor, eps: f32) -> FlexTensor {
        let (n, d) = (dim(&x, 0), dim(&x, 1));
        values!(x, gain);
        let mut y = vec![0.0; n * d];
        rows::rms_norm(x, gain, &mut y, eps);
        tensor(y, &[n, d])
    }

    fn swiglu(gate: FlexTensor, up: FlexTensor) -> FlexTensor {
        let (n, d) = (dim(&gate, 0), dim(&gate, 1));
        values!(gate, up);
        let mut y = vec![0.0; n * d];
        rows::swiglu(gate, up, &mut y);
        tensor(y, &[n, d])
    }

    fn attention(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        cos: FlexTensor,
        sin: FlexTensor,
        shape: AttentionShape,
    ) -> FlexTensor {
        attention_kept(q, k, v, cos, sin, shape).0
    }

    fn log_probs(h: FlexTensor, weight: FlexTensor, targets: FlexTensor, temperature: f32) -> FlexTensor {
        log_probs_kept(h, weight, &targets, temperature).0
    }
}

/// Attention, and what its backward pass wants to know.
pub(super) fn attention_kept(
    q: FlexTensor,
    k: FlexTensor,
    v: FlexTensor,
    cos: FlexTensor,
    sin: FlexTensor,
    shape: AttentionShape,
) -> (FlexTensor, Vec<f32>) {
    let size = [dim(&q, 0), dim(&q, 1)];
    values!(q, k, v, cos, sin);
    let (out, totals) = attention::forward(Inputs { q, k, v, cos, sin, shape });
    (tensor(out, &size), totals)
}

/// Log-probabilities, and what their backward pass wants to know.
pub(super) fn log_probs_kept(
    h: FlexTensor,
    weight: FlexTensor,
    targets: &FlexTensor,
    temperature: f32,
) -> (FlexTensor, Vec<f32>) {
    let width = dim(&h, 1);
    let targets = indices(targets);
    values!(h, weight);
    let head = Head { h, weight, width, targets: &targets, inverse: 1.0 / temperature };
    let (log_probs, totals) = head.forward(None);
    (tensor(log_probs, &[targets.len()]), totals)
}

/// See [`super::log_prob_entropy`].
pub(super) fn log_prob_entropy(
    h: Tensor<2>,
    weight: Tensor<2>,
    targets: Tensor<1, Int>,
    temperature: f64,
) -> (Tensor<1>, Tensor<1>) {
    let parts = (h.clone().try_into_primitive::<Flex>(), weight.clone().try_into_primitive::<Flex>());
    let (Ok(rows), Ok(matrix), Ok(picked)) = (parts.0, parts.1, targets.clone().try_into_primitive::<Flex>()) else {
        return super::portable::log_prob_entropy(h, weight, targets, temperature);
    };
    let (width, picked) = (dim(&rows, 1), indices(&picked));
    values!(rows, matrix);
    let head = Head { h: rows, weight: matrix, width, targets: &picked, inverse: 1.0 / temperature as f32 };
    let mut entropies = vec![0.0; picked.len()];
    let (log_probs, _) = head.forward(Some(&mut entropies));
    let wrap = |x| Tensor::from_primitive::<Flex>(tensor(x, &[picked.len()]));
    (wrap(log_probs), wrap(entropies))
}

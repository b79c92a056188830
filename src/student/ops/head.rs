//! The log-probability head by ordinary tensor operations, on any device, some rows at a time.
//!
//! What it computes is [`portable::log_prob_head`]. In the graph it is one node, which keeps
//! the hidden states and one number per row: the way back computes the logits of some rows again, so that in neither
//! direction more than `chunk` rows of them are alive, however many rows are scored. The gradient of the output matrix is
//! added up in single precision.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Backend, Dispatch, DispatchKindConversion, DispatchTensor, Flex, backend_extension};
use burn::tensor::{DType, IndexingUpdateOp, Int, Tensor};

use super::portable;

/// Rows of logits alive at once: 1024 rows of a 151,936-token vocabulary are 622 MB.
pub const ROWS: usize = 1024;

/// See [`super::log_prob_head`]; `chunk` rows of logits are alive at once.
pub fn log_probs(
    h: Tensor<2>,
    weight: Tensor<2>,
    targets: Tensor<1, Int>,
    temperature: f64,
    chunk: usize,
) -> Tensor<1> {
    let (h, weight, targets) = (h.into_dispatch(), weight.into_dispatch(), targets.into_dispatch());
    Tensor::from_dispatch(Dispatch::chunked_log_probs(h, weight, targets, temperature, chunk))
}

/// The head on a backend's own tensors; arguments and shapes as of [`log_probs`].
#[backend_extension(Flex, Cube: cfg(feature = "kernels"), Autodiff)]
pub trait ChunkedHead: Backend {
    /// See [`log_probs`].
    fn chunked_log_probs(
        h: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        targets: IntTensor<Self>,
        temperature: f64,
        chunk: usize,
    ) -> FloatTensor<Self>;
}

/// The backends that compute it, without graph.
macro_rules! computes {
    ($backend:ty) => {
        impl ChunkedHead for $backend {
            fn chunked_log_probs(
                h: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                targets: IntTensor<Self>,
                temperature: f64,
                chunk: usize,
            ) -> FloatTensor<Self> {
                plain::<Self>(Head::of::<Self>(h, weight, targets, (temperature, chunk)).forward().0)
            }
        }
    };
}
computes!(Flex);
#[cfg(feature = "kernels")]
computes!(burn::backend::Cube);

/// A tensor as its backend has it.
#[expect(clippy::expect_used, reason = "it was made of tensors of that backend")]
fn plain<B: Backend>(tensor: Tensor<1>) -> FloatTensor<B>
where
    DispatchTensor: DispatchKindConversion<B>,
{
    tensor.try_into_primitive::<B>().expect("a tensor of the backend it was made on")
}

/// The output matrix and what is asked of it, without graph.
struct Head {
    /// Hidden states, `[n, width]`.
    h: Tensor<2>,
    /// Output matrix in the precision of `h`, `[vocab, width]`.
    weight: Tensor<2>,
    /// A token of each row, `[n, 1]`.
    targets: Tensor<2, Int>,
    temperature: f64,
    chunk: usize,
}

impl Head {
    fn of<B: Backend>(
        h: FloatTensor<B>,
        weight: FloatTensor<B>,
        targets: IntTensor<B>,
        (temperature, chunk): (f64, usize),
    ) -> Self
    where
        DispatchTensor: DispatchKindConversion<B>,
    {
        let h = Tensor::<2>::from_primitive::<B>(h);
        let weight = Tensor::<2>::from_primitive::<B>(weight).cast(h.dtype());
        let targets = Tensor::<1, Int>::from_primitive::<B>(targets).unsqueeze_dim(1);
        Self { h, weight, targets, temperature, chunk }
    }

    /// First row and number of rows of each chunk.
    fn chunks(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let ([n, _], chunk) = (self.h.dims(), self.chunk.max(1));
        (0..n.max(1)).step_by(chunk).map(move |from| (from, chunk.min(n - from)))
    }

    /// Logits of `n` rows over the temperature, `[n, vocab]`, in single precision; and the targets of those rows.
    fn logits(&self, (from, n): (usize, usize)) -> (Tensor<2>, Tensor<2, Int>) {
        let logits = portable::logits(self.h.clone().narrow(0, from, n), self.weight.clone());
        let logits = if self.temperature == 1.0 { logits } else { logits / self.temperature };
        (logits, self.targets.clone().narrow(0, from, n))
    }

    /// ln p(target) `[n]`, and the logarithm of the exponential sum `[n, 1]`, of every row.
    fn forward(&self) -> (Tensor<1>, Tensor<2>) {
        let rows = |chunk| {
            let (logits, targets) = self.logits(chunk);
            let (top, picked) = (logits.clone().max_dim(1), logits.clone().gather(1, targets));
            let sum = (logits - top.clone()).exp().sum_dim(1).log();
            ((picked - top.clone()) - sum.clone(), top + sum)
        };
        let (log_probs, totals): (Vec<_>, Vec<_>) = self.chunks().map(rows).unzip();
        (Tensor::cat(log_probs, 0).squeeze_dim(1), Tensor::cat(totals, 0))
    }

    /// Gradients of `h` and, if `all`, of the matrix in single precision, from `totals [n, 1]` and `dy [n]`.
    fn backward(&self, totals: &Tensor<2>, dy: Tensor<1>, all: bool) -> (Tensor<2>, Option<Tensor<2>>) {
        let dy: Tensor<2> = dy.unsqueeze_dim(1) / self.temperature;
        let (mut dh, mut dweight) = (Vec::new(), None::<Tensor<2>>);
        for (from, n) in self.chunks() {
            let (logits, targets) = self.logits((from, n));
            let (total, dy) = (totals.clone().narrow(0, from, n), dy.clone().narrow(0, from, n));
            // dy / T · (1[target] − p)
            let p = (logits - total).exp();
            let dlogits = (p * dy.clone().neg()).scatter(1, targets, dy, IndexingUpdateOp::Add).cast(self.h.dtype());
            if all {
                let rows = self.h.clone().narrow(0, from, n);
                let new = dlogits.clone().transpose().matmul(rows).cast(DType::F32);
                dweight = Some(match dweight.take() {
                    None => new,
                    Some(sum) => sum + new,
                });
            }
            dh.push(dlogits.matmul(self.weight.clone()));
        }
        (Tensor::cat(dh, 0), dweight)
    }
}

#[derive(Debug)]
struct LogProbs;

impl<B: Backend> Backward<B, 2> for LogProbs
where
    DispatchTensor: DispatchKindConversion<B>,
{
    /// Hidden states, output matrix, targets, logarithms of the rows' sums, temperature and rows of a chunk.
    type State = (FloatTensor<B>, FloatTensor<B>, IntTensor<B>, FloatTensor<B>, (f64, usize));

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = Tensor::<1>::from_primitive::<B>(grads.consume::<B>(&ops.node));
        let (h, weight, targets, totals, settings) = ops.state;
        let totals = Tensor::<1>::from_primitive::<B>(totals).unsqueeze_dim(1);
        let [for_h, for_weight] = ops.parents;
        let head = Head::of::<B>(h, weight, targets, settings);
        let (dh, dweight) = head.backward(&totals, dy, for_weight.is_some());
        for (node, gradient) in [(for_h, Some(dh)), (for_weight, dweight)] {
            if let (Some(node), Some(gradient)) = (node, gradient)
                && let Ok(gradient) = gradient.try_into_primitive::<B>()
            {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend, C: CheckpointStrategy> ChunkedHead for Autodiff<B, C>
where
    DispatchTensor: DispatchKindConversion<B>,
{
    fn chunked_log_probs(
        h: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        targets: IntTensor<Self>,
        temperature: f64,
        chunk: usize,
    ) -> FloatTensor<Self> {
        let prep = Backward::<B, 2>::prepare::<C>(LogProbs, [h.node(), weight.node()]).compute_bound().stateful();
        let (h, weight) = (h.into_primitive(), weight.into_primitive());
        let head = Head::of::<B>(h.clone(), weight.clone(), targets.clone(), (temperature, chunk));
        let (log_probs, totals) = head.forward();
        let log_probs = plain::<B>(log_probs);
        match prep {
            OpsKind::Tracked(prep) => {
                let totals = plain::<B>(totals.squeeze_dim(1));
                prep.finish((h, weight, targets, totals, (temperature, chunk)), log_probs)
            }
            OpsKind::UnTracked(prep) => prep.finish(log_probs),
        }
    }
}

#[cfg(test)]
mod tests;

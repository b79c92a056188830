//! The head in chunks against its definition: values and gradients, with several chunks and an odd rest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::{embedding, portable};
use super::log_probs;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use proptest::prelude::*;

/// Noise in −1..1 that depends on the seed only.
fn noise([n, d]: [usize; 2], seed: u64) -> TensorData {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let values = (0..n * d).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1 << 23) as f32) - 1.0
    });
    TensorData::new(values.collect::<Vec<_>>(), [n, d])
}

/// A way to compute the head: hidden states, matrix, targets, temperature.
type Way<'a> = &'a dyn Fn(Tensor<2>, Tensor<2>, Tensor<1, Int>, f64) -> Tensor<1>;

/// What goes in.
struct Case {
    h: TensorData,
    weight: TensorData,
    targets: Vec<i64>,
    temperature: f64,
    dtype: DType,
    /// The hidden states are rows of the matrix, as where it is tied to the embedding.
    tied: bool,
    /// The matrix is not trained.
    frozen: bool,
}

impl Case {
    fn new([n, d, vocab]: [usize; 3], temperature: f64, seed: u64) -> Self {
        let targets = (0..n).map(|i| ((i as u64 * 31 + seed) % vocab as u64) as i64).collect();
        let (h, weight) = (noise([n, d], seed), noise([vocab, d], seed ^ 1));
        Self { h, weight, targets, temperature, dtype: DType::F32, tied: false, frozen: false }
    }

    /// Log-probs, then the gradients of a weighted sum of them that reach the hidden states and the matrix.
    fn run(&self, way: Way) -> Vec<TensorData> {
        let device = Device::flex().autodiff();
        let weight = Tensor::<2>::from_data(self.weight.clone(), &device).set_require_grad(!self.frozen);
        let n = self.targets.len();
        let targets = Tensor::<1, Int>::from_data(TensorData::new(self.targets.clone(), [n]), &device);
        let leaf = Tensor::<2>::from_data(self.h.clone(), &device).require_grad();
        let h = if self.tied { leaf.clone() + embedding(weight.clone(), targets.clone()) } else { leaf.clone() };
        let y = way(h.cast(self.dtype), weight.clone(), targets, self.temperature);
        let above = Tensor::<2>::from_data(noise([1, n], 99), &device).reshape([n]);
        let grads = (y.clone() * above).sum().backward();
        assert_eq!(weight.grad(&grads).is_none(), self.frozen);
        let given =
            [Some(y.inner()), leaf.grad(&grads).map(|g| g.reshape([-1])), weight.grad(&grads).map(|g| g.reshape([-1]))];
        given.into_iter().flatten().map(|t: Tensor<1>| t.into_data()).collect()
    }

    /// The largest difference between two ways, over the largest value of each result or of what cancels in it: `1 − p`
    /// over the temperature.
    fn difference(&self, one: Way, other: Way) -> f32 {
        let pairs = self.run(one).into_iter().zip(self.run(other));
        let worst = pairs.map(|(a, b)| {
            assert_eq!((a.dtype(), a.shape()), (b.dtype(), b.shape()));
            let largest = b.iter::<f32>().fold(0.0f32, |most, x| most.max(x.abs()));
            let apart = a.iter::<f32>().zip(b.iter::<f32>()).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
            assert!(apart.is_finite());
            apart / largest.max(1.0 / self.temperature as f32)
        });
        worst.fold(0.0, f32::max)
    }
}

/// The definition, by as many rows at a time, each with its logits in the graph.
fn defined(chunk: usize) -> impl Fn(Tensor<2>, Tensor<2>, Tensor<1, Int>, f64) -> Tensor<1> {
    move |h, weight, targets, temperature| {
        let n = h.dims()[0];
        let part = |from: usize| {
            let rows = chunk.min(n - from);
            let (h, targets) = (h.clone().narrow(0, from, rows), targets.clone().narrow(0, from, rows));
            portable::log_prob_head(h, weight.clone(), targets, temperature)
        };
        Tensor::cat((0..n).step_by(chunk).map(part).collect(), 0)
    }
}

fn chunked(chunk: usize) -> impl Fn(Tensor<2>, Tensor<2>, Tensor<1, Int>, f64) -> Tensor<1> {
    move |h, weight, targets, temperature| log_probs(h, weight, targets, temperature, chunk)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn it_is_the_definition_in_any_chunks(n in 1..40_usize, d in 1..40_usize, vocab in 2..300_usize, chunk in 1..50_usize,
                                          hot in 3..20_u8, tied: bool, frozen: bool, seed: u64) {
        let temperature = if hot > 15 { 1.0 } else { f64::from(hot) / 10.0 };
        let case = Case { tied, frozen, ..Case::new([n, d, vocab], temperature, seed) };
        let apart = case.difference(&chunked(chunk), &defined(n));
        // Sums in another order; a row left out or counted twice is a thousand times as far off.
        prop_assert!(apart < 2e-5, "{apart}");
    }

    #[test]
    fn half_precision_is_rounded_where_the_definition_rounds(n in 1..40_usize, d in 1..40_usize, vocab in 2..300_usize,
                                                             chunk in 1..50_usize, tied: bool, seed: u64) {
        let case = Case { tied, dtype: DType::BF16, ..Case::new([n, d, vocab], 0.7, seed) };
        let apart = case.difference(&chunked(chunk), &defined(chunk));
        // A sum in another order may round to the next number, which is 1/128 of it away at most.
        prop_assert!(apart < 8e-3, "{apart}");
    }
}

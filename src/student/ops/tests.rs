//! The CPU kernels against the portable definitions: values and gradients on odd and even shapes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use burn::tensor::{TensorData, Tolerance};
use proptest::prelude::*;

/// Noise in −1..1 that depends on the seed only.
fn noise<const D: usize>(shape: [usize; D], seed: u64) -> Tensor<D> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let values = (0..shape.iter().product::<usize>()).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1 << 23) as f32) - 1.0
    });
    Tensor::from_data(TensorData::new(values.collect::<Vec<_>>(), shape), &Device::flex())
}

fn angles(seq: usize, half: usize) -> (Tensor<2>, Tensor<2>) {
    let angle = |i: usize| (i / half) as f32 / 10_f32.powf((i % half) as f32);
    let table = |f: fn(f32) -> f32| {
        let values: Vec<f32> = (0..seq * half).map(|i| f(angle(i))).collect();
        Tensor::from_data(TensorData::new(values, [seq, half]), &Device::flex())
    };
    (table(f32::cos), table(f32::sin))
}

/// Runs `f` on tracked copies of the inputs; gives its output and all gradients of a weighted sum of it.
fn gradients<const D: usize>(inputs: &[Tensor<2>], f: impl Fn(Vec<Tensor<2>>) -> Tensor<D>) -> Vec<TensorData> {
    let device = Device::flex().autodiff();
    let tracked: Vec<_> = inputs.iter().map(|t| Tensor::<2>::from_data(t.to_data(), &device).require_grad()).collect();
    let y = f(tracked.clone());
    let weights = Tensor::<D>::from_data(noise(y.dims(), 99).to_data(), &device);
    let mut out = vec![y.to_data()];
    let grads = (y * weights).sum().backward();
    out.extend(tracked.iter().map(|t| t.grad(&grads).unwrap().into_data()));
    out
}

fn check<const D: usize>(
    inputs: &[Tensor<2>],
    fast: impl Fn(Vec<Tensor<2>>) -> Tensor<D>,
    plain: impl Fn(Vec<Tensor<2>>) -> Tensor<D>,
) {
    let (fast, plain) = (gradients(inputs, fast), gradients(inputs, plain));
    assert_eq!(fast.len(), inputs.len() + 1);
    for (fast, plain) in fast.iter().zip(&plain) {
        let scale = plain.iter::<f32>().fold(0.0_f32, |m, x| m.max(x.abs()));
        fast.assert_approx_eq::<f32>(plain, Tolerance::rel_abs(1e-4, 1e-5 * scale.max(0.1)));
    }
}

fn row(t: &Tensor<2>) -> Tensor<1> {
    t.clone().reshape([t.dims()[1]])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn linear_matches(n in 1..70_usize, k in 1..80_usize, m in 1..80_usize, seed: u64) {
        let inputs = [noise([n, k], seed), noise([k, m], seed ^ 1), noise([1, m], seed ^ 2)];
        check(&inputs[..2], |t| linear(t[0].clone(), t[1].clone(), None), |t| portable::linear(t[0].clone(), t[1].clone(), None));
        check(
            &inputs,
            |t| linear(t[0].clone(), t[1].clone(), Some(row(&t[2]))),
            |t| portable::linear(t[0].clone(), t[1].clone(), Some(row(&t[2]))),
        );
    }

    #[test]
    fn embedding_matches_alone_and_tied(n in 1..30_usize, vocab in 1..20_usize, d in 1..40_usize, seed: u64) {
        let ids: Vec<i64> = (0..n).map(|i| ((seed >> (i % 50)) % vocab as u64) as i64).collect();
        let ids = |device: &Device| Tensor::<1, Int>::from_data(TensorData::new(ids.clone(), [n]), device);
        let inputs = [noise([vocab, d], seed)];
        check(
            &inputs,
            |t| embedding(t[0].clone(), ids(&t[0].device())),
            |t| portable::embedding(t[0].clone(), ids(&t[0].device())),
        );
        check(
            &inputs,
            |t| linear(embedding(t[0].clone(), ids(&t[0].device())), t[0].clone().transpose(), None),
            |t| portable::linear(portable::embedding(t[0].clone(), ids(&t[0].device())), t[0].clone().transpose(), None),
        );
    }

    #[test]
    fn rms_norm_matches(n in 1..20_usize, d in 1..150_usize, seed: u64) {
        let inputs = [noise([n, d], seed), noise([1, d], seed ^ 1)];
        check(&inputs, |t| rms_norm(t[0].clone(), row(&t[1]), 1e-5), |t| portable::rms_norm(t[0].clone(), row(&t[1]), 1e-5));
    }

    #[test]
    fn swiglu_matches(n in 1..20_usize, d in 1..90_usize, seed: u64) {
        let inputs = [noise([n, d], seed) * 4.0, noise([n, d], seed ^ 1)];
        check(&inputs, |t| swiglu(t[0].clone(), t[1].clone()), |t| portable::swiglu(t[0].clone(), t[1].clone()));
    }

    #[test]
    fn attention_matches(batch in 1..4_usize, seq in 1..130_usize, kv_heads in 1..3_usize, group in 1..4_usize,
                         half in 1..20_usize, seed: u64) {
        let shape = AttentionShape { batch, seq, heads: kv_heads * group, kv_heads, head_dim: 2 * half };
        let (rows, kv) = (batch * seq, kv_heads * 2 * half);
        let inputs = [noise([rows, kv * group], seed) * 3.0, noise([rows, kv], seed ^ 1) * 3.0, noise([rows, kv], seed ^ 2)];
        let (cos, sin) = angles(seq + 3, half);
        let call = |f: fn(Tensor<2>, Tensor<2>, Tensor<2>, Tensor<2>, Tensor<2>, AttentionShape) -> Tensor<2>| {
            let (cos, sin) = (cos.clone(), sin.clone());
            move |t: Vec<Tensor<2>>| {
                let device = t[0].device();
                let [cos, sin] = [&cos, &sin].map(|x| Tensor::<2>::from_data(x.to_data(), &device));
                f(t[0].clone(), t[1].clone(), t[2].clone(), cos, sin, shape)
            }
        };
        check(&inputs, call(causal_attention), call(portable::causal_attention));
    }

    #[test]
    fn log_probs_match(n in 1..300_usize, d in 1..40_usize, vocab in 1..400_usize, hot in 3..20_u8, seed: u64) {
        let inputs = [noise([n, d], seed) * 2.0, noise([vocab, d], seed ^ 1)];
        let targets: Vec<i64> = (0..n).map(|i| ((i as u64 * 31 + seed) % vocab as u64) as i64).collect();
        let temperature = f64::from(hot) / 10.0;
        let call = |f: fn(Tensor<2>, Tensor<2>, Tensor<1, Int>, f64) -> Tensor<1>| {
            let targets = targets.clone();
            move |t: Vec<Tensor<2>>| {
                let targets = Tensor::from_data(TensorData::new(targets.clone(), [n]), &t[0].device());
                f(t[0].clone(), t[1].clone(), targets, temperature)
            }
        };
        check(&inputs, call(log_prob_head), call(portable::log_prob_head));
        let targets = Tensor::from_data(TensorData::new(targets.clone(), [n]), &Device::flex());
        let [h, w] = inputs;
        let fast = log_prob_entropy(h.clone(), w.clone(), targets.clone(), temperature);
        let plain = portable::log_prob_entropy(h, w, targets, temperature);
        fast.0.into_data().assert_approx_eq::<f32>(&plain.0.into_data(), Tolerance::rel_abs(1e-4, 1e-4));
        fast.1.into_data().assert_approx_eq::<f32>(&plain.1.into_data(), Tolerance::rel_abs(1e-4, 1e-4));
    }
}

#[test]
fn attention_of_a_sequence_does_not_depend_on_its_batch_or_padding() {
    let run = |batch: usize, seq: usize| {
        let shape = AttentionShape { batch, seq, heads: 4, kv_heads: 2, head_dim: 8 };
        // The first sequence's first 60 rows are the same in every call.
        let part = |width: usize, seed: u64| {
            let mut rows = noise([batch * seq, width], seed + seq as u64);
            rows = rows.slice_assign([0..60, 0..width], noise([60, width], seed));
            rows
        };
        let (cos, sin) = angles(200, 4);
        let out = causal_attention(part(32, 1), part(16, 2), part(16, 3), cos, sin, shape);
        out.narrow(0, 0, 60).into_data().try_to_vec::<f32>().unwrap()
    };
    let alone = run(1, 60);
    assert_eq!(alone, run(3, 60));
    assert_eq!(alone, run(2, 131));
}

/// Where an embedding has an output matrix beside it, both give their gradients back: without taking what is kept, memory
/// would grow by a table with every pass.
#[test]
fn the_gradient_of_a_large_table_takes_the_memory_that_is_kept() {
    let [vocab, d] = [1027, 1025];
    reuse::give(vec![7.0; vocab * d]);
    let ids = |device: &Device| Tensor::<1, Int>::from_data(TensorData::from([3_i64, 1026, 3]), device);
    check(
        &[noise([vocab, d], 5)],
        |t| embedding(t[0].clone(), ids(&t[0].device())),
        |t| portable::embedding(t[0].clone(), ids(&t[0].device())),
    );
    assert_eq!(reuse::count(vocab * d), 0);
}

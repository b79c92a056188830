//! One token from each row of logits, on the device: greedy, or from the nucleus, without sorting the vocabulary and
//! without reading anything back.
//!
//! The nucleus (Holtzman et al. 2020) is found by bisection of the weight down to which tokens count. A token is drawn by
//! walking through the rest in the order of the ids until a share `u` of the weight has gone by, with `u` from the
//! sample's own stream: what [`super::pick`] does where top-p is 1, so that the CPU's kernels and a GPU draw the same token
//! from the same logits (up to rounding, where `u` falls between two). With top-p under 1, `pick` walks likeliest first,
//! and draws differ, with the same probabilities. Tokens whose weights differ by less than 10⁻⁵ count as equal.

use burn::tensor::{Bool, DType, Int, Tensor};

use crate::student::ops::decode::{HALVINGS, MOST, least};

/// Tokens of a stretch of the vocabulary that is passed at once.
const STRETCH: usize = 128;

/// What was drawn.
pub struct Drawn {
    /// Tokens, `[rows]`; always inside the vocabulary.
    pub tokens: Tensor<1, Int>,
    /// Rows whose logits are no numbers, `[rows]`.
    pub broken: Tensor<1, Bool>,
}

/// Draws from `logits [rows, vocab]`. `uniform [rows]` is in 0..1; a temperature of 0 is greedy. A GPU does it in one
/// launch (`student::ops::decode`).
pub fn draw(logits: Tensor<2>, temperature: f64, top_p: f64, uniform: Tensor<1>) -> Drawn {
    #[cfg(feature = "kernels")]
    if crate::student::ops::decode::is_cube(&logits.device()) {
        let (tokens, broken) = crate::student::ops::decode::pick(logits, temperature, top_p, uniform);
        return Drawn { tokens, broken };
    }
    portable(logits.cast(DType::F32), temperature, top_p, uniform)
}

/// The same by tensor operations: what the kernel is held against.
fn portable(logits: Tensor<2>, temperature: f64, top_p: f64, uniform: Tensor<1>) -> Drawn {
    let top = logits.clone().max_dim(1);
    let below = logits.clone() - top;
    let weights = if temperature > 0.0 && temperature != 1.0 { below * (1.0 / temperature) } else { below }.exp();
    let total = weights.clone().sum_dim(1);
    // Not a number is not lower either.
    let broken = total.clone().lower_elem(f32::MAX).bool_not().squeeze_dim(1);
    let tokens = if temperature <= 0.0 {
        logits.argmax(1).squeeze_dim(1)
    } else {
        let weights = if top_p < 1.0 { nucleus(weights, total, top_p) } else { weights };
        walk(weights, uniform)
    };
    Drawn { tokens, broken }
}

/// `weights [rows, vocab]`, the largest 1, without those outside the nucleus of `top_p` of their sum `total [rows, 1]`.
///
/// Every halving passes over all weights three times, which at a large batch is most of what a token takes: so the search
/// begins where a nucleus can end.
fn nucleus(weights: Tensor<2>, total: Tensor<2>, top_p: f64) -> Tensor<2> {
    let wanted = total * top_p;
    let from = |floor: Tensor<2>| weights.clone().mask_fill(weights.clone().lower(floor.exp()), 0.0);
    let least = f64::from(least(top_p, weights.dims()[1]));
    // What lies over `low` is enough; over `low` and twice the next step it is not.
    let (mut low, mut step) = (wanted.full_like(least), -least);
    for _ in 0..HALVINGS {
        step /= 2.0;
        let middle = low.clone() + step;
        let enough = from(middle.clone()).sum_dim(1).greater_equal(wanted.clone());
        low = low.mask_where(enough, middle);
    }
    from(low)
}

/// The first token at which the running sum of `weights [rows, vocab]` passes the share `uniform [rows]` of all.
fn walk(weights: Tensor<2>, uniform: Tensor<1>) -> Tensor<1, Int> {
    let [rows, vocab] = weights.dims();
    let stretches = vocab.div_ceil(STRETCH);
    let padding = stretches * STRETCH - vocab;
    let weights = match padding {
        0 => weights,
        n => {
            let nothing = Tensor::zeros([rows, n], &weights.device());
            Tensor::cat(vec![weights, nothing], 1)
        }
    };
    let weights = weights.reshape([rows, stretches, STRETCH]);
    let sums = weights.clone().sum_dim(2).reshape([rows, stretches]);
    let passed = sums.clone().cumsum(1);
    let target = passed.clone().narrow(1, stretches - 1, 1) * uniform.clamp_max(MOST).reshape([rows, 1]);
    let stretch = before(passed.clone(), target.clone(), stretches);
    let inside = weights.gather(1, stretch.clone().reshape([rows, 1, 1]).expand([rows, 1, STRETCH]));
    let inside = inside.reshape([rows, STRETCH]);
    let begun = passed.gather(1, stretch.clone()) - sums.gather(1, stretch.clone());
    let sums = inside.cumsum(1);
    // Rounding may leave a rest at the end of a stretch: then the last token of it that can be drawn.
    let most = sums.clone().narrow(1, STRETCH - 1, 1) * MOST;
    let place = before(sums, (target - begun).min_pair(most), STRETCH);
    (stretch * STRETCH as i64 + place).reshape([rows])
}

/// How many of the running sums `[rows, n]` do not pass `target [rows, 1]`, at most `n - 1`: `[rows, 1]`.
fn before(sums: Tensor<2>, target: Tensor<2>, n: usize) -> Tensor<2, Int> {
    sums.lower_equal(target).int().sum_dim(1).clamp_max(n as i64 - 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::sample::pick::{Picker, stream};
    use burn::tensor::{Device, TensorData};
    use rand::Rng as _;

    fn rows(values: Vec<f32>, rows: usize) -> Tensor<2> {
        let columns = values.len() / rows;
        Tensor::from_data(TensorData::new(values, [rows, columns]), &Device::flex())
    }

    fn tokens(drawn: &Drawn) -> Vec<i64> {
        drawn.tokens.clone().into_data().convert::<i64>().try_to_vec().unwrap()
    }

    fn broken(drawn: &Drawn) -> Vec<bool> {
        drawn.broken.clone().into_data().iter::<bool>().collect()
    }

    fn uniform(values: Vec<f32>) -> Tensor<1> {
        let n = values.len();
        Tensor::from_data(TensorData::new(values, [n]), &Device::flex())
    }

    #[test]
    fn the_same_token_as_the_cpus_kernels_draw() {
        for vocab in [3, 128, 300, 1000] {
            let n = 200;
            let mut random = stream(vocab as u64, 0);
            let values: Vec<f32> = (0..n * vocab).map(|_| random.random::<f32>() * 6.0).collect();
            let mut streams: Vec<_> = (0..n as u32).map(|i| stream(7, i)).collect();
            let mut again = streams.clone();
            let shares = streams.iter_mut().map(|s| s.random::<f64>() as f32).collect();
            let drawn = tokens(&draw(rows(values.clone(), n), 0.8, 1.0, uniform(shares)));
            let mut picker = Picker::default();
            let rest = values.chunks(vocab).zip(&mut again).zip(&drawn);
            let same =
                rest.map(|((logits, random), token)| picker.pick(logits, 0.8, 1.0, random) == Some(*token as u32));
            let same = same.filter(|same| *same).count();
            assert!(same >= n - 2, "{same} of {n} at {vocab}");
            let greedy = tokens(&draw(rows(values.clone(), n), 0.0, 1.0, uniform(vec![0.5; n])));
            for (logits, token) in values.chunks(vocab).zip(greedy) {
                assert!(logits.iter().all(|l| *l <= logits[token as usize]));
            }
        }
    }

    #[test]
    fn every_share_falls_on_a_token_of_the_nucleus_in_proportion() {
        // The nucleus of 0.8 is {1, 3}: 0.5 and 0.3, with tokens of no weight before, between and behind.
        let p = [0.0f32, 0.5, 0.0, 0.3, 0.15, 0.05, 0.0];
        let n = 1000;
        let logits: Vec<f32> = (0..n).flat_map(|_| p.map(|p| 0.5 * p.ln())).collect();
        let shares: Vec<f32> = (0..n).map(|i| i as f32 / (n - 1) as f32).collect();
        let count = |top_p: f64, token: i64| {
            let drawn = tokens(&draw(rows(logits.clone(), n), 0.5, top_p, uniform(shares.clone())));
            drawn.iter().filter(|t| **t == token).count()
        };
        let near = |got: usize, wanted: usize| got.abs_diff(wanted) <= 2;
        assert!(near(count(0.79, 1), 625) && near(count(0.79, 3), 375), "{} {}", count(0.79, 1), count(0.79, 3));
        assert!(near(count(1.0, 1), 500) && near(count(1.0, 5), 50));
        assert_eq!((count(0.3, 1), count(1.0, 0), count(1.0, 2), count(1.0, 6)), (n, 0, 0, 0));
    }

    #[test]
    fn broken_rows_are_told_apart_and_stay_inside_the_vocabulary() {
        let (nan, inf) = (f32::NAN, f32::INFINITY);
        let values = vec![nan, 0.0, 1.0, inf, 0.0, 0.0, 0.0, -inf, 2.0, -inf, -inf, -inf];
        for temperature in [0.0, 1.0] {
            let drawn = draw(rows(values.clone(), 4), temperature, 0.9, uniform(vec![0.4; 4]));
            assert_eq!(broken(&drawn), [true, true, false, true]);
            assert!(tokens(&drawn).iter().all(|t| (0..3).contains(t)), "{:?}", tokens(&drawn));
            assert_eq!(tokens(&drawn)[2], 2);
        }
    }

    #[cfg(feature = "kernels")]
    #[test]
    fn a_gpu_s_kernel_draws_what_the_tensor_operations_draw() {
        let Some(gpu) = crate::student::ops::decode::kernels::to_test_on() else { return };
        let on =
            |values: &[f32], shape: [usize; 2]| Tensor::<2>::from_data(TensorData::new(values.to_vec(), shape), &gpu);
        for vocab in [3, 128, 300, 5000] {
            let n = 64;
            let mut random = stream(vocab as u64, 0);
            let values: Vec<f32> = (0..n * vocab).map(|_| random.random::<f32>() * 12.0).collect();
            let shares: Vec<f32> = (0..n).map(|_| random.random::<f32>()).collect();
            for (temperature, top_p) in [(0.0, 1.0), (0.8, 1.0), (0.7, 0.9), (1.0, 0.3)] {
                let wanted = tokens(&draw(rows(values.clone(), n), temperature, top_p, uniform(shares.clone())));
                let drawn = draw(on(&values, [n, vocab]), temperature, top_p, on(&shares, [1, n]).reshape([n]));
                let differ = wanted.iter().zip(tokens(&drawn)).filter(|(a, b)| **a != *b).count();
                assert!(differ <= 1, "{differ} of {n} differ at {vocab}, {temperature}, {top_p}");
                assert_eq!(broken(&drawn), vec![false; n]);
            }
        }
        let (nan, inf) = (f32::NAN, f32::INFINITY);
        let values = [nan, 0.0, 1.0, inf, 0.0, 0.0, 0.0, -inf, 2.0, -inf, -inf, -inf];
        for temperature in [0.0, 1.0] {
            let shares = on(&[0.4; 4], [1, 4]).reshape([4]);
            let drawn = draw(on(&values, [4, 3]), temperature, 0.9, shares);
            assert_eq!(broken(&drawn), [true, true, false, true]);
            assert!(tokens(&drawn).iter().all(|t| (0..3).contains(t)), "{:?}", tokens(&drawn));
            assert_eq!(tokens(&drawn)[2], 2);
        }
    }
}

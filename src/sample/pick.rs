//! One token from one row of logits: greedy, or from the nucleus (Holtzman et al. 2020), without sorting the vocabulary.

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::student::ops::simd::{exp, max, simd};

/// Candidates that are put in order before the rest is.
const LIKELY: usize = 64;

/// The random numbers of one sample, which depend on nothing but its two names.
pub fn stream(group: u64, sample: u32) -> ChaCha8Rng {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&group.to_le_bytes());
    seed[8..12].copy_from_slice(&sample.to_le_bytes());
    seed[12..28].copy_from_slice(b"footbridge token");
    ChaCha8Rng::from_seed(seed)
}

simd! {
    /// `weights = e^((logits − top) / T)`; gives their sum.
    fn weigh(logits: &'a [f32], top: f32, inverse: f32, weights: &'a mut [f32]) -> f32 {
        let mut sums = [0.0; 16];
        let (weights, rest) = weights.as_chunks_mut::<16>();
        let (chunks, tail) = logits.as_chunks::<16>();
        for (weights, logits) in weights.iter_mut().zip(chunks) {
            for i in 0..16 {
                weights[i] = exp((logits[i] - top) * inverse);
                sums[i] += weights[i];
            }
        }
        let mut sum = 0.0;
        for (weight, logit) in rest.iter_mut().zip(tail) {
            *weight = exp((logit - top) * inverse);
            sum += *weight;
        }
        sums.iter().sum::<f32>() + sum
    }
}

simd! {
    fn largest(x: &'a [f32]) -> f32 {
        max(x)
    }
}

/// Chooses tokens; keeps its memory between rows.
#[derive(Default)]
pub struct Picker {
    weights: Vec<f32>,
    candidates: Vec<(f32, u32)>,
    /// What the token that was picked last has of the whole weight.
    share: f64,
}

impl Picker {
    /// The next token, or `None` where no logit is a number. Draws from `random` once, unless greedy.
    ///
    /// Of equally likely tokens the one with the lower id counts as the likelier.
    pub fn pick(&mut self, logits: &[f32], temperature: f64, top_p: f64, random: &mut impl Rng) -> Option<u32> {
        self.share = 1.0;
        let top = largest(logits);
        if !top.is_finite() {
            return None;
        }
        if temperature <= 0.0 {
            return logits.iter().position(|x| *x == top).map(|i| i as u32);
        }
        self.weights.resize(logits.len(), 0.0);
        let total = f64::from(weigh(logits, top, (1.0 / temperature) as f32, &mut self.weights));
        if !total.is_finite() {
            return None;
        }
        let uniform: f64 = random.random();
        let token = if top_p >= 1.0 {
            let target = uniform * self.weights.iter().map(|w| f64::from(*w)).sum::<f64>();
            walk(self.weights.iter().copied().zip(0..), target)
        } else {
            let inside = self.nucleus(top_p * total, total);
            let mass: f64 = inside.iter().map(|(w, _)| f64::from(*w)).sum();
            walk(inside.iter().copied(), uniform * mass)
        }?;
        self.share = f64::from(self.weights[token as usize]) / total;
        Some(token)
    }

    /// log p of the token that was picked last, nats: at the temperature, before top-p. 0 of a greedy one, which is the
    /// only one.
    pub fn log_prob(&self) -> f32 {
        self.share.ln() as f32
    }

    /// The smallest set of likeliest tokens that weighs at least `wanted`, likeliest first.
    fn nucleus(&mut self, wanted: f64, total: f64) -> &[(f32, u32)] {
        let all = &mut self.candidates;
        // Tokens over a threshold come before those under it, so a threshold that leaves enough weight will do; the
        // second one always does: all under it together weigh no more than what may be left out.
        let sure = (total - wanted) / self.weights.len() as f64 * (1.0 - 1e-6);
        for floor in [0.01 * total, sure] {
            all.clear();
            all.extend(self.weights.iter().copied().zip(0..).filter(|(w, _)| f64::from(*w) > floor));
            if all.iter().map(|(w, _)| f64::from(*w)).sum::<f64>() * (1.0 - 1e-6) >= wanted {
                break;
            }
        }
        let order = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if all.len() > LIKELY {
            all.select_nth_unstable_by(LIKELY - 1, order);
            all[..LIKELY].sort_unstable_by(order);
            if let Some(n) = reach(&all[..LIKELY], wanted) {
                return &all[..n];
            }
        }
        all.sort_unstable_by(order);
        let n = reach(all, wanted).unwrap_or(all.len());
        &all[..n]
    }
}

/// How many of the first weights it takes to weigh `wanted`.
fn reach(weights: &[(f32, u32)], wanted: f64) -> Option<usize> {
    let mut sum = 0.0;
    weights
        .iter()
        .position(|(w, _)| {
            sum += f64::from(*w);
            sum >= wanted
        })
        .map(|i| i + 1)
}

/// The token at which the running sum passes `target`; the last possible one where rounding leaves a rest.
fn walk(weights: impl Iterator<Item = (f32, u32)>, target: f64) -> Option<u32> {
    let (mut sum, mut last) = (0.0, None);
    for (weight, token) in weights {
        if weight > 0.0 {
            sum += f64::from(weight);
            last = Some(token);
            if sum > target {
                break;
            }
        }
    }
    last
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::{Picker, largest, stream, weigh};
    use proptest::prelude::*;
    use rand::Rng as _;

    /// The nucleus by its definition: sort everything.
    fn by_sorting(weights: &[f32], wanted: f64) -> Vec<u32> {
        let mut all: Vec<(f32, u32)> = weights.iter().copied().zip(0..).collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut sum = 0.0;
        let mut inside = Vec::new();
        for (w, token) in all {
            inside.push(token);
            sum += f64::from(w);
            if sum >= wanted {
                break;
            }
        }
        inside
    }

    proptest! {
        #[test]
        fn the_nucleus_is_exact(n in 1..700_usize, spread in 0.0..12.0_f32, top_p in 0.01..0.999_f64, seed: u64) {
            let mut random = stream(seed, 0);
            let logits: Vec<f32> = (0..n).map(|_| random.random::<f32>() * spread).collect();
            let mut picker = Picker::default();
            picker.weights.resize(n, 0.0);
            let top = largest(&logits);
            let total = f64::from(weigh(&logits, top, 1.0, &mut picker.weights));
            let expected = by_sorting(&picker.weights, top_p * total);
            let inside: Vec<u32> = picker.nucleus(top_p * total, total).iter().map(|(_, t)| *t).collect();
            prop_assert_eq!(inside, expected);
        }
    }

    #[test]
    fn frequencies_follow_the_probabilities() {
        let logits: Vec<f32> = [0.5_f32, 0.3, 0.15, 0.05].iter().map(|p| 0.7 * p.ln()).collect();
        let mut picker = Picker::default();
        let draws = 40_000;
        let mut count = |top_p: f64| {
            let mut seen = [0.0; 4];
            for i in 0..draws {
                let token = picker.pick(&logits, 0.7, top_p, &mut stream(9, i)).unwrap();
                seen[token as usize] += 1.0 / f64::from(draws);
            }
            seen
        };
        for (seen, p) in count(1.0).iter().zip([0.5, 0.3, 0.15, 0.05]) {
            assert!((seen - p).abs() < 0.01, "{seen} for {p}");
        }
        for (seen, p) in count(0.79).iter().zip([0.625, 0.375, 0.0, 0.0]) {
            assert!((seen - p).abs() < 0.01, "{seen} for {p}");
        }
    }

    #[test]
    fn the_log_prob_of_what_was_picked_is_that_of_the_softmax_whatever_top_p() {
        let probabilities = [0.5_f32, 0.3, 0.15, 0.05];
        let logits: Vec<f32> = probabilities.iter().map(|p| 0.7 * p.ln()).collect();
        let mut picker = Picker::default();
        for (draw, top_p) in (0..200).flat_map(|draw| [(draw, 1.0), (draw, 0.79)]) {
            let token = picker.pick(&logits, 0.7, top_p, &mut stream(3, draw)).unwrap();
            let expected = probabilities[token as usize].ln();
            assert!((picker.log_prob() - expected).abs() < 1e-5, "{} for {expected}", picker.log_prob());
        }
        picker.pick(&logits, 0.0, 1.0, &mut stream(3, 0));
        assert_eq!(picker.log_prob(), 0.0);
    }

    #[test]
    fn greedy_takes_the_first_of_equals_and_nothing_from_broken_logits() {
        let mut picker = Picker::default();
        let mut random = stream(1, 2);
        assert_eq!(picker.pick(&[0.0, 3.0, 3.0], 0.0, 1.0, &mut random), Some(1));
        assert_eq!(picker.pick(&[f32::NAN; 3], 1.0, 1.0, &mut random), None);
        assert_eq!(picker.pick(&[f32::NAN, 1.0], 1.0, 0.9, &mut random), None);
        assert_eq!(picker.pick(&[f32::NEG_INFINITY, 1.0], 1.0, 0.9, &mut random), Some(1));
        assert_eq!(picker.pick(&[f32::INFINITY, 1.0], 0.0, 1.0, &mut random), None);
    }

    #[test]
    fn streams_differ() {
        let draw = |g, s| stream(g, s).random::<u64>();
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }
}

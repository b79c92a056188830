//! Chance as a function of a seed and a path of names.
//!
//! Two places that draw from different paths never disturb each other: adding a question or asking twice changes
//! nothing elsewhere. Numbers are taken from the generator's raw words here, so that they stay the same when a
//! library changes how it maps words to ranges.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// A stream of draws.
#[derive(Clone, Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream that belongs to `seed` and `path`; every part of the path counts, and so does where it is cut.
    pub fn new(seed: u64, path: &[&str]) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        for part in path {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        Self(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// A whole number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize
    }

    /// A whole number from `low` to `high`, both included; `low` when the range is empty.
    pub fn range(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(1) as usize) as i64
    }

    /// A real number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with the given probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of `options`, which must not be empty.
    pub fn pick<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.below(options.len())]
    }

    /// `N` different ones of `options`, which must be at least as many.
    pub fn pick_distinct<T: Copy, const N: usize>(&mut self, options: &[T]) -> [T; N] {
        let mut left = options.to_vec();
        std::array::from_fn(|_| left.swap_remove(self.below(left.len())))
    }

    /// An index, drawn in proportion to `weights`.
    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut rest = self.unit() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            if rest < *weight {
                return index;
            }
            rest -= weight;
        }
        weights.len().saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_seed_and_path_only() {
        let draw = |seed, path: &[&str]| Dice::new(seed, path).range(0, i64::MAX - 1);
        assert_eq!(draw(1, &["a", "b"]), draw(1, &["a", "b"]));
        assert_ne!(draw(1, &["a", "b"]), draw(2, &["a", "b"]));
        assert_ne!(draw(1, &["a", "b"]), draw(1, &["ab"]));
    }

    #[test]
    fn draws_stay_inside_their_ranges_and_reach_both_ends() {
        let mut dice = Dice::new(3, &["range"]);
        let seen: std::collections::BTreeSet<i64> = (0..400).map(|_| dice.range(-2, 3)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), vec![-2, -1, 0, 1, 2, 3]);
        assert_eq!(dice.range(5, 4), 5);
    }

    #[test]
    fn weights_are_met() {
        let mut dice = Dice::new(3, &["weights"]);
        let mut counts = [0usize; 3];
        for _ in 0..6000 {
            counts[dice.weighted(&[0.5, 0.0, 0.25])] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((counts[0] as f64 / 6000.0 - 2.0 / 3.0).abs() < 0.03, "{counts:?}");
    }

    #[test]
    fn distinct_picks_differ() {
        let mut dice = Dice::new(3, &["distinct"]);
        for _ in 0..50 {
            let [a, b, c] = dice.pick_distinct::<_, 3>(&[1, 2, 3]);
            assert_eq!(a + b + c, 6);
        }
    }
}

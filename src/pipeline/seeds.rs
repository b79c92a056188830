//! All randomness of a run is a function of (seed, place, question, sample): order, batching and interruptions don't
//! change an outcome.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// The random stream of one question at one place of a run.
pub fn stream(seed: u64, place: &str, question: &str) -> u64 {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update((place.len() as u64).to_le_bytes());
    hash.update(place.as_bytes());
    hash.update(question.as_bytes());
    let digest = hash.finalize();
    digest.iter().take(8).fold(0, |value, byte| (value << 8) | u64::from(*byte))
}

/// A seeded order of `0..len`.
pub fn order(seed: u64, place: &str, len: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(stream(seed, place, "order")));
    order
}

/// The first `take` entries of an endless sequence of seeded passes over `0..len`, from entry `from` on.
pub fn cycle(seed: u64, place: &str, len: usize, from: usize, take: usize) -> Vec<usize> {
    let mut picked = Vec::with_capacity(take);
    let mut at = from;
    while len > 0 && picked.len() < take {
        let pass = order(seed, &format!("{place}/pass-{}", at / len), len);
        let rest = &pass[at % len..];
        let n = rest.len().min(take - picked.len());
        picked.extend_from_slice(&rest[..n]);
        at += n;
    }
    picked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_every_part() {
        let base = stream(1, "difficulty", "train-0001");
        assert_eq!(base, stream(1, "difficulty", "train-0001"));
        for other in [
            stream(2, "difficulty", "train-0001"),
            stream(1, "rollouts", "train-0001"),
            stream(1, "difficulty", "train-0002"),
            stream(1, "difficultyt", "rain-0001"),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn a_cycle_visits_everything_once_per_pass_and_can_start_anywhere() {
        let all = cycle(3, "grpo", 10, 0, 25);
        let mut first: Vec<_> = all[..10].to_vec();
        first.sort_unstable();
        assert_eq!(first, (0..10).collect::<Vec<_>>());
        assert_eq!(cycle(3, "grpo", 10, 7, 9), all[7..16]);
        assert!(cycle(3, "grpo", 0, 0, 5).is_empty());
    }
}

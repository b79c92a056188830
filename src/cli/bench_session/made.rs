//! Made rollouts with the texture of real answers: words of a long-tailed vocabulary, the names and numbers of one
//! question repeated in all its samples, a computation per line, an answer line.
//!
//! They compress about as answers of a small model do: the samples of one question share their words, never their
//! sentences. Everything is a function of (seed, question, sample).

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::domain::{Finish, Provenance, Rollout};
use crate::recipe::SamplingRecipe;
use crate::session::records::RolloutGroup;

/// Characters that count as one token, as in English prose with numbers.
const CHARACTERS_PER_TOKEN: usize = 4;
/// Words there are, and words that the samples of one question prefer.
const VOCABULARY: usize = 4000;
const OF_A_QUESTION: usize = 60;

/// Makes groups of rollouts.
pub struct Maker {
    words: Vec<String>,
    seed: u64,
    samples: u32,
    tokens: u32,
}

impl Maker {
    /// For `samples` answers a question, of `tokens` tokens on average.
    pub fn new(seed: u64, samples: u32, tokens: u32) -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let words = (0..VOCABULARY).map(|_| word(&mut dice)).collect();
        Self { words, seed, samples, tokens }
    }

    /// Id of a question.
    pub fn id(question: usize) -> String {
        format!("train-{question:05}")
    }

    /// All samples of one question. Its rate of right answers is drawn evenly from 0 to 1.
    pub fn group(&self, question: usize) -> RolloutGroup {
        let mut dice = ChaCha8Rng::seed_from_u64(self.seed);
        dice.set_stream(1 + question as u64);
        let theirs: Vec<usize> = (0..OF_A_QUESTION).map(|_| self.rare(&mut dice)).collect();
        let numbers: Vec<u32> = (0..6).map(|_| dice.random_range(2..500)).collect();
        let rate: f64 = dice.random();
        let rollouts = (0..self.samples).map(|_| self.rollout(&mut dice, &theirs, &numbers, rate)).collect();
        RolloutGroup {
            question: Self::id(question),
            provenance: Provenance {
                verifier: "gsm8k-strict".into(),
                prompt: "0123456789ab".into(),
                checkpoint: "base".into(),
            },
            sampling: SamplingRecipe { temperature: 0.7, top_p: 0.9, max_new_tokens: 512 },
            rollouts,
        }
    }

    fn rollout(&self, dice: &mut ChaCha8Rng, theirs: &[usize], numbers: &[u32], rate: f64) -> Rollout {
        // Lengths spread from half to one and a half of the mean.
        let length = (f64::from(self.tokens) * dice.random_range(0.5..1.5)) as usize * CHARACTERS_PER_TOKEN;
        let mut text = String::with_capacity(length + 80);
        while text.len() < length {
            self.line(&mut text, dice, theirs, numbers);
        }
        let correct = dice.random_bool(rate);
        let answer = if correct { numbers[0] } else { numbers[0] + dice.random_range(1..90) };
        text.push_str(&format!("#### {answer}"));
        let tokens = (text.len() / CHARACTERS_PER_TOKEN) as u32;
        Rollout { text, tokens, finish: Finish::EndOfTurn, answer: Some(answer.to_string()), correct }
    }

    /// A sentence, and after some of them a computation.
    fn line(&self, text: &mut String, dice: &mut ChaCha8Rng, theirs: &[usize], numbers: &[u32]) {
        for position in 0..dice.random_range(6..14) {
            let word = if dice.random_bool(0.6) { theirs[dice.random_range(0..theirs.len())] } else { self.rare(dice) };
            if position > 0 {
                text.push(' ');
            }
            text.push_str(&self.words[word]);
        }
        if dice.random_bool(0.6) {
            let (a, b) = (numbers[dice.random_range(0..numbers.len())], dice.random_range(2..60));
            text.push_str(&format!(" {a} * {b} = <<{a}*{b}={}>>{}", a * b, a * b));
        }
        text.push_str(".\n");
    }

    /// A word with the long tail of language: the n-th is drawn about 1/n as often as the first.
    fn rare(&self, dice: &mut ChaCha8Rng) -> usize {
        let exponent: f64 = dice.random();
        ((VOCABULARY as f64).powf(exponent) as usize).saturating_sub(1).min(VOCABULARY - 1)
    }
}

/// One to four syllables.
fn word(dice: &mut ChaCha8Rng) -> String {
    const HEADS: [&str; 16] = ["b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "th", "st", "w"];
    const TAILS: [&str; 14] = ["a", "e", "i", "o", "u", "an", "er", "in", "on", "es", "ed", "al", "ar", "y"];
    let syllables = dice.random_range(1..=4);
    let syllable = |dice: &mut ChaCha8Rng| {
        [HEADS[dice.random_range(0..HEADS.len())], TAILS[dice.random_range(0..TAILS.len())]].concat()
    };
    (0..syllables).map(|_| syllable(dice)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_place_gives_the_same_rollouts_of_the_length_asked_for() {
        let maker = Maker::new(3, 64, 200);
        let group = maker.group(5);
        assert_eq!(group, Maker::new(3, 64, 200).group(5));
        assert_ne!(group.rollouts[0].text, group.rollouts[1].text);
        let mean = group.tokens() / u64::from(group.n());
        assert!((170..240).contains(&mean), "{mean} tokens");
        let ks: Vec<u32> = (0..20).map(|question| maker.group(question).correct()).collect();
        assert!(ks.iter().any(|k| *k < 16) && ks.iter().any(|k| *k > 48), "{ks:?}");
    }
}

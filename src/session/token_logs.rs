//! How likely each token of a rollout was to the student that sampled it, kept beside the GRPO steps: a byte for the
//! log-prob and one for the token's place in the text. Sessions of earlier versions have none.

use serde::{Deserialize, Serialize};

use super::Record;

/// Parts of a nat that −log p is kept to.
pub const PER_NAT: f32 = 16.0;

/// −log p of a token in [`PER_NAT`]ths of a nat: 0 for a sure token, at most 255 (15.9 nats).
pub fn quantised(log_prob: f32) -> u8 {
    // A float cast keeps to the range of the integer; what is no number becomes 0.
    (-log_prob * PER_NAT).round() as u8
}

/// −log p in nats.
pub fn nats(quantised: u8) -> f32 {
    f32::from(quantised) / PER_NAT
}

/// The tokens of one rollout, in order, the end-of-turn token included. Log-probs are those of the sampler: at the
/// rollouts' temperature, before top-p.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenLog {
    /// −log p of each, as [`quantised`] gives it.
    pub surprise: Vec<u8>,
    /// Bytes of the rollout's text that each stands for; 0 for the end of the turn.
    pub bytes: Vec<u16>,
}

impl TokenLog {
    /// The text cut into its tokens, each with its −log p in nats. `None` where the log does not fit the text.
    pub fn cut<'a>(&self, text: &'a str) -> Option<Vec<(&'a str, f32)>> {
        if self.surprise.len() != self.bytes.len() || self.surprise.is_empty() {
            return None;
        }
        let mut pieces = Vec::with_capacity(self.bytes.len());
        let (mut from, mut at) = (0, 0);
        for (bytes, surprise) in self.bytes.iter().zip(&self.surprise) {
            at += usize::from(*bytes);
            // A token may end inside a character; its bytes are shown with the next.
            if at > text.len() {
                return None;
            }
            if text.is_char_boundary(at) {
                pieces.push((&text[from..at], nats(*surprise)));
                from = at;
            }
        }
        (from == text.len()).then_some(pieces)
    }
}

/// The token logs of a GRPO step: groups and rollouts in the order of the step's. Key: `stage/step`, as the step's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTokens {
    /// Of each group its rollouts.
    pub groups: Vec<Vec<TokenLog>>,
}

impl Record for StepTokens {
    const TABLE: &'static str = "token-log";
    const VERSION: u32 = 1;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn log_probs_are_kept_to_a_sixteenth_of_a_nat_and_never_wrap() {
        for (log_prob, kept) in [(0.0, 0), (-1.0, 16), (-0.03, 0), (-0.04, 1), (-100.0, 255), (0.5, 0)] {
            assert_eq!(quantised(log_prob), kept, "{log_prob}");
        }
        assert_eq!((quantised(f32::NAN), quantised(f32::NEG_INFINITY)), (0, 255));
        assert_eq!(nats(24), 1.5);
    }

    #[test]
    fn a_text_is_cut_where_its_tokens_end() {
        let log = TokenLog { surprise: vec![0, 16, 32, 8], bytes: vec![3, 1, 1, 0] };
        assert_eq!(log.cut("abcé").unwrap(), [("abc", 0.0), ("é", 2.0), ("", 0.5)], "half a character waits");
        assert_eq!(log.cut("abcd"), None);
        assert_eq!(log.cut("abcdefg"), None);
        assert_eq!(TokenLog::default().cut(""), None);
        assert_eq!(TokenLog { surprise: vec![1], bytes: vec![] }.cut(""), None);
    }
}

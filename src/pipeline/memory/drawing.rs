//! What drawing answers on the CPU holds beside the weights, of a student and of a teacher of this machine alike.

use super::{LARGE, NUMBER, Part, lanes, parameters, table};
use crate::student::ModelConfig;

/// Positions a key-value cache grows by (`student::cache`).
const BLOCK: usize = 64;
/// Tokens of a prompt read in one step (`sample::lane`).
const PREFILL: usize = 512;
/// What its parts are called: weights laid out again, keys and values, the rest.
pub(super) const DRAWN: [&str; 4] = ["weights with adapters", "packed weights", "KV cache", "activations and logits"];

/// Answers that are drawn at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Drawing {
    /// Worker threads.
    pub threads: usize,
    /// Sequences at once.
    pub slots: usize,
    /// Longest prompt.
    pub prompt: usize,
    /// Longest sequence, prompt included.
    pub positions: usize,
    /// Numbers of matrices that are added up with adapters.
    pub adapted: u64,
}

impl Drawing {
    /// Its parts under these names.
    pub fn parts(&self, config: &ModelConfig, [adapters, packed, cache, rest]: [&'static str; 4]) -> Vec<Part> {
        let lanes = lanes(config, self.threads);
        let again = if parameters(config) >= LARGE {
            Part { what: adapters, bytes: NUMBER * self.adapted }
        } else {
            let head = if config.tied { table(config) } else { 0 };
            Part { what: packed, bytes: NUMBER * (parameters(config) + head) }
        };
        let slots = (self.slots.max(1) as u64).div_ceil(lanes);
        let block = |positions: usize| positions.next_multiple_of(BLOCK) as u64;
        let token = NUMBER * config.layers as u64 * 2 * config.kv_width() as u64;
        let positions = lanes * (slots * block(self.positions) + block(self.prompt));
        let rows = slots.max(self.prompt.min(PREFILL) as u64);
        let (d, q, kv, f) = (config.hidden_size, config.query_width(), config.kv_width(), config.intermediate_size);
        let wide = (2 * d + (q + 2 * kv).max(2 * f) + q.max(f)) as u64;
        // Logits of every slot, and of the open prompt with what picking a token from it needs.
        let logits = (slots + 4) * config.vocab_size as u64;
        let activations = NUMBER * lanes * (rows * wide + logits);
        vec![again, Part { what: cache, bytes: positions * token }, Part { what: rest, bytes: activations }]
    }
}

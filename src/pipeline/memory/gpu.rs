//! The moments of a run on a GPU, and how many answers are sampled at once there.
//!
//! Counted from what a prompt and a training pass hold by the portable operations (`student::ops::portable`, with their
//! graph where it trains), and a decoding step by its kernels (`student::ops::decode::kernels`): weights, gradients and
//! moments in single precision, what lies between in the precision of the products. As on the CPU lengths are the longest
//! the recipe allows. Unlike there, sampling takes what is left: its batch is chosen so that it fills the device. Two
//! parts are reserves and not counts: what the driver takes for kernels, and what is lost between the pages of the
//! device's pools.

use super::{Demand, Moment, NUMBER, Part, SAMPLING, Trained, held, parameters, pass, table};
use crate::sample::sizes::{BUCKET, READ, SCORES, SLACK};
use crate::student::ops::head;
use crate::student::{ModelConfig, Precision};

/// More sequences at once bring a GPU little.
pub const MOST_SLOTS: usize = 1024;
/// Kernels and work spaces of the driver: a reserve.
pub(super) const RUNTIME: u64 = 512 << 20;
/// One byte in so many is lost between pages: a reserve.
const GAPS: u64 = 8;
/// Rows of logits that a sequence holds at once while its first token is drawn: its prompt's, those with the banned tokens
/// out, its own.
const LOGITS: u64 = 3;
/// Tensors of the size of a parameter that its update holds at once.
const UPDATE: u64 = 6;

/// Bytes of a number between the weights.
fn number(precision: Precision) -> u64 {
    match precision {
        Precision::F32 => 4,
        Precision::Bf16 => 2,
    }
}

/// Sampling, as far as its memory is concerned.
#[derive(Clone, Copy, Debug)]
pub struct Answers {
    /// In which precision matrices are multiplied.
    pub precision: Precision,
    /// Longest prompt in tokens.
    pub prompt: usize,
    /// Longest sequence in tokens, prompt included.
    pub positions: usize,
    /// Numbers of the matrices that are added up with their adapters.
    pub adapted: u64,
}

impl Answers {
    /// As many sequences as fit into `free` bytes beside what a run already holds: 1 at least, [`MOST_SLOTS`] at most.
    pub fn slots(&self, config: &ModelConfig, free: u64) -> usize {
        let bytes = |slots: usize| with_gaps(self.parts(config, slots)).iter().map(|part| part.bytes).sum::<u64>();
        let one = bytes(1);
        let each = (bytes(2) - one).max(1);
        let fitting = 1 + usize::try_from(free.saturating_sub(one) / each).unwrap_or(MOST_SLOTS);
        let mut slots = fitting.min(MOST_SLOTS);
        // The gaps are rounded down.
        while slots > 1 && bytes(slots) > free {
            slots -= 1;
        }
        slots
    }

    /// What sampling holds beside the run.
    fn parts(&self, config: &ModelConfig, slots: usize) -> Vec<Part> {
        let slots = slots.max(1) as u64;
        let [d, q, kv, f, vocab] =
            [config.hidden_size, config.query_width(), config.kv_width(), config.intermediate_size, config.vocab_size]
                .map(|n| n as u64);
        let (heads, layers, n) = (config.heads as u64, config.layers as u64, number(self.precision));
        let columns = (self.positions + SLACK).next_multiple_of(BUCKET) as u64;
        let token = 2 * n * layers * kv;
        // A ring grows by a half at most, and stands beside the one it grew from.
        let ring = columns * token * 5 / 3;
        // The one before is still there when a new one is made.
        let masks = 2 * columns * NUMBER;
        // Prompts are read together up to a number of tokens, the longest of them alone at worst.
        let (prompt, together) = (self.prompt as u64, READ.max(self.prompt) as u64);
        let wide = n * (5 * f + 2 * (q + 2 * kv)) + NUMBER * (3 * d + 4 * (q + kv));
        let scores = (together * prompt * heads).min(SCORES as u64).max(prompt * prompt * heads);
        let reading = together * (wide + 2 * token) + scores * (3 * NUMBER + n);
        vec![
            Part { what: "weights laid out", bytes: n * parameters(config) + NUMBER * self.adapted },
            Part { what: "KV ring", bytes: slots * ring },
            Part { what: "prompts being read", bytes: reading },
            Part { what: "logits and masks", bytes: slots * (LOGITS * n * vocab + masks + wide) },
        ]
    }
}

/// Answers of a demand.
pub(super) fn answers(demand: &Demand, precision: Precision) -> Answers {
    let Demand { prompt, positions, .. } = *demand;
    Answers { precision, prompt, positions, adapted: demand.trained.adapted() }
}

/// The demand with as many sequences as fit into `available` bytes at its worst moment of sampling.
pub(super) fn filled(config: &ModelConfig, demand: Demand, precision: Precision, available: u64) -> Demand {
    let trained = demand.trains() && demand.beside;
    let beside: u64 = with_gaps(held(config, &demand, trained)).iter().map(|part| part.bytes).sum();
    let slots = answers(&demand, precision).slots(config, available.saturating_sub(beside));
    Demand { slots, ..demand }
}

/// The parts and what is lost between their pages.
fn with_gaps(mut parts: Vec<Part>) -> Vec<Part> {
    let bytes = parts.iter().map(|part| part.bytes).sum::<u64>().div_ceil(GAPS);
    parts.push(Part { what: "gaps between pages", bytes });
    parts
}

/// Sampling, in a run at its worst: between the steps of GRPO.
pub(super) fn sampling(config: &ModelConfig, demand: &Demand, precision: Precision, trained: bool) -> Moment {
    let mut parts = held(config, demand, trained);
    parts.extend(answers(demand, precision).parts(config, demand.slots));
    Moment { name: SAMPLING, parts: with_gaps(parts) }
}

/// Bytes that a token leaves in the graph of one layer until the backward pass has come by, in a sequence of `longest`
/// tokens.
fn layer(config: &ModelConfig, precision: Precision, longest: usize) -> u64 {
    let [d, q, kv, f] =
        [config.hidden_size, config.query_width(), config.kv_width(), config.intermediate_size].map(|n| n as u64);
    let n = number(precision);
    // A norm keeps its input and its quotient in single precision, and what it gave.
    let norm = |width: u64| width * (2 * NUMBER + n);
    let norms = 2 * norm(d) + if config.head_norms { norm(q + kv) } else { 0 };
    // Queries and keys before they are turned, then as they go into the product; values; attention's answer.
    let attention = (NUMBER + n) * (q + kv) + n * (kv + q);
    // The exponentials, and the shares as they go into the product.
    let scores = (config.heads * longest) as u64 * (NUMBER + n);
    // Gate, its sigmoid, their product, up, and the product of both.
    norms + attention + scores + 5 * n * f
}

/// Forward, backward, the sum of gradients and the update. A pass is largest at its start, with all activations, or at its
/// end, with all gradients and the update of the largest matrix.
pub(super) fn step(
    config: &ModelConfig,
    demand: &Demand,
    (name, batch): (&'static str, super::Batch),
    precision: Precision,
) -> Moment {
    let mut parts = held(config, demand, true);
    let (layers, d, n) = (config.layers as u64, config.hidden_size as u64, number(precision));
    let whole = batch.sequences.saturating_mul(batch.longest);
    let tokens = pass(batch, demand) as u64;
    let layer = layer(config, precision, batch.longest);
    let kept = if demand.checkpointing { layers * n * d + 2 * layer } else { (layers + 1) * layer };
    // Log-probs of the reference need one layer, without a graph, beside all that.
    let activations = tokens * (kept + layer + 3 * NUMBER * d);
    // Those of a few rows at a time, three times while they become their gradient, and cast for the products. Beside them
    // the output matrix's gradient: the sum so far, what these rows add (as the product gave it, too), the new sum.
    let narrow = if precision == Precision::F32 { 0 } else { n };
    let logits = (3 * NUMBER + narrow) * config.vocab_size as u64 * tokens.min(head::ROWS as u64);
    let head = if demand.trained == Trained::All { (3 * NUMBER + narrow) * table(config) } else { 0 };
    // Cast for the products; with layers computed again, a layer's at a time, and the output matrix.
    let cast = match (precision, demand.checkpointing) {
        (Precision::F32, _) => 0,
        (Precision::Bf16, false) => n * parameters(config),
        (Precision::Bf16, true) => n * (parameters(config) / layers.max(1) + table(config)),
    };
    let gradients = NUMBER * demand.trained.numbers(config);
    let sum = if tokens < whole as u64 { gradients } else { 0 };
    let largest = table(config).max(d * config.intermediate_size as u64);
    let start = activations + logits + head;
    let end = gradients + UPDATE * NUMBER * largest;
    parts.push(Part { what: "weights with adapters", bytes: NUMBER * demand.trained.adapted() });
    parts.push(Part { what: "weights cast", bytes: cast });
    parts.push(Part { what: "activations", bytes: activations });
    parts.push(Part { what: "logits", bytes: logits });
    parts.push(Part { what: "gradients", bytes: sum + head + start.max(end) - start });
    Moment { name, parts: with_gaps(parts) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::{Advice, Machine, On, fit, plan};
    use super::*;
    use crate::recipe::Recipe;
    use crate::student::random::Shape;

    const GIB: u64 = 1 << 30;

    fn qwen() -> ModelConfig {
        Shape::Qwen25_05B.config().unwrap()
    }

    fn gpu(gib: u64, precision: Precision) -> Machine {
        Machine { threads: 2, on: On::Gpu(precision), available: gib * GIB }
    }

    #[test]
    fn answers_fill_what_is_free_up_to_a_limit() {
        let answers = |positions| Answers { precision: Precision::Bf16, prompt: 300, positions, adapted: 0 };
        let bytes =
            |slots| -> u64 { with_gaps(answers(1000).parts(&qwen(), slots)).iter().map(|part| part.bytes).sum() };
        // By hand: weights and prompts take 3.846 GiB with their gaps; a sequence of 1,024 columns 23.6 MiB, of 4,096
        // columns 91.1 MiB. GiB free, longest sequence: sequences at once.
        let table = [(0, 1000, 1), (4, 1000, 6), (10, 1000, 267), (40, 1000, MOST_SLOTS), (10, 4000, 69)];
        for (gib, positions, slots) in table {
            let found = answers(positions).slots(&qwen(), gib * GIB);
            assert_eq!(found, slots, "{gib} GiB, {positions} tokens");
            if (2..MOST_SLOTS).contains(&found) && positions == 1000 {
                assert!(bytes(found) <= gib * GIB && bytes(found + 1) > gib * GIB, "{gib} GiB are filled");
            }
        }
        let single = Answers { precision: Precision::F32, ..answers(1000) };
        assert!(single.slots(&qwen(), 10 * GIB) < answers(1000).slots(&qwen(), 10 * GIB));
    }

    #[test]
    fn the_parts_are_those_that_can_be_counted_by_hand() {
        let machine = gpu(140, Precision::Bf16);
        let plan = fit(&Recipe::default(), &qwen(), machine).unwrap();
        let bytes = |moment: &str, part: &str| {
            let moment = plan.moments.iter().find(|m| m.name == moment).unwrap();
            moment.parts.iter().find(|p| p.what == part).unwrap().bytes
        };
        let weights = 4 * parameters(&qwen());
        for moment in ["sampling", "an SFT step", "a GRPO step"] {
            assert_eq!(bytes(moment, "weights"), weights);
            assert_eq!(bytes(moment, "base and reference"), 2 * weights);
            assert_eq!(bytes(moment, "AdamW moments"), 2 * weights);
        }
        assert_eq!(bytes("sampling", "weights laid out"), weights / 2);
        assert_eq!(bytes("an SFT step", "weights cast"), weights / 2);
        // However many tokens are scored: 1,024 rows of 151,936 logits, 14 bytes each.
        for moment in ["an SFT step", "a GRPO step"] {
            assert_eq!(bytes(moment, "logits"), 14 * 1024 * 151_936);
        }
        // 12 KiB per token and sequence, and two thirds of it again while a ring grows.
        let positions = Demand::of(&Recipe::default(), &qwen(), 2).positions + SLACK;
        let ring = MOST_SLOTS as u64 * positions.next_multiple_of(BUCKET) as u64 * (12 << 10) * 5 / 3;
        assert!(bytes("sampling", "KV ring") <= ring && bytes("sampling", "KV ring") > 0);
        assert!(plan.moments.iter().all(|m| m.name != "saving a state"), "a state is written from the host's memory");
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        let (mut recipe, config) = (Recipe::default(), qwen());
        recipe.data.train = 600;
        let mut seen = [0; 4];
        for precision in [Precision::Bf16, Precision::F32] {
            for gib in (1..60).rev() {
                let machine = gpu(gib, precision);
                let Err(refused) = fit(&recipe, &config, machine) else {
                    seen[0] += 1;
                    continue;
                };
                let text = refused.to_string();
                let (at, settings) = match &refused.advice {
                    Advice::Settings(settings) => (1, settings.clone()),
                    Advice::Adapters(settings) => (2, settings.clone()),
                    Advice::Nothing(least) => {
                        assert!(*least > machine.available && text.contains("smaller student"), "{text}");
                        (3, Vec::new())
                    }
                };
                seen[at] += 1;
                // The batch of answers follows from the memory, and threads hold nothing there.
                assert!(!text.contains("student.slots") && !text.contains("--threads"), "{text}");
                if at < 3 {
                    let settings: Vec<(String, String)> = settings.into_iter().map(|(k, v)| (k.into(), v)).collect();
                    let smaller = recipe.clone().with(&settings).unwrap();
                    assert!(!settings.is_empty() && fit(&smaller, &config, machine).is_ok(), "{text}");
                }
            }
        }
        assert!(seen.iter().all(|n| *n > 0), "{seen:?}");
    }

    #[test]
    fn each_setting_moves_the_moment_it_is_about() {
        let base = Demand { on: On::Gpu(Precision::Bf16), ..Demand::of(&Recipe::default(), &qwen(), 2) };
        let bytes = |demand: &Demand, name: &str| {
            plan(&qwen(), demand).moments.iter().find(|m| m.name == name).unwrap().bytes()
        };
        for name in ["an SFT step", "a GRPO step"] {
            let all = bytes(&base, name);
            assert!(bytes(&Demand { checkpointing: true, ..base.clone() }, name) < all);
            let halved = Demand { micro_batch_tokens: base.micro_batch_tokens / 2, ..base.clone() };
            assert!(bytes(&halved, name) <= all);
            assert!(bytes(&Demand { on: On::Gpu(Precision::F32), ..base.clone() }, name) > all);
            assert_eq!(bytes(&Demand { threads: 16, slots: 1, ..base.clone() }, name), all);
        }
        assert!(bytes(&Demand { slots: 1, ..base.clone() }, "sampling") < bytes(&base, "sampling"));
    }
}

//! Cutting a batch into shards: what goes through the model at once.
//!
//! Sequences are sorted by length, so that a shard holds like with like and pads little, and packed until
//! `micro_batch_tokens` padded positions are full. The cut depends on the lengths and the setting alone, never on the
//! number of threads; gradients are summed in the order of the shards. So results are the same on any machine.

/// On the CPU, batches are cut into at least this many shards (as far as they have sequences), so that threads find work.
pub const AT_LEAST: usize = 4;

/// Sequences that go through the model together, padded on the right to the same width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Indices of the sequences in their batch, longest first.
    pub rows: Vec<usize>,
    /// Length of the longest, in tokens.
    pub width: usize,
}

/// Packs sequences of these lengths into `at_least` shards or more, longest first. A sequence longer than `micro_batch_tokens` gets a
/// shard of its own; empty ones are left out.
pub fn pack(lengths: &[usize], micro_batch_tokens: usize, at_least: usize) -> Vec<Shard> {
    let total: usize = lengths.iter().sum();
    let budget = micro_batch_tokens.min(total.div_ceil(at_least.max(1))).max(1);
    let mut order: Vec<usize> = (0..lengths.len()).filter(|&i| lengths[i] > 0).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(lengths[i]));
    let mut shards: Vec<Shard> = Vec::new();
    for i in order {
        match shards.last_mut() {
            Some(shard) if (shard.rows.len() + 1) * shard.width <= budget => shard.rows.push(i),
            _ => shards.push(Shard { rows: vec![i], width: lengths[i] }),
        }
    }
    shards
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn like_goes_with_like() {
        let shards = pack(&[10, 100, 11, 0, 99], 200, AT_LEAST);
        let rows: Vec<_> = shards.iter().map(|s| (s.rows.clone(), s.width)).collect();
        assert_eq!(rows, vec![(vec![1], 100), (vec![4], 99), (vec![2, 0], 11)]);
    }

    proptest! {
        #[test]
        fn every_sequence_once_and_no_shard_over_the_limit(
            lengths in proptest::collection::vec(0usize..300, 0..60), limit in 1usize..2000,
        ) {
            let shards = pack(&lengths, limit, AT_LEAST);
            let mut seen: Vec<usize> = shards.iter().flat_map(|s| s.rows.clone()).collect();
            seen.sort_unstable();
            let want: Vec<usize> = (0..lengths.len()).filter(|&i| lengths[i] > 0).collect();
            prop_assert_eq!(seen, want);
            for s in &shards {
                prop_assert_eq!(s.width, s.rows.iter().map(|&i| lengths[i]).max().unwrap());
                prop_assert!(s.rows.len() == 1 || s.rows.len() * s.width <= limit);
            }
        }
    }
}

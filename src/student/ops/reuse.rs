//! Memory of large gradients, kept from one backward pass to the next.
//!
//! A step on a student of half a billion parameters fills two gigabytes of gradients. Given back to the system after every
//! update, their pages have to be cleared again for the next, which costs a third of the step. So the trainer gives them
//! here ([`give`]), backward passes take them from here ([`take`]), and the last training to end lets go ([`clear`]).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Entries from which memory is kept: 4 MiB. What is smaller stays with the allocator anyway.
const LARGE: usize = 1 << 20;

/// Buffers by their length.
static KEPT: Mutex<BTreeMap<usize, Vec<Vec<f32>>>> = Mutex::new(BTreeMap::new());

fn kept() -> MutexGuard<'static, BTreeMap<usize, Vec<Vec<f32>>>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `n` numbers that the caller overwrites, all of them: zeros, or what an earlier gradient left behind.
pub(crate) fn take(n: usize) -> Vec<f32> {
    let old = if n < LARGE { None } else { kept().get_mut(&n).and_then(Vec::pop) };
    old.unwrap_or_else(|| vec![0.0; n])
}

/// Keeps a gradient's memory, if it is large.
pub(crate) fn give(gradient: Vec<f32>) {
    if gradient.len() >= LARGE {
        kept().entry(gradient.len()).or_default().push(gradient);
    }
}

/// Gradients of this length that are kept.
#[cfg(test)]
pub(crate) fn count(n: usize) -> usize {
    kept().get(&n).map_or(0, Vec::len)
}

/// Gives everything back to the system.
pub(crate) fn clear() {
    kept().clear();
}

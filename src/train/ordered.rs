//! Work on many threads, results in order.
//!
//! Shards are taken from one queue by whichever thread is free; their results are handed on strictly by index. A sum
//! made of them is therefore the same with any number of threads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::student::workers::Workers;

/// Results that wait for their turn.
struct Turn<T, F> {
    next: usize,
    waiting: BTreeMap<usize, T>,
    take: F,
}

/// Runs `work(index)` for every index under `count` on the workers' threads and calls `take(index, result)` in order of
/// index. Results wait while one before them is at work.
pub fn in_order<T: Send>(
    workers: &Workers,
    count: usize,
    work: impl Fn(usize) -> T + Sync,
    take: impl FnMut(usize, T) + Send,
) {
    let queue = AtomicUsize::new(0);
    let turn = Mutex::new(Turn { next: 0, waiting: BTreeMap::new(), take });
    workers.run(|_worker| {
        loop {
            let index = queue.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return;
            }
            let result = work(index);
            let mut turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            turn.waiting.insert(index, result);
            let Turn { next, waiting, take } = &mut *turn;
            while let Some(result) = waiting.remove(next) {
                take(*next, result);
                *next += 1;
            }
        }
    });
}

/// As [`in_order`], one after the other, each spread over all threads: for work too large or too scarce to go side by
/// side.
pub fn one_by_one<T>(
    workers: &Workers,
    count: usize,
    work: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(usize, T) + Send,
) {
    workers.together(|| (0..count).for_each(|index| take(index, work(index))));
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn results_come_by_index_with_any_number_of_threads() {
        for threads in [1, 2, 5] {
            let mut seen = Vec::new();
            let slow_first = |i: usize| {
                std::thread::sleep(std::time::Duration::from_millis([3, 0, 0][i % 3]));
                i * i
            };
            in_order(&Workers::new(threads), 10, slow_first, |i, square| seen.push((i, square)));
            assert_eq!(seen, (0..10).map(|i| (i, i * i)).collect::<Vec<_>>());
        }
    }
}

//! Work on many threads, results in order.
//!
//! Shards are taken from one queue by whichever thread is free; their results are handed on strictly by index. A sum
//! made of them is therefore the same with any number of threads. Behind a slow shard no more than [`ahead`] are begun, so
//! that what waits for its turn is bounded.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::student::workers::Workers;

/// Results that wait for their turn.
struct Turn<T, F> {
    next: usize,
    waiting: BTreeMap<usize, T>,
    take: F,
    /// A thread has panicked: its index never has its turn, and nobody waits for it.
    broken: bool,
}

/// Indices that may be at work or waiting at once, that whose turn it is included: two per thread.
pub fn ahead(threads: usize) -> usize {
    2 * threads
}

/// Runs `work(index)` for every index under `count` on the workers' threads and calls `take(index, result)` in order of
/// index. Results wait while one before them is at work, and threads where too many do.
pub fn in_order<T: Send>(
    workers: &Workers,
    count: usize,
    work: impl Fn(usize) -> T + Sync,
    take: impl FnMut(usize, T) + Send,
) {
    let (queue, ahead) = (AtomicUsize::new(0), ahead(workers.count()));
    let turn = Mutex::new(Turn { next: 0, waiting: BTreeMap::new(), take, broken: false });
    let moved = Condvar::new();
    workers.run(|_worker| {
        let mut whole = Whole { turn: &turn, moved: &moved, ended: false };
        loop {
            let index = queue.fetch_add(1, Ordering::Relaxed);
            // Indices are given out in order, and whoever has the one whose turn it is does not wait: no deadlock.
            let early = |turn: &mut Turn<_, _>| index >= turn.next + ahead && !turn.broken;
            let waited = moved.wait_while(locked(&turn), early).unwrap_or_else(PoisonError::into_inner);
            if index >= count || waited.broken {
                whole.ended = true;
                return;
            }
            drop(waited);
            let result = work(index);
            let mut turn = locked(&turn);
            turn.waiting.insert(index, result);
            let Turn { next, waiting, take, .. } = &mut *turn;
            while let Some(result) = waiting.remove(next) {
                take(*next, result);
                *next += 1;
            }
            moved.notify_all();
        }
    });
}

fn locked<T>(turn: &Mutex<T>) -> MutexGuard<'_, T> {
    turn.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread's part. Dropped before it has ended, in a panic, it sends the other threads home.
struct Whole<'a, T, F> {
    turn: &'a Mutex<Turn<T, F>>,
    moved: &'a Condvar,
    ended: bool,
}

impl<T, F> Drop for Whole<'_, T, F> {
    fn drop(&mut self) {
        if !self.ended {
            locked(self.turn).broken = true;
            self.moved.notify_all();
        }
    }
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

    #[test]
    fn behind_a_slow_one_few_are_begun() {
        let (workers, begun, at_most) = (Workers::new(3), AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |index: usize| {
            begun.fetch_add(1, Ordering::SeqCst);
            if index == 0 {
                // The others have all the time they need to run ahead.
                std::thread::sleep(std::time::Duration::from_millis(60));
                at_most.store(begun.load(Ordering::SeqCst), Ordering::SeqCst);
            }
        };
        let mut taken = 0;
        in_order(&workers, 100, work, |_, ()| taken += 1);
        assert_eq!((taken, at_most.into_inner()), (100, ahead(3)));
    }

    #[test]
    fn a_panic_in_one_ends_all() {
        let work = |index: usize| assert!(index != 1, "the second is broken");
        let run = || in_order(&Workers::new(3), 100, work, |_, ()| ());
        assert!(std::panic::catch_unwind(run).is_err());
        let take = |index: usize, ()| assert!(index != 1, "it cannot be taken");
        let run = || in_order(&Workers::new(3), 100, |_| (), take);
        assert!(std::panic::catch_unwind(run).is_err());
    }
}

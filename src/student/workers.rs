//! Threads for work on the CPU: each is a pool of one, so that what runs inside never spreads over the others.
//!
//! Many small matrix products gain nothing from being split; whole sequences side by side do. Large models are the other
//! way round: there all threads share each product ([`Workers::together`]).

use std::sync::OnceLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// A fixed number of threads that wait for work.
#[derive(Debug)]
pub struct Workers {
    pools: Vec<ThreadPool>,
    /// As many threads in one pool, started when first needed; `None` where the system refuses.
    joint: OnceLock<Option<ThreadPool>>,
}

impl Workers {
    /// Starts `threads` threads, at least one. A thread the system refuses is left out.
    pub fn new(threads: usize) -> Self {
        let start =
            |i: usize| ThreadPoolBuilder::new().num_threads(1).thread_name(move |_| format!("worker-{i}")).build();
        Self { pools: (0..threads.max(1)).filter_map(|i| start(i).ok()).collect(), joint: OnceLock::new() }
    }

    /// As many threads as the machine runs at once.
    pub fn available() -> Self {
        Self::new(std::thread::available_parallelism().map_or(2, usize::from))
    }

    /// Number of threads.
    pub fn count(&self) -> usize {
        self.pools.len().max(1)
    }

    /// Calls `work(index)` once on every thread and waits for all.
    pub fn run(&self, work: impl Fn(usize) + Sync) {
        self.run_beside(work, || ());
    }

    /// As [`Workers::run`], while `here` runs on the calling thread.
    pub fn run_beside<R>(&self, work: impl Fn(usize) + Sync, here: impl FnOnce() -> R) -> R {
        if self.pools.is_empty() {
            work(0);
            return here();
        }
        nest(&self.pools, 0, &work, here)
    }
}

/// Work that all threads share.
impl Workers {
    /// Calls `work` once; what it does in parallel is spread over all threads.
    pub fn together<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match self.joint() {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// As [`Workers::together`], while `here` runs on the calling thread.
    pub fn together_beside<R>(&self, work: impl FnOnce() + Send, here: impl FnOnce() -> R) -> R {
        match self.joint() {
            Some(pool) => pool.in_place_scope(|scope| {
                scope.spawn(|_| work());
                here()
            }),
            None => {
                work();
                here()
            }
        }
    }

    fn joint(&self) -> Option<&ThreadPool> {
        let start = || {
            let pool = ThreadPoolBuilder::new().num_threads(self.count());
            pool.thread_name(|i| format!("together-{i}")).build().ok()
        };
        self.joint.get_or_init(start).as_ref()
    }
}

/// Opens a scope on every pool, one inside the other.
fn nest<R>(pools: &[ThreadPool], index: usize, work: &(impl Fn(usize) + Sync), here: impl FnOnce() -> R) -> R {
    match pools.split_first() {
        None => here(),
        Some((pool, rest)) => pool.in_place_scope(|scope| {
            scope.spawn(move |_| work(index));
            nest(rest, index + 1, work, here)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn every_thread_works_once_and_alone() {
        for n in [1, 2, 5] {
            let workers = Workers::new(n);
            assert_eq!(workers.count(), n);
            let (calls, seen) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let here = workers.run_beside(
                |i| {
                    assert_eq!(rayon::current_num_threads(), 1);
                    calls.fetch_add(1, Ordering::SeqCst);
                    seen.fetch_or(1 << i, Ordering::SeqCst);
                },
                || 7,
            );
            assert_eq!((here, calls.into_inner(), seen.into_inner()), (7, n, (1 << n) - 1));
        }
    }

    #[test]
    fn together_is_one_call_with_all_threads() {
        let workers = Workers::new(3);
        assert_eq!(workers.together(rayon::current_num_threads), 3);
        let mut seen = 0;
        assert_eq!(workers.together_beside(|| seen = rayon::current_num_threads(), || 7), 7);
        assert_eq!(seen, 3);
    }
}

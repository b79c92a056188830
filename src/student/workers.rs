//! Stand-in until the operations' branch is merged.

/// Threads.
pub struct Workers {
    pools: Vec<rayon::ThreadPool>,
}

impl Workers {
    /// n threads.
    #[allow(clippy::unwrap_used)]
    pub fn new(threads: usize) -> Self {
        Self {
            pools: (0..threads.max(1))
                .map(|_| rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap())
                .collect(),
        }
    }

    /// Runs on each.
    pub fn run(&self, work: impl Fn(usize) + Sync) {
        std::thread::scope(|scope| {
            for (i, pool) in self.pools.iter().enumerate() {
                let work = &work;
                scope.spawn(move || pool.install(|| work(i)));
            }
        });
    }
}

//! How fast calls may begin: so many a minute, so many tokens a minute, and not before a server's `Retry-After`.
//!
//! Both limits are let through evenly rather than a minute's worth at once: what a server counts in any minute then stays
//! below them. Callers wait in line.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// Part of a minute's worth that may pass at once.
const BURST: u32 = 60;

/// One limit.
struct Gate {
    limiter: DefaultDirectRateLimiter,
    burst: NonZeroU32,
    line: tokio::sync::Mutex<()>,
}

impl Gate {
    /// `None` where `per_minute` is 0: no limit.
    fn new(per_minute: u32) -> Option<Self> {
        let quota = NonZeroU32::new(per_minute)?;
        let burst = NonZeroU32::new(per_minute / BURST).unwrap_or(NonZeroU32::MIN);
        let limiter = RateLimiter::direct(Quota::per_minute(quota).allow_burst(burst));
        Some(Self { limiter, burst, line: tokio::sync::Mutex::new(()) })
    }

    async fn pass(&self, mut left: u32) {
        let _first = self.line.lock().await;
        while let Some(part) = NonZeroU32::new(left.min(self.burst.get())) {
            match self.limiter.check_n(part) {
                Ok(Ok(())) => left -= part.get(),
                Ok(Err(later)) => tokio::time::sleep(later.wait_time_from(DefaultClock::default().now())).await,
                // A part is never larger than the burst.
                Err(_) => return,
            }
        }
    }
}

/// All limits.
pub struct Pace {
    requests: Option<Gate>,
    tokens: Option<Gate>,
    not_before: Mutex<Option<Instant>>,
}

impl Pace {
    /// Limits per minute; 0 sets none.
    pub fn new(requests: u32, tokens: u32) -> Self {
        Self { requests: Gate::new(requests), tokens: Gate::new(tokens), not_before: Mutex::new(None) }
    }

    /// Waits until a call of this many tokens may begin.
    pub async fn pass(&self, tokens: u64) {
        if let Some(gate) = &self.tokens {
            gate.pass(u32::try_from(tokens).unwrap_or(u32::MAX)).await;
        }
        if let Some(gate) = &self.requests {
            gate.pass(1).await;
        }
        while let Some(wait) = self.pause() {
            tokio::time::sleep(wait).await;
        }
    }

    /// No call begins for so long.
    pub fn hold_back(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut not_before = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        *not_before = Some(not_before.map_or(until, |known| known.max(until)));
    }

    fn pause(&self) -> Option<Duration> {
        let mut not_before = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        let left = not_before.map(|until| until.saturating_duration_since(Instant::now())).filter(|d| !d.is_zero());
        if left.is_none() {
            *not_before = None;
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds that `calls` take.
    fn took(pace: &Pace, calls: u32, tokens: u64) -> f64 {
        let begun = Instant::now();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let Ok(runtime) = runtime else { return 0.0 };
        runtime.block_on(futures::future::join_all((0..calls).map(|_| pace.pass(tokens))));
        begun.elapsed().as_secs_f64()
    }

    #[test]
    fn calls_and_tokens_pass_evenly() {
        // 10 at once, then 10 in a second: 12 take a fifth of one.
        let seconds = took(&Pace::new(600, 0), 12, 0);
        assert!(seconds > 0.15, "{seconds}");
        let seconds = took(&Pace::new(0, 6000), 4, 30);
        assert!(seconds > 0.15, "{seconds}");
        assert!(took(&Pace::new(0, 0), 1000, 1_000_000) < 0.15);
    }

    #[test]
    fn everybody_waits_when_held_back() {
        let pace = Pace::new(0, 0);
        pace.hold_back(Duration::from_millis(60));
        pace.hold_back(Duration::from_millis(10));
        assert!(took(&pace, 2, 0) > 0.05);
        assert_eq!(pace.pause(), None);
    }
}

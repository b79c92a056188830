//! How long to wait before asking again: exponential with full jitter, so that calls that failed together do not come back
//! together.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// The waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Longest first wait; doubled each time.
    pub first: Duration,
    /// Longest wait of our own.
    pub longest: Duration,
    /// Longest wait that a server may ask for; what it asks beyond is cut to it.
    pub longest_asked: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { first: seconds(1), longest: seconds(60), longest_asked: seconds(300) }
    }
}

impl Backoff {
    /// The wait before asking for the `tries`-th time again (from 1); `luck` is drawn from [0, 1).
    pub fn wait(&self, tries: u32, luck: f64) -> Duration {
        let doubled = 2u32.saturating_pow(tries.saturating_sub(1).min(31));
        self.first.saturating_mul(doubled).min(self.longest).mul_f64(luck.clamp(0.0, 1.0))
    }

    /// What a `Retry-After` asks for, in seconds or as a date, at `now`; `None` where it cannot be read.
    pub fn asked(&self, retry_after: &str, now: Timestamp) -> Option<Duration> {
        let text = retry_after.trim();
        let seconds = match text.parse::<f64>() {
            Ok(seconds) => seconds,
            Err(_) => rfc2822::parse(text).ok()?.timestamp().duration_since(now).as_secs_f64(),
        };
        let longest = self.longest_asked.as_secs_f64();
        seconds.is_finite().then(|| Duration::from_secs_f64(seconds.clamp(0.0, longest)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_luck_shortens_them() {
        let backoff = Backoff::default();
        let longest: Vec<u64> = (1..10).map(|tries| backoff.wait(tries, 1.0).as_secs()).collect();
        assert_eq!(longest, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(backoff.wait(3, 0.25), Duration::from_secs(1));
        assert_eq!(backoff.wait(u32::MAX, 0.0), Duration::ZERO);
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now: Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
        let asked = |text| Backoff::default().asked(text, now).map(|wait| wait.as_secs_f64());
        assert_eq!(asked("7"), Some(7.0));
        assert_eq!(asked(" 0.5 "), Some(0.5));
        assert_eq!(asked("Sat, 21 Nov 2026 08:00:30 GMT"), Some(30.0));
        assert_eq!(asked("Sat, 21 Nov 2026 07:00:00 GMT"), Some(0.0));
        assert_eq!(asked("86400"), Some(300.0));
        assert_eq!(asked("-3"), Some(0.0));
        assert_eq!((asked("soon"), asked("nan"), asked("")), (None, None, None));
    }
}

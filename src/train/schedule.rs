//! Learning rates: warm-up, then half a cosine (SFT, Table 5) or a straight line (GRPO).
//!
//! Reading: the SFT warm-up starts at rate 0, so the first update moves the moments and not the parameters, and lasts
//! `floor(ratio · N)` updates (reading.md, row 26b). The line's warm-up does not spend a step on rate 0.

/// SFT's schedule: linear from 0 to the peak, then half a cosine down to a share of the peak (Table 5).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WarmupCosine {
    /// The highest rate.
    pub peak: f64,
    /// Number of updates, N.
    pub total: usize,
    /// Share of N that warms up.
    pub warmup_ratio: f64,
    /// The cosine would end, at update N, at this share of the peak.
    pub min_ratio: f64,
}

impl WarmupCosine {
    /// Updates that warm up, `floor(ratio · N)`.
    pub fn warmup_updates(&self) -> usize {
        (self.warmup_ratio * self.total as f64) as usize
    }

    /// Rate of the update with this index, from 0.
    pub fn rate(&self, update: usize) -> f64 {
        let warmup = self.warmup_updates();
        if update < warmup {
            return self.peak * update as f64 / warmup as f64;
        }
        let done = share(update - warmup, self.total.saturating_sub(warmup));
        let low = self.min_ratio;
        self.peak * (low + (1.0 - low) * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())).max(low)
    }
}

/// GRPO's schedule: a few rising steps, then a straight line down to a share of the peak; share 1 is constant (Table 6).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WarmupLinear {
    /// The highest rate.
    pub peak: f64,
    /// Number of steps, N.
    pub total: usize,
    /// Steps below the peak: step s has (s + 1) / (warmup + 1) of it.
    pub warmup: usize,
    /// The line would end, at step N, at this share of the peak.
    pub final_ratio: f64,
}

impl WarmupLinear {
    /// Rate of the step with this index, from 0.
    pub fn rate(&self, step: usize) -> f64 {
        if step < self.warmup {
            return self.peak * (step + 1) as f64 / (self.warmup + 1) as f64;
        }
        let done = share(step - self.warmup, self.total.saturating_sub(self.warmup));
        self.peak * (1.0 + (self.final_ratio - 1.0) * done)
    }
}

/// `part / whole`, at most 1; a whole of 0 counts as 1.
fn share(part: usize, whole: usize) -> f64 {
    (part as f64 / whole.max(1) as f64).min(1.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_line_rises_in_equal_steps_and_falls_to_its_share() {
        let line = WarmupLinear { peak: 1.0, total: 13, warmup: 3, final_ratio: 0.05 };
        let rates: Vec<f64> = (0..14).map(|s| line.rate(s)).collect();
        assert_eq!(&rates[..4], &[0.25, 0.5, 0.75, 1.0]);
        assert!((rates[8] - 0.525).abs() < 1e-12, "half way down the line");
        assert!((rates[13] - 0.05).abs() < 1e-12, "the end of the line");
        assert!(rates[3..].windows(2).all(|w| w[1] < w[0]));
    }

    #[test]
    fn a_final_share_of_one_is_constant_and_late_steps_stay_at_the_end() {
        let flat = WarmupLinear { peak: 1e-6, total: 4, warmup: 0, final_ratio: 1.0 };
        assert!((0..9).all(|s| flat.rate(s) == 1e-6));
        let cosine = WarmupCosine { peak: 2.0, total: 4, warmup_ratio: 0.0, min_ratio: 0.1 };
        assert_eq!(cosine.rate(0), 2.0);
        assert!((cosine.rate(40) - 0.2).abs() < 1e-12);
    }
}

//! Learning rates: warm-up, then half a cosine (SFT, Table 5) or a straight line (GRPO).
//!
//! Reading: SFT's warm-up starts at rate 0, so the first update moves the moments and not the parameters, and lasts
//! `floor(ratio · N)` updates (reading.md, row 26b). GRPO's warm-up spends no step on rate 0, for a step costs a
//! batch of rollouts.

/// Rate of an SFT update (index from 0, of `total`): linear from 0 to `peak` over the share `warmup_ratio`, then half a
/// cosine that would reach `peak · min_ratio` at update `total` (Table 5).
pub fn warmup_cosine(update: usize, total: usize, peak: f64, warmup_ratio: f64, min_ratio: f64) -> f64 {
    let warmup = (warmup_ratio * total as f64) as usize;
    if update < warmup {
        return peak * update as f64 / warmup as f64;
    }
    let done = share(update - warmup, total.saturating_sub(warmup));
    let cosine = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
    peak * (min_ratio + (1.0 - min_ratio) * cosine).max(min_ratio)
}

/// Rate of a GRPO step (index from 0, of `total`): step s of the first `warmup` has (s + 1) / (warmup + 1) of the peak,
/// then a straight line that would reach `peak · final_ratio` at step `total`; 1 keeps it constant (Table 6).
pub fn warmup_linear(step: usize, total: usize, peak: f64, warmup: usize, final_ratio: f64) -> f64 {
    if step < warmup {
        return peak * (step + 1) as f64 / (warmup + 1) as f64;
    }
    let done = share(step - warmup, total.saturating_sub(warmup));
    peak * (1.0 + (final_ratio - 1.0) * done)
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
        let rates: Vec<f64> = (0..14).map(|s| warmup_linear(s, 13, 1.0, 3, 0.05)).collect();
        assert_eq!(&rates[..4], &[0.25, 0.5, 0.75, 1.0]);
        assert!((rates[8] - 0.525).abs() < 1e-12, "half way down the line");
        assert!((rates[13] - 0.05).abs() < 1e-12, "the end of the line");
        assert!(rates[3..].windows(2).all(|w| w[1] < w[0]));
    }

    #[test]
    fn a_final_share_of_one_is_constant_and_late_steps_stay_at_the_end() {
        assert!((0..9).all(|s| warmup_linear(s, 4, 1e-6, 0, 1.0) == 1e-6));
        assert_eq!(warmup_cosine(0, 4, 2.0, 0.0, 0.1), 2.0);
        assert!((warmup_cosine(40, 4, 2.0, 0.0, 0.1) - 0.2).abs() < 1e-12);
    }
}

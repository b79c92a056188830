//! Group-relative advantages (eq. 23; reading.md, row 30).

/// Added to the deviation, so that a group of equal rewards divides by something.
pub const ADVANTAGE_EPSILON: f64 = 1e-6;

/// What the centred rewards of a group are divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AdvantageScaling {
    /// Sample deviation (n − 1) plus ε: eq. 23.
    #[default]
    Sample,
    /// Population deviation (n) plus ε.
    Population,
    /// Nothing, as in Dr. GRPO.
    Unscaled,
}

/// Advantages of one group, `(r − mean) / (deviation + ε)`, one per reward in the same order. A group of one has
/// advantage 0, and so has every member of a group with equal rewards.
pub fn advantages(rewards: &[f64], scaling: AdvantageScaling) -> Vec<f64> {
    if rewards.len() < 2 {
        return vec![0.0; rewards.len()];
    }
    let n = rewards.len() as f64;
    let mean = rewards.iter().sum::<f64>() / n;
    let squares: f64 = rewards.iter().map(|r| (r - mean).powi(2)).sum();
    let divisor = match scaling {
        AdvantageScaling::Sample => (squares / (n - 1.0)).sqrt() + ADVANTAGE_EPSILON,
        AdvantageScaling::Population => (squares / n).sqrt() + ADVANTAGE_EPSILON,
        AdvantageScaling::Unscaled => 1.0,
    };
    rewards.iter().map(|r| (r - mean) / divisor).collect()
}

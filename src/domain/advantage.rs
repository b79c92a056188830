//! Group-relative advantages (eq. 23; reading.md, row 30).

use serde::{Deserialize, Serialize};

/// How rewards of a group are scaled (reading.md, row 30).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdvantageScale {
    /// Sample deviation, n − 1 (eq. 23).
    #[default]
    Std,
    /// Population deviation, n.
    Biased,
    /// Not scaled (Dr. GRPO).
    None,
}

/// Eq. 23: each reward of a group relative to the group's mean, `(r − mean) / (deviation + eps)`, in the same order. A
/// group of one has advantage 0, and so has every member of a group with equal rewards.
pub fn advantages(rewards: &[f64], scale: AdvantageScale, eps: f64) -> Vec<f64> {
    if rewards.len() < 2 {
        return vec![0.0; rewards.len()];
    }
    let n = rewards.len() as f64;
    let mean = rewards.iter().sum::<f64>() / n;
    let squares: f64 = rewards.iter().map(|r| (r - mean) * (r - mean)).sum();
    let divisor = match scale {
        AdvantageScale::Std => (squares / (n - 1.0)).sqrt() + eps,
        AdvantageScale::Biased => (squares / n).sqrt() + eps,
        AdvantageScale::None => 1.0,
    };
    rewards.iter().map(|r| (r - mean) / divisor).collect()
}

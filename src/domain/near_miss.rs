//! Which failed rollout is worth a diagnosis (appendix C.2, eqs. 29 to 34).

use serde::{Deserialize, Serialize};

use super::repetition::repeats_itself;
use super::steps::count_steps;
use super::types::Rollout;

/// τ and λ of eqs. 30 to 32.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NearMissSettings {
    /// τ_ℓ: tokens of a full-length attempt.
    pub tau_len: f64,
    /// τ_s: steps of a full attempt.
    pub tau_steps: f64,
    /// λ_ℓ, λ_s, λ_f.
    pub weights: [f64; 3],
}

/// The score of one rollout and its parts, each in [0, 1] before weighting.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NearMissScore {
    /// S_ℓ, eq. 31.
    pub length: f64,
    /// S_s, eq. 32.
    pub steps: f64,
    /// S_f, eq. 33.
    pub format: f64,
    /// S_neg, eq. 30.
    pub score: f64,
}

impl NearMissScore {
    /// Eqs. 30 to 33 for a rollout of `tokens` tokens in `steps` steps.
    pub fn of(tokens: u32, steps: usize, parseable: bool, settings: &NearMissSettings) -> Self {
        // A threshold of 0 asks for nothing, so everything reaches it.
        let capped = |value: f64, tau: f64| if tau > 0.0 { (value / tau).min(1.0) } else { 1.0 };
        let length = capped(f64::from(tokens), settings.tau_len);
        let steps = capped(steps as f64, settings.tau_steps);
        let format = if parseable { 1.0 } else { 0.0 };
        let [by_length, by_steps, by_format] = settings.weights;
        Self { length, steps, format, score: by_length * length + by_steps * steps + by_format * format }
    }
}

/// The chosen rollout of a failed question.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NearMiss {
    /// Position in the group, from 0.
    pub index: usize,
    /// Why it was chosen.
    pub score: NearMissScore,
    /// The text runs in circles. Shown beside the score, not part of it (reading.md, row 41).
    pub repeats: bool,
}

/// Position of the highest score; ties go to the first (eq. 34).
pub fn first_highest(scores: &[NearMissScore]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (index, one) in scores.iter().enumerate() {
        if best.is_none_or(|(_, score)| one.score > score) {
            best = Some((index, one.score));
        }
    }
    best.map(|(index, _)| index)
}

/// The near-miss among the wrong rollouts of a group (eqs. 29 and 34); `None` where no rollout is wrong.
///
/// "Parseable" is what the verifier said when it judged the rollout: the same extraction as for the reward.
pub fn choose_near_miss(rollouts: &[Rollout], settings: &NearMissSettings) -> Option<NearMiss> {
    let wrong: Vec<usize> = (0..rollouts.len()).filter(|&i| !rollouts[i].correct).collect();
    let score = |rollout: &Rollout| {
        NearMissScore::of(rollout.tokens, count_steps(&rollout.text), rollout.answer.is_some(), settings)
    };
    let scores: Vec<NearMissScore> = wrong.iter().map(|&i| score(&rollouts[i])).collect();
    let best = first_highest(&scores)?;
    let index = wrong[best];
    Some(NearMiss { index, score: scores[best], repeats: repeats_itself(&rollouts[index].text) })
}

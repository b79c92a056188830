//! The three functional sets: acquisition, consolidation, recycled (section 3.1; eqs. 12 and 14).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::band::Band;
use super::types::Rollout;

/// What a group of rollouts of one question came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupOutcome {
    /// No rollout is right: the question leaves the RL set and is recycled.
    AllZero,
    /// Some are: rewards contrast.
    Mixed,
    /// All are: no advantage, only the KL term.
    AllOne,
}

impl GroupOutcome {
    /// From `k` right rollouts among `n`; `None` where none were drawn, which is not the same as having failed.
    pub fn of(k: u32, n: u32) -> Option<Self> {
        match (k, n) {
            (_, 0) => None,
            (0, _) => Some(GroupOutcome::AllZero),
            (k, n) if k >= n => Some(GroupOutcome::AllOne),
            _ => Some(GroupOutcome::Mixed),
        }
    }

    /// From judged rollouts.
    pub fn of_rollouts(rollouts: &[Rollout]) -> Option<Self> {
        let right = rollouts.iter().filter(|r| r.correct).count();
        Self::of(u32::try_from(right).unwrap_or(u32::MAX), u32::try_from(rollouts.len()).unwrap_or(u32::MAX))
    }

    /// The words for it.
    pub fn as_str(self) -> &'static str {
        match self {
            GroupOutcome::AllZero => "all-zero",
            GroupOutcome::Mixed => "mixed",
            GroupOutcome::AllOne => "all-one",
        }
    }
}

impl fmt::Display for GroupOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Candidate questions of RL, parted by their rollouts (eq. 14). Each list keeps the order of the candidates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// D_con: at least one rollout is right. GRPO trains on these.
    pub consolidation: Vec<String>,
    /// Those of the consolidation set with every rollout right.
    pub all_one: Vec<String>,
    /// D_fail: no rollout is right. Source of the recycled set.
    pub failed: Vec<String>,
}

impl Partition {
    /// Parts questions by outcome.
    pub fn of<I, S>(questions: I) -> Self
    where
        I: IntoIterator<Item = (S, GroupOutcome)>,
        S: Into<String>,
    {
        let mut parts = Self::default();
        for (question, outcome) in questions {
            let question = question.into();
            match outcome {
                GroupOutcome::AllZero => parts.failed.push(question),
                GroupOutcome::Mixed => parts.consolidation.push(question),
                GroupOutcome::AllOne => {
                    parts.all_one.push(question.clone());
                    parts.consolidation.push(question);
                }
            }
        }
        parts
    }

    /// Share of all-zero questions; 0 without candidates.
    pub fn all_zero_ratio(&self) -> f64 {
        let all = self.consolidation.len() + self.failed.len();
        self.failed.len() as f64 / all.max(1) as f64
    }
}

/// D_acq as (medium, hard), in the order of the questions: medium are trained first, then the bridged hard ones
/// (eqs. 12 and 13).
pub fn acquisition<'a>(questions: impl IntoIterator<Item = (&'a str, Band)>) -> (Vec<&'a str>, Vec<&'a str>) {
    let (mut medium, mut hard) = (Vec::new(), Vec::new());
    for (question, band) in questions {
        match band {
            Band::Simple => {}
            Band::Medium => medium.push(question),
            Band::Hard => hard.push(question),
        }
    }
    (medium, hard)
}

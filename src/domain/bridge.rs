//! Algorithm 1: what happens to a step of a hard trace, from its three scores (section 3.2, appendix C.1).
//!
//! Where the prose of section 3.2 and Algorithm 1 disagree (Compress), Algorithm 1 holds (reading.md, row 16).

use serde::{Deserialize, Serialize};

use super::types::{Action, StepScores};

/// τ_I, τ_J and τ_D.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// I at or below is low importance.
    pub tau_i: f64,
    /// J above is jumpy.
    pub tau_j: f64,
    /// D above is hard, in nats per token.
    pub tau_d: f64,
}

/// What happens to a step, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The operation.
    pub action: Action,
    /// The step is also trained on its own (Algorithm 1, lines 23 and 27).
    pub local_sample: bool,
    /// The comparison that led here, for the screen.
    pub reason: String,
}

/// Lines 11 to 29 of Algorithm 1. `None` while a score is missing or not a number: such a step goes to review, it is
/// never read as 0 (reading.md, row 21).
pub fn decide(scores: &StepScores, thresholds: &Thresholds) -> Option<Decision> {
    let (importance, jumpiness) = (scores.importance?, scores.jumpiness?);
    if !(importance.is_finite() && jumpiness.is_finite() && scores.difficulty.is_finite()) {
        return None;
    }
    let low = importance <= thresholds.tau_i;
    let jumpy = jumpiness > thresholds.tau_j;
    let hard = scores.difficulty > thresholds.tau_d;
    let (action, local_sample) = match (low, jumpy, hard) {
        (true, false, false) => (Action::Compress, false),
        (true, _, _) => (Action::Drop, false),
        (false, false, false) => (Action::Keep, false),
        (false, true, hard) => (Action::Expand, hard),
        (false, false, true) => (Action::Localize, true),
    };
    let reason = format!(
        "{} (I {importance} {} {}), {} (J {jumpiness} {} {}), {} (D {:.3} {} {:.3})",
        if low { "of low importance" } else { "important" },
        if low { "≤" } else { ">" },
        thresholds.tau_i,
        if jumpy { "jumpy" } else { "smooth" },
        if jumpy { ">" } else { "≤" },
        thresholds.tau_j,
        if hard { "hard for the student" } else { "learnable" },
        scores.difficulty,
        if hard { ">" } else { "≤" },
        thresholds.tau_d,
    );
    Some(Decision { action, local_sample, reason })
}

impl Decision {
    /// The decision of a run without the operations in `removed`: each of them acts as Keep, and with it goes its local
    /// sample (reading.md, row 20).
    pub fn without(self, removed: &[Action]) -> Self {
        if self.action == Action::Keep || !removed.contains(&self.action) {
            return self;
        }
        let reason = format!("{}; this run has no {}, so the step is kept", self.reason, self.action.as_str());
        Self { action: Action::Keep, local_sample: false, reason }
    }

    /// A researcher's decision. Localize always gives a local sample; Expand only where the researcher asks for it; the
    /// other operations never do.
    pub fn overruled(action: Action, with_local_sample: bool, why: &str) -> Self {
        let local_sample = match action {
            Action::Localize => true,
            Action::Expand => with_local_sample,
            Action::Keep | Action::Compress | Action::Drop => false,
        };
        Self { action, local_sample, reason: why.to_string() }
    }
}

impl Action {
    /// All operations, in the paper's order.
    pub const ALL: [Action; 5] = [Action::Keep, Action::Compress, Action::Expand, Action::Drop, Action::Localize];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Keep => "keep",
            Action::Compress => "compress",
            Action::Expand => "expand",
            Action::Drop => "drop",
            Action::Localize => "localize",
        }
    }
}

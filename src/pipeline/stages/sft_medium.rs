//! SFT on medium questions, the first half of the curriculum (eqs. 12 and 13). The neutral arm has more of the
//! pre-training mix here, at the same tokens, updates and rate.

use crate::pipeline::context::{Context, StageError, Summary};
use crate::pipeline::fit::{Fit, fit};
use crate::pipeline::lessons::{self, Lessons};
use crate::recipe::Arm;

/// Trains, from wherever it stopped.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    let samples = lessons::medium(&Lessons::of(cx))?;
    let lr = cx.recipe.sft.lr_medium;
    match cx.recipe.arm {
        Arm::Neutral => lessons::fit_neutral(cx, &samples, lr),
        Arm::Bridged | Arm::RawHard => fit(cx, Fit { samples, lr, matched: None }),
    }
}

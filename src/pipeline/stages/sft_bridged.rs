//! SFT on bridged hard questions, the second half of the curriculum (eqs. 12 and 13). Control arms put other texts in the
//! same place, at the same tokens, updates and rate.

use crate::pipeline::context::{Context, StageError, Summary};
use crate::pipeline::fit::{Fit, fit, size_of};
use crate::pipeline::lessons::{self, Lessons};
use crate::recipe::Arm;

/// Trains, from wherever it stopped.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    let samples = lessons::bridged(&Lessons::of(cx))?;
    let lr = cx.recipe.sft.lr_bridged;
    match cx.recipe.arm {
        Arm::Bridged => fit(cx, Fit { samples, lr, matched: None }),
        Arm::Neutral => lessons::fit_neutral(cx, &samples, lr),
        Arm::RawHard => {
            let matched = Some(size_of(cx, &samples)?);
            fit(cx, Fit { samples: lessons::raw_hard(&Lessons::of(cx))?, lr, matched })
        }
    }
}

//! SFT on acquisition and recycled lessons together, from the second iteration on (eq. 20): medium, bridged and recycled
//! texts in one run, in that order before the shuffle.

use crate::pipeline::context::{Context, StageError, Summary};
use crate::pipeline::fit::{Fit, fit};
use crate::pipeline::lessons::{self, Lessons};

/// Trains, from wherever it stopped.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    let samples = lessons::acquired_and_recycled(&Lessons::of(cx))?;
    fit(cx, Fit { samples, lr: cx.recipe.sft.lr_recycled, matched: None })
}

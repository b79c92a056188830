//! The three SFT stages: medium, then bridged hard (eqs. 12 and 13), and from the second iteration on acquisition and
//! recycled lessons together (eq. 20), in the order medium, bridged, recycled before the shuffle.
//!
//! Control arms put other texts in the same place at the same tokens, updates and rate.

use crate::domain::SftSample;
use crate::domain::samples::Origin;
use crate::pipeline::context::{Context, StageError, Summary};
use crate::pipeline::fit::{Fit, Matched, encoded, fit, size_of};
use crate::pipeline::lessons;
use crate::recipe::Arm;

/// SFT on medium questions; the neutral arm has more of the pre-training mix here.
pub fn medium(cx: &Context) -> Result<Summary, StageError> {
    let samples = lessons::medium(cx)?;
    let lr = cx.recipe.sft.lr_medium;
    match cx.recipe.arm {
        Arm::Neutral => neutral(cx, &samples, lr),
        Arm::Bridged | Arm::RawHard => fit(cx, Fit { samples, lr, matched: None }),
    }
}

/// SFT on bridged hard questions, or on what the arm puts there.
pub fn bridged(cx: &Context) -> Result<Summary, StageError> {
    let samples = lessons::bridged(cx)?;
    let lr = cx.recipe.sft.lr_bridged;
    match cx.recipe.arm {
        Arm::Bridged => fit(cx, Fit { samples, lr, matched: None }),
        Arm::Neutral => neutral(cx, &samples, lr),
        Arm::RawHard => {
            let matched = Some(size_of(cx, &samples)?);
            fit(cx, Fit { samples: lessons::raw_hard(cx)?, lr, matched })
        }
    }
}

/// SFT on acquisition and recycled lessons.
pub fn recycled(cx: &Context) -> Result<Summary, StageError> {
    let mut samples = lessons::medium(cx)?;
    samples.extend(lessons::bridged(cx)?);
    samples.extend(lessons::recycled(cx, cx.stage.iteration - 1)?);
    fit(cx, Fit { samples, lr: cx.recipe.sft.lr_recycled, matched: None })
}

/// As much of the pre-training mix as `instead_of` has tokens.
fn neutral(cx: &Context, instead_of: &[SftSample], lr: f64) -> Result<Summary, StageError> {
    let matched: Matched = size_of(cx, instead_of)?;
    let mut samples = Vec::new();
    let mut tokens = 0;
    let seed = crate::pipeline::seeds::stream(cx.recipe.seed, &cx.stage.key(), "neutral");
    for document in cx.teacher.neutral(seed)? {
        if tokens >= matched.tokens {
            break;
        }
        let id = format!("{}-{:06}", cx.stage.kind.name(), samples.len());
        let origin = Origin { iteration: cx.stage.iteration, question: &id, lineage: &[] };
        let sample = SftSample { messages: document.messages, ..origin.neutral("", "") };
        tokens += encoded(cx, &sample)?.trained.len() as u64;
        samples.push(sample);
    }
    fit(cx, Fit { samples, lr, matched: Some(matched) })
}

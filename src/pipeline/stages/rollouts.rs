//! Rollouts before RL: G answers per candidate question (eq. 14). At the end of a run once more, to see what RL left.

use crate::domain::{Question, sets::acquisition};
use crate::pipeline::asking::{Ask, sample_missing};
use crate::pipeline::context::{Context, StageError, Summary};
use crate::pipeline::stages::difficulty::{FIRST, bands, edges};
use crate::recipe::Candidates;

/// Samples what is missing.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    let questions: Vec<Question> = match cx.recipe.rollouts.candidates {
        Candidates::All => cx.material.train.clone(),
        Candidates::Acquisition => {
            let bands = bands(cx.session, FIRST, &edges(cx.recipe))?;
            let (medium, hard) = acquisition(bands.iter().map(|(id, band)| (id.as_str(), *band)));
            medium.into_iter().chain(hard).filter_map(|id| cx.material.find(id)).cloned().collect()
        }
    };
    let ask = Ask {
        prefix: cx.stage.key(),
        questions: &questions,
        n: cx.recipe.rollouts.group,
        sampling: cx.recipe.rollouts.sampling,
        ban_marker: false,
        verifier: cx.verifier,
    };
    let tokens = sample_missing(cx, &cx.checkpoint(), &[ask])?;
    let (mut zero, mut groups) = (0_usize, 0_usize);
    for item in cx.session.rollout_briefs(&format!("{}/", cx.stage.key())) {
        groups += 1;
        zero += usize::from(item?.1.correct == 0);
    }
    let share = 100.0 * zero as f64 / groups.max(1) as f64;
    Ok(Summary { text: format!("{zero} of {groups} groups all-zero ({share:.1} %)"), tokens })
}

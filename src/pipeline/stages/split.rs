//! Split: questions with at least one right rollout go to RL, the others to recycling (eq. 14).

use crate::domain::{GroupOutcome, Partition};
use crate::pipeline::context::{Context, StageError, Summary, all};
use crate::session::records::{RolloutGroup, SplitSets};
use crate::session::{Author, Batch};

/// Writes the two sets of this iteration.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    let groups = all::<RolloutGroup>(cx.session, &format!("{}-rollouts/", cx.stage.iteration))?;
    cx.emit.started(cx.stage, 0, groups.len() as u64, "questions");
    let judged =
        groups.iter().filter_map(|(_, g)| Some((g.question.as_str(), GroupOutcome::of_rollouts(&g.rollouts)?)));
    let sets = Partition::of(judged);
    let text = format!(
        "{} to consolidate ({} of them all-one), {} failed",
        sets.consolidation.len(),
        sets.all_one.len(),
        sets.failed.len()
    );
    let sets = SplitSets { sets };
    let mut batch = Batch::new(Author::Pipeline);
    batch.put(&cx.stage.key(), &sets);
    cx.session.write(batch)?;
    cx.emit.progress(cx.stage, groups.len() as u64, groups.len() as u64, 0);
    Ok(Summary { text, tokens: 0 })
}

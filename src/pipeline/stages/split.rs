//! Split: questions with at least one right rollout go to RL, the others to recycling (eq. 14).

use crate::domain::{GroupOutcome, group_outcome};
use crate::pipeline::context::{Context, StageError, Summary};
use crate::session::{Author, Batch};
use crate::session::records::{RolloutGroup, SplitSets};

/// Writes the two sets of this iteration.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    let groups = cx.session.scan::<RolloutGroup>(&format!("{}-rollouts/", cx.stage.iteration))?;
    cx.emit.started(cx.stage, 0, groups.len() as u64, "questions");
    let mut sets = SplitSets { consolidation: Vec::new(), failed: Vec::new(), all_one: 0 };
    for (_, group) in &groups {
        let rewards: Vec<bool> = group.rollouts.iter().map(|r| r.correct).collect();
        match group_outcome(&rewards) {
            GroupOutcome::AllZero => sets.failed.push(group.question.clone()),
            outcome => {
                sets.all_one += u32::from(outcome == GroupOutcome::AllOne);
                sets.consolidation.push(group.question.clone());
            }
        }
    }
    let text = format!(
        "{} to consolidate ({} of them all-one), {} failed",
        sets.consolidation.len(),
        sets.all_one,
        sets.failed.len()
    );
    let mut batch = Batch::new(Author::Pipeline);
    batch.put(&cx.stage.key(), &sets);
    cx.session.write(batch)?;
    cx.emit.progress(cx.stage, groups.len() as u64, groups.len() as u64, 0);
    Ok(Summary { text, tokens: 0 })
}

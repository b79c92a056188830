//! Split: questions with at least one right rollout go to RL, the others to recycling (eq. 14). Questions whose prompt is
//! too long for RL leave its set.

use std::collections::HashSet;

use crate::domain::Partition;
use crate::pipeline::context::{Context, StageError, Summary};
use crate::pipeline::events::Level;
use crate::pipeline::stages::difficulty::FIRST;
use crate::session::records::SplitSets;
use crate::session::{Author, Batch, RolloutBrief, Session, SessionError};

/// Writes the two sets of this iteration.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    let groups = briefs(cx.session, &format!("{}-rollouts/", cx.stage.iteration))?;
    cx.emit.started(cx.stage, 0, groups.len() as u64, "questions");
    let judged = groups.iter().filter_map(|g| Some((g.question.as_str(), g.outcome()?)));
    let mut sets = Partition::of(judged);
    leave_out_long_prompts(cx, &mut sets)?;
    say_what_more_samples_found(cx, &sets)?;
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

fn briefs(session: &Session, prefix: &str) -> Result<Vec<RolloutBrief>, SessionError> {
    session.rollout_briefs(prefix).map(|item| item.map(|(_, brief)| brief)).collect()
}

/// Takes questions with a prompt of more than `grpo.max_prompt_tokens` out of the consolidation set (Table 6).
fn leave_out_long_prompts(cx: &Context, sets: &mut Partition) -> Result<(), StageError> {
    let most = cx.recipe.grpo.max_prompt_tokens;
    let mut long = HashSet::new();
    for id in &sets.consolidation {
        let question = cx.material.find(id).ok_or_else(|| cx.nothing("a sampled question is gone"))?;
        if cx.engine.text().encode_prompt(&cx.prompts.ask(question)?)?.len() > most {
            long.insert(id.clone());
        }
    }
    if !long.is_empty() {
        sets.consolidation.retain(|id| !long.contains(id));
        sets.all_one.retain(|id| !long.contains(id));
        let text =
            format!("{}: {} questions leave the RL set, their prompts have over {most} tokens", cx.stage, long.len());
        cx.emit.log(Level::Warn, text);
    }
    Ok(())
}

/// All-zero in a small group is a noisy verdict: says how many failed questions were solved among the samples of
/// difficulty, which are more and of another checkpoint (reading.md, row 37).
fn say_what_more_samples_found(cx: &Context, sets: &Partition) -> Result<(), StageError> {
    let failed: HashSet<&str> = sets.failed.iter().map(String::as_str).collect();
    let banded = briefs(cx.session, &format!("{FIRST}/"))?;
    let solved = banded.iter().filter(|g| failed.contains(g.question.as_str()) && g.correct > 0).count();
    if let (false, Some(first)) = (failed.is_empty(), banded.first()) {
        let (n, checkpoint) = (first.n, &first.provenance.checkpoint);
        let text = format!(
            "{}: {} of {} questions without a right rollout (G={}) had one among the n={n} samples under {checkpoint}",
            cx.stage,
            solved,
            failed.len(),
            cx.recipe.rollouts.group,
        );
        cx.emit.log(Level::Info, text);
    }
    Ok(())
}

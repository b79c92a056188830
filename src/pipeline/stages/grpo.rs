//! GRPO on the consolidation set (eqs. 22 to 28): each step samples a group per prompt, judges it, and trains on it. The
//! reference is the policy as it was when the stage began (reading.md, row 34).

use std::collections::HashMap;

use crate::domain::{Question, Rollout};
use crate::pipeline::asking::judge;
use crate::pipeline::checkpoints::{finish, is_finished, restore_with_reference, save_and_stop, save_partial};
use crate::pipeline::context::{Context, StageError, Summary};
use crate::pipeline::engine::{Asking, GrpoGroup};
use crate::pipeline::events::Level;
use crate::pipeline::seeds::{cycle, stream};
use crate::pipeline::token_logs::Lengths;
use crate::session::records::{GrpoStep, RolloutGroup, SplitSets};
use crate::session::token_logs::{StepTokens, TokenLog};
use crate::session::{Author, Batch};
use crate::train::schedule::warmup_linear;

/// The token ids of a response, the response judged, and how likely its tokens were.
type Answer = (Vec<u32>, Rollout, TokenLog);

/// Trains, from wherever it stopped.
pub fn run(cx: &Context) -> Result<Summary, StageError> {
    let iteration = cx.stage.iteration;
    let sets = cx.session.get::<SplitSets>(&format!("{iteration}-split"))?;
    let consolidation = sets.ok_or_else(|| cx.nothing("the split of this iteration is missing"))?.sets.consolidation;
    let consolidation = short_enough(cx, consolidation)?;
    let parent = cx.checkpoint();
    if consolidation.is_empty() {
        return skip(cx, &parent);
    }
    let before = rates_before(cx)?;
    let steps = steps(cx, consolidation.len());
    let finished = is_finished(cx)?;
    let mut at = if finished { steps } else { restore_with_reference(cx, &parent, cx.recipe.grpo.adamw)? };
    cx.emit.started(cx.stage, at as u64, steps as u64, "steps");
    let mut tokens = 0;
    let mut lengths = Lengths::default();
    while at < steps {
        if let Err(stop) = cx.check() {
            return Err(if matches!(stop, StageError::Cancelled) { save_and_stop(cx, at) } else { stop });
        }
        let picked = cycle(
            cx.recipe.seed,
            &cx.stage.key(),
            consolidation.len(),
            at * cx.recipe.grpo.prompts,
            cx.recipe.grpo.prompts,
        );
        let questions: Vec<&Question> = picked.iter().filter_map(|&i| cx.material.find(&consolidation[i])).collect();
        let (step, logs) = match one_step(cx, at, steps, &questions, &before, &mut lengths) {
            Err(StageError::Cancelled) => return Err(save_and_stop(cx, at)),
            step => step?,
        };
        at += 1;
        tokens += step.tokens;
        say(cx, at, &step);
        let mut batch = Batch::new(Author::Pipeline);
        let key = format!("{}/{at:05}", cx.stage.key());
        batch.put(&key, &step);
        if logs.groups.iter().flatten().any(|log| !log.surprise.is_empty()) {
            batch.put(&key, &logs);
        }
        cx.session.write(batch)?;
        if at % cx.recipe.grpo.save_every as usize == 0 && at < steps {
            save_partial(cx, at)?;
        }
        cx.emit.progress(cx.stage, at as u64, steps as u64, tokens);
    }
    if !finished {
        finish(cx, &parent, &format!("{iteration}-split"))?;
    }
    // One step at a time: together their rollouts may be more than memory holds.
    let mut rewards = Vec::with_capacity(steps);
    for item in cx.session.scan::<GrpoStep>(&format!("{}/", cx.stage.key())) {
        let (_, step) = item?;
        rewards.push((step.reward, step.reward_above_before));
    }
    let n = rewards.len().max(1) as f64;
    let reward = rewards.iter().map(|r| r.0).sum::<f64>() / n;
    let above = rewards.iter().map(|r| r.1).sum::<f64>() / n;
    Ok(Summary { text: format!("{steps} steps, mean reward {reward:.3}, {above:+.3} above the rate before"), tokens })
}

/// Without a question that was ever solved no reward tells answers apart: the policy stays as it is, under this stage's
/// name, and the loop goes on to recycling, which is what failures are for.
fn skip(cx: &Context, parent: &str) -> Result<Summary, StageError> {
    let text = "skipped: no training question was solved, so there is nothing to reinforce; the weights stay";
    cx.emit.log(Level::Warn, format!("{}: {text} as they were", cx.stage));
    cx.engine.use_checkpoint(cx.session, parent)?;
    finish(cx, parent, &format!("{}-split", cx.stage.iteration))?;
    Ok(Summary { text: text.into(), tokens: 0 })
}

/// The questions whose prompt fits the recipe's length; the others leave the RL set.
fn short_enough(cx: &Context, ids: Vec<String>) -> Result<Vec<String>, StageError> {
    let (all, max) = (ids.len(), cx.recipe.grpo.max_prompt_tokens);
    let mut short = Vec::with_capacity(all);
    for id in ids {
        let Some(question) = cx.material.find(&id) else { continue };
        if cx.engine.text().encode_prompt(&cx.prompts.ask(question)?)?.len() <= max {
            short.push(id);
        }
    }
    if short.len() < all {
        let left = all - short.len();
        cx.emit.log(Level::Warn, format!("{}: {left} questions have prompts over {max} tokens; left out", cx.stage));
    }
    Ok(short)
}

/// ρ of every candidate in the rollouts before this stage.
fn rates_before(cx: &Context) -> Result<HashMap<String, f64>, StageError> {
    let briefs = cx.session.rollout_briefs(&format!("{}-rollouts/", cx.stage.iteration));
    briefs.map(|item| item.map(|(_, b)| (b.question.clone(), b.rho())).map_err(StageError::from)).collect()
}

/// The recipe's number of steps, or its epochs over the set.
fn steps(cx: &Context, questions: usize) -> usize {
    let listed = &cx.recipe.grpo.steps;
    let at = (cx.stage.iteration as usize - 1).min(listed.len().saturating_sub(1));
    listed
        .get(at)
        .map_or_else(|| (questions * cx.recipe.grpo.epochs as usize).div_ceil(cx.recipe.grpo.prompts), |&s| s as usize)
}

fn one_step(
    cx: &Context,
    at: usize,
    steps: usize,
    questions: &[&Question],
    before: &HashMap<String, f64>,
    lengths: &mut Lengths,
) -> Result<(GrpoStep, StepTokens), StageError> {
    let recipe = &cx.recipe.grpo;
    let prompts = questions.iter().map(|q| cx.prompts.ask(q)).collect::<Result<Vec<_>, _>>()?;
    let place = format!("{}/{at}", cx.stage.key());
    let streams = streams(cx.recipe.seed, &place, questions);
    let asking = Asking {
        prompts: prompts.clone(),
        streams,
        samples: recipe.group,
        sampling: recipe.sampling,
        ban_marker: false,
        log_probs: true,
    };
    let group = || vec![None; recipe.group as usize];
    let mut rollouts: Vec<Vec<Option<Answer>>> = questions.iter().map(|_| group()).collect();
    cx.each_reply(&cx.engine.generate(asking, cx.control)?, |reply| {
        let (question, sample, ids) = (reply.question, reply.sample as usize, reply.ids.clone());
        let log = lengths.log(cx.engine.text(), &reply);
        rollouts[question][sample] = Some((ids, judge(cx.verifier, questions[question], reply), log));
        Ok(())
    })?;
    cx.check()?;
    let mut groups = Vec::new();
    let (mut records, mut logs) = (Vec::new(), StepTokens::default());
    for ((question, messages), answers) in questions.iter().zip(prompts).zip(rollouts) {
        let (mut ids, mut rollouts, mut tokens) = (Vec::new(), Vec::<Rollout>::new(), Vec::new());
        for answer in answers.into_iter().flatten() {
            ids.push(answer.0);
            rollouts.push(answer.1);
            tokens.push(answer.2);
        }
        logs.groups.push(tokens);
        let rewards = rollouts.iter().map(|r| f64::from(u8::from(r.correct))).collect();
        groups.push(GrpoGroup { prompt: messages, responses: ids, rewards });
        let provenance = cx.provenance(&place, cx.verifier, question.ask);
        records.push(RolloutGroup { question: question.id.clone(), provenance, sampling: recipe.sampling, rollouts });
    }
    let lr = warmup_linear(at, steps, recipe.lr, recipe.warmup_steps as usize, recipe.final_lr_ratio);
    let metrics = cx.engine.grpo_step(groups, recipe.clone(), lr)?;
    let n = records.len().max(1) as f64;
    let reward = records.iter().map(RolloutGroup::rho).sum::<f64>() / n;
    let base = questions.iter().map(|q| before.get(&q.id).copied().unwrap_or(0.0)).sum::<f64>() / n;
    let sampled: u64 = records.iter().map(RolloutGroup::tokens).sum();
    let mut named = metrics.named();
    named.push(("lr".into(), lr));
    let above = reward - base;
    let step = GrpoStep { groups: records, reward, reward_above_before: above, metrics: named, tokens: 2 * sampled };
    Ok((step, logs))
}

/// A random stream per prompt. Where a pass over the set ends within a step a question may stand in it twice; the second
/// time it gets a stream of its own, so that it is not the same group again.
fn streams(seed: u64, place: &str, questions: &[&Question]) -> Vec<u64> {
    let mut seen: HashMap<&str, u32> = HashMap::new();
    let mut streams = Vec::with_capacity(questions.len());
    for question in questions {
        let times = seen.entry(&question.id).or_default();
        *times += 1;
        streams.push(match *times {
            1 => stream(seed, place, &question.id),
            again => stream(seed, &format!("{place}/{again}"), &question.id),
        });
    }
    streams
}

fn say(cx: &Context, at: usize, step: &GrpoStep) {
    cx.emit.metric(cx.stage, at as u64, "reward", step.reward);
    cx.emit.metric(cx.stage, at as u64, "reward-above-before", step.reward_above_before);
    for (name, value) in &step.metrics {
        cx.emit.metric(cx.stage, at as u64, name, *value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_stands_twice_in_a_step_is_not_sampled_alike() {
        let question = |id: &str| Question { id: id.into(), gold: "1".into(), ..Question::default() };
        let (a, b) = (question("a"), question("b"));
        let drawn = streams(7, "1-grpo/3", &[&a, &b, &a]);
        assert_eq!(drawn[0], stream(7, "1-grpo/3", "a"));
        assert!(drawn[0] != drawn[1] && drawn[0] != drawn[2]);
        assert_eq!(drawn, streams(7, "1-grpo/3", &[&a, &b, &a]));
    }
}

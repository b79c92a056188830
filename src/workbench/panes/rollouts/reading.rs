//! What is read of the session: the groups of one GRPO step, or all groups of one question. One at a time, behind the
//! screen.

use crate::domain::{AdvantageScale, Finish, Provenance, advantages};
use crate::pipeline::begun::recipe_of;
use crate::pipeline::events::StageKind;
use crate::pipeline::plan::plan;
use crate::recipe::{GrpoRecipe, Recipe};
use crate::session::Session;
use crate::session::records::{Asked, GrpoStep, RolloutGroup};
use crate::session::token_logs::{StepTokens, TokenLog, nats};
use crate::workbench::jobs::Cancel;

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A step of GRPO: key of the stage, and the step from 1.
    Step(String, u64),
    /// A question, by its id.
    Question(String),
}

/// A rollout.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its text.
    pub text: String,
    /// 1 where it is right, else 0 (eq. 2).
    pub reward: f64,
    /// Its advantage as the trainer computes it (eq. 23); `None` where nothing was trained on it.
    pub advantage: Option<f64>,
    /// What the verifier read as the answer.
    pub answer: Option<String>,
    /// Tokens.
    pub tokens: u32,
    /// Whether it ran out of new tokens.
    pub cut: bool,
    /// How likely each of its tokens was, where that was kept.
    pub log: Option<TokenLog>,
}

/// A group of rollouts.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Question id.
    pub question: String,
    /// What its place in the list is called: the question, or the stage that sampled it.
    pub name: String,
    /// The question's text; empty where it is not known.
    pub prompt: String,
    /// The ground truth.
    pub gold: String,
    /// What it was measured with.
    pub provenance: Provenance,
    /// In the order of their sample index.
    pub samples: Vec<Sample>,
}

impl Opened {
    /// A group by its place.
    pub fn group(&self, at: usize) -> Option<&Group> {
        self.groups.get(at)
    }
}

impl Sample {
    /// Mean −log p of its tokens, nats, where that was kept.
    pub fn mean_surprise(&self) -> Option<f64> {
        let surprise = self.log.as_ref().map(|log| &log.surprise).filter(|surprise| !surprise.is_empty())?;
        let sum: f64 = surprise.iter().map(|token| f64::from(nats(*token))).sum();
        Some(sum / surprise.len() as f64)
    }
}

impl Group {
    /// Right ones.
    pub fn right(&self) -> usize {
        self.samples.iter().filter(|sample| sample.reward > 0.0).count()
    }

    /// Mean reward; 0 of an empty group.
    pub fn mean(&self) -> f64 {
        self.samples.iter().map(|sample| sample.reward).sum::<f64>() / self.samples.len().max(1) as f64
    }
}

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// Of what.
    pub place: Place,
    /// Its groups.
    pub groups: Vec<Group>,
    /// How advantages are computed, in words; empty where there are none.
    pub scale: String,
}

/// Reads it; `None` where there is nothing (yet).
///
/// # Errors
/// In words, when the session can't be read or the answer is no longer wanted.
pub fn open(session: &Session, place: &Place, cancel: &Cancel) -> Result<Option<Opened>, String> {
    let recipe = recipe_of(session)?;
    match place {
        Place::Step(stage, step) => of_step(session, &recipe, stage, *step, place, cancel),
        Place::Question(id) => of_question(session, &recipe, id, place, cancel),
    }
}

fn of_step(
    session: &Session,
    recipe: &Recipe,
    stage: &str,
    step: u64,
    place: &Place,
    cancel: &Cancel,
) -> Result<Option<Opened>, String> {
    let key = format!("{stage}/{step:05}");
    let Some(record) = session.get::<GrpoStep>(&key).map_err(|e| e.to_string())? else { return Ok(None) };
    let logs = session.get::<StepTokens>(&key).map_err(|e| e.to_string())?.unwrap_or_default();
    let mut groups = Vec::with_capacity(record.groups.len());
    for (at, group) in record.groups.into_iter().enumerate() {
        cancel.check()?;
        let rewards: Vec<f64> = group.rollouts.iter().map(|rollout| f64::from(u8::from(rollout.correct))).collect();
        let advantages = advantages(&rewards, recipe.grpo.advantage, recipe.grpo.advantage_eps);
        let question = asked(session, &group.question)?;
        let name = group.question.clone();
        let mut group = of_group(group, name, question);
        for (index, sample) in group.samples.iter_mut().enumerate() {
            sample.advantage = advantages.get(index).copied();
            sample.log =
                logs.groups.get(at).and_then(|logs| logs.get(index)).filter(|log| !log.surprise.is_empty()).cloned();
        }
        groups.push(group);
    }
    Ok(Some(Opened { place: place.clone(), groups, scale: scale_words(&recipe.grpo) }))
}

/// Every group of a question that stages sampled: difficulty, rollouts, evaluations. GRPO's stand in its steps.
fn of_question(
    session: &Session,
    recipe: &Recipe,
    id: &str,
    place: &Place,
    cancel: &Cancel,
) -> Result<Option<Opened>, String> {
    let question = asked(session, id)?;
    let split = question.as_ref().map(|asked| asked.split.clone()).unwrap_or_default();
    let mut groups = Vec::new();
    for stage in plan(recipe) {
        cancel.check()?;
        let kinds: Vec<String> = match stage.kind {
            StageKind::Difficulty | StageKind::Rollouts => vec![String::new()],
            StageKind::Evaluate => ["greedy", "sampled", "control"].map(|kind| format!("/{kind}/{split}")).into(),
            _ => continue,
        };
        for kind in kinds {
            let prefix = format!("{}{kind}", stage.key());
            let group = session.get::<RolloutGroup>(&format!("{prefix}/{id}")).map_err(|e| e.to_string())?;
            groups.extend(group.map(|group| of_group(group, prefix, question.clone())));
        }
    }
    Ok(Some(Opened { place: place.clone(), groups, scale: String::new() }))
}

/// A question by its id, from whichever split it is of.
fn asked(session: &Session, id: &str) -> Result<Option<Asked>, String> {
    if let Some(asked) = session.get::<Asked>(&format!("train/{id}")).map_err(|e| e.to_string())? {
        return Ok(Some(asked));
    }
    let end = format!("/{id}");
    for key in session.keys::<Asked>("") {
        let key = key.map_err(|e| e.to_string())?;
        if key.ends_with(&end) {
            return session.get::<Asked>(&key).map_err(|e| e.to_string());
        }
    }
    Ok(None)
}

fn of_group(group: RolloutGroup, name: String, asked: Option<Asked>) -> Group {
    let question = asked.map(|asked| asked.question);
    let sample = |rollout: crate::domain::Rollout| Sample {
        reward: f64::from(u8::from(rollout.correct)),
        advantage: None,
        answer: rollout.answer,
        tokens: rollout.tokens,
        cut: rollout.finish == Finish::Length,
        text: rollout.text,
        log: None,
    };
    Group {
        question: group.question,
        name,
        prompt: question.as_ref().map(|q| q.text.clone()).unwrap_or_default(),
        gold: question.map(|q| q.gold).unwrap_or_default(),
        provenance: group.provenance,
        samples: group.rollouts.into_iter().map(sample).collect(),
    }
}

/// How rewards become advantages in this recipe.
pub fn scale_words(recipe: &GrpoRecipe) -> String {
    let eps = recipe.advantage_eps;
    match recipe.advantage {
        AdvantageScale::Std => format!("(r - mean) / (sample deviation, n-1, + {eps:e})"),
        AdvantageScale::Biased => format!("(r - mean) / (population deviation, n, + {eps:e})"),
        AdvantageScale::None => "r - mean, not scaled".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normalisation_is_said_as_the_recipe_has_it() {
        let recipe = |advantage| GrpoRecipe { advantage, advantage_eps: 1e-6, ..Recipe::default().grpo };
        assert!(scale_words(&recipe(AdvantageScale::Std)).contains("n-1, + 1e-6"));
        assert!(scale_words(&recipe(AdvantageScale::Biased)).contains("deviation, n, "));
        assert_eq!(scale_words(&recipe(AdvantageScale::None)), "r - mean, not scaled");
    }
}

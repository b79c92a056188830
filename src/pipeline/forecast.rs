//! What a run would take, before it begins: samples, teacher calls and tokens of every stage, as upper bounds and as
//! expected under named assumptions. Pure counting; what this machine makes of it is measured in
//! [`trial`](super::trial).
//!
//! How many questions are medium or hard is known only after difficulty. At most, all of them are hard; expected are the
//! paper's shares (Table 4).

use serde::Serialize;

use super::events::{StageId, StageKind};
use super::material::{DEV, Material};
use super::plan::plan;
use crate::recipe::{Arm, Candidates, Recipe};

/// What cannot be known before a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Assumed {
    /// Share of medium questions.
    pub medium: f64,
    /// Share of hard questions.
    pub hard: f64,
    /// Share of questions without a right rollout before RL.
    pub failed: f64,
    /// Steps of a trace.
    pub steps: f64,
    /// Share of steps that the teacher edits.
    pub edited: f64,
    /// Share of steps that become a local sample too.
    pub local: f64,
    /// Tokens of an answer or a trace.
    pub answer: f64,
    /// Tokens of a prompt, the template's included.
    pub prompt: f64,
}

impl Assumed {
    /// What is expected, in words.
    pub fn said(&self) -> String {
        format!(
            "expected: {:.0} % medium and {:.0} % hard (Table 4), {:.0} % failed before RL, {:.1} steps a trace, {:.0} tokens \
             an answer, {:.0} a prompt (measured)",
            100.0 * self.medium,
            100.0 * self.hard,
            100.0 * self.failed,
            self.steps,
            self.answer,
            self.prompt
        )
    }

    /// Table 4's shares for Qwen2.5-0.5B, Table 9's lengths where the recipe has none of its own; `prompt` as measured
    /// with the student's tokenizer.
    pub fn usual(recipe: &Recipe, prompt: f64) -> Self {
        let longest = recipe.difficulty.sampling.max_new_tokens as f64;
        Self {
            medium: 2869.0 / 7473.0,
            hard: 1988.0 / 7473.0,
            failed: 0.2,
            steps: recipe.recycle.tau_steps.unwrap_or(7.36).min(recipe.bridge.max_steps as f64),
            edited: 0.5,
            local: 0.2,
            answer: recipe.recycle.tau_len.unwrap_or(242.98).min(longest),
            prompt,
        }
    }

    /// The most that can come: every question hard, every rollout wrong, every answer as long as it may be.
    fn most(recipe: &Recipe, prompt: f64) -> Self {
        Self {
            medium: 0.0,
            hard: 1.0,
            failed: 1.0,
            steps: recipe.bridge.max_steps as f64,
            edited: 1.0,
            local: 1.0,
            answer: recipe.difficulty.sampling.max_new_tokens as f64,
            prompt,
        }
    }
}

/// Work, in the units that cost something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Work {
    /// Answers of the student.
    pub samples: f64,
    /// Calls of the teacher.
    pub calls: f64,
    /// Tokens the student samples.
    pub sampled_tokens: f64,
    /// Tokens read by the student in prompts of samples (each once for all its samples) and in scoring.
    pub read_tokens: f64,
    /// Tokens that go through forward and backward.
    pub trained_tokens: f64,
}

impl std::ops::AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        self.samples += other.samples;
        self.calls += other.calls;
        self.sampled_tokens += other.sampled_tokens;
        self.read_tokens += other.read_tokens;
        self.trained_tokens += other.trained_tokens;
    }
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageForecast {
    /// Its key.
    pub stage: String,
    /// Under the assumptions.
    pub expected: Work,
    /// At most, without repeated calls.
    pub most: Work,
}

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forecast {
    /// Training questions.
    pub train: usize,
    /// Name and number of questions of every evaluated split.
    pub evaluated: Vec<(String, usize)>,
    /// What is assumed where nothing is known.
    pub assumed: Assumed,
    /// Every stage, in order.
    pub stages: Vec<StageForecast>,
    /// Their sum.
    pub expected: Work,
    /// Their sum at most.
    pub most: Work,
}

/// Counts every stage of a recipe on this material.
pub fn forecast(recipe: &Recipe, material: &Material, prompt: f64) -> Forecast {
    let (assumed, most) = (Assumed::usual(recipe, prompt), Assumed::most(recipe, prompt));
    let stages: Vec<StageForecast> = plan(recipe)
        .iter()
        .map(|stage| StageForecast {
            stage: stage.key(),
            expected: work(stage, recipe, material, &assumed),
            most: work(stage, recipe, material, &most),
        })
        .collect();
    let total = |of: fn(&StageForecast) -> Work| {
        stages.iter().map(of).fold(Work::default(), |mut sum, work| {
            sum += work;
            sum
        })
    };
    Forecast {
        train: material.train.len(),
        evaluated: material.evaluated.iter().map(|split| (split.name.clone(), split.questions.len())).collect(),
        assumed,
        expected: total(|s| s.expected),
        most: total(|s| s.most),
        stages,
    }
}

fn work(stage: &StageId, recipe: &Recipe, material: &Material, a: &Assumed) -> Work {
    let train = material.train.len() as f64;
    let (medium, hard) = (a.medium * train, a.hard * train);
    let text = a.prompt + a.answer;
    let candidates = match recipe.rollouts.candidates {
        Candidates::All => train,
        Candidates::Acquisition => medium + hard,
    };
    let epochs = f64::from(recipe.sft.epochs);
    // A local sample is one step after its prefix: half a trace read, and one step of it.
    let bridged = hard * (text + a.steps * a.local * (a.prompt + a.answer / 2.0));
    match stage.kind {
        StageKind::Evaluate => evaluation(recipe, material, a),
        StageKind::Difficulty => sampled(train, f64::from(recipe.difficulty.n), a),
        StageKind::Rollouts => sampled(candidates, f64::from(recipe.rollouts.group), a),
        StageKind::Traces => Work { calls: medium + hard, ..Work::default() },
        StageKind::Scores => Work { calls: hard * (2.0 * a.steps - 1.0), read_tokens: hard * text, ..Work::default() },
        StageKind::Bridge => Work { calls: hard * a.steps * a.edited, ..Work::default() },
        StageKind::SftMedium => Work { trained_tokens: epochs * medium.max(0.0) * text, ..Work::default() },
        StageKind::SftBridged => Work {
            trained_tokens: epochs * if recipe.arm == Arm::RawHard { hard * text } else { bridged },
            ..Work::default()
        },
        // Medium and bridged again, and three lessons for each failure.
        StageKind::SftRecycled => Work {
            trained_tokens: epochs * (medium * text + bridged + 3.0 * a.failed * candidates * text),
            ..Work::default()
        },
        StageKind::Split => Work::default(),
        StageKind::Grpo => grpo(stage, recipe, candidates * grpo_share(a), a),
        StageKind::Recycle => Work { calls: a.failed * candidates, ..Work::default() },
    }
}

/// Share of the candidates that may be in the RL set. At most, all are, though then none has failed: the bounds of two
/// stages need not be reached together.
fn grpo_share(a: &Assumed) -> f64 {
    if a.failed >= 1.0 { 1.0 } else { 1.0 - a.failed }
}

/// n samples of each question; its prompt is read once.
fn sampled(questions: f64, n: f64, a: &Assumed) -> Work {
    Work {
        samples: questions * n,
        sampled_tokens: questions * n * a.answer,
        read_tokens: questions * a.prompt,
        ..Work::default()
    }
}

fn evaluation(recipe: &Recipe, material: &Material, a: &Assumed) -> Work {
    let mut all = Work::default();
    for split in &material.evaluated {
        let questions = split.questions.len() as f64;
        all += sampled(questions, 1.0, a);
        if split.name != DEV {
            if recipe.evaluate.n > 0 {
                all += sampled(questions, f64::from(recipe.evaluate.n), a);
            }
            if recipe.evaluate.format_control {
                all += sampled(questions, 1.0, a);
            }
        }
    }
    all
}

/// Every step samples a group per prompt, reads it under the reference and under the policy as it was, and trains on it.
fn grpo(stage: &StageId, recipe: &Recipe, questions: f64, a: &Assumed) -> Work {
    let grpo = &recipe.grpo;
    let listed = grpo.steps.get((stage.iteration as usize).saturating_sub(1)).or(grpo.steps.last());
    let by_epochs = (questions * f64::from(grpo.epochs) / grpo.prompts as f64).ceil();
    let prompts = listed.map_or(by_epochs, |steps| f64::from(*steps)) * grpo.prompts as f64;
    let group = f64::from(grpo.group);
    let mut work = sampled(prompts, group, a);
    let texts = prompts * group * (a.prompt + a.answer);
    work.read_tokens += 2.0 * texts;
    work.trained_tokens = texts;
    work
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::material::Split;
    use super::*;
    use crate::domain::{Question, Verifier};

    fn material(train: usize, dev: usize, test: usize) -> Material {
        let of = |name: &str, n: usize| -> Vec<Question> {
            (0..n).map(|i| Question { id: format!("{name}-{i}"), gold: "1".into(), ..Question::default() }).collect()
        };
        let split = |name: &str, n| Split { name: name.into(), questions: of(name, n), verifier: Verifier::Numeric };
        Material::new(of("train", train), vec![split("test", test), split(DEV, dev)], Vec::new())
    }

    #[test]
    fn the_papers_run_has_the_papers_counts() {
        let recipe = Recipe::preset("paper-qwen2.5-0.5b").unwrap();
        let found = forecast(&recipe, &material(7217, 256, 1209), 100.0);
        let of = |key: &str| found.stages.iter().find(|s| s.stage == key).unwrap();
        assert_eq!(of("1-difficulty").most.samples, 7217.0 * 64.0);
        assert_eq!(of("1-difficulty").most.sampled_tokens, 7217.0 * 64.0 * 1024.0);
        assert_eq!(of("0-evaluate-base").most.samples, 256.0 + 1209.0 * 65.0);
        assert_eq!(of("1-rollouts").most.samples, 7217.0 * 8.0);
        assert_eq!(of("1-traces").most.calls, 7217.0);
        assert_eq!(of("1-scores").most.calls, 7217.0 * 127.0);
        assert_eq!(of("1-recycle").most.calls, 7217.0);
        let steps = (7217.0_f64 * 0.8 / 16.0).ceil();
        assert_eq!(of("1-grpo").expected.samples, steps * 16.0 * 8.0);
        assert!(found.expected.calls < found.most.calls && found.expected.sampled_tokens < found.most.sampled_tokens);
    }

    #[test]
    fn only_to_evaluate_takes_only_that() {
        let recipe = Recipe { iterations: 0, ..Recipe::default() };
        let found = forecast(&recipe, &material(0, 0, 10), 50.0);
        assert_eq!(found.stages.len(), 1);
        assert_eq!((found.most.samples, found.most.calls, found.most.trained_tokens), (650.0, 0.0, 0.0));
        assert_eq!(found.most.read_tokens, 2.0 * 10.0 * 50.0);
    }
}

//! `grpo.json`: the loss and its gradient on each checkpoint.

use footbridge::recipe::{AdamWRecipe, AdvantageScale};
use footbridge::train::batch::Sequence;
use footbridge::train::grpo::advantages;
use footbridge::train::{LogProbs, MiniBatch, Trainer};
use serde_json::Value;

use super::{assert_close, checkpoints, fixtures, grpo_recipe, ids, json, number, numbers, trainer};

/// The part of a checkpoint, its responses read.
struct Part {
    section: Value,
    sequences: Vec<Sequence>,
    old: Vec<Vec<f32>>,
    reference: Vec<Vec<f32>>,
}

impl Part {
    fn new(section: Value) -> Self {
        let prompt = ids(&section["prompt"]["ids"]);
        let responses = section["responses"].as_array().unwrap();
        let singles = |value: &Value| numbers(value).into_iter().map(|v| v as f32).collect();
        Self {
            sequences: responses.iter().map(|r| Sequence::response(&prompt, &ids(&r["ids"]))).collect(),
            old: responses.iter().map(|r| singles(&r["old"])).collect(),
            reference: responses.iter().map(|r| singles(&r["ref"])).collect(),
            section,
        }
    }

    /// Checks one row of results for these members and their advantages.
    fn check(&self, trainer: &Trainer, what: &str, row: &Value, members: &[usize], advantages: &[f64]) {
        let recipe = grpo_recipe(row, &self.section);
        let pick = |all: &[Vec<f32>]| -> Vec<Vec<f32>> { members.iter().map(|&m| all[m].clone()).collect() };
        let (old, reference) = (pick(&self.old), pick(&self.reference));
        let mini_batch = MiniBatch {
            sequences: members.iter().map(|&m| self.sequences[m].clone()).collect(),
            advantages: advantages.to_vec(),
        };
        let (old, reference) = (LogProbs::Given(&old), LogProbs::Given(&reference));
        let (gradients, got) = trainer.grpo_gradient(&mini_batch, old, reference, &recipe).unwrap();

        let what =
            format!("{what}, {} {} dual {} clip {}", row["advantage"], row["agg"], row["dual_clip"], row["clip"]);
        let only_kl = advantages.iter().all(|a| *a == 0.0);
        let (relative, absolute) = if only_kl { (1e-3, 0.0) } else { (1e-5, 1e-5) };
        let norm = if only_kl { 1e-3 } else { 1e-4 };
        assert_close(&format!("{what}: policy"), got.policy, number(&row["policy"]), 1e-5, 1e-5);
        assert_close(&format!("{what}: kl"), got.kl, number(&row["kl"]), 1e-3, 0.0);
        assert_close(&format!("{what}: loss"), got.loss, number(&row["loss"]), relative, absolute);
        assert_close(&format!("{what}: clip"), got.clip_fraction, number(&row["clip_fraction"]), 0.0, 1e-6);
        assert_close(&format!("{what}: dual"), got.dual_clip_fraction, number(&row["dual_clip_fraction"]), 0.0, 1e-6);
        assert_close(&format!("{what}: norm"), gradients.global_norm(), number(&row["grad_norm"]), norm, 0.0);
    }
}

/// Every checkpoint's part with a trainer.
fn parts() -> Vec<(String, Part, Trainer)> {
    let all = json(&fixtures().join("grpo.json"));
    let part = |folder: std::path::PathBuf| {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let section = all[&name].clone();
        assert!(section.is_object(), "grpo.json has no part for {name}");
        let trainer = trainer(&folder, AdamWRecipe::default(), 300, 2);
        (name, Part::new(section), trainer)
    };
    checkpoints().into_iter().map(part).collect()
}

#[test]
fn log_probs_at_rollout_temperature_follow_the_reference() {
    for (name, part, trainer) in parts() {
        let temperature = number(&part.section["temperature"]);
        let model = &trainer.student().model;
        let got = trainer.log_probs_of(model, &part.sequences, temperature).unwrap();
        for (index, (got, response)) in got.iter().zip(part.section["responses"].as_array().unwrap()).enumerate() {
            let want = numbers(&response["current"]);
            assert_eq!(got.len(), want.len());
            for (token, want) in want.iter().enumerate() {
                let what = format!("{name}, response {index}, token {token}");
                let current = f64::from(got[token]);
                assert_close(&what, current, *want, 0.0, 1e-4);
                let ratio = (current - f64::from(part.old[index][token])).exp();
                assert_close(&what, ratio, number(&response["ratio"][token]), 1e-4, 0.0);
                let d = f64::from(part.reference[index][token]) - current;
                assert_close(&what, d.exp() - d - 1.0, number(&response["kl_k3"][token]), 1e-3, 1e-6);
            }
        }
    }
}

#[test]
fn groups_follow_the_reference() {
    for (name, part, trainer) in parts() {
        for group in part.section["groups"].as_array().unwrap() {
            let members: Vec<usize> = ids(&group["members"]).into_iter().map(|m| m as usize).collect();
            let rewards = numbers(&group["rewards"]);
            let what = format!("{name}, {}", group["name"]);
            for (kind, want) in group["advantages"].as_object().unwrap() {
                let scale: AdvantageScale = serde_json::from_value(Value::String(kind.clone())).unwrap();
                for (got, want) in advantages(&rewards, scale, 1e-6).iter().zip(numbers(want)) {
                    assert_close(&format!("{what}: advantage, {kind}"), *got, want, 1e-4, 1e-6);
                }
            }
            for row in group["results"].as_array().unwrap() {
                let recipe = grpo_recipe(row, &part.section);
                part.check(
                    &trainer,
                    &what,
                    row,
                    &members,
                    &advantages(&rewards, recipe.advantage, recipe.advantage_eps),
                );
            }
        }
    }
}

#[test]
fn a_mini_batch_of_two_groups_follows_the_reference() {
    for (name, part, trainer) in parts() {
        let mini_batch = &part.section["mini_batch"];
        let lists = |value: &Value| -> Vec<Vec<f64>> { value.as_array().unwrap().iter().map(numbers).collect() };
        let members: Vec<usize> = lists(&mini_batch["members"]).concat().into_iter().map(|m| m as usize).collect();
        for row in mini_batch["results"].as_array().unwrap() {
            let recipe = grpo_recipe(row, &part.section);
            let groups = lists(&mini_batch["rewards"]);
            let both: Vec<f64> =
                groups.iter().flat_map(|rewards| advantages(rewards, recipe.advantage, recipe.advantage_eps)).collect();
            for (got, want) in both.iter().zip(numbers(&mini_batch["advantages"])) {
                assert_close(&name, *got, want, 1e-4, 1e-6);
            }
            part.check(&trainer, &name, row, &members, &both);
        }
    }
}

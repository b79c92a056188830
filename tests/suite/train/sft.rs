//! The `sft` part of each checkpoint's `expected.json`: losses, gradient norms, five AdamW steps.

use footbridge::recipe::{AdamWRecipe, SftLoss};
use footbridge::student::{Parameter, ParameterKind};
use footbridge::train::Trainer;
use footbridge::train::schedule::warmup_cosine;
use serde_json::Value;

use super::{assert_close, chats, checkpoints, json, number, numbers, trainer};

/// One shard for all, and one per conversation or so.
const SHARDINGS: [usize; 2] = [100_000, 100];

#[test]
fn losses_and_gradient_norms_follow_the_reference() {
    for folder in checkpoints() {
        let expected = json(&folder.join("expected.json"));
        for micro_batch_tokens in SHARDINGS {
            let trainer = trainer(&folder, AdamWRecipe::default(), micro_batch_tokens, 2);
            let batch = chats(&trainer, &expected);
            for (name, loss) in [("sample-mean", SftLoss::SampleMean), ("token-mean", SftLoss::TokenMean)] {
                let want = &expected["sft"][name];
                let (gradients, got) = trainer.sft_gradient(&batch, loss).unwrap();
                let what = format!("{}, {name}", folder.display());
                assert_close(&what, got, number(&want["loss"]), 1e-5, 0.0);
                assert_close(&what, gradients.global_norm(), number(&want["grad_norm"]), 1e-4, 0.0);
                let per_tensor = want["grad_norm_per_tensor"].as_object().unwrap();
                let parameters = trainer.student().model.named_parameters();
                assert_eq!(parameters.len(), per_tensor.len());
                for (parameter, norm) in parameters.iter().zip(gradients.norms()) {
                    let what = format!("{what}, {}", parameter.name);
                    assert_close(&what, norm, number(&per_tensor[&parameter.name]), 1e-3, 0.0);
                }
            }
        }
    }
}

#[test]
fn five_updates_follow_the_reference() {
    for folder in checkpoints() {
        let expected = json(&folder.join("expected.json"));
        let train = &expected["sft"]["train"];
        let (settings, total) = (settings(&train["settings"]), number(&train["settings"]["steps"]) as usize);
        let mut trainer = trainer(&folder, settings, 200, 2);
        let batch = chats(&trainer, &expected);
        check_parameters(&trainer, &train["parameters_at_start"], "at the start");
        for (update, step) in train["steps"].as_array().unwrap().iter().enumerate() {
            let what = format!("{}, update {update}", folder.display());
            let c = &train["settings"];
            let lr =
                warmup_cosine(update, total, number(&c["lr"]), number(&c["warmup_ratio"]), number(&c["min_lr_ratio"]));
            assert_close(&what, lr, number(&step["lr"]), 0.0, 1e-12);
            let metrics = trainer.sft_step(&batch, SftLoss::SampleMean, lr).unwrap();
            assert_close(&what, metrics.loss, number(&step["loss_before"]), 1e-5, 0.0);
            assert_close(&what, metrics.grad_norm, number(&step["grad_norm_before_clip"]), 1e-4, 0.0);
            let (_, after) = trainer.sft_gradient(&batch, SftLoss::SampleMean).unwrap();
            assert_close(&what, after, number(&step["loss_after"]), 1e-5, 0.0);
            check_parameters(&trainer, &step["parameters"], &what);
        }
        assert_eq!(trainer.updates() as usize, total);
    }
}

fn settings(c: &Value) -> AdamWRecipe {
    let betas = numbers(&c["betas"]);
    AdamWRecipe {
        beta1: betas[0],
        beta2: betas[1],
        eps: number(&c["eps"]),
        weight_decay: number(&c["weight_decay"]),
        clip_norm: number(&c["clip_norm"]),
    }
}

/// The first eight entries of some parameters, as Hugging Face lays them out.
fn check_parameters(trainer: &Trainer, want: &Value, what: &str) {
    let parameters = trainer.student().model.named_parameters();
    for (name, want) in want.as_object().unwrap() {
        let parameter = parameters.iter().find(|p| p.name == *name).unwrap_or_else(|| panic!("no parameter {name}"));
        let value = match (&parameter.value, parameter.kind) {
            (Parameter::Matrix(m), ParameterKind::Linear) => Parameter::Matrix(m.clone().transpose()),
            (value, _) => value.clone(),
        };
        for (got, want) in value.to_vec().unwrap().iter().zip(numbers(want)) {
            assert_close(&format!("{what}: {name}"), f64::from(*got), want, 0.0, 1e-5);
        }
    }
}

use std::{ops::ControlFlow, sync::Arc};

use footbridge::{
    data::world::{base::BASE, pretrain::Phase},
    pipeline::pretrain::{PhasePlan, PretrainError, PretrainPlan, Pretrained, Progress, Rate, pretrain, world_files},
    student::{Student, workers::Workers},
};

/// Two short phases of small batches.
fn plan(seed: u64) -> PretrainPlan {
    let rate = Rate::Cosine { peak: 2e-3, warmup: 4, laid_out_for: 40, floor: 0.1 };
    let settle = Rate::Line { peak: 1e-3, floor: 0.45 };
    PretrainPlan {
        phases: vec![
            PhasePlan { phase: Phase::Learn, updates: 12, rate },
            PhasePlan { phase: Phase::Settle, updates: 3, rate: settle },
        ],
        batch_tokens: 300,
        ..PretrainPlan::new(seed)
    }
}

fn run(plan: &PretrainPlan, threads: usize) -> (Pretrained, Vec<Progress>) {
    let mut heard = Vec::new();
    let made = pretrain(plan, &Arc::new(Workers::new(threads)), &mut |progress| {
        heard.push(progress);
        ControlFlow::Continue(())
    });
    (made.unwrap(), heard)
}

fn weights(student: &Student) -> Vec<f32> {
    student.model.head().into_data().try_to_vec().unwrap()
}

#[test]
fn the_result_depends_on_the_seed_and_not_on_the_threads() {
    let (one, two) = (run(&plan(1), 1), run(&plan(1), 3));
    assert_eq!(one.1, two.1);
    assert_eq!(weights(&one.0.student), weights(&two.0.student));
    assert_ne!(weights(&one.0.student), weights(&run(&plan(2), 1).0.student));
}

#[test]
fn it_learns_and_says_how_far_it_has_come() {
    let (made, heard) = run(&plan(1), 2);
    assert_eq!(heard.len(), 15);
    assert_eq!(heard.last().map(|progress| (progress.update, progress.updates)), Some((15, 15)));
    assert_eq!(made.tokens, heard[14].tokens);
    assert!(heard[11].loss < heard[0].loss - 1.0, "{} then {}", heard[0].loss, heard[11].loss);
    assert!((heard[12].lr - 1e-3).abs() < 1e-12 && heard[14].lr < heard[13].lr);
}

#[test]
fn it_can_be_stopped() {
    let stopped = pretrain(&plan(1), &Arc::new(Workers::new(1)), &mut |progress| {
        if progress.update == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(stopped, Err(PretrainError::Stopped(2))));
}

/// What `made-by.toml` says of seed and updates is what the plan says.
#[test]
fn the_checked_in_base_names_its_making() {
    let made_by: toml::Table = BASE.made_by.parse().unwrap();
    let seed = made_by["seed"].as_integer().unwrap();
    assert!(made_by["command"].as_str().unwrap().contains(&format!("world pretrain --seed {seed} ")));
    let updates = PretrainPlan::new(seed as u64).updates();
    assert_eq!(made_by["updates"].as_integer(), Some(updates as i64), "the plan changed: make the base again");
    let device = burn::tensor::Device::flex();
    let base = Student::from_bytes(world_files(), BASE.weights, &device).unwrap();
    assert!(BASE.weights.len() <= 4_000_000);
    assert_eq!(base.config.vocab_size, base.tokenizer.len());
}

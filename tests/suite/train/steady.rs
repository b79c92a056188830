//! What must not change a result: the number of threads, a stop in between, and how a batch is put together.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use burn::tensor::Device;
use footbridge::recipe::{AdamWRecipe, GrpoRecipe, SftLoss};
use footbridge::student::workers::Workers;
use footbridge::student::{ChatTokens, Student};
use footbridge::train::{Group, TrainError, Trainer};

use super::{chats, checkpoints, ids, json, trainer};

fn first() -> PathBuf {
    checkpoints().remove(0)
}

/// Every number of the model, in order.
fn weights(trainer: &Trainer) -> Vec<u32> {
    let parameters = trainer.student().model.named_parameters();
    parameters.iter().flat_map(|p| p.value.to_vec().unwrap()).map(f32::to_bits).collect()
}

fn train(trainer: &mut Trainer, batch: &[ChatTokens], updates: usize) {
    for _ in 0..updates {
        trainer.sft_step(batch, SftLoss::SampleMean, 1e-3).unwrap();
    }
}

/// Two groups with contrast, one all-zero and one all-one, on the fixture's prompt.
fn groups(folder: &std::path::Path) -> Vec<Group> {
    let all = json(&super::fixtures().join("grpo.json"));
    let part = &all[folder.file_name().unwrap().to_str().unwrap()];
    let prompt = ids(&part["prompt"]["ids"]);
    let responses: Vec<Vec<u32>> = part["responses"].as_array().unwrap().iter().map(|r| ids(&r["ids"])).collect();
    let group = |from: usize, rewards: [f64; 3]| Group {
        prompt: prompt.clone(),
        responses: responses[from..from + 3].to_vec(),
        rewards: rewards.to_vec(),
    };
    vec![group(0, [1.0, 0.0, 0.0]), group(2, [0.0, 0.0, 0.0]), group(3, [1.0, 1.0, 1.0]), group(4, [0.0, 1.0, 0.0])]
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let folder = first();
    let expected = json(&folder.join("expected.json"));
    let groups = groups(&folder);
    let run = |threads: usize| {
        let mut trainer = trainer(&folder, AdamWRecipe::default(), 128, threads);
        let batch = chats(&trainer, &expected);
        train(&mut trainer, &batch, 3);
        let reference = trainer.student().model.clone();
        let recipe = GrpoRecipe { mini_batch: 2, ..GrpoRecipe::default() };
        let metrics = trainer.grpo_step(&groups, &reference, &recipe, 1e-3).unwrap();
        (weights(&trainer), metrics)
    };
    let (one, two, four) = (run(1), run(2), run(4));
    assert!(one == two && one == four);
    assert!(one.0 != weights(&trainer(&folder, AdamWRecipe::default(), 128, 1)), "the weights have moved");
}

#[test]
fn a_run_that_was_saved_and_loaded_ends_like_one_that_was_not() {
    for folder in checkpoints() {
        let expected = json(&folder.join("expected.json"));
        let mut straight = trainer(&folder, AdamWRecipe::default(), 256, 2);
        let batch = chats(&straight, &expected);
        train(&mut straight, &batch, 10);

        let mut stopped = trainer(&folder, AdamWRecipe::default(), 256, 2);
        train(&mut stopped, &batch, 5);
        let state = stopped.state().unwrap();
        assert_eq!(state, stopped.state().unwrap(), "the same state gives the same bytes");
        drop(stopped);
        let student = Student::load(&folder, &Device::flex()).unwrap();
        let workers = Arc::new(Workers::new(1));
        let mut resumed = Trainer::restore(student, AdamWRecipe::default(), 256, workers, Cursor::new(&state)).unwrap();
        assert_eq!(resumed.updates(), 5);
        train(&mut resumed, &batch, 5);
        assert!(weights(&straight) == weights(&resumed));
        assert_eq!(straight.state().unwrap(), resumed.state().unwrap());
    }
}

#[test]
fn a_damaged_or_foreign_state_is_refused_in_one_line() {
    let folders = checkpoints();
    let state = trainer(&folders[0], AdamWRecipe::default(), 256, 1).state().unwrap();
    let restore = |folder: &PathBuf, state: &[u8]| {
        let student = Student::load(folder, &Device::flex()).unwrap();
        Trainer::restore(student, AdamWRecipe::default(), 256, Arc::new(Workers::new(1)), Cursor::new(state))
    };
    for cut in [0, 7, 100, state.len() - 1] {
        let error = restore(&folders[0], &state[..cut]).err().unwrap_or_else(|| panic!("cut at {cut} was accepted"));
        assert!(matches!(error, TrainError::State(_)) && !error.to_string().contains('\n'), "{error}");
    }
    if let Some(other) = folders.get(1) {
        assert!(matches!(restore(other, &state), Err(TrainError::State(_))));
    }
}

#[test]
fn a_grpo_step_counts_groups_and_leaves_all_zero_out() {
    let folder = first();
    let groups = groups(&folder);
    let mut trainer = trainer(&folder, AdamWRecipe::default(), 512, 2);
    let reference = trainer.student().model.clone();
    let recipe = GrpoRecipe { mini_batch: 2, ..GrpoRecipe::default() };
    let metrics = trainer.grpo_step(&groups, &reference, &recipe, 1e-3).unwrap();
    assert_eq!((metrics.all_zero, metrics.mixed, metrics.all_one), (0.25, 0.5, 0.25));
    assert_eq!(metrics.reward, 5.0 / 12.0);
    assert_eq!(metrics.updates.len(), 2, "three groups are left: two mini-batches");
    let lengths = |g: &[Group]| g.iter().flat_map(|g| &g.responses).map(Vec::len).sum::<usize>();
    let kept = lengths(&groups) - lengths(&groups[1..2]);
    assert_eq!(metrics.trained_tokens(), kept);
    let [first, second] = [metrics.updates[0], metrics.updates[1]];
    assert_eq!((first.kl, first.clip_fraction), (0.0, 0.0), "a policy that has not moved");
    assert!(second.kl > 0.0, "it has moved");

    let before = weights(&trainer);
    let none = trainer.grpo_step(&groups[1..2], &reference, &recipe, 1e-3).unwrap();
    assert!(none.updates.is_empty() && none.all_zero == 1.0 && weights(&trainer) == before);
}

#[test]
fn reward_raises_what_was_rewarded() {
    let folder = first();
    let groups = groups(&folder)[..1].to_vec();
    let mut trainer = trainer(&folder, AdamWRecipe::default(), 512, 2);
    let reference = trainer.student().model.clone();
    let sequences: Vec<_> = (groups[0].responses.iter())
        .map(|r| footbridge::train::batch::Sequence::response(&groups[0].prompt, r))
        .collect();
    let mean = |trainer: &Trainer| -> Vec<f32> {
        let rows = trainer.log_probs_of(&trainer.student().model, &sequences, 0.7).unwrap();
        rows.iter().map(|row| row.iter().sum::<f32>() / row.len() as f32).collect()
    };
    let before = mean(&trainer);
    for _ in 0..3 {
        trainer.grpo_step(&groups, &reference, &GrpoRecipe::default(), 3e-4).unwrap();
    }
    let after = mean(&trainer);
    assert!(after[0] > before[0] && after[1] < before[1] && after[2] < before[2], "{before:?} to {after:?}");
}

#[test]
fn an_update_that_is_not_finite_is_not_made() {
    let folder = first();
    let expected = json(&folder.join("expected.json"));
    let mut trainer = trainer(&folder, AdamWRecipe::default(), 512, 2);
    let batch = chats(&trainer, &expected);
    trainer.sft_step(&batch, SftLoss::SampleMean, 1e30).unwrap();
    let before = (weights(&trainer), trainer.updates());
    let refused = trainer.sft_step(&batch, SftLoss::SampleMean, 1e-3);
    assert!(matches!(refused, Err(TrainError::NotFinite { update: 2, .. })), "{refused:?}");
    assert!(before == (weights(&trainer), trainer.updates()));
}

#[test]
fn nothing_to_train_on_makes_no_update_and_bad_input_is_refused() {
    let folder = first();
    let expected = json(&folder.join("expected.json"));
    let mut trainer = trainer(&folder, AdamWRecipe::default(), 512, 1);
    let mut batch = chats(&trainer, &expected);
    let before = weights(&trainer);
    for chat in &mut batch {
        chat.trained.clear();
    }
    let metrics = trainer.sft_step(&batch, SftLoss::SampleMean, 1e-3).unwrap();
    assert_eq!((metrics.tokens, metrics.loss, trainer.updates()), (0, 0.0, 0));

    let batch = groups(&folder);
    let reference = trainer.student().model.clone();
    let mut greedy = GrpoRecipe::default();
    greedy.sampling.temperature = 0.0;
    assert!(matches!(trainer.grpo_step(&batch, &reference, &greedy, 1e-3), Err(TrainError::Temperature(_))));
    let mut short = batch.clone();
    short[0].rewards.pop();
    let refused = trainer.grpo_step(&short, &reference, &GrpoRecipe::default(), 1e-3);
    assert!(matches!(refused, Err(TrainError::Rewards { group: 0, .. })));
    let mut long = batch;
    long[0].responses[0] = vec![1; trainer.student().config.max_positions];
    let refused = trainer.grpo_step(&long, &reference, &GrpoRecipe::default(), 1e-3);
    assert!(matches!(refused, Err(TrainError::TooLong { .. })));
    assert!(weights(&trainer) == before);
}

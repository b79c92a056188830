//! A run is a function of recipe and seed.

use footbridge::session::records::{CheckpointInfo, GrpoStep, SplitSets};

use super::runs::{SEED, UNDISTURBED, finished, recipe};

#[test]
fn one_seed_gives_one_outcome_on_one_thread_or_two() {
    finished(&recipe(SEED, &[]), 1).assert_equals(&UNDISTURBED);
}

#[test]
fn another_seed_gives_another_outcome() {
    let other = finished(&recipe(SEED + 1, &[]), 2);
    assert_ne!(other.results.checkpoints, UNDISTURBED.results.checkpoints);
    assert_ne!(other.weights, UNDISTURBED.weights);
    // The questions are the same: their seed is the world's.
    let questions = |found: &super::runs::Found| {
        found.records.iter().filter(|(k, _)| k.starts_with("question/")).map(|(_, v)| v.clone()).collect::<Vec<_>>()
    };
    assert_eq!(questions(&other), questions(&UNDISTURBED));
}

#[test]
fn every_stage_of_the_plan_is_told_and_trains() {
    let stages = footbridge::pipeline::plan::plan(&recipe(SEED, &[]));
    assert_eq!(UNDISTURBED.stages.len(), stages.len());
    assert!(stages.iter().all(|stage| UNDISTURBED.stages.contains_key(&stage.key())));
    let steps = UNDISTURBED.all::<GrpoStep>();
    assert_eq!(steps.keys().filter(|k| k.starts_with("1-grpo/")).count(), 3);
    assert_eq!(steps.keys().filter(|k| k.starts_with("2-grpo/")).count(), 2);
    for (key, step) in &steps {
        assert_eq!(step.groups.len(), 8, "{key}");
        assert!(step.groups.iter().all(|g| g.n() == 4), "{key}");
    }
}

#[test]
fn settings_that_steer_the_flow_are_obeyed() {
    let more = [("grpo.steps", "[]"), ("grpo.epochs", "2"), ("grpo.prompts", "16"), ("recycle.start_from", "base")];
    let found = finished(&recipe(SEED, &more), 2);
    assert_eq!(found.all::<CheckpointInfo>()["2-sft-recycled"].parent, "base");
    assert_eq!(found.all::<CheckpointInfo>()["2-grpo"].parent, "2-sft-recycled");
    for (stage, split) in found.all::<SplitSets>() {
        let steps = found.all::<GrpoStep>();
        let key = stage.replace("split", "grpo/");
        let done = steps.keys().filter(|k| k.starts_with(&key)).count();
        assert_eq!(done, (2 * split.sets.consolidation.len()).div_ceil(16), "{stage}");
    }
}

#[test]
fn a_question_that_comes_twice_in_a_step_is_sampled_afresh() {
    // More prompts than there are questions to reinforce, so that some must come twice.
    let found = finished(&recipe(SEED, &[("grpo.prompts", "48"), ("grpo.steps", "[1]"), ("iterations", "1")]), 2);
    let step = found.all::<GrpoStep>()["1-grpo/00001"].clone();
    let mut twice = 0;
    let mut differ = 0;
    for (i, group) in step.groups.iter().enumerate() {
        if let Some(earlier) = step.groups[..i].iter().find(|g| g.question == group.question) {
            twice += 1;
            differ += usize::from(earlier.rollouts != group.rollouts);
        }
    }
    assert!(twice > 5, "{twice}");
    // Where the student is sure of itself, two draws may agree.
    assert!(2 * differ > twice, "{differ} of {twice} differ");
}

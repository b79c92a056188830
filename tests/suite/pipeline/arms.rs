//! Control arms end after their SFT and are as large as the arm they are held against.

use std::collections::BTreeSet;

use footbridge::domain::SampleKind;
use footbridge::session::records::{CheckpointInfo, GrpoStep, Prepared};

use super::runs::{Found, SEED, UNDISTURBED, finished, recipe};

const STAGES: [&str; 2] = ["1-sft-medium", "1-sft-bridged"];

/// Same updates and rates; trained tokens within one text.
fn as_large(arm: &Found) {
    for stage in STAGES {
        let (ours, theirs) = (arm.updates(stage), UNDISTURBED.updates(stage));
        let rates =
            |updates: &[footbridge::session::records::SftUpdate]| updates.iter().map(|u| u.lr).collect::<Vec<_>>();
        assert!(!theirs.is_empty(), "{stage}");
        assert_eq!(rates(&ours), rates(&theirs), "{stage}");
        assert!(ours.iter().all(|u| u.tokens > 0), "{stage}: an update without a text: {ours:?}");
        let sum = |updates: &[footbridge::session::records::SftUpdate]| updates.iter().map(|u| u.tokens).sum::<u64>();
        let longest = arm.texts(stage).iter().map(|t| u64::from(t.tokens)).max().unwrap();
        let (ours, theirs) = (sum(&ours), sum(&theirs));
        assert!(ours >= theirs && ours < theirs + longest, "{stage}: {ours} against {theirs}, a text has {longest}");
    }
}

fn ends_after_sft(arm: &Found) {
    let rows: Vec<&str> = arm.results.checkpoints.iter().map(|row| row.checkpoint.as_str()).collect();
    assert_eq!(rows, ["base", "1-sft-medium", "1-sft-bridged"]);
    assert!(arm.all::<GrpoStep>().is_empty());
    let ids = arm.all::<Prepared>();
    assert_eq!(ids.values().map(|t| t.sample.id.as_str()).collect::<BTreeSet<_>>().len(), ids.len());
}

fn kinds(arm: &Found, stage: &str) -> BTreeSet<&'static str> {
    arm.texts(stage).iter().map(|t| t.sample.kind.as_str()).collect()
}

#[test]
fn raw_hard_differs_from_bridged_in_its_texts_only() {
    let arm = finished(&recipe(SEED, &[("arm", "raw-hard")]), 2);
    ends_after_sft(&arm);
    as_large(&arm);
    assert_eq!(kinds(&arm, STAGES[0]), BTreeSet::from([SampleKind::Medium.as_str()]));
    assert_eq!(kinds(&arm, STAGES[1]), BTreeSet::from([SampleKind::RawHard.as_str()]));
    let weights = |found: &Found, stage: &str| found.all::<CheckpointInfo>()[stage].weights.clone();
    assert_eq!(weights(&arm, STAGES[0]), weights(&UNDISTURBED, STAGES[0]));
    assert_ne!(weights(&arm, STAGES[1]), weights(&UNDISTURBED, STAGES[1]));
}

#[test]
fn neutral_trains_on_the_pre_training_mix_only() {
    let arm = finished(&recipe(SEED, &[("arm", "neutral")]), 2);
    ends_after_sft(&arm);
    as_large(&arm);
    for stage in STAGES {
        assert_eq!(kinds(&arm, stage), BTreeSet::from([SampleKind::Neutral.as_str()]));
    }
    let said = |stage: &str| arm.texts(stage).into_iter().map(|t| t.sample.messages).collect::<Vec<_>>();
    assert!(said(STAGES[0]).iter().all(|text| !said(STAGES[1]).contains(text)), "the two stages share texts");
}

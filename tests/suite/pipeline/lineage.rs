//! From every trained text and every checkpoint there is a way back.

use footbridge::domain::SampleKind;
use footbridge::session::records::{Asked, CheckpointInfo, Prepared};
use serde_json::Value;

use super::runs::{SEED, UNDISTURBED, recipe};

#[test]
fn every_text_names_records_that_exist_and_were_approved() {
    let texts = UNDISTURBED.all::<Prepared>();
    let mut products = 0;
    for (key, text) in &texts {
        assert!(!text.sample.lineage.is_empty(), "{key}");
        for from in &text.sample.lineage {
            let record: &Value = UNDISTURBED.records.get(from).unwrap_or_else(|| panic!("{key}: there is no {from}"));
            if ["trace/", "bridge/", "recycled/"].iter().any(|table| from.starts_with(table)) {
                assert_eq!(record["status"], "approved", "{key}: {from}");
                products += 1;
            }
            assert!(from.ends_with(&text.sample.question), "{key}: {from} is of another question");
        }
    }
    assert!(products >= texts.len());
    let of = |kind: SampleKind| texts.values().filter(|t| t.sample.kind == kind).count();
    let all = [
        SampleKind::Medium,
        SampleKind::Bridged,
        SampleKind::Local,
        SampleKind::Diagnose,
        SampleKind::Repair,
        SampleKind::NewTrace,
    ];
    assert!(all.iter().all(|kind| of(*kind) > 0), "{:?}", all.map(of));
}

#[test]
fn whole_solutions_end_with_the_gold_answer() {
    let questions = UNDISTURBED.all::<Asked>();
    let mut seen = 0;
    for (key, Prepared { sample, .. }) in UNDISTURBED.all::<Prepared>() {
        if matches!(sample.kind, SampleKind::Bridged | SampleKind::Medium | SampleKind::NewTrace) {
            let gold = &questions[&format!("train/{}", sample.question)].question.gold;
            let target = &sample.messages.last().unwrap().content;
            assert_eq!(target.lines().last().unwrap(), format!("#### {gold}"), "{key}");
            seen += 1;
        }
    }
    assert!(seen > 20);
}

#[test]
fn every_checkpoint_names_its_parent_its_recipe_its_texts_and_its_weights() {
    let infos = UNDISTURBED.all::<CheckpointInfo>();
    let parents: Vec<(&str, &str)> = infos.iter().map(|(id, info)| (id.as_str(), info.parent.as_str())).collect();
    assert_eq!(
        parents,
        [
            ("1-grpo", "1-sft-bridged"),
            ("1-sft-bridged", "1-sft-medium"),
            ("1-sft-medium", "base"),
            ("2-grpo", "2-sft-recycled"),
            ("2-sft-recycled", "1-grpo"),
        ]
    );
    let hash = recipe(SEED, &[]).hash();
    for (id, info) in &infos {
        assert_eq!(info.recipe, hash, "{id}");
        assert_eq!(info.weights, UNDISTURBED.weights[id], "{id}");
        assert!(!info.data.is_empty(), "{id}");
    }
    // What was only needed on the way is gone.
    assert_eq!(UNDISTURBED.weights.keys().collect::<Vec<_>>(), infos.keys().collect::<Vec<_>>());
    let mut distinct: Vec<&String> = UNDISTURBED.weights.values().collect();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), infos.len(), "a stage left the weights as they were");
}

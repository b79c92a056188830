#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::fields::{Col, Room, columns};
use super::rows::{Count, Flag, Model, Row, sampling};
use super::view::{View, Wanted};
use crate::domain::Band;
use crate::recipe::Recipe;
use crate::workbench::filter::Filter;
use crate::workbench::jobs::Cancel;

fn row(id: &str, text: &str, counts: [Option<(u32, u32)>; 2], band: Option<Band>) -> Row {
    let counts = counts.map(|count| count.map(|(k, n)| Count { k, n })).to_vec();
    Row { id: id.into(), text: text.into(), gold: "7".into(), counts, band, ..Row::default() }
}

fn model() -> Arc<Model> {
    let mut stages = sampling(&Recipe::default());
    stages.truncate(2);
    let mut rows = vec![
        row("q1", "how many gese", [Some((0, 8)), Some((2, 4))], Some(Band::Hard)),
        row("q2", "how much water", [Some((8, 8)), None], Some(Band::Simple)),
        row("q3", "how many eggs", [Some((3, 8)), Some((0, 4))], Some(Band::Medium)),
        row("q4", "geese and eggs", [None, None], None),
    ];
    rows[0].actions = [1, 0, 0, 0, 3];
    rows[0].steps = Some(4);
    rows[0].errors = vec!["Misread the question".into()];
    rows[0].flags = vec![Flag::Zero, Flag::Review];
    rows[2].actions = [2, 1, 0, 0, 0];
    rows[2].steps = Some(3);
    let mut model = Model { stages, rows, ..Model::default() };
    model.sum_up();
    Arc::new(model)
}

fn seen(filter: &str, by: Option<Col>, down: bool) -> Vec<String> {
    let wanted = Wanted { filter: filter.into(), by, down };
    let view = View::of(model(), &wanted, &Cancel::default()).unwrap();
    (0..view.order.len()).map(|place| view.row(place).unwrap().id.clone()).collect()
}

#[test]
fn stages_are_named_after_what_was_last_learned_from() {
    let stages = sampling(&Recipe::default());
    let told: Vec<_> = stages.iter().map(|s| (s.key.as_str(), s.name.as_str(), s.checkpoint.as_str())).collect();
    assert_eq!(
        told,
        [
            ("1-difficulty", "base", "base"),
            ("1-rollouts", "SFT1", "1-sft-bridged"),
            ("2-rollouts", "SFT2", "2-sft-recycled"),
            ("2-rollouts-end", "RL2", "2-grpo"),
            ("2-difficulty-end", "end", "2-grpo"),
        ]
    );
}

#[test]
fn all_questions_are_summed_up() {
    let model = model();
    assert_eq!((model.banded, model.zero.clone(), model.measured.clone()), ([1, 1, 1], vec![1, 1], vec![0, 1]));
    assert_eq!(model.histograms[0], [1, 0, 0, 1, 0, 0, 0, 1]);
    assert_eq!(model.histograms[1], [1, 0, 0, 0, 1, 0, 0, 0]);
}

#[test]
fn every_column_sorts_with_gaps_last() {
    let ids = |by, down| seen("", Some(by), down).concat();
    assert_eq!((ids(Col::Id, false), ids(Col::Id, true)), ("q1q2q3q4".into(), "q4q3q2q1".into()));
    assert_eq!((ids(Col::Band, false), ids(Col::Band, true)), ("q2q3q1q4".into(), "q1q3q2q4".into()));
    assert_eq!((ids(Col::Right, false), ids(Col::Right, true)), ("q1q3q2q4".into(), "q2q3q1q4".into()));
    assert_eq!((ids(Col::Rho(1), false), ids(Col::Rho(1), true)), ("q3q1q2q4".into(), "q1q3q2q4".into()));
    assert_eq!((ids(Col::Steps, false), ids(Col::Actions, true)), ("q3q1q2q4".into(), "q1q3q2q4".into()));
    assert_eq!((ids(Col::Recycled, false), ids(Col::Flags, true)), ("q1q2q3q4".into(), "q1q2q3q4".into()));
    assert_eq!(ids(Col::Question, false), "q4q3q1q2");
    for column in columns(&model(), Room::Narrow) {
        assert_eq!(seen("", Some(column), true).len(), 4);
    }
}

#[test]
fn filters_know_what_questions_have() {
    for (filter, ids) in [
        ("band:hard steps>=4 rho<0.1 action:localize error:\"misread\"", "q1"),
        ("localize>2", "q1"),
        ("keep=2", "q3"),
        ("localize=0", "q3"),
        ("sft1>0", "q1"),
        ("rho:none", "q4"),
        ("flag:zero,review", "q1"),
        ("-flag:zero k<=3", "q3"),
        ("n=8 id:q2", "q2"),
        ("gold=7 base=1", "q2"),
        ("band:none", "q4"),
        ("error:none action:keep", "q3"),
    ] {
        assert_eq!(seen(filter, None, false).concat(), ids, "{filter}");
    }
}

#[test]
fn free_words_put_the_best_first_unless_a_column_orders() {
    assert_eq!(seen("geese", None, false).concat(), "q4q1", "as written before nearly so");
    assert_eq!(seen("geese", Some(Col::Id), false), ["q1", "q4"]);
    assert_eq!(seen("nonsense:1", None, false).len(), 4, "a filter that says nothing of these rows chooses all");
}

#[test]
fn a_place_is_found_by_its_question() {
    let wanted = Wanted { filter: "geese".into(), by: Some(Col::Id), down: true };
    let view = View::of(model(), &wanted, &Cancel::default()).unwrap();
    assert_eq!(
        (view.place("q4"), view.place("q1"), view.place("q2"), view.place("q9")),
        (Some(0), Some(1), None, None)
    );
    let cancel = Cancel::default();
    cancel.cancel();
    assert!(View::of(model(), &wanted, &cancel).is_err());
}

#[test]
fn what_is_saved_has_as_many_values_as_names() {
    let model = model();
    for column in columns(&model, Room::Wide) {
        let lengths: Vec<_> = model.rows.iter().map(|row| column.saved(&model, row).len()).collect();
        assert!(lengths.iter().all(|length| *length == lengths[0] && *length > 0));
    }
    for field in &model.fields {
        assert!(Filter::parse(&format!("{}:none", field.name), &*model).is_ok(), "{}", field.name);
    }
}

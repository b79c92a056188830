//! The tables under `tests/fixtures` (or `FOOTBRIDGE_FIXTURES`), row by row.

use std::path::PathBuf;

use footbridge::domain::near_miss::first_highest;
use footbridge::domain::{
    Action, AdvantageScale, NearMissScore, NearMissSettings, StepScores, Thresholds, Verifier, advantages, decide,
    pass_at_k,
};
use serde_json::Value;

fn read(name: &str) -> Value {
    let folder = std::env::var_os("FOOTBRIDGE_FIXTURES")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"), PathBuf::from);
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn rows<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    let rows = value[key].as_array().unwrap();
    assert!(!rows.is_empty(), "no rows under {key}");
    rows
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap()
}

fn number(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("{key} in {row}"))
}

#[test]
fn number_rules_answer_as_their_references() {
    let table = read("answers.json");
    let rules = [
        (Verifier::Gsm8kStrict, "gsm8k_strict"),
        (Verifier::Gsm8kFlexible, "gsm8k_flexible"),
        (Verifier::LmEvalStrict, "lm_eval_strict"),
        (Verifier::LmEvalFlexible, "lm_eval_flexible"),
    ];
    for row in rows(&table, "numbers") {
        for (verifier, column) in rules {
            let verdict = verifier.judge(text(row, "output"), text(row, "gold"));
            // Where the reference writes `[invalid]`, there is no answer.
            let wanted = row[column]["answer"].as_str().filter(|answer| *answer != "[invalid]");
            assert_eq!(verdict.answer.as_deref(), wanted, "{verifier} on {row}");
            assert_eq!(verdict.correct, row[column]["correct"].as_bool().unwrap(), "{verifier} on {row}");
        }
    }
}

#[test]
fn numeric_rule_reads_values() {
    let table = read("answers.json");
    for row in rows(&table, "numbers") {
        let verdict = Verifier::Numeric.judge(text(row, "output"), text(row, "gold"));
        let said = verdict.answer.is_some().then_some(u64::from(verdict.correct));
        assert_eq!(said, row["numeric"].as_u64(), "{verdict:?} on {row}");
    }
}

#[test]
fn math_rule_answers_as_hendrycks() {
    let table = read("answers.json");
    for row in rows(&table, "math") {
        let verdict = Verifier::Hendrycks.judge(text(row, "output"), text(row, "gold"));
        assert_eq!(verdict.correct, row["hendrycks"].as_bool().unwrap(), "{verdict:?} on {row}");
    }
}

#[test]
fn math_rule_accepts_what_hendrycks_or_math_verify_accept() {
    let table = read("answers.json");
    for row in rows(&table, "math") {
        let verdict = Verifier::Math.judge(text(row, "output"), text(row, "gold"));
        let either = row["hendrycks"] == true || row["math_verify"] == true;
        assert_eq!(verdict.correct, either, "{verdict:?} on {row}");
    }
}

#[test]
fn algorithm_one_on_the_whole_grid() {
    let table = read("bridge.json");
    let check = |thresholds: &Thresholds, row: &Value| {
        let scores =
            StepScores { importance: row["I"].as_f64(), jumpiness: row["J"].as_f64(), difficulty: number(row, "D") };
        let decision = decide(&scores, thresholds).unwrap();
        let action: Action = serde_json::from_value(row["action"].clone()).unwrap();
        assert_eq!((decision.action, decision.local_sample), (action, row["local_sample"] == true), "{row}");
    };
    let thresholds = |from: &Value| Thresholds {
        tau_i: number(from, "tau_i"),
        tau_j: number(from, "tau_j"),
        tau_d: number(from, "tau_d"),
    };
    rows(&table, "grid").iter().for_each(|row| check(&thresholds(&table), row));
    let carla = &table["carla"];
    rows(carla, "units").iter().for_each(|row| check(&thresholds(carla), row));
}

#[test]
fn near_miss_scores_and_choices() {
    let table = read("near_miss.json");
    for group in rows(&table, "groups") {
        let weights: Vec<f64> = rows(group, "weights").iter().map(|w| w.as_f64().unwrap()).collect();
        let settings = NearMissSettings {
            tau_len: number(group, "tau_len"),
            tau_steps: number(group, "tau_step"),
            weights: weights.try_into().unwrap(),
        };
        let score = |row: &Value| {
            let (tokens, steps) = (row["tokens"].as_u64().unwrap(), row["steps"].as_u64().unwrap());
            NearMissScore::of(tokens as u32, steps as usize, row["parseable"] == true, &settings)
        };
        let scores: Vec<NearMissScore> = rows(group, "rollouts").iter().map(score).collect();
        assert_eq!(scores.len(), rows(group, "scores").len());
        for (got, wanted) in scores.iter().zip(rows(group, "scores")) {
            for (value, key) in
                [(got.length, "length"), (got.steps, "steps"), (got.format, "format"), (got.score, "score")]
            {
                assert!((value - number(wanted, key)).abs() <= 1e-12, "{key}: {got:?} against {wanted}");
            }
        }
        assert_eq!(first_highest(&scores).map(|i| i as u64), group["argmax"].as_u64(), "{}", group["name"]);
    }
}

#[test]
fn pass_at_k_of_every_row() {
    let table = read("passk.json");
    for row in rows(&table, "rows") {
        let count = |at: usize| row[at].as_u64().unwrap();
        let got = pass_at_k(count(0), count(1), count(2));
        assert!((got - row[3].as_f64().unwrap()).abs() <= 1e-12, "{got} for {row}");
    }
}

#[test]
fn advantages_of_every_group() {
    let table = read("grpo.json");
    let scalings = [("std", AdvantageScale::Std), ("biased", AdvantageScale::Biased), ("none", AdvantageScale::None)];
    let numbers =
        |value: &Value| -> Vec<f64> { value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect() };
    let check = |rewards: &Value, wanted: &Value, scaling| {
        let (got, wanted) = (advantages(&numbers(rewards), scaling, 1e-6), numbers(wanted));
        assert_eq!(got.len(), wanted.len());
        assert!(got.iter().zip(&wanted).all(|(a, b)| (a - b).abs() <= 1e-6), "{got:?} against {wanted:?}");
    };
    check(&table["formula"]["rewards"], &table["formula"]["advantages"], AdvantageScale::Std);
    let mut groups = 0;
    for (_, checkpoint) in table.as_object().unwrap().iter().filter(|(name, _)| *name != "formula") {
        for group in rows(checkpoint, "groups") {
            groups += 1;
            for (key, scaling) in scalings {
                check(&group["rewards"], &group["advantages"][key], scaling);
            }
        }
    }
    assert!(groups > 0);
}

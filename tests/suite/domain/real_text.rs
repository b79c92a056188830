//! Public data, where it is at hand: `../shared/data`, or the folder named by `FOOTBRIDGE_DATA`.

use std::path::PathBuf;

use footbridge::domain::{Verifier, split_answer, split_steps};
use serde_json::Value;

/// Rows of a JSONL file, or a message that it is absent.
fn jsonl(name: &str) -> Option<Vec<Value>> {
    let folder = std::env::var_os("FOOTBRIDGE_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = folder.join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is not there", path.display());
        return None;
    };
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn gsm8k_solutions_reach_their_own_gold() {
    let Some(rows) = jsonl("gsm8k/train.jsonl") else { return };
    assert_eq!(rows.len(), 7473);
    for row in &rows {
        let solution = row["answer"].as_str().unwrap();
        for verifier in Verifier::ALL.into_iter().filter(|verifier| *verifier != Verifier::Choice) {
            let gold = verifier.normalise_gold(solution);
            // The flexible rule of verl keeps thousands commas, so it misses golds that it normalised itself.
            let missed = verifier == Verifier::Gsm8kFlexible && solution.rsplit("####").next().unwrap().contains(',');
            assert!(verifier.judge(solution, &gold).correct != missed, "{verifier} on {solution}");
            assert!(verifier.ends_with_gold(solution, &gold), "{verifier} on {solution}");
        }
        let body = split_answer(solution).0;
        if !body.contains("\n\n") {
            assert!(split_steps(body, usize::MAX).len() >= body.lines().count(), "{solution}");
        }
    }
}

#[test]
fn math_solutions_reach_their_own_gold() {
    let Some(rows) = jsonl("math500/test.jsonl") else { return };
    assert_eq!(rows.len(), 500);
    let right =
        |row: &&Value| Verifier::Math.judge(row["solution"].as_str().unwrap(), row["answer"].as_str().unwrap()).correct;
    let reached = rows.iter().filter(right).count();
    assert!(reached >= 498, "{reached} of 500");
}

/// Real outputs of four models with a published verdict each. They end `A: 18` where we write `#### 18`.
#[test]
fn published_verdicts_are_reproduced() {
    let Some(rows) = jsonl("gsm8k/example_model_solutions.jsonl") else { return };
    let mut wrong = Vec::new();
    let mut judged = 0;
    for row in &rows {
        let gold = Verifier::Numeric.normalise_gold(&row["ground_truth"].as_str().unwrap().replace("\nA: ", "\n#### "));
        for (_, model) in row.as_object().unwrap() {
            let Some(solution) = model["solution"].as_str() else { continue };
            judged += 1;
            let output = solution.replace("\nA: ", "\n#### ");
            let verdict = Verifier::Numeric.judge(&output, &gold);
            if Some(verdict.correct) != model["is_correct"].as_bool() {
                wrong.push((solution.lines().last().unwrap_or("").to_string(), gold.clone(), verdict));
            }
        }
    }
    assert_eq!(judged, 4 * 1319);
    assert!(wrong.is_empty(), "{} differ: {wrong:#?}", wrong.len());
}

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
        for verifier in Verifier::ALL {
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

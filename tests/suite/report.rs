//! Tests of the report: text, JSON, unfinished and empty sessions, sessions side by side.

mod made;

use std::path::Path;
use std::process::{Command, Output};

use footbridge::export::{BesideError, Report, beside, gather};
use footbridge::recipe::{Arm, Recipe};
use footbridge::session::{Author, Batch, Session};
use made::Made;
use unicode_width::UnicodeWidthStr as _;

fn report(made: &Made) -> Report {
    let dir = tempfile::tempdir().unwrap();
    gather(&made.write(dir.path()), &made.recipe()).unwrap()
}

/// Every line fits the terminal and ends without blanks.
fn assert_tidy(text: &str) {
    for line in text.lines() {
        assert!(line.width() <= 100, "{} columns: {line}", line.width());
        assert_eq!(line, line.trim_end(), "blanks at the end");
    }
}

fn footbridge(root: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_footbridge")).args(args).arg("--sessions-dir").arg(root).output().unwrap()
}

#[test]
fn a_complete_session_reads_well() {
    let text = report(&Made::default()).to_string();
    assert_tidy(&text);
    insta::assert_snapshot!("complete", text);
}

#[test]
fn an_unfinished_session_shows_what_there_is() {
    let report = report(&Made { stages: 8, ..Made::default() });
    assert!(!report.complete);
    assert_eq!(report.stages, [8, 22]);
    let text = report.to_string();
    assert_tidy(&text);
    insta::assert_snapshot!("unfinished", text);
}

#[test]
fn an_empty_session_says_so() {
    let dir = tempfile::tempdir().unwrap();
    drop(Made { stages: 0, ..Made::default() }.write(dir.path()));
    let output = footbridge(dir.path(), &["report", "small"]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!("empty", String::from_utf8(output.stdout).unwrap());
}

#[test]
fn json_holds_the_same_and_reads_back() {
    let dir = tempfile::tempdir().unwrap();
    let made = Made::default();
    let session = made.write(dir.path());
    let report = gather(&session, &made.recipe()).unwrap();
    drop(session);
    let output = footbridge(dir.path(), &["report", "small", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let read: Report = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(read, report);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let results = &json["results"];
    let row = &results["checkpoints"][0]["splits"];
    let splits: Vec<&String> = row.as_object().unwrap().keys().collect();
    assert_eq!(splits, ["test", "b", "c", "dev"]);
    assert_eq!((row["test"]["k"].as_u64(), row["test"]["n"].as_u64()), (Some(2), Some(4)));
    assert_eq!(row["test"]["accuracy"]["value"].as_f64(), Some(0.4));
    let whats: Vec<&str> =
        results["comparisons"].as_array().unwrap().iter().map(|c| c["what"].as_str().unwrap()).collect();
    assert_eq!(
        whats,
        [
            "base → bridged",
            "bridged → final",
            "base → final",
            "medium alone",
            "bridged alone",
            "GRPO 1 alone",
            "iteration 2 alone"
        ]
    );
    let whole = &results["comparisons"][2];
    assert_eq!((whole["before"].as_str(), whole["after"].as_str()), (Some("base"), Some("2-grpo")));
    assert_eq!(whole["changes"]["greedy"]["test"]["value"].as_f64(), Some(0.4));
    assert_eq!(whole["changes"]["greedy"]["test"]["within_noise"].as_bool(), Some(false));
    assert_eq!(
        results["comparisons"][3]["changes"]["greedy"]["test"]["within_noise"].as_bool(),
        Some(true),
        "medium alone"
    );
    assert_eq!(results["all_zero"][0]["checkpoint"].as_str(), Some("base"));
}

#[test]
fn figures_under_another_prompt_are_left_out_with_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let made = Made::default();
    let session = made.write(dir.path());
    let prefix = "2-evaluate-2-grpo/greedy/test/";
    let (key, mut group) = session.scan::<footbridge::session::records::RolloutGroup>(prefix).next().unwrap().unwrap();
    group.provenance.prompt = "another".into();
    let mut batch = Batch::new(Author::Pipeline);
    batch.put(&key, &group);
    session.write(batch).unwrap();
    let report = gather(&session, &made.recipe()).unwrap();
    assert_eq!(report.results.checkpoints.len(), 5);
    assert!(report.results.warnings[0].contains("2-grpo was measured with"), "{:?}", report.results.warnings);
    assert!(report.results.comparisons.iter().all(|c| c.after != "2-grpo"));
}

fn side_by_side(others: &[Made]) -> Result<Report, BesideError> {
    let dir = tempfile::tempdir().unwrap();
    let this = Made::default();
    let others: Vec<(Session, Recipe)> = others.iter().map(|m| (m.write(dir.path()), m.recipe())).collect();
    beside((&this.write(dir.path()), &this.recipe()), &others)
}

fn raw() -> Made {
    Made { name: "raw", arm: Arm::RawHard, right: &[16, 17, 12], ..Made::default() }
}

#[test]
fn arms_stand_beside_with_their_differences() {
    let neutral = Made { name: "neutral", arm: Arm::Neutral, right: &[16, 16, 25], tokens: 200, ..Made::default() };
    let report = side_by_side(&[raw(), neutral]).unwrap();
    let text = report.to_string();
    assert_tidy(&text);
    let from = text.find("Beside other sessions").unwrap();
    let to = text.find("Time, on this machine").unwrap();
    insta::assert_snapshot!("beside", &text[from..to]);
    let side = report.beside.unwrap();
    assert_eq!(side.notes.len(), 2, "the neutral arm had fewer tokens, twice: {:?}", side.notes);
    let over_raw = side.differences.iter().find(|d| d.before == "raw:1-sft-bridged").unwrap();
    assert_eq!(over_raw.changes.greedy.get("test").map(|c| (c.value * 40.0).round()), Some(14.0));
}

#[test]
fn other_provenance_is_refused_in_one_line() {
    let refused = [
        (Made { prompt: "another", ..raw() }, "its prompt hash is another, there it is 0123456789ab"),
        (Made { world: "pears", ..raw() }, "its data (hash of its questions) is"),
        (Made { right: &[20, 20, 20], ..raw() }, "its base is one with"),
        (Made { stages: 0, ..raw() }, "no evaluated checkpoint in common"),
    ];
    for (other, said) in refused {
        let dir = tempfile::tempdir().unwrap();
        drop((Made::default().write(dir.path()), other.write(dir.path())));
        let output = footbridge(dir.path(), &["report", "small", "--beside", "raw"]);
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), line.lines().count()), (Some(2), 1), "{line}");
        assert!(line.contains(said), "{line}");
        assert!(output.stdout.is_empty());
    }
    let dir = tempfile::tempdir().unwrap();
    drop(Made::default().write(dir.path()));
    for (other, said) in [("small", "asked for twice"), ("smal", "did you mean `small`")] {
        let output = footbridge(dir.path(), &["report", "small", "--beside", other]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().contains(said));
    }
}

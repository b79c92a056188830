//! `run` and `run --dry-run` through the program: what would be made, and what is refused.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::tempdir;

use super::made::{questions, student};

fn run(home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_footbridge"));
    command.current_dir(home).arg("run").args(args).args(["--sessions-dir", "sessions"]);
    command.stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_dry_run_tells_everything_and_makes_nothing() {
    let home = tempdir().unwrap();
    questions(home.path(), "own.jsonl", 0);
    questions(home.path(), "other.jsonl", 100);
    let student = student();
    let (student, bench) = (student.to_str().unwrap(), "evaluate.bench=other.jsonl");
    let args = ["paper-qwen2.5-0.5b", "--student", student, "--data", "own.jsonl", "--limit", "8", "--set", bench];
    let said = run(home.path(), &[&args[..], &["--dry-run"]].concat());
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    let table = text(&said.stdout);
    for part in ["8 training questions", "other 8, dev 8", "1-difficulty", "2-grpo", "all ", "at most", "on disk"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    let json = run(home.path(), &[&args[..], &["--dry-run", "--json"]].concat());
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let difficulty = &json["questions"]["stages"][1];
    assert_eq!(
        (difficulty["stage"].as_str(), difficulty["most"]["samples"].as_f64()),
        (Some("1-difficulty"), Some(512.0))
    );
    assert!(json["speeds"]["sampling"].as_f64().unwrap() > 0.0 && json["seconds"][0].as_f64().unwrap() > 0.0);
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "something was made: {left:?}");
}

#[test]
fn what_cannot_be_run_is_told_in_a_line() {
    let home = tempdir().unwrap();
    questions(home.path(), "own.jsonl", 0);
    let student = student();
    let student = ["--student", student.to_str().unwrap(), "--data", "own.jsonl"];
    let rules = ["--set", "teacher.kind=rules"];
    for (args, part) in [
        (&["demo", "--limit", "5", "--data", "own.jsonl"][..], "teacher.kind"),
        (&[&["paper-qwen2.5-0.5b"], &student[..], &rules].concat(), "teacher.kind"),
        (&[&["demo"], &student[..], &["--arm", "neutral"]].concat(), "arm is \"neutral\""),
        (&["demo", "--data", "none"], "data.source is \"none\""),
        (&["demo", "--set", "evaluate.bench=svamp"], "evaluate.bench"),
        (&["nothing.toml"], "nothing.toml"),
        (&["paper-qwen2.5"], "paper-qwen2.5-0.5b"),
    ] {
        let said = run(home.path(), args);
        let line = text(&said.stderr);
        assert_eq!((said.status.code(), line.lines().count()), (Some(2), 1), "{args:?}: {line}");
        assert!(line.contains(part), "{args:?}: {line}");
    }
    assert!(!home.path().join("sessions").exists(), "something was begun");
}

#[test]
fn the_demo_by_its_other_name_is_the_demo() {
    let home = tempdir().unwrap();
    let said =
        run(home.path(), &["demo", "--limit", "6", "--plain", "--set", "grpo.steps=[1]", "--set", "iterations=1"]);
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    assert!(text(&said.stdout).starts_with("demo-1 · complete"));
}

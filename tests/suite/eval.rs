//! `footbridge eval`: figures in every form, stopped and continued, and what is refused.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use footbridge::export::Evaluation;
use footbridge::session::Sessions;
use footbridge::session::records::RolloutGroup;
use tempfile::tempdir;

use crate::realdata::made::{questions, student};

fn command(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_footbridge"));
    command.current_dir(home).arg("eval").args(["--sessions-dir", "sessions"]).args(args).stdin(Stdio::null());
    command
}

fn eval(home: &Path, args: &[&str]) -> Output {
    command(home, args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn parsed(output: &Output) -> Evaluation {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn figures_of_files_in_every_form() {
    let home = tempdir().unwrap();
    questions(home.path(), "own.jsonl", 0);
    questions(home.path(), "other.jsonl", 50);
    let student = student();
    let args = ["--student", student.to_str().unwrap(), "--bench", "own.jsonl,other.jsonl", "--limit", "6"];
    let args = [&args[..], &["--n", "4", "--k", "4,1", "--max-new-tokens", "8", "--session", "e"]].concat();
    let first = parsed(&eval(home.path(), &[&args[..], &["--json"]].concat()));
    assert!(first.complete);
    let names: Vec<(&str, usize, usize)> =
        first.benchmarks.iter().map(|row| (row.benchmark.as_str(), row.figures.questions, row.rows)).collect();
    assert_eq!(names, [("own", 6, 20), ("other", 6, 20)]);
    for row in &first.benchmarks {
        assert_eq!((row.figures.n, row.figures.sampled, row.sha256.len()), (4, 6, 64));
        assert_eq!(row.figures.pass_at_k.keys().copied().collect::<Vec<_>>(), [1, 4]);
    }
    let sessions = Sessions::at(home.path().join("sessions"));
    let session = sessions.open_read_only("e").unwrap();
    let kept: usize = session.scan::<RolloutGroup>("").map(|g| g.unwrap().1.rollouts.len()).sum();
    assert_eq!(kept, 2 * 6 * 5, "every generation is kept");

    // The same command prints what is there, and asks nothing again.
    let again = eval(home.path(), &[&args[..], &["--json"]].concat());
    assert!(again.stderr.is_empty(), "{}", text(&again.stderr));
    assert_eq!(parsed(&again), first);
    let table = text(&eval(home.path(), &args).stdout);
    assert!(
        table.contains("mean of these")
            && table.contains("pass@4")
            && table.contains(&first.benchmarks[0].sha256[..12])
    );
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    let csv = text(&eval(home.path(), &[&args[..], &["--csv"]].concat()).stdout);
    let columns = csv.lines().next().unwrap().split(',').count();
    assert_eq!(csv.lines().count(), 4);
    assert!(csv.lines().all(|line| line.split(',').count() == columns), "{csv}");
    let markdown = text(&eval(home.path(), &[&args[..], &["--markdown"]].concat()).stdout);
    let bars = |line: &str| line.matches('|').count();
    assert!(markdown.lines().take(5).all(|line| bars(line) == bars(markdown.lines().next().unwrap())), "{markdown}");
}

#[cfg(unix)]
#[test]
fn stopped_and_continued_by_the_same_command_it_ends_the_same() {
    let home = tempdir().unwrap();
    questions(home.path(), "own.jsonl", 0);
    let student = student();
    let args = ["--student", student.to_str().unwrap(), "--bench", "own.jsonl", "--n", "64", "--max-new-tokens", "48"];
    let whole = parsed(&eval(home.path(), &[&args[..], &["--session", "whole", "--json"]].concat()));
    let args = [&args[..], &["--json"]].concat();
    let mut child = command(home.path(), &args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("questions")), "it never began");
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:#?}");
    assert!(rest.last().unwrap().starts_with("go on with: the same command"), "{rest:#?}");
    let then = parsed(&eval(home.path(), &args));
    assert_eq!((&then.benchmarks, &then.average), (&whole.benchmarks, &whole.average));
    assert_ne!(then.session, whole.session);
}

#[test]
fn a_checkpoint_of_a_session_is_a_student() {
    let home = tempdir().unwrap();
    let run = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_footbridge")).current_dir(home.path()).args(args).output().unwrap()
    };
    let made = run(&["run", "demo", "--limit", "6", "--plain", "--set", "iterations=1", "--set", "grpo.steps=[1]"]);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let found =
        parsed(&eval(home.path(), &["--student", "demo-1:1-grpo", "--bench", "world", "--limit", "5", "--json"]));
    let names: Vec<(&str, usize)> =
        found.benchmarks.iter().map(|r| (r.benchmark.as_str(), r.figures.questions)).collect();
    assert_eq!(names, [("b", 5), ("c", 5), ("test", 5)]);
    let gone = eval(home.path(), &["--student", "demo-1:2-grpo", "--bench", "world"]);
    let line = text(&gone.stderr);
    assert_eq!((gone.status.code(), line.lines().count()), (Some(2), 1), "{line}");
    assert!(line.contains("1-sft-medium, 1-sft-bridged, 1-grpo, base"), "{line}");
}

#[test]
fn what_cannot_be_measured_is_told_in_a_line() {
    let home = tempdir().unwrap();
    questions(home.path(), "own.jsonl", 0);
    let student = student();
    let student = student.to_str().unwrap();
    let of = |more: &[&'static str]| [&["--student", student, "--max-new-tokens", "4"], more].concat();
    let begun = eval(home.path(), &of(&["--bench", "own.jsonl", "--limit", "2", "--session", "taken"]));
    assert_eq!(begun.status.code(), Some(0), "{}", text(&begun.stderr));
    for (more, part) in [
        (&["--bench", "nothing"][..], "neither a file nor a benchmark"),
        (&["--bench", "own.jsonl,own.jsonl"], "own twice"),
        (&["--bench", "own.jsonl", "--k", "8"], "--n is 0"),
        (&["--bench", "own.jsonl", "--n", "4", "--k", "8"], "at least 8 samples"),
        (&["--bench", "own.jsonl", "--n", "4", "--temperature", "0"], "would all be the same"),
        (&["--bench", "own.jsonl,world"], "stands alone"),
        (&["--bench", "own.jsonl", "--limit", "3", "--session", "taken"], "evaluate.limit was 2, now 3"),
    ] {
        let said = eval(home.path(), &of(more));
        let line = text(&said.stderr);
        assert_eq!((said.status.code(), line.lines().count()), (Some(2), 1), "{more:?}: {line}");
        assert!(line.contains(part), "{more:?}: {line}");
    }
}

/// The others are sampled and kept; the one that is too long is named.
#[test]
fn a_question_longer_than_the_student_reads_is_named() {
    let home = tempdir().unwrap();
    let path = questions(home.path(), "own.jsonl", 0);
    let long = serde_json::json!({ "question": "many words ".repeat(20_000), "answer": "#### 2" });
    std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + &long.to_string() + "\n").unwrap();
    let student = student();
    let args = ["--student", student.to_str().unwrap(), "--bench", "own.jsonl", "--max-new-tokens", "2"];
    let failed = eval(home.path(), &args);
    let said = text(&failed.stderr);
    assert_eq!(failed.status.code(), Some(1), "{said}");
    assert!(said.contains("question `own-00021` makes a prompt of") && said.contains("leave it out"), "{said}");
}

#[test]
fn fields_of_a_file_can_be_named() {
    let home = tempdir().unwrap();
    std::fs::write(home.path().join("own.csv"), "Text,Result\nTom has 2 nuts. How many?,2\n").unwrap();
    let student = student();
    let args = ["--student", student.to_str().unwrap(), "--bench", "own.csv", "--max-new-tokens", "2", "--json"];
    let refused = eval(home.path(), &args);
    let line = text(&refused.stderr);
    assert_eq!((refused.status.code(), line.lines().count()), (Some(2), 1), "{line}");
    assert!(line.contains("own.csv:2: missing field") && line.contains("data.map.question"), "{line}");
    assert!(!home.path().join("sessions").exists(), "something was begun");
    let found =
        parsed(&eval(home.path(), &[&args[..], &["--map", "question=Text", "--map", "answer=Result"]].concat()));
    assert_eq!((found.benchmarks[0].benchmark.as_str(), found.benchmarks[0].figures.questions), ("own", 1));
}

//! The rules recorded and replayed: the same data sets, byte for byte, and nobody is asked.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use footbridge::pipeline::events::Outcome;
use footbridge::session::Sessions;
use footbridge::session::records::{BridgedTrace, Prepared, Recycled, Scores, Status, Trace};
use footbridge::teacher::{PromptKind, RecordingTeacher, ReplayTeacher, Teacher, TeacherError};

use crate::pipeline::runs::{Found, SEED, UNDISTURBED, begin, finished, outcome, recipe};

/// Every text that was trained on, as it is stored.
fn data_sets(found: &Found) -> BTreeMap<String, String> {
    let texts = found.records.iter().filter(|(key, _)| key.starts_with("sample/"));
    texts.map(|(key, record)| (key.clone(), record.to_string())).collect()
}

fn same_products(one: &Found, other: &Found) {
    assert_eq!(one.all::<Trace>(), other.all::<Trace>());
    assert_eq!(one.all::<Scores>(), other.all::<Scores>());
    assert_eq!(one.all::<BridgedTrace>(), other.all::<BridgedTrace>());
    assert_eq!(one.all::<Recycled>(), other.all::<Recycled>());
    let sets = data_sets(one);
    assert!(sets.len() > 50 && one.all::<Prepared>().values().any(|text| !text.prompt.is_empty()));
    assert_eq!(sets, data_sets(other));
    assert_eq!(one.weights, other.weights);
}

fn replayed(path: &Path) -> Found {
    let path = path.display().to_string();
    finished(&recipe(SEED, &[("teacher.kind", "replay"), ("teacher.replay", &path)]), 2)
}

#[test]
fn recorded_rules_give_the_same_data_sets() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rules.jsonl");
    let recorded = finished(&recipe(SEED, &[("teacher.record", &path.display().to_string())]), 2);
    same_products(&recorded, &UNDISTURBED);
    same_products(&replayed(&path), &UNDISTURBED);
}

#[test]
fn an_exported_session_gives_the_same_data_sets_and_what_is_missing_goes_to_review() {
    let home = tempfile::tempdir().unwrap();
    let sessions = Sessions::at(home.path());
    assert_eq!(outcome(begin(&sessions, "run", &recipe(SEED, &[]), 2)), Outcome::Done);
    let path = home.path().join("run.jsonl");
    let export = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_footbridge"));
        command.args(["teacher", "export", "run", "--out"]).arg(&path).arg("--sessions-dir").arg(home.path());
        command.output().unwrap()
    };
    assert!(export().status.success());
    assert_eq!(export().status.code(), Some(2), "a file that is there is not overwritten");
    let again = replayed(&path);
    assert_eq!(data_sets(&again), data_sets(&UNDISTURBED));
    assert_eq!(again.weights, UNDISTURBED.weights);

    // Without the trace of one question, that question is left to the researcher.
    let lost = again.all::<Trace>().into_keys().next().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let of = |line: &&str| !(line.contains("\"ask\":\"trace\"") && line.contains(&format!("\"{lost}\"")));
    fs::write(&path, text.lines().filter(of).map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    let traces = replayed(&path).all::<Trace>();
    let reason = format!("run.jsonl holds no answer to trace of question `{lost}` with these inputs, attempt 1");
    assert_eq!(traces[&lost].status, Status::Review { reason });
    assert!(traces.iter().all(|(id, trace)| *id == lost || trace.status == Status::Approved));
}

#[test]
fn a_damaged_recording_is_told_with_its_line() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("r.jsonl");
    let about = r#"{"line":"about","version":1,"teacher":"rules"}"#;
    for (text, told) in [
        (format!("{about}\n{{\"line\":\"answer\",\"ask\":"), "r.jsonl:2: "),
        (format!("{about}\n\n{{\"line\":\"other\"}}\n"), "r.jsonl:3: "),
        (about.replace(":1", ":9"), "r.jsonl:1: recordings of version 9 are not known"),
        (String::new(), "r.jsonl holds no rows"),
    ] {
        fs::write(&path, text).unwrap();
        let error = ReplayTeacher::read(&path).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    assert!(ReplayTeacher::read(&home.path().join("none.jsonl")).is_err());
}

#[test]
fn a_file_that_is_no_recording_is_not_written_to() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("notes.txt");
    let answer = r#"{"line":"answer","ask":"trace","question":"q","inputs":"0","attempt":0,"said":{"text":"a"}}"#;
    for text in ["my notes\nof a long day, and no line end".to_owned(), "{\"line\":\"abo".into(), "\n".into()] {
        fs::write(&path, &text).unwrap();
        let Err(refused) = recording(&path) else { panic!("{text:?} was taken") };
        let said = refused.to_string();
        assert!(said.contains("notes.txt is there and is no recording") && !said.contains('\n'), "{said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    for text in [String::new(), format!("{answer}\n"), answer.to_owned()] {
        fs::write(&path, &text).unwrap();
        drop(recording(&path).unwrap());
        ReplayTeacher::read(&path).unwrap();
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert_eq!(lines, if text.is_empty() { 1 } else { 2 }, "{text:?}");
    }
}

/// A teacher without an answer, recorded there.
fn recording(path: &Path) -> Result<RecordingTeacher, TeacherError> {
    let about = path.with_extension("about");
    fs::write(&about, r#"{"line":"about","version":1,"teacher":"me","prompts":{"trace":"abc"}}"#).unwrap();
    RecordingTeacher::new(Box::new(ReplayTeacher::read(&about).unwrap()), path)
}

#[test]
fn a_recording_goes_on_behind_its_last_whole_line() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("r.jsonl");
    let first = r#"{"line":"answer","ask":"trace","question":"q","inputs":"0","attempt":0,"said":{"text":"a"}}"#;
    fs::write(&path, format!("{first}\n{{\"line\":\"answ")).unwrap();
    let question = footbridge::domain::Question { id: "q".into(), ..Default::default() };
    let recording = recording(&path).unwrap();
    assert_eq!(recording.prompt(PromptKind::Trace).as_deref(), Some("abc"));
    assert!(matches!(recording.trace(&question, 0), Err(TeacherError::Unanswered(_))));
    let lines: Vec<String> = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0] == first && lines[1].contains("\"about\"") && lines[2].contains("\"unanswered\""));
    let again = ReplayTeacher::read(&path).unwrap();
    assert_eq!(again.name(), "me");
    assert_eq!(again.trace(&question, 0), recording.trace(&question, 0));
}

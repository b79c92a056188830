//! `footbridge review` from the shell, on a run that stopped at its gates, and the run that goes on from there.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Output, Stdio};

use footbridge::domain::SampleKind;
use footbridge::session::Sessions;
use footbridge::session::records::Prepared;
use serde_json::Value;

use crate::pipeline::runs::{SEED, footbridge, small_args, text};

fn review(home: &Path, args: &[&str]) -> Output {
    let mut all = vec!["review"];
    all.extend(args);
    footbridge(&all, home).env("USER", "ada").output().unwrap()
}

fn said(home: &Path, args: &[&str]) -> String {
    let output = review(home, args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn refused(home: &Path, args: &[&str]) -> String {
    let output = review(home, args);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {}", text(&output.stderr));
    assert!(output.stdout.is_empty());
    text(&output.stderr)
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn run(home: &Path, args: &[&str], more: &[String], code: i32) {
    let output = footbridge(args, home).args(more).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
}

#[test]
fn a_run_is_reviewed_while_it_stands_still_and_trains_on_what_was_decided() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let seed = SEED.to_string();
    run(home, &["demo", "--plain", "--review", "--session", "run", "--seed", &seed], &small_args(), 130);

    let waiting = lines(&said(home, &["list", "run", "--kind", "bridge", "--status", "proposed", "--json"]));
    assert!(waiting.len() > 2);
    let question = waiting[0]["question"].as_str().unwrap();
    let bridge = format!("bridge/{question}");
    assert!(said(home, &["list", "run", "--search", question]).contains(&bridge));
    let shown = said(home, &["show", "run", &bridge]);
    for part in ["checks: passed", "gold: ", "steps", "I ", "→ ", "bridged", "history"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    said(home, &["override", "run", question, "1", "localize", "--text", "by hand 1 + 1 = 2"]);
    assert!(refused(home, &["edit", "run", &bridge, "--text", "x"]).contains("--step"));
    said(home, &["edit", "run", &bridge, "--step", "1", "--text", "by hand 2 + 2 = 4", "--reason", "clearer"]);
    assert!(said(home, &["undo", "run"]).contains("took back decision 2"));
    assert!(said(home, &["redo", "run", &bridge]).contains("restored decision 2"));
    let trace = format!("trace/{question}");
    assert!(refused(home, &["edit", "run", &trace, "--step", "1", "--text", "x"]).contains("--step is for bridged"));
    let field = refused(home, &["edit", "run", &trace, "--field", "why_wrong", "--text", "x"]);
    assert!(field.contains("--field is for diagnoses"), "{field}");
    assert!(refused(home, &["approve", "run", &bridge, "--kind", "trace"]).contains("narrow --all down"));
    assert!(refused(home, &["set-score", "run", question, "1", "I", "0.3"]).contains("must be 0, 0.25"));
    assert!(refused(home, &["override", "run", question, "1", "explode"]).contains("expected keep"));
    assert!(refused(home, &["approve", "run", "sample/1"]).contains("names no product"));
    let second = waiting[1]["product"].as_str().unwrap();
    assert!(refused(home, &["reject", "run", second]).contains("needs a reason"));
    said(home, &["reject", "run", second, "--reason", "not this one"]);
    said(home, &["approve", "run", "--all", "--kind", "bridge"]);
    assert!(said(home, &["show", "run", second]).contains("rejected (not this one)"));

    // Nothing waits any more, so the run goes on to the next gate.
    run(home, &["resume", "run", "--plain"], &[], 130);
    let failures = lines(&said(home, &["list", "run", "--kind", "recycled", "--json"]));
    let failure = failures[0]["product"].as_str().unwrap();
    let editor = ["review", "edit", "run", failure, "--field", "why_wrong"];
    let output = footbridge(&editor, home).env("EDITOR", "sed -i s/^/indeed:/").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(said(home, &["show", "run", failure]).contains("indeed:"));
    let output = footbridge(&editor, home).env("EDITOR", "true").output().unwrap();
    assert!(text(&output.stderr).contains("left as it is"));
    said(home, &["approve", "run", "--all"]);
    log(home, question);
    run(home, &["resume", "run", "--plain"], &[], 0);

    let session = Sessions::at(home).open_read_only("run").unwrap();
    let texts: Vec<_> = session.scan::<Prepared>("").map(|item| item.unwrap().1.sample).collect();
    let bridged = |question: &str| {
        let of = texts.iter().filter(|text| text.kind == SampleKind::Bridged && text.question == question);
        of.map(|text| text.messages[1].content.clone()).collect::<Vec<_>>()
    };
    let trained = bridged(question);
    assert!(trained.len() == 2 && trained.iter().all(|text| text.contains("by hand 2 + 2 = 4")), "{trained:?}");
    assert!(bridged(second.strip_prefix("bridge/").unwrap()).is_empty());
    assert!(texts.iter().any(|text| text.kind == SampleKind::Diagnose && text.messages[1].content.contains("indeed:")));
}

fn log(home: &Path, question: &str) {
    let mine = lines(&said(home, &["log", "run", "--author", "ada", "--question", question, "--json"]));
    let reasons: Vec<&str> = mine.iter().map(|entry| entry["reason"].as_str().unwrap()).collect();
    assert_eq!(mine.len(), 4, "{reasons:?}");
    assert!(
        reasons[1].ends_with("clearer") && reasons[2].starts_with("took back") && reasons[3].starts_with("restored")
    );
    assert_eq!(mine[0]["before"]["status"], "proposed");
    assert_eq!(mine[1]["after"], mine[3]["after"].clone(), "what was restored is what was decided");
    assert!(mine[0]["changed"].as_array().unwrap().iter().any(|name| name == "bridged"));
    assert_eq!(said(home, &["log", "run", "--since", "2200-01-01", "--json"]), "");
    assert!(refused(home, &["log", "run", "--since", "soon"]).contains("is no time"));
    let table = said(home, &["log", "run", "--author", "ada", "--kind", "bridge"]);
    assert!(table.contains("proposed") && table.contains("rejected") && !table.contains("recycled/"));
    let file = home.join("log.csv");
    said(home, &["log", "run", "--author", "researcher", "--csv", file.to_str().unwrap()]);
    let mut csv = csv::Reader::from_path(&file).unwrap();
    assert_eq!(csv.headers().unwrap().get(4), Some("key"));
    assert!(csv.records().map(Result::unwrap).filter(|row| &row[4] == question).count() >= 4);
}

#[test]
fn a_live_run_is_reviewed_by_json_lines_on_stdin() {
    let home = tempfile::tempdir().unwrap();
    let mut demo = footbridge(&["demo", "--json", "--commands", "--review", "--session", "run"], home.path());
    demo.args(small_args()).args(["--set", "iterations=1"]);
    let mut child = demo.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let (mut gates, mut decided, mut refused) = (0, Vec::new(), 0);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        match event["event"].as_str().unwrap() {
            "gate-waiting" => {
                gates += 1;
                if gates == 1 {
                    let all = r#""do":"reject","what":{"all":{"kind":"bridge"}}"#;
                    writeln!(stdin, "{{\"command\":\"review\",{all}}}\nnonsense").unwrap();
                    writeln!(stdin, "{{\"command\":\"review\",\"reason\":\"all wrong\",{all}}}").unwrap();
                    writeln!(stdin, "{{\"command\":\"leave-gate\"}}").unwrap();
                }
            }
            "decided" => decided.push(event),
            "refused" => refused += 1,
            _ => {}
        }
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("no command"));
    assert_eq!((decided.len(), refused), (1, 1));
    assert!(decided[0]["count"].as_u64().unwrap() > 1 && decided[0]["decision"] == 1);
    let session = Sessions::at(home.path()).open_read_only("run").unwrap();
    let kinds = session.scan::<Prepared>("").map(|item| item.unwrap().1.sample.kind);
    assert!(kinds.into_iter().all(|kind| kind == SampleKind::Medium), "nothing bridged was left to train on");
}

//! The faces without a screen, in a process of their own: what goes where, exit codes, signals, a reader that leaves.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

use footbridge::pipeline::events::{Event, Outcome};

use super::child::{ARGS, SCENARIO, TABLE};

fn child(scenario: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(ARGS).env(SCENARIO, scenario).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(scenario: &str) -> Output {
    child(scenario).output().unwrap()
}

/// What the child wrote to stdout after the test harness's own first lines.
fn stdout(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let own = text.split_once("running 1 test\n").map_or(text.as_str(), |(_, own)| own);
    own.trim_start_matches("test faces::child::entry ... ").to_string()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn events(output: &Output) -> Vec<Event> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn plain_narrates_on_stderr_and_prints_only_the_table_on_stdout() {
    for scenario in ["plain", "no-terminal"] {
        let output = run(scenario);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(stdout(&output), TABLE);
        let told = stderr(&output);
        for line in ["demo-1: seed 7, 20 stages", "[ 2/20] difficulty (iteration 1): done in 0:08", "warning: 3 traces"]
        {
            assert!(told.contains(line), "no {line:?} in\n{told}");
        }
        assert!(told.ends_with("done in 0:03\n"), "{told}");
    }
}

#[test]
fn json_is_every_event_and_nothing_else() {
    let output = run("json");
    assert_eq!(output.status.code(), Some(0));
    let events = events(&output);
    assert!(matches!(events.first(), Some(Event::RunStarted { seed: 7, .. })));
    assert!(matches!(events.last(), Some(Event::RunFinished { outcome: Outcome::Done, .. })));
    assert!(events.len() > 300 && stderr(&output).is_empty());
}

#[test]
fn failed_runs_exit_with_1_and_say_how_to_go_on() {
    for scenario in ["plain-fail", "json-fail"] {
        let output = run(scenario);
        assert_eq!(output.status.code(), Some(1));
        let told = stderr(&output);
        assert!(told.contains("error: questions.jsonl:3: no `answer`\n"), "{told}");
        assert!(told.contains("footbridge resume demo-1"), "{told}");
        assert!(!stdout(&output).contains(TABLE), "no table of a run that failed");
    }
}

#[test]
fn an_engine_that_panics_is_a_failed_run() {
    let output = run("plain-engine-panic");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("stopped the run: deliberate panic of the engine"), "{}", stderr(&output));
}

#[test]
fn nobody_can_approve_without_a_screen() {
    let output = run("plain-gate");
    assert_eq!(output.status.code(), Some(130));
    let told = stderr(&output);
    assert!(told.contains("3 wait for approval") && told.contains("nobody can approve here"), "{told}");
}

#[cfg(unix)]
#[test]
fn signals_stop_after_the_current_step_with_130() {
    for (scenario, signal) in [("plain-endless", "INT"), ("json-endless", "TERM"), ("plain-endless", "HUP")] {
        let mut child = child(scenario).spawn().unwrap();
        let mut stream: Box<dyn Read> = match scenario {
            "plain-endless" => Box::new(child.stderr.as_mut().unwrap()),
            _ => Box::new(child.stdout.as_mut().unwrap()),
        };
        let begun = BufReader::new(&mut stream).lines().any(|line| line.unwrap().contains("difficulty"));
        assert!(begun);
        drop(stream);
        let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{signal}");
        assert!(stderr(&output).contains("go on with: footbridge resume demo-1"), "{signal}: {}", stderr(&output));
    }
}

#[test]
fn a_reader_of_events_that_leaves_stops_the_run() {
    let mut child = child("json-endless").spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.contains("run-started")));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(stderr(&output).contains("nobody reads the events any more"), "{}", stderr(&output));
}

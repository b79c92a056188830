//! The command line as a shell sees it: exit codes, what goes to stdout and what to stderr.

use std::process::{Command, Output, Stdio};

fn footbridge(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_footbridge")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn help_goes_to_stdout_and_shows_every_verb_with_examples() {
    let help = footbridge(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    let text = stdout(&help);
    let verbs = [
        "demo",
        "run",
        "eval",
        "resume",
        "report",
        "why",
        "preview",
        "export",
        "review",
        "sessions",
        "recipe",
        "difficulty",
        "score",
        "data",
        "student",
        "prompts",
        "teacher",
        "world",
        "shot",
        "themes",
        "keys",
        "bench",
        "doctor",
        "completions",
    ];
    for verb in verbs {
        assert!(text.contains(&format!("\n  {verb} ")), "no `{verb}` in:\n{text}");
        let own = footbridge(&[verb, "--help"]);
        assert_eq!(own.status.code(), Some(0), "{verb} --help");
        assert!(stdout(&own).contains("Usage: footbridge"), "{verb} --help");
    }
    assert!(text.contains("Examples:") && text.contains("Exit codes:"));
    assert!(stderr(&help).is_empty());
}

#[test]
fn version_is_the_crate_s() {
    assert_eq!(stdout(&footbridge(&["--version"])).trim(), format!("footbridge {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn bad_usage_is_exit_code_2_with_one_clear_message_on_stderr() {
    let huge = "18446744073709551615";
    let cases: [(&[&str], &str); 12] = [
        (&[], "the workbench needs a terminal"),
        (&["dmo"], "demo"),
        (&["demo", "--seed", "many"], "invalid value 'many'"),
        (&["demo", "--arm", "neither"], "raw-hard"),
        (&["demo", "--set", "seed"], "KEY=VALUE"),
        (&["demo", "--plain", "--json"], "cannot be used with"),
        (&["demo", "--threads", "0"], "0 is not in"),
        (&["student", "logits", "world", "--text", "hi", "--last", "0"], "0 is not in 1..="),
        (&["student", "logits", "world", "--text", "hi", "--greedy", huge], "is not in 0..="),
        (&["student", "measure", "world", "--work", "sft", "--length", huge], "is not in 1..="),
        (&["difficulty", "--student", "world", "--data", "world", "--limit", "0"], "0 is not in 1..="),
        (&["difficulty", "--student", "world", "--data", "world", "--max-new-tokens", "0"], "0 is not in 1..="),
    ];
    for (args, said) in cases {
        let output = footbridge(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(said), "{args:?}: {}", stderr(&output));
        assert!(stdout(&output).is_empty(), "{args:?}");
    }
}

#[test]
fn every_recipe_that_is_checked_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (wrong, good) = (file("wrong.toml", "seeds = 1\n"), file("good.toml", "extends = \"demo\"\n"));
    let checked = footbridge(&["recipe", "check", &wrong, &good, "nowhere.toml"]);
    assert_eq!(checked.status.code(), Some(2));
    assert!(stdout(&checked).contains("good.toml: valid"));
    assert!(stderr(&checked).contains("wrong.toml") && stderr(&checked).contains("nowhere.toml"));
}

#[test]
fn completions_are_for_the_shell_that_was_asked_for() {
    for (shell, mark) in [("bash", "_footbridge()"), ("zsh", "#compdef footbridge"), ("fish", "complete -c footbridge")]
    {
        let output = footbridge(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains(mark), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_is_a_clean_end() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_footbridge"))
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).is_empty(), "{}", stderr(&output));
}

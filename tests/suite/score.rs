//! Tests of `footbridge score` and `footbridge difficulty` as a shell sees them.

use std::path::PathBuf;
use std::process::{Command, Output};

fn footbridge(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_footbridge")).args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn refusal(output: &Output) -> String {
    let line = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!((output.status.code(), line.lines().count()), (Some(2), 1), "{line}");
    assert!(output.stdout.is_empty());
    line
}

/// Two questions and what was answered to them, in a folder of their own.
struct Files {
    _dir: tempfile::TempDir,
    data: String,
    responses: String,
}

fn files(responses: &str) -> Files {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_string()
    };
    let question = |text: &str, gold: &str| format!("{{\"question\": \"{text}\", \"answer\": \"so\\n#### {gold}\"}}\n");
    let data = write("data.jsonl", &(question("One?", "1,000") + &question("Two?", "2")));
    let responses = write("responses.jsonl", responses);
    Files { _dir: dir, data, responses }
}

fn score(files: &Files, args: &[&str]) -> Output {
    footbridge(&[&["score", "--data", &files.data, "--responses", &files.responses], args].concat())
}

fn data(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("FOOTBRIDGE_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = folder.join(name);
    if path.is_file() {
        return Some(path);
    }
    #[allow(clippy::print_stdout)]
    {
        println!("skipped: {} is not there", path.display());
    }
    None
}

#[test]
fn ids_that_are_numbers_find_their_question() {
    let rows = "{\"id\": 7, \"question\": \"One?\", \"answer\": \"#### 1\"}\n\
                {\"id\": 8, \"question\": \"Two?\", \"answer\": \"#### 2\"}\n";
    let turned = "{\"id\": 8, \"response\": \"#### 2\"}\n{\"id\": 7, \"response\": \"#### 1\"}";
    let found = files(turned);
    std::fs::write(&found.data, rows).unwrap();
    let text = stdout(&score(&found, &["--verifier", "gsm8k-strict", "--map", "id=id"]));
    assert!(text.contains("correct    2 "), "{text}");
    let line = refusal(&score(&files(turned), &["--verifier", "gsm8k-strict"]));
    assert!(line.contains("there is no question `8`") && line.contains("look like `data-00001`"), "{line}");
    let named = files("{\"id\": 0, \"question\": \"Two?\", \"response\": \"#### 2\"}");
    assert!(stdout(&score(&named, &["--verifier", "gsm8k-strict"])).contains("correct    1 "));
}

#[test]
fn responses_are_found_by_place_by_id_and_by_question() {
    let right = r#"{"response": "a\n#### 1000"}
{"responses": ["b\n#### 2", "b\n#### 3", "no answer"]}"#;
    let text = stdout(&score(&files(right), &["--verifier", "gsm8k-strict"]));
    assert!(text.contains("responses  4\nparsed     3 (75.0 %)\ncorrect    2 (50.00 % ["), "{text}");
    for turned in [
        r#"{"id": "data-00002", "response": "so\n#### 2"}
{"id": "data-00001", "response": "so\n#### 1000"}"#,
        r#"{"question": "Two?", "response": "so\n#### 2"}
{"question": "One?", "response": "so\n#### 1000"}"#,
    ] {
        let text = stdout(&score(&files(turned), &["--verifier", "gsm8k-strict"]));
        assert!(text.contains("correct    2 "), "{text}");
    }
}

#[test]
fn a_pattern_takes_the_last_match_and_compares_by_value() {
    let rows = r#"{"big": {"right": true, "text": "A: 7\nA: $1,000.00"}, "small": "A: 999"}
{"big": {"right": true, "text": "A: 2 apples"}, "small": "B: 2"}"#;
    let files = files(rows);
    let text = stdout(&score(&files, &["--pattern", "A: (.*)", "--field", "big", "--field", "small"]));
    assert!(text.contains("field      big\nresponses  2\nparsed     2 (100.0 %)\ncorrect    2 "), "{text}");
    assert!(text.contains("field      small\nresponses  2\nparsed     1 (50.0 %)\ncorrect    0 "), "{text}");
    let json = stdout(&score(&files, &["--pattern", "A: (.*)", "--field", "big.text", "--json"]));
    let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(
        first,
        serde_json::json!({"id": "data-00001", "field": "big.text", "sample": 0, "answer": "1000", "correct": true})
    );
}

#[test]
fn what_cannot_be_scored_gets_one_clear_line() {
    let good = files(r#"{"response": "x"}"#);
    let cases: [(&[&str], &str); 6] = [
        (&["--verifier", "gsm8k"], "there is no verifier `gsm8k`"),
        (&["--pattern", "A: .*"], "captures nothing; put the answer in (…)"),
        (&["--pattern", "A: (", "--verifier", "numeric"], "--pattern: "),
        (&["--pattern", "A: (.*)", "--verifier", "math"], "leave one of them out"),
        (&["--verifier", "math", "--field", "text"], "responses.jsonl:1: there is no `text`; the line has `response`"),
        (&["--verifier", "math", "--field", "response.deep"], "there is no `response.deep`"),
    ];
    for (args, said) in cases {
        let output = score(&good, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let line = String::from_utf8(output.stderr).unwrap();
        assert!(line.contains(said), "{args:?}: {line}");
    }
    for (rows, said) in [
        ("{\"response\": \"x\"}\n{oops", "responses.jsonl:2: not a JSON object"),
        ("{\"id\": \"z\", \"response\": \"x\"}", "ids there look like `data-00001`"),
        ("{\"question\": \"Who?\", \"response\": \"x\"}", "is none of those in"),
        ("{\"text\": \"x\"}", "or name what it has by --field"),
        ("{\"response\": \"x\"}\n{\"response\": \"x\"}\n{\"response\": \"x\"}", "has only 2 questions"),
    ] {
        let line = refusal(&score(&files(rows), &["--verifier", "math"]));
        assert!(line.contains(said), "{line}");
    }
}

#[test]
fn published_generations_reach_their_published_counts() {
    let (Some(test), Some(solutions)) = (data("gsm8k/test.jsonl"), data("gsm8k/example_model_solutions.jsonl")) else {
        return;
    };
    let columns =
        [("6b_finetuning", 286), ("6b_verification", 515), ("175b_finetuning", 458), ("175b_verification", 742)];
    let mut args = vec!["score", "--pattern", "A: (.*)", "--data", test.to_str().unwrap()];
    args.extend(["--responses", solutions.to_str().unwrap()]);
    args.extend(columns.iter().flat_map(|(name, _)| ["--field", name]));
    let text = stdout(&footbridge(&args));
    for (name, right) in columns {
        let of = text.split(&format!("field      {name}\n")).nth(1).unwrap_or_default();
        let line = of.lines().find(|line| line.starts_with("correct")).unwrap_or_default();
        assert!(line.starts_with(&format!("correct    {right} ")), "{name}: {text}");
    }
}

/// The folder of a tiny student.
fn tiny() -> String {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fixtures.join("qwen2-tiny").to_str().unwrap().to_string()
}

#[test]
fn difficulty_bands_questions_within_the_students_context() {
    let files = files("");
    let output = footbridge(&["difficulty", "--student", &tiny(), "--data", &files.data, "--n", "2", "--threads", "1"]);
    let text = stdout(&output);
    assert!(text.contains("2 questions, 2 samples each"), "{text}");
    assert!(text.contains("hard         2  100.0 %") && text.contains("simple       0    0.0 %"), "{text}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("note: answers are cut at") && said.contains("the student reads 1024"), "{said}");
    let short = footbridge(&[
        "difficulty",
        "--student",
        &tiny(),
        "--data",
        &files.data,
        "--n",
        "1",
        "--max-new-tokens",
        "3",
        "--json",
    ]);
    let said = String::from_utf8(short.stderr.clone()).unwrap();
    assert!(!said.contains("note:") && said.contains("at most 3 tokens"), "{said}");
    let row: serde_json::Value = serde_json::from_str(stdout(&short).lines().next().unwrap()).unwrap();
    assert_eq!(
        (row["id"].as_str(), row["n"].as_u64(), row["band"].as_str()),
        (Some("data-00001"), Some(1), Some("hard"))
    );
    assert!(row["tokens"].as_u64().unwrap() <= 3);
}

#[test]
fn difficulty_reads_files_by_the_fields_that_are_named() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("own.csv");
    std::fs::write(&path, "Text,Ask,Result,split\nTom has 2.,How many?,2,a\nAnn has 3.,How many?,3,b\n").unwrap();
    let student = tiny();
    let base = ["difficulty", "--student", &student, "--data", path.to_str().unwrap(), "--n", "1", "--json"];
    let base = [&base[..], &["--max-new-tokens", "2"]].concat();
    let refused = footbridge(&base);
    let line = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), line.lines().count()), (Some(2), 1), "{line}");
    assert!(line.contains("own.csv:2: missing field") && line.contains("`Text`, `Ask`, `Result`"), "{line}");
    let map = ["--map", "question=Text+Ask", "--map", "answer=Result", "--map", "filter=split=b"];
    let found = footbridge(&[&base[..], &map].concat());
    let rows: Vec<serde_json::Value> = stdout(&found).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.iter().map(|row| row["id"].as_str().unwrap()).collect::<Vec<_>>(), ["own-00003"]);
    let wrong = footbridge(&[&base[..], &["--map", "anser=Result"]].concat());
    let line = String::from_utf8(wrong.stderr).unwrap();
    assert!(wrong.status.code() == Some(2) && line.contains("--map: ") && line.contains("answer"), "{line}");
}

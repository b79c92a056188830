use std::{fs, path::PathBuf};

use footbridge::data::jsonl::questions;

fn file(text: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.jsonl");
    fs::write(&path, text).unwrap();
    (folder, path)
}

const GOOD: &str = r#"{"question": "How many?", "answer": "1+1=2\n#### 2"}"#;

#[test]
fn rows_become_questions() {
    let second = r#####"{"question": "Cost?", "answer": "#### $1,200", "x": 1}"#####;
    let (_folder, path) = file(format!("{GOOD}\n\n{second}\r\n"));
    let read = questions(&path).unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!((read[0].id.as_str(), read[0].gold.as_str()), ("train-00001", "2"));
    assert_eq!((read[1].id.as_str(), read[1].gold.as_str()), ("train-00003", "1200"));
    assert_eq!(read[0].solution.as_deref(), Some("1+1=2\n#### 2"));
}

#[test]
fn bad_rows_are_named_by_file_and_line() {
    let cases: [(&[u8], &str); 8] = [
        (br#"{"question": "a", "answer": "#, "not a JSON object"),
        (br#####"{"answer": "#### 2"}"#####, "missing field `question`"),
        (br#"{"question": "a"}"#, "missing field `answer`"),
        (br#####"{"question": 3, "answer": "#### 2"}"#####, "expected a string"),
        (br#####"{"question": " ", "answer": "#### 2"}"#####, "`question` is empty"),
        (br#"{"question": "a", "answer": "two"}"#, "#### answer"),
        (br#####"{"question": "a", "answer": "#### "}"#####, "#### answer"),
        (b"{\"question\": \"\xff\"}", "not UTF-8"),
    ];
    for (row, reason) in cases {
        let mut text = format!("{GOOD}\n").into_bytes();
        text.extend(row);
        let (_folder, path) = file(text);
        let error = questions(&path).unwrap_err().to_string();
        assert!(error.contains("train.jsonl:2: ") && error.contains(reason), "{error}");
        assert!(!error.contains('\n') && !error.contains("line 1"), "{error}");
    }
}

#[test]
fn empty_missing_and_doubled_are_refused() {
    let (_folder, path) = file("\n\n");
    assert!(questions(&path).unwrap_err().to_string().contains("holds no rows"));
    assert!(questions(&path.with_extension("gone")).unwrap_err().to_string().contains("cannot read"));
    let row = r#####"{"id": "q1", "question": "a", "answer": "#### 1"}"#####;
    let (_folder, path) = file(format!("{row}\n{row}\n"));
    assert!(questions(&path).unwrap_err().to_string().contains("`q1` was used on line 1"));
}

#[test]
#[expect(clippy::print_stdout, reason = "says why it is skipped")]
fn gsm8k_is_read_whole() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/gsm8k/test.jsonl");
    if !path.exists() {
        println!("skipped: {} is absent", path.display());
        return;
    }
    let read = questions(&path).unwrap();
    assert_eq!(read.len(), 1319);
    assert!(read.iter().all(|question| question.gold.parse::<f64>().is_ok()));
}

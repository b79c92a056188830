//! Bad input: each is refused as a whole, with its place and what to do.

use std::sync::Arc;

use footbridge::domain::AskKind;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::*;

const GOOD: &str = r#"{"question": "How many?", "answer": "1+1=2\n#### 2"}"#;

#[test]
fn rows_become_questions() {
    let second = r#####"{"question": "Cost?", "answer": "#### $1,200", "x": 1}"#####;
    let (_folder, path) = file("train.jsonl", format!("\u{feff}{GOOD}\n\n{second}\r\n"));
    let source = read(&path, Verifier::Gsm8kStrict, &[]).unwrap();
    let golds: Vec<_> = source.questions.iter().map(|q| (q.id.as_str(), q.gold.as_str())).collect();
    assert_eq!(golds, [("train-00001", "2"), ("train-00003", "1200")]);
    assert_eq!(source.questions[0].solution.as_deref(), Some("1+1=2\n#### 2"));
    assert_eq!((source.rows, source.ask, source.sha256.len()), (2, AskKind::Answer, 64));
    let text = serde_json::to_string(&source.questions[0]).unwrap();
    assert!(!text.contains("ask"), "the usual way is left out of records: {text}");
}

#[test]
fn rows_that_lack_something_are_named_by_file_and_line() {
    let cases: [(&[u8], &str); 12] = [
        (br##"{"question": "a", "answer": "#, "##, "not a JSON object"),
        (br#####"{"answer": "#### 2"}"#####, "missing field `question`; the row has `answer`"),
        (
            br#"{"question": "a"}"#,
            "missing field `answer`; the row has `question`; give it that field, or leave the row out",
        ),
        (br#####"{"question": 3, "answer": "#### 2"}"#####, "`question` is a number; expected a string"),
        (br#####"{"question": " ", "answer": "#### 2"}"#####, "`question` is empty"),
        (
            br#"{"question": "a", "answer": "two"}"#,
            "gsm8k-strict cannot read the answer `two`; these can: math, hendrycks",
        ),
        (br#####"{"question": "a", "answer": "#### "}"#####, "no verifier can"),
        (br#"{"question": "a", "answer": ""}"#, "`answer` is empty"),
        (br#"{"question": "a", "answer": true}"#, "`answer` is true or false; it must be a text or a number"),
        (br#"{"question": "a", "answer": null}"#, "`answer` is null"),
        (br#"["question"]"#, "a list, not a JSON object"),
        (b"{\"question\": \"\xff\"}", "not UTF-8 text from byte 15"),
    ];
    for (row, reason) in cases {
        let mut text = format!("{GOOD}\n").into_bytes();
        text.extend(row);
        let line = refused("train.jsonl", text);
        assert!(line.contains("train.jsonl:2: ") && line.contains(reason), "{line}");
    }
}

#[test]
fn files_that_are_no_questions_are_refused_as_such() {
    let utf16: Vec<u8> = b"\xff\xfe".iter().copied().chain(GOOD.bytes().flat_map(|byte| [byte, 0])).collect();
    let bare: Vec<u8> = GOOD.bytes().flat_map(|byte| [0, byte]).collect();
    let cases: [(&str, &[u8], &str); 15] = [
        ("a.jsonl", b"", "holds no rows"),
        ("a.jsonl", b"\n \n", "holds no rows"),
        ("a.json", b" ", "holds no rows"),
        ("a.json", b"[]", "holds no rows"),
        ("a.csv", b"", "holds no rows"),
        ("a.csv", b"question,answer\n", "holds no rows"),
        ("a.parquet", b"", "holds no rows"),
        ("a.jsonl", &utf16, "is UTF-16 text; save it as UTF-8"),
        ("a.csv", &utf16, "is UTF-16 text"),
        ("a.json", &bare, "is UTF-16 text"),
        (
            "a.jsonl",
            b"{\"question\": \"a\", \"answer\": 1}\r{\"question\": \"b\", \"answer\": 2}\r",
            "with CR alone; save it with LF",
        ),
        ("a.csv", b"question,answer\ra,1\rb,2\r", "with CR alone; save it with LF"),
        ("a.parquet", b"PAR1....", "is no parquet file, or only a part of one"),
        ("a.jsonl", b"\x1f\x8b\x08", "compressed by gzip"),
        ("a.txt", b"x", "its name should end in .jsonl"),
    ];
    for (name, bytes, reason) in cases {
        let line = refused(name, bytes);
        assert!(line.contains(reason), "{line}");
    }
    let missing = open(&SourceSpec::new("no/such.jsonl")).unwrap_err().to_string();
    assert!(missing.starts_with("cannot read no/such.jsonl: "), "{missing}");
    let unknown = open(&SourceSpec::new("gsm9k")).unwrap_err().to_string();
    assert!(unknown.contains("neither a file nor a benchmark; the benchmarks are gsm8k-train, gsm8k"), "{unknown}");
}

#[test]
fn a_line_of_ten_megabytes_is_refused_without_being_held() {
    let long = format!("{GOOD}\n{{\"question\": \"{}\"}}\n", "a".repeat(10 << 20));
    let line = refused("a.jsonl", &long);
    assert!(line.contains("a.jsonl:2: this line is longer than 4 MiB"), "{line}");
    let array = format!("[{GOOD},\n{{\"question\": \"{}\"}}]", "a".repeat(10 << 20));
    let line = refused("a.json", array);
    assert!(line.contains("a.json:2: this object is longer than 4 MiB"), "{line}");
    let line = refused("a.csv", format!("question,answer\n\"{},1\nb,2\n", "a".repeat(10 << 20)));
    assert!(line.contains("a.csv:2: ") && line.contains("a quote that never closes"), "{line}");
}

#[test]
fn json_arrays_keep_their_lines() {
    let row = |text: &str| format!("  {{\n    \"question\": \"{text}\",\n    \"answer\": 3.0\n  }}");
    let (_folder, path) = file("a.json", format!("[\n{},\n{}\n]\n", row("[a] \\\" ]"), row("b")));
    let source = read(&path, Verifier::Numeric, &[]).unwrap();
    let seen: Vec<_> = source.questions.iter().map(|q| (q.id.as_str(), q.gold.as_str())).collect();
    assert_eq!(seen, [("a-00002", "3"), ("a-00006", "3")]);
    let cut = refused("a.json", "[{\"question\": \"a\", \"answer\": 1},\n{\"question\": \"b");
    assert!(cut.contains("a.json:2: the file ends in the middle of the array"), "{cut}");
    let wrong = refused("a.json", "[{\"question\": \"a\",\n\"answer\": oops}]");
    assert!(wrong.contains("a.json:2: not a JSON object"), "{wrong}");
    let other = refused("a.json", "\n{\"rows\":\n []}");
    assert!(other.contains("a.json:2: it should be an array of objects"), "{other}");
}

#[test]
fn ragged_and_broken_tables() {
    let ragged = refused("a.csv", "question,answer\n\na,1\nb,2,3\n");
    assert!(ragged.contains("a.csv:4: 3 values, but the first line names 2 columns"), "{ragged}");
    let doubled = refused("a.csv", "question,question\na,1\n");
    assert!(doubled.contains("a.csv:1: two columns are named `question`"), "{doubled}");
    let other = refused("a.csv", "name,value\na,1\n");
    assert!(other.contains("a.csv:2: missing field `question` and `answer`; the row has `name`, `value`"), "{other}");
    let invalid = refused("a.csv", b"question,answer\na,1\nb\xff,2\n");
    assert!(invalid.contains("a.csv:3: not UTF-8 text from byte 2"), "{invalid}");
    let (_folder, path) =
        file("a.tsv", "Body\tQuestion\tAnswer\tsplit\nIt is 3\tHow many?\t3.0\tx\nIt is 4.\tNo?\t1,000\ty\n");
    let source = read(&path, Verifier::Gsm8kStrict, &[("filter", "split=y")]).unwrap();
    assert_eq!((source.questions[0].text.as_str(), source.questions[0].gold.as_str()), ("It is 4. No?", "1000"));
    let all = read(&path, Verifier::Gsm8kStrict, &[("rows", "first 1"), ("id", "split")]).unwrap();
    assert_eq!((all.questions[0].text.as_str(), all.questions[0].id.as_str()), ("It is 3. How many?", "x"));
    assert_eq!((all.rows, all.questions[0].gold.as_str()), (2, "3"));
    let none = read(&path, Verifier::Numeric, &[("filter", "split=z")]).unwrap_err().to_string();
    assert!(none.contains("no row has `z` in `split`"), "{none}");
    let few = read(&path, Verifier::Numeric, &[("rows", "last 3")]).unwrap_err().to_string();
    assert!(few.contains("has 2 rows, and data.map.rows asks for \"last 3\""), "{few}");
}

#[test]
fn doubled_questions_and_ids_say_their_lines() {
    let row = |id: &str, text: &str| format!("{{\"id\": \"{id}\", \"question\": \"{text}\", \"answer\": \"1\"}}\n");
    let line = refused("a.jsonl", [row("a", "x"), row("b", "y"), row("c", "x"), row("d", "x")].concat());
    assert!(line.contains("a.jsonl:3: the same question as on line 1 (and 1 more such questions)"), "{line}");
    let line = refused("a.jsonl", [row("a", "x"), row("a", "y")].concat());
    assert!(line.contains("a.jsonl:2: the id `a` was used on line 1 already"), "{line}");
    let (_folder, path) = file("a.jsonl", [row("a", "x"), row("b", "x")].concat());
    let kept = read(&path, Verifier::Numeric, &[("duplicates", "keep")]).unwrap();
    assert_eq!((kept.questions.len(), kept.doubled.as_slice()), (2, [(1, 0)].as_slice()));
    assert!(kept.notes.iter().any(|note| note.contains("(line 2 as line 1)")), "{:?}", kept.notes);
}

#[test]
fn options_are_lettered_and_answers_become_letters() {
    let text = r#"{"question": "Which?", "choices": ["(A)one", "(B) two", "C? three"], "answer": 1}
{"question": "What?", "choices": ["A cat", "dog"], "answer": "dog"}
{"question": "Who?", "choices": ["x", "y"], "answer": "(A)"}"#;
    let (_folder, path) = file("a.jsonl", text);
    let source = open(&SourceSpec::new(path.to_str().unwrap())).unwrap();
    assert_eq!((source.verifier, source.ask), (Verifier::Choice, AskKind::Choice));
    assert_eq!(source.questions[0].text, "Which?\n\n(A) one\n(B) two\n(C) three");
    assert_eq!(source.questions[1].text, "What?\n\n(A) A cat\n(B) dog");
    let golds: Vec<_> = source.questions.iter().map(|q| q.gold.as_str()).collect();
    assert_eq!(golds, ["B", "B", "A"]);
    let wrong = refused("a.jsonl", r#"{"question": "Q", "choices": ["x", "y"], "answer": "C"}"#);
    assert!(wrong.contains("a.jsonl:1: `answer` is `C`; it must be a letter from A to B"), "{wrong}");
    let wrong = refused("a.jsonl", r#"{"question": "Q", "choices": "x", "answer": "A"}"#);
    assert!(wrong.contains("the options must be a list of texts"), "{wrong}");
}

/// A small parquet file with a text column and a number column.
fn parquet(names: [&str; 2], texts: &[&str], numbers: &[i64]) -> Vec<u8> {
    let schema = format!("message m {{ required binary {} (UTF8); required int64 {}; }}", names[0], names[1]);
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Default::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let texts: Vec<ByteArray> = texts.iter().map(|text| ByteArray::from(*text)).collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&texts, None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(numbers, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn parquet_by_rows() {
    let (_folder, path) = file("a.parquet", parquet(["question", "answer"], &["a", "b"], &[1, -20]));
    let source = read(&path, Verifier::Gsm8kStrict, &[]).unwrap();
    let seen: Vec<_> = source.questions.iter().map(|q| (q.id.as_str(), q.gold.as_str())).collect();
    assert_eq!(seen, [("a-00001", "1"), ("a-00002", "-20")]);
    let other = refused("a.parquet", parquet(["prompt", "score"], &["a"], &[1]));
    assert!(other.contains("a.parquet: row 1: missing field") && other.contains("`prompt`, `score`"), "{other}");
    assert!(other.contains("data.map.question"), "{other}");
    let empty = refused("a.parquet", parquet(["question", "answer"], &["a", ""], &[1, 2]));
    assert!(empty.contains("a.parquet: row 2: `question` is empty"), "{empty}");
    let whole = parquet(["question", "answer"], &["a", "b"], &[1, 2]);
    for at in 4..whole.len() - 4 {
        let mut broken = whole.clone();
        broken[at] ^= 0x55;
        let (_folder, path) = file("a.parquet", broken);
        // Read or refused; never a panic.
        drop(read(&path, Verifier::Gsm8kStrict, &[]));
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400), kind in 0..4_usize) {
        let name = ["a.jsonl", "a.json", "a.csv", "a.parquet"][kind];
        let (_folder, path) = file(name, bytes);
        if let Err(error) = read(&path, Verifier::Numeric, &[]) {
            proptest::prop_assert!(!error.to_string().is_empty());
        }
    }
}

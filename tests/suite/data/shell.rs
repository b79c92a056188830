//! `footbridge data` and `footbridge score` as a shell sees them.

use super::*;

#[test]
fn check_says_what_it_sees() {
    let (_folder, path) =
        file("mine.csv", "Body,Question,Answer\nTwo and two,How many?,4.0\nThree.,How many?,\"1,000\"\n");
    let output = footbridge(&["data", "check", path.to_str().unwrap(), "--verifier", "numeric", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (seen["n"].as_u64(), seen["format"].as_str(), seen["verifier"].as_str()),
        (Some(2), Some("CSV"), Some("numeric"))
    );
    assert_eq!(seen["examples"][1]["gold"], "1000");
    assert_eq!(seen["longest"], serde_json::json!(["mine-00002", 22]));
    let table = footbridge(&["data", "check", path.to_str().unwrap()]);
    let table = String::from_utf8(table.stdout).unwrap();
    for said in ["question from Body + Question", "N          2", "numeric 2", "choice 0", "Two and two. How many?"] {
        assert!(table.contains(said), "{said}: {table}");
    }
}

#[test]
fn wrong_requests_get_one_line_and_code_2() {
    let (_folder, path) = file("mine.jsonl", r#"{"q": "a", "a": "1"}"#);
    let path = path.to_str().unwrap();
    let cases: [(&[&str], &str); 5] = [
        (&["data", "check", path], "say which are which by data.map.question and data.map.answer"),
        (&["data", "check", path, "--map", "quest=q"], "--map: there is no setting data.map.quest"),
        (&["data", "check", "gsm8k", "--folder", "nowhere"], "gsm8k is not in nowhere"),
        (&["data", "check", path, "--verifier", "nuremic"], "there is no verifier `nuremic`"),
        (&["data", "fetch", "gsm9k"], "there is no benchmark `gsm9k`"),
    ];
    for (args, said) in cases {
        let output = footbridge(args);
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), line.lines().count()), (Some(2), 1), "{line}");
        assert!(line.contains(said), "{line}");
    }
    let good = footbridge(&["data", "check", path, "--map", "question=q", "--map", "answer=a"]);
    assert_eq!(good.status.code(), Some(0));
}

#[test]
fn scores_stand_beside_n_and_hashes() {
    let (folder, path) = file("q.csv", "question,choices,answer\n");
    let questions = folder.path().join("q.jsonl");
    std::fs::write(&questions, r#"{"question": "Q", "options": ["x", "y"], "answer": "B"}"#).unwrap();
    std::fs::write(&path, "{\"response\": \"The answer is (B)\"}\n").unwrap();
    let responses = folder.path().join("r.jsonl");
    std::fs::rename(&path, &responses).unwrap();
    let (data, given) = (questions.to_str().unwrap(), responses.to_str().unwrap());
    let args = ["score", "--verifier", "choice", "--data", data, "--responses", given];
    let table = String::from_utf8(footbridge(&args).stdout).unwrap();
    let hash = open(&SourceSpec::new(data)).unwrap().sha256;
    assert!(table.contains(&format!("questions  1 in {data}\n           sha256 {hash}\n")), "{table}");
    assert!(table.contains("correct    1 (100.00 %"), "{table}");
    let json = String::from_utf8(footbridge(&[&args[..], &["--json"]].concat()).stdout).unwrap();
    let last: serde_json::Value = serde_json::from_str(json.lines().last().unwrap()).unwrap();
    let summary = &last["summary"];
    assert_eq!((summary["questions"].as_u64(), summary["data_sha256"].as_str()), (Some(1), Some(hash.as_str())));
    assert_eq!(summary["fields"][0]["correct"], 1);
}

//! Bad input through the program: exit code 2, one clear line, nothing begun. And small files of one's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use footbridge::session::{NewSession, Sessions};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::runs::{footbridge, recipe, text};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_footbridge")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn refused(output: &Output, parts: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    // What a run would take of memory is told before its weights are read.
    let said: String =
        said.lines().filter(|line| !line.starts_with("memory: ")).map(|line| format!("{line}\n")).collect();
    assert_eq!(said.lines().count(), 1, "more than a line: {said}");
    assert!(said.starts_with("error: "), "{said}");
    for part in parts {
        assert!(said.contains(part), "{said:?} lacks {part:?}");
    }
}

fn fixture() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/qwen2-tiny")
}

/// A copy of the tiny student, spoilt.
fn spoilt(spoil: impl Fn(&Path)) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in fs::read_dir(fixture()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    spoil(copy.path());
    copy
}

fn edited(folder: &Path, file: &str, change: impl Fn(&mut Value)) {
    let path = folder.join(file);
    let mut value: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

const QUESTIONS: &str = "{\"question\":\"Two and two?\",\"answer\":\"2 + 2 = 4\\n#### 4\"}\n\
                         {\"question\":\"A thousand and one?\",\"answer\":\"#### 1,001\"}\n";

#[test]
fn sessions_that_are_not_there_or_not_free() {
    let home = tempfile::tempdir().unwrap();
    let sessions = Sessions::at(home.path());
    let recipe = recipe(1, &[]);
    let held = sessions.create("demo-1", &NewSession { recipe: &recipe.to_toml(), seed: 1 }).unwrap();
    for verb in ["resume", "report"] {
        let output = footbridge(&[verb, "demo-2"], home.path()).output().unwrap();
        refused(&output, &["there is no session `demo-2`", "did you mean `demo-1`"]);
        let output = footbridge(&[verb, "../demo-1"], home.path()).output().unwrap();
        refused(&output, &["cannot name a session"]);
    }
    let me = format!("in use by process {}", std::process::id());
    refused(&footbridge(&["resume", "demo-1", "--plain"], home.path()).output().unwrap(), &["session `demo-1`", &me]);
    refused(&footbridge(&["sessions", "rm", "demo-1", "--yes"], home.path()).output().unwrap(), &[&me]);
    refused(
        &footbridge(&["demo", "--plain", "--session", "demo-1"], home.path()).output().unwrap(),
        &["exists already"],
    );
    drop(held);
    fs::write(home.path().join("demo-1").join("recipe.toml"), "seed = 1\n[grpo]\nlrr = 1\n").unwrap();
    let output = footbridge(&["resume", "demo-1", "--plain"], home.path()).output().unwrap();
    refused(&output, &["recipe.toml:3", "lrr"]);
}

#[test]
fn settings_that_do_not_exist_or_do_not_fit() {
    let home = tempfile::tempdir().unwrap();
    for (set, parts) in [
        ("grpo.lrr=1", ["there is no setting", "grpo.lr"]),
        ("data.verifier=gsm8k-strikt", ["data.verifier", "gsm8k-strict"]),
        ("data.train=0", ["data.train is 0", "demo: 600"]),
        ("sft.batch=none", ["sft.batch", "none"]),
    ] {
        refused(&footbridge(&["demo", "--plain", "--set", set], home.path()).output().unwrap(), &parts);
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "something was begun");
}

#[test]
fn students_that_cannot_be_used() {
    let truncated = spoilt(|folder| {
        let weights = folder.join("model.safetensors");
        let bytes = fs::read(&weights).unwrap();
        fs::write(weights, &bytes[..bytes.len() / 2]).unwrap();
    });
    let other = spoilt(|folder| {
        edited(folder, "config.json", |config| {
            config["model_type"] = json!("gpt2");
            config["architectures"] = json!(["GPT2LMHeadModel"]);
        });
    });
    let misfit = spoilt(|folder| {
        edited(folder, "tokenizer.json", |tokenizer| {
            let added = tokenizer["added_tokens"].as_array_mut().unwrap();
            for extra in 0..600 {
                let mut token = added[0].clone();
                token["content"] = json!(format!("<|extra {extra}|>"));
                token["id"] = json!(100_000 + extra);
                added.push(token);
            }
        });
    });
    let gone = truncated.path().join("gone");
    let cases: [(&Path, &[&str]); 4] = [
        (&gone, &["student folder not found", "gone"]),
        (truncated.path(), &["model.safetensors", "is damaged"]),
        (other.path(), &["GPT2LMHeadModel", "is not supported"]),
        (misfit.path(), &["tokenizer.json does not fit the model"]),
    ];
    let home = tempfile::tempdir().unwrap();
    for (student, parts) in cases {
        let student = student.to_str().unwrap();
        refused(&run(&["difficulty", "--student", student, "--data", "world", "--limit", "1"]), parts);
        let set = format!("student.path={student}");
        refused(&footbridge(&["demo", "--plain", "--set", &set], home.path()).output().unwrap(), parts);
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "something was begun");
}

#[test]
fn files_of_questions_and_answers_that_cannot_be_read() {
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = home.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = file("good.jsonl", QUESTIONS);
    let cut = file("cut.jsonl", &QUESTIONS[..QUESTIONS.len() - 9]);
    let lacks = file("lacks.jsonl", &format!("{QUESTIONS}\n{{\"question\":\"?\"}}\n"));
    let empty = file("empty.jsonl", "\n");
    let student = fixture();
    let student = student.to_str().unwrap();
    for (data, parts) in [
        (cut.as_str(), ["cut.jsonl:2: ", "not a JSON object"]),
        (&lacks, ["lacks.jsonl:4: ", "answer"]),
        (&empty, ["empty.jsonl", "no rows"]),
        ("no/such.jsonl", ["cannot read", "no/such.jsonl"]),
    ] {
        refused(&run(&["difficulty", "--student", student, "--data", data]), &parts);
        let score = ["score", "--verifier", "numeric", "--data", data, "--responses", &good];
        refused(&run(&score), &parts);
    }
    refused(&run(&["difficulty", "--student", student, "--data", &good, "--verifier", "x"]), &["no verifier `x`"]);
    refused(
        &run(&["score", "--verifier", "x", "--data", &good, "--responses", &good]),
        &["no verifier `x`", "numeric"],
    );
    let broken = file("broken.jsonl", "{\"response\":\"#### 4\"}\n{\"response\":\n");
    let nobody = file("nobody.jsonl", "{\"id\":\"q\",\"response\":\"#### 4\"}\n");
    for (responses, part) in [(&broken, "broken.jsonl:2: "), (&nobody, "nobody.jsonl:1: there is no question `q`")] {
        refused(&run(&["score", "--verifier", "numeric", "--data", &good, "--responses", responses]), &[part]);
    }
}

#[test]
fn a_student_and_questions_of_ones_own() {
    let home = tempfile::tempdir().unwrap();
    let (data, responses) = (home.path().join("own.jsonl"), home.path().join("said.jsonl"));
    fs::write(&data, QUESTIONS).unwrap();
    let (student, data) = (fixture(), data.to_str().unwrap().to_owned());
    let student = student.to_str().unwrap();
    let args = ["difficulty", "--student", student, "--data", &data, "--n", "3", "--max-new-tokens", "12", "--json"];
    let output = run(&args);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let rows: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.iter().map(|r| r["id"].as_str().unwrap()).collect::<Vec<_>>(), ["own-00001", "own-00002"]);
    assert!(rows.iter().all(|r| r["n"] == 3 && r["correct"] == 0 && r["band"] == "hard"), "{rows:?}");
    assert_eq!(run(&args).stdout, output.stdout, "one seed gave two outcomes");
    assert!(text(&run(&args[..args.len() - 1]).stdout).contains("hard         2  100.0 %"));

    fs::write(
        &responses,
        "{\"id\":\"own-00002\",\"responses\":[\"so #### 1001\",\"#### 1,001\"]}\n\
         {\"id\":\"own-00001\",\"response\":\"#### 5\"}\n",
    )
    .unwrap();
    let responses = responses.to_str().unwrap();
    let score = ["score", "--verifier", "gsm8k-strict", "--data", &data, "--responses", responses];
    let output = run(&score);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("responses  3") && text(&output.stdout).contains("correct    2 (66.67 %"));
}

/// Root may write everywhere, so as root the program is run as nobody; where that is not to be had, this says so.
#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    let home = tempfile::tempdir().unwrap();
    let sessions = home.path().join("sessions");
    fs::create_dir(&sessions).unwrap();
    let root = fs::metadata(&sessions).unwrap().uid() == 0;
    for (path, mode) in [(home.path(), 0o755), (sessions.as_path(), 0o555)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let as_somebody = |mut command: Command| {
        if root {
            command.uid(65_534).gid(65_534);
        }
        command.output()
    };
    let mut version = Command::new(env!("CARGO_BIN_EXE_footbridge"));
    version.arg("--version");
    if !as_somebody(version).is_ok_and(|output| output.status.success()) {
        println!("skipped: this is root, and nobody else may run the program here");
        return;
    }
    let output = as_somebody(footbridge(&["demo", "--plain"], &sessions)).unwrap();
    refused(&output, &["cannot create", "sessions"]);
    let file = home.path().join("file");
    fs::write(&file, "in the way").unwrap();
    refused(&footbridge(&["demo", "--plain"], &file).output().unwrap(), &["file"]);
}

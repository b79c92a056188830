//! A run that trains adapters, and what is taken out of it.

use std::path::Path;

use burn::tensor::Device;
use footbridge::pipeline::events::{Command, Event, Outcome};
use footbridge::session::Sessions;
use footbridge::student::Student;
use footbridge::student::lora::{ADAPTER_CONFIG, ADAPTER_WEIGHTS, AdapterConfig};

use super::runs::{Found, SEED, begin, footbridge, outcome, recipe, resume, text};

/// Runs `export` and gives what it said on stderr.
fn export(args: &[&str], sessions: &Path, code: i32) -> (String, String) {
    let output = footbridge(&[&["export"], args].concat(), sessions).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

/// What a verb prints, without the names of student and session.
fn printed(args: &[&str], sessions: &Path) -> Vec<serde_json::Value> {
    let output = footbridge(args, sessions).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
    let values = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<serde_json::Value>();
    values
        .map(|value| {
            let mut value = value.unwrap();
            if let Some(fields) = value.as_object_mut() {
                let _ = ["student", "session", "stored", "adapter", "available"].map(|name| fields.remove(name));
            }
            value
        })
        .collect()
}

/// An adapter's checkpoint is measured, sampled and shown as the student is that it was merged into.
fn assert_students_are_the_same(checkpoint: &str, merged: &str, sessions: &Path) {
    let verbs: [&[&str]; 4] = [
        &["student", "logits", "--text", "How many?", "--greedy", "8"],
        &["student", "show", "--json"],
        &["difficulty", "--data", "world", "--limit", "3", "--n", "2", "--json"],
        &["eval", "--bench", "world", "--limit", "3", "--json"],
    ];
    for verb in verbs {
        let of = |student: &str| {
            let named = if verb[0] == "student" { vec![student] } else { vec!["--student", student] };
            printed(&[verb, &named].concat(), sessions)
        };
        let (found, expected) = (of(checkpoint), of(merged));
        assert!(!found.is_empty() && found == expected, "{verb:?}: {found:?} and {expected:?}");
    }
    let shown = footbridge(&["student", "show", checkpoint], sessions).output().unwrap();
    assert!(text(&shown.stdout).contains("\nadapter     rank 4, alpha 32, on q_proj, "), "{}", text(&shown.stdout));
}

#[test]
fn adapters_train_through_the_loop_survive_a_stop_and_are_taken_out_merged_or_not() {
    let home = tempfile::tempdir().unwrap();
    let sessions = Sessions::at(home.path());
    let settings = [("student.lora.rank", "4"), ("student.checkpointing", "true"), ("iterations", "1")];
    let recipe = recipe(SEED, &settings);
    assert_eq!(outcome(begin(&sessions, "through", &recipe, 2)), Outcome::Done);
    let through = Found::of(&sessions, "through", &recipe);

    let run = begin(&sessions, "stopped", &recipe, 1);
    for event in &run.events {
        if matches!(&event, Event::Metric { stage, step: 2, name, .. } if stage.key() == "1-grpo" && name == "reward") {
            run.commands.send(Command::Cancel).unwrap();
        }
    }
    assert_eq!(run.handle.join().unwrap(), Outcome::Cancelled);
    assert_eq!(outcome(resume(&sessions, "stopped", &recipe)), Outcome::Done);
    through.assert_equals(&Found::of(&sessions, "stopped", &recipe));

    let sft = through.updates("1-sft-bridged");
    assert!(sft.iter().all(|u| u.grad_norm > 0.0), "{sft:?}");
    let kept = home.path().join("through/checkpoints/1-grpo");
    let config: AdapterConfig = serde_json::from_slice(&std::fs::read(kept.join(ADAPTER_CONFIG)).unwrap()).unwrap();
    assert_eq!((config.r, config.target_modules.len()), (4, 7));
    assert!(!kept.join("model.safetensors").exists());

    let out = |name: &str| home.path().join(name).display().to_string();
    let (adapter, merged) = (out("adapter"), out("merged"));
    export(&["weights", "through", "--checkpoint", "1-grpo", "--out", &adapter], home.path(), 0);
    let same =
        |name: &str| std::fs::read(Path::new(&adapter).join(name)).unwrap() == std::fs::read(kept.join(name)).unwrap();
    assert!(same(ADAPTER_WEIGHTS) && same(ADAPTER_CONFIG));
    export(&["weights", "through", "--checkpoint", "1-grpo", "--merged", "--out", &merged], home.path(), 0);
    let student = Student::load(Path::new(&merged), &Device::flex()).unwrap();
    assert!(!student.model.adapted());
    assert_students_are_the_same("through:1-grpo", &merged, home.path());
    let (_, again) = export(&["weights", "through", "--out", &merged], home.path(), 2);
    assert!(again.contains("is there already"), "{again}");
    let (_, unknown) = export(&["weights", "through", "--checkpoint", "x", "--out", &out("x")], home.path(), 2);
    assert!(unknown.contains("no checkpoint `x`; it has 1-grpo, 1-sft-bridged, 1-sft-medium, base"), "{unknown}");

    let (lines, _) = export(&["data", "through", "--stage", "1-sft-medium"], home.path(), 0);
    let texts = through.texts("1-sft-medium");
    assert_eq!(lines.lines().count(), texts.len());
    for line in lines.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(texts.iter().any(|t| line["id"] == t.sample.id && line["messages"][1]["role"] == "assistant"));
    }
    let (_, none) = export(&["data", "through", "--stage", "7"], home.path(), 2);
    assert!(none.contains("no training texts"), "{none}");
}

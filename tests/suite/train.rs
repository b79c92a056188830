//! Tests of train.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Device;
use footbridge::recipe::{AdamWRecipe, Aggregation, GrpoRecipe};
use footbridge::student::workers::Workers;
use footbridge::student::{ChatTokens, Student};
use footbridge::train::Trainer;
use serde_json::Value;

mod formula;
mod grpo;
mod lora;
mod schedule;
mod sft;
mod steady;

/// The folder of fixtures; `FOOTBRIDGE_FIXTURES` names another set.
fn fixtures() -> PathBuf {
    std::env::var_os("FOOTBRIDGE_FIXTURES").map_or_else(|| PathBuf::from("tests/fixtures"), PathBuf::from)
}

/// Every checkpoint folder of the fixtures.
fn checkpoints() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(fixtures()).expect("the fixtures can be read");
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.join("config.json").is_file() && path.join("expected.json").is_file())
        .collect();
    folders.sort();
    assert!(!folders.is_empty(), "no checkpoint folder");
    folders
}

/// A file of the fixtures.
fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a readable file")).expect("JSON")
}

/// A trainer of a checkpoint.
fn trainer(folder: &Path, settings: AdamWRecipe, micro_batch_tokens: usize, threads: usize) -> Trainer {
    let student = Student::load(folder, &Device::flex()).expect("the checkpoint loads");
    Trainer::new(student, settings, micro_batch_tokens, Arc::new(Workers::new(threads)))
}

/// The four conversations of a checkpoint's `sft` part.
fn chats(trainer: &Trainer, expected: &Value) -> Vec<ChatTokens> {
    let rows = expected["sft"]["batch"].as_array().expect("conversations");
    let chat = |row: &Value| {
        let messages: Vec<_> = serde_json::from_value(row["messages"].clone()).expect("messages");
        let chat = trainer.student().encode_chat(&messages).expect("it encodes");
        assert_eq!(chat.ids, ids(&row["ids"]));
        chat
    };
    rows.iter().map(chat).collect()
}

/// A list of numbers.
fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(number).collect()
}

/// A number.
fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

/// A list of token ids.
fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).expect("ids")
}

/// Within a relative plus an absolute tolerance.
fn assert_close(what: &str, got: f64, want: f64, relative: f64, absolute: f64) {
    let allowed = want.abs() * relative + absolute;
    assert!((got - want).abs() <= allowed, "{what}: {got} against {want}, allowed {allowed:e}");
}

/// The settings of one row of `grpo.json`.
fn grpo_recipe(row: &Value, section: &Value) -> GrpoRecipe {
    let clip = numbers(&row["clip"]);
    let mut recipe = GrpoRecipe {
        agg: serde_json::from_value::<Aggregation>(row["agg"].clone()).expect("a known aggregation"),
        dual_clip: row["dual_clip"].as_f64(),
        clip_low: clip[0],
        clip_high: clip[1],
        beta: number(&section["beta"]),
        norm_len: number(&section["norm_len"]) as usize,
        ..GrpoRecipe::default()
    };
    if let Some(scale) = row.get("advantage") {
        recipe.advantage = serde_json::from_value(scale.clone()).expect("a known scale");
    }
    if let Some(temperature) = section["temperature"].as_f64() {
        recipe.sampling.temperature = temperature;
    }
    recipe
}

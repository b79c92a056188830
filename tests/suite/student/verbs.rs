//! `footbridge student`, and students with random weights.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use footbridge::pipeline::memory::parameters;
use footbridge::student::random::{Shape, write};
use footbridge::student::{Decoder, ModelConfig};
use serde_json::{Value, json};

use super::fixtures::*;

fn footbridge(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_footbridge")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn done(args: &[&str]) -> String {
    let output = footbridge(args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

fn tiny() -> Value {
    json!({"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "vocab_size": 512, "hidden_size": 24,
           "intermediate_size": 40, "num_hidden_layers": 3, "num_attention_heads": 3, "num_key_value_heads": 1,
           "tie_word_embeddings": false, "max_position_embeddings": 64})
}

fn values(model: &Decoder) -> Vec<(String, Vec<f32>)> {
    model.named_parameters().into_iter().map(|p| (p.name, p.value.to_vec().unwrap())).collect()
}

#[test]
fn a_random_student_is_a_function_of_its_seed_however_it_is_cut() {
    let home = tempfile::tempdir().unwrap();
    let make = |name: &str, seed: u64, shards: usize| {
        let folder = home.path().join(name);
        let mut files = Vec::new();
        write(&tiny(), &checkpoints()[0], seed, shards, &folder, &mut |file| files.push(file.to_owned())).unwrap();
        (files, student(&folder))
    };
    let (files, whole) = make("whole", 5, 1);
    assert_eq!(files, ["model.safetensors"]);
    assert_eq!(whole.model.parameter_count() as u64, parameters(&whole.config));
    for shards in [2, 3, 1000] {
        let (files, cut) = make(&format!("cut-{shards}"), 5, shards);
        assert!(files.len() > 1 && files.len() <= shards, "{files:?}");
        assert!(files[0].ends_with(&format!("-of-{:05}.safetensors", files.len())), "{files:?}");
        assert!(values(&cut.model) == values(&whole.model));
    }
    assert!(values(&make("other", 6, 1).1.model) != values(&whole.model));
    for (name, numbers) in values(&whole.model) {
        let count = numbers.len() as f32;
        let mean = numbers.iter().sum::<f32>() / count;
        let deviation = (numbers.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / count).sqrt();
        match name.as_str() {
            n if n.ends_with("norm.weight") => assert!(numbers.iter().all(|x| *x == 1.0)),
            n if n.ends_with("bias") => assert!(numbers.iter().all(|x| *x == 0.0)),
            // Four standard errors of each.
            _ => {
                assert!(mean.abs() < 4.0 * 0.02 / count.sqrt(), "{name}: mean {mean}");
                assert!((deviation - 0.02).abs() < 4.0 * 0.02 / (2.0 * count).sqrt(), "{name}: deviation {deviation}");
            }
        }
    }
    let again = write(&tiny(), &checkpoints()[0], 1, 1, &home.path().join("whole"), &mut |_| ()).unwrap_err();
    assert!(again.to_string().contains("already there"), "{again}");
    let mut small = tiny();
    small["vocab_size"] = 99.into();
    let error = write(&small, &checkpoints()[0], 1, 1, &home.path().join("small"), &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("the embedding has 99 rows") && !home.path().join("small").exists(), "{error}");
}

#[test]
fn the_plan_counts_parameters_as_the_decoder_does() {
    let read = |path: &Path| ModelConfig::from_json(&fs::read(path.join("config.json")).unwrap()).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut configs: Vec<ModelConfig> = ["qwen2-tiny", "qwen3-tiny", "llama3-tiny"].map(|f| read(&root.join(f))).into();
    let biased = ModelConfig { output_bias: true, qkv_bias: true, tied: true, ..configs[1].clone() };
    configs.push(biased);
    for config in configs {
        let decoder = Decoder::zeros(&config, &cpu());
        assert_eq!(parameters(&config), decoder.parameter_count() as u64, "{config:?}");
    }
}

#[test]
fn a_student_is_shown_with_what_it_takes() {
    let folder = root().join("qwen2-tiny");
    let folder = folder.to_str().unwrap();
    for word in ["world", folder] {
        let text = done(&["student", "show", word, "--threads", "2"]);
        for part in ["family      qwen2", "stored as   F32, ", "end of turn ", "a GRPO step: program", "available: "] {
            assert!(text.contains(part), "no {part:?} in:\n{text}");
        }
    }
    let shown: Value = serde_json::from_str(&done(&["student", "show", folder, "--json", "--recipe", "demo"])).unwrap();
    assert_eq!(shown["tokens"], 500);
    assert_eq!(shown["end_of_turn"][0], json!([499, "<|im_end|>"]));
    assert_eq!(shown["parameters"].as_u64().unwrap() * 4, shown["stored"]["F32"].as_u64().unwrap());
    assert_eq!(shown["memory"][0]["moment"], "sampling");
    let wrong = footbridge(&["student", "show", "no-such-folder"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).starts_with("error: student folder not found: no-such-folder"));
}

#[test]
fn published_shapes_are_read_as_they_are_published() {
    let qwen = Shape::Qwen25_05B.config().unwrap();
    assert_eq!((qwen.head_dim, qwen.kv_width(), qwen.qkv_bias, qwen.tied), (64, 128, true, true));
    let llama = Shape::Llama32_1B.config().unwrap();
    assert_eq!((llama.head_dim, llama.kv_width(), llama.qkv_bias, llama.tied), (64, 512, false, true));
    assert_eq!(llama.eos, [128_001, 128_008, 128_009]);
}

#[test]
fn what_it_computes_is_given_for_comparison() {
    for folder in ["qwen2-tiny", "llama3-tiny"].map(|name| root().join(name)) {
        let Some(prompt) = expected(&folder)["prompts"].as_array().unwrap().first().cloned() else { continue };
        let question = prompt["messages"][0]["content"].as_str().unwrap().to_owned();
        let last = "3";
        let args =
            ["student", "logits", folder.to_str().unwrap(), "--text", &question, "--last", last, "--greedy", "20"];
        let got: Value = serde_json::from_str(&done(&args)).unwrap();
        let row = &got["rows"][0];
        assert_eq!((&row["text"], &row["ids"]), (&prompt["text"], &prompt["ids"]));
        assert_eq!(ids(&row["greedy"]), ids(&prompt["greedy"]["ids"])[..20]);
        let table = logits(&student(&folder), &ids(&prompt["ids"]));
        for (row, want) in row["logits"].as_array().unwrap().iter().zip(&table[table.len() - 3..]) {
            let want: Vec<f64> = want.iter().map(|v| f64::from(*v)).collect();
            let got: Vec<f32> = numbers(row).into_iter().map(|v| v as f32).collect();
            assert_close("logits", &got, &want, 1e-6);
        }
    }
}

#[test]
fn a_student_is_saved_as_a_folder_and_never_over_another() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("copy");
    let folder = root().join("qwen2-tiny");
    let args = ["student", "save", folder.to_str().unwrap(), "--out", out.to_str().unwrap()];
    done(&args);
    assert!(values(&student(&out).model) == values(&student(&folder).model));
    let again = footbridge(&args);
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is already there"));
}

#[test]
fn what_work_takes_is_measured_beside_the_plan() {
    for work in ["sample", "sft"] {
        let text = done(&["student", "measure", "world", "--work", work, "--threads", "1", "--length", "16"]);
        assert!(text.starts_with("memory: at most ") && text.contains("\ntaken: "), "{text}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_that_cannot_fit_is_refused_with_the_setting_that_would_make_it_fit() {
    let home = tempfile::tempdir().unwrap();
    let sessions = home.path().join("sessions");
    let args = ["demo", "--plain", "--set", "student.slots=1000000000", "--sessions-dir", sessions.to_str().unwrap()];
    let output = footbridge(&args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.starts_with("error: memory: at most ") && said.contains(" are available; it fits with student.slots = ")
    );
    assert!(!sessions.exists(), "something was begun");
}

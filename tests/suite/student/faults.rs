//! What is said about a broken folder: one line that names the file and the fault, and never a panic.

use std::fs;
use std::path::Path;

use footbridge::student::{ModelConfig, Student};
use serde_json::{Value, json};

use super::fixtures::{checkpoints, copy, cpu, json as read_json};

/// Loads a spoilt copy of every checkpoint and checks the message.
fn refused(spoil: impl Fn(&Path), parts: &[&str]) {
    for folder in checkpoints() {
        let copy = copy(&folder);
        spoil(copy.path());
        let message = match Student::load(copy.path(), &cpu()) {
            Ok(_) => panic!("{} was loaded although spoilt; expected {parts:?}", folder.display()),
            Err(error) => error.to_string(),
        };
        assert!(!message.contains('\n'), "more than one line: {message}");
        for part in parts {
            assert!(message.contains(part), "{message:?} lacks {part:?}");
        }
    }
}

fn edit(folder: &Path, file: &str, change: impl Fn(&mut Value)) {
    let path = folder.join(file);
    let mut value = read_json(&path);
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

/// The first file of weights.
fn weights(folder: &Path) -> std::path::PathBuf {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "safetensors"))
        .collect();
    files.sort();
    files.remove(0)
}

#[test]
fn missing_files() {
    let error = Student::load(Path::new("no/such/folder"), &cpu()).unwrap_err().to_string();
    assert!(error.starts_with("student folder not found: no/such/folder"), "{error}");
    for file in ["config.json", "tokenizer.json", "tokenizer_config.json"] {
        refused(|folder| fs::remove_file(folder.join(file)).unwrap(), &["not found", file]);
    }
    let no_weights = |folder: &Path| {
        let _ = fs::remove_file(folder.join("model.safetensors.index.json"));
        fs::remove_file(weights(folder)).unwrap();
    };
    refused(no_weights, &["weights not found", "model.safetensors"]);
}

#[test]
fn truncated_and_overlong_weights() {
    let cut = |keep: fn(usize) -> usize| {
        move |folder: &Path| {
            let path = weights(folder);
            let bytes = fs::read(&path).unwrap();
            let mut kept = bytes.clone();
            kept.resize(keep(bytes.len()), 0);
            fs::write(path, kept).unwrap();
        }
    };
    refused(cut(|n| n - 1), &["is damaged", "it should have", "bytes"]);
    refused(cut(|n| n / 2), &["is damaged", "it should have"]);
    refused(cut(|n| n + 4), &["is damaged", "it should have"]);
    refused(cut(|_| 100), &["is damaged", "header"]);
    refused(cut(|_| 5), &["is damaged", "5 bytes"]);
    refused(cut(|_| 0), &["is damaged", "0 bytes"]);
    refused(|folder| fs::write(weights(folder), vec![b'x'; 4096]).unwrap(), &["is damaged", "header"]);
}

#[test]
fn tensors_that_do_not_fit_the_configuration() {
    let config = |key: &'static str, value: Value| {
        move |folder: &Path| edit(folder, "config.json", |config| config[key] = value.clone())
    };
    let more = |folder: &Path| {
        edit(folder, "config.json", |c| {
            c["num_hidden_layers"] = json!(c["num_hidden_layers"].as_u64().unwrap() + 1);
            c.as_object_mut().unwrap().remove("layer_types");
        })
    };
    refused(more, &["has no tensor model.layers.", "self_attn.q_proj.weight"]);
    refused(config("intermediate_size", json!(99)), &["mlp.gate_proj.weight has shape", "config.json asks for [99, "]);
    refused(config("vocab_size", json!(100_000)), &["model.embed_tokens.weight has shape", "100000"]);
    // Nothing is allocated for a tensor before the file is seen to hold it.
    refused(config("vocab_size", json!(200_000_000)), &["model.embed_tokens.weight has shape", "200000000"]);
    let fewer = |folder: &Path| {
        edit(folder, "config.json", |c| {
            c["num_hidden_layers"] = json!(1);
            c.as_object_mut().unwrap().remove("layer_types");
        })
    };
    refused(fewer, &["holds tensor model.layers.1."]);
}

#[test]
fn unsupported_architectures_and_settings() {
    let config = |key: &'static str, value: Value| {
        move |folder: &Path| edit(folder, "config.json", |config| config[key] = value.clone())
    };
    let other = |folder: &Path| {
        edit(folder, "config.json", |c| {
            c["model_type"] = json!("gpt2");
            c["architectures"] = json!(["GPT2LMHeadModel"]);
        })
    };
    refused(other, &["GPT2LMHeadModel", "is not supported", "qwen2", "qwen3", "llama"]);
    refused(
        config("quantization_config", json!({"quant_method": "gptq", "bits": 4})),
        &["quantization_config = gptq", "BF16"],
    );
    refused(config("hidden_act", json!("gelu")), &["hidden_act = gelu", "silu"]);
    refused(config("use_sliding_window", json!(true)), &["use_sliding_window = true"]);
    refused(config("rope_parameters", json!({"rope_type": "yarn", "factor": 4.0})), &["yarn", "llama3"]);
    refused(config("rope_parameters", json!({"rope_type": "llama3"})), &["llama3", "positive factor"]);
    refused(config("num_attention_heads", json!(0)), &["num_attention_heads = 0"]);
    refused(config("num_hidden_layers", json!(1_000_000_000)), &["num_hidden_layers = 1000000000"]);
    refused(config("hidden_size", json!(usize::MAX)), &["hidden_size = "]);
    let uneven = |folder: &Path| {
        edit(folder, "config.json", |c| {
            c["num_key_value_heads"] = json!(c["num_attention_heads"].as_u64().unwrap() + 1);
        })
    };
    refused(uneven, &["num_key_value_heads = ", "divide"]);
    refused(config("head_dim", json!(5)), &["head_dim = 5"]);
    refused(|folder| fs::write(folder.join("config.json"), "{\n\"vocab_size\": }").unwrap(), &["config.json:2:"]);
    refused(config("hidden_size", json!("wide")), &["config.json:", "invalid type"]);
    assert!(ModelConfig::from_json(b"[]").is_err());
}

#[test]
fn a_tokenizer_with_more_tokens_than_the_embedding() {
    let grow = |folder: &Path| {
        let vocab = read_json(&folder.join("config.json"))["vocab_size"].as_u64().unwrap();
        edit(folder, "tokenizer.json", |t| {
            let added = t["added_tokens"].as_array_mut().unwrap();
            let mut token = added[0].clone();
            // As many again as the embedding has rows; the tokenizer numbers them behind its last token.
            for extra in 0..=vocab {
                token["content"] = json!(format!("<|extra {extra}|>"));
                token["id"] = json!(100_000 + extra);
                added.push(token.clone());
            }
        })
    };
    refused(grow, &["does not fit the model", "the embedding has", "<|extra "]);
    refused(|folder| fs::write(folder.join("tokenizer.json"), "{}").unwrap(), &["tokenizer.json: "]);
}

#[test]
fn chat_templates_that_are_missing_or_broken() {
    let without = |folder: &Path| {
        let _ = fs::remove_file(folder.join("chat_template.jinja"));
        edit(folder, "tokenizer_config.json", |c| {
            c.as_object_mut().unwrap().remove("chat_template");
        });
    };
    refused(without, &["no chat template", "chat_template.jinja"]);
    let broken = |folder: &Path| fs::write(folder.join("chat_template.jinja"), "{{ bos_token }}\n{% for %}").unwrap();
    refused(broken, &["chat template: line 2: "]);
    let binary = |folder: &Path| fs::write(folder.join("chat_template.jinja"), [0xff, 0xfe]).unwrap();
    refused(binary, &["not UTF-8"]);
}

#[test]
fn an_index_cannot_point_out_of_its_folder() {
    for (map, part) in [
        (json!({"weight_map": {"a": "../elsewhere.safetensors"}}), "is not a file name"),
        (json!({"weight_map": {"a": 3}}), "is not a file name"),
        (json!({}), "weight_map"),
        (json!({"weight_map": {"a": "gone.safetensors"}}), "gone.safetensors"),
    ] {
        let spoil = |folder: &Path| {
            while fs::read_dir(folder)
                .unwrap()
                .any(|e| e.unwrap().path().extension().is_some_and(|x| x == "safetensors"))
            {
                fs::remove_file(weights(folder)).unwrap();
            }
            fs::write(folder.join("model.safetensors.index.json"), map.to_string()).unwrap();
        };
        refused(spoil, &[part]);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_left_clean() {
    let student = Student::load(&checkpoints()[0], &cpu()).unwrap();
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let error = student.save(&file.join("out")).unwrap_err().to_string();
    assert!(error.starts_with("cannot create"), "{error}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

//! Qwen3 against transformers: norms on the heads, heads that don't divide the stream, an untied head, three shards.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use burn::tensor::{Int, Tensor, TensorData};
use footbridge::student::cache::KvCache;
use footbridge::student::packed::{Row, Scratch};
use footbridge::student::weights::{TensorFile, read_decoder};
use footbridge::student::{Decoder, Family, ModelConfig, PackedDecoder, RopeTable};

use super::fixtures::{argmax, assert_close, cpu, ids, json, numbers};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/qwen3-tiny")
}

fn config() -> ModelConfig {
    ModelConfig::from_json(&fs::read(folder().join("config.json")).unwrap()).unwrap()
}

/// The decoder alone; the fixture has no tokenizer.
fn decoder(autodiff: bool) -> Decoder {
    let mut shards = Vec::new();
    for n in 1..=3 {
        let name = format!("model-{n:05}-of-00003.safetensors");
        shards.push(TensorFile::open(&name, Box::new(File::open(folder().join(&name)).unwrap())).unwrap());
    }
    let device = if autodiff { cpu().autodiff() } else { cpu() };
    read_decoder(&config(), "the shards", &mut shards, &device).unwrap()
}

fn hidden(model: &Decoder, ids: &[u32]) -> Tensor<2> {
    let row: Vec<i64> = ids.iter().map(|id| i64::from(*id)).collect();
    let input = Tensor::<2, Int>::from_data(TensorData::new(row, [1, ids.len()]), &model.device());
    model.hidden(input, &RopeTable::new(&model.config, ids.len(), &model.device()))
}

#[test]
fn logits_loss_and_gradients_are_the_references() {
    let expected = json(&folder().join("expected.qwen3.json"));
    let (model, ids) = (decoder(false), ids(&expected["ids"]));
    assert_eq!((config().family, config().head_dim, config().qkv_bias), (Family::Qwen3, 16, false));
    let table: Vec<f32> = model.logits(hidden(&model, &ids)).into_data().try_to_vec().unwrap();
    let rows = table.chunks(config().vocab_size).zip(expected["logits"].as_array().unwrap());
    for (i, (row, want)) in rows.enumerate() {
        assert_close(&format!("logits at {i}"), row, &numbers(want), 1e-4);
    }

    let model = decoder(true);
    let targets: Vec<i64> = ids[1..].iter().map(|id| i64::from(*id)).collect();
    let targets = Tensor::<1, Int>::from_data(TensorData::new(targets, [ids.len() - 1]), &model.device());
    let read = hidden(&model, &ids[..ids.len() - 1]);
    let loss = model.log_probs(read, targets, 1.0).mean().neg();
    let value = f64::from(loss.clone().into_data().try_to_vec::<f32>().unwrap()[0]);
    let want = expected["loss"].as_f64().unwrap();
    assert!((value / want - 1.0).abs() < 1e-5, "loss {value}, want {want}");
    let gradients = loss.backward();
    let norms = expected["grad_norm_per_tensor"].as_object().unwrap();
    let parameters = model.named_parameters();
    assert_eq!(parameters.iter().map(|p| &p.name).collect::<Vec<_>>(), norms.keys().collect::<Vec<_>>());
    for p in parameters {
        let gradient = p.value.grad(&gradients).unwrap().to_vec().unwrap();
        let norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
        let want = norms[&p.name].as_f64().unwrap();
        assert!((norm / want - 1.0).abs() < 1e-3, "{}: norm {norm}, want {want}", p.name);
    }
}

#[test]
fn generation_continues_as_the_reference_does() {
    let expected = json(&folder().join("expected.qwen3.json"));
    let (prompt, want) = (ids(&expected["ids"]), ids(&expected["greedy"]));
    let packed = PackedDecoder::new(&decoder(false), prompt.len() + want.len()).unwrap();
    let (mut caches, mut scratch) = ([KvCache::default()], Scratch::default());
    packed.reserve(&mut caches[0], prompt.len() + want.len());
    let row = |(position, token): (usize, &u32)| Row { sequence: 0, position, token: *token };
    let rows: Vec<Row> = prompt.iter().enumerate().map(row).collect();
    packed.step(&rows, &mut caches, &mut scratch);
    let mut got = Vec::new();
    for position in prompt.len().. {
        got.push(argmax(packed.logits(1, &mut scratch)));
        if got.len() == want.len() {
            break;
        }
        packed.step(&[row((position, got.last().unwrap()))], &mut caches, &mut scratch);
    }
    assert_eq!(got, want);
}

#[test]
fn the_older_layout_and_a_head_width_left_out_are_read() {
    let mut old = json(&folder().join("config.json"));
    let table = old.as_object_mut().unwrap();
    for key in ["rope_parameters", "layer_types", "dtype"] {
        table.shift_remove(key);
    }
    table.insert("rope_theta".into(), 1e6.into());
    table.insert("rope_scaling".into(), serde_json::Value::Null);
    assert_eq!(ModelConfig::from_json(old.to_string().as_bytes()).unwrap(), config());
    old.as_object_mut().unwrap().shift_remove("head_dim");
    assert_eq!(ModelConfig::from_json(old.to_string().as_bytes()).unwrap().head_dim, 128);
    old["attention_bias"] = true.into();
    let biased = ModelConfig::from_json(old.to_string().as_bytes()).unwrap();
    assert!(biased.qkv_bias && biased.output_bias && biased.head_norms);
}

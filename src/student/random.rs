//! Students of published shapes with random weights, for trials of speed, memory and scale.
//!
//! Weights are drawn tensor by tensor, each from a stream of its own, and written at once: a billion numbers never stand
//! in memory together. They are bf16, as published checkpoints are, in one file or in shards with an index.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use burn::tensor::bf16;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::config::ModelConfig;
use super::decoder::Decoder;
use super::error::StudentError;
use super::folder::StudentFiles;
use super::parameters::{ParameterKind, Slot};
use super::tokenizer::Tokenizer;

/// Bytes of a stored number.
const NUMBER: usize = 2;

/// A published shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Qwen2.5-0.5B: 494 million parameters, tied.
    Qwen25_05B,
    /// Llama-3.2-1B: 1,236 million parameters, tied.
    Llama32_1B,
}

impl Shape {
    /// Its `config.json`.
    pub fn json(self) -> Value {
        match self {
            Shape::Qwen25_05B => json!({
                "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151_643,
                "eos_token_id": 151_645, "hidden_act": "silu", "hidden_size": 896, "initializer_range": 0.02,
                "intermediate_size": 4864, "max_position_embeddings": 32_768, "max_window_layers": 21,
                "model_type": "qwen2", "num_attention_heads": 14, "num_hidden_layers": 24, "num_key_value_heads": 2,
                "rms_norm_eps": 1e-6, "rope_theta": 1_000_000.0, "sliding_window": 32_768,
                "tie_word_embeddings": true, "torch_dtype": "bfloat16", "use_cache": true,
                "use_sliding_window": false, "vocab_size": 151_936,
            }),
            Shape::Llama32_1B => json!({
                "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
                "bos_token_id": 128_000, "eos_token_id": [128_001, 128_008, 128_009], "head_dim": 64,
                "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 8192,
                "max_position_embeddings": 131_072, "mlp_bias": false, "model_type": "llama",
                "num_attention_heads": 32, "num_hidden_layers": 16, "num_key_value_heads": 8, "rms_norm_eps": 1e-5,
                "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                    "original_max_position_embeddings": 8192, "rope_type": "llama3"},
                "rope_theta": 500_000.0, "tie_word_embeddings": true, "torch_dtype": "bfloat16", "use_cache": true,
                "vocab_size": 128_256,
            }),
        }
    }

    /// The same, read.
    ///
    /// # Errors
    /// None in practice: the shapes above are supported.
    pub fn config(self) -> Result<ModelConfig, StudentError> {
        ModelConfig::from_json(self.json().to_string().as_bytes())
    }
}

/// Where a tensor goes.
struct Plan {
    name: String,
    kind: ParameterKind,
    /// Shape in the file.
    shape: Vec<usize>,
}

impl Plan {
    fn bytes(&self) -> usize {
        NUMBER * self.shape.iter().product::<usize>()
    }
}

/// Writes a student with the configuration `config` (the text of a `config.json`) and the tokenizer of the folder
/// `tokenizer` into the new folder `out`, its weights a function of `seed`, in `shards` files. `tell` hears the name of
/// every file that is done.
///
/// # Errors
/// A configuration or tokenizer that cannot be used, a tokenizer that is too large for it, a folder that is already
/// there or cannot be written.
pub fn write(
    config: &Value,
    tokenizer: &Path,
    seed: u64,
    shards: usize,
    out: &Path,
    tell: &mut dyn FnMut(&str),
) -> Result<ModelConfig, StudentError> {
    let text = serde_json::to_vec_pretty(config).map_err(|e| StudentError::json("config.json", &e))?;
    let read = ModelConfig::from_json(&text)?;
    let files = StudentFiles::of_tokenizer(tokenizer, text)?;
    Tokenizer::from_bytes(&files.tokenizer)?.fits(&read)?;
    if out.exists() {
        let taken = std::io::Error::new(std::io::ErrorKind::AlreadyExists, "it is already there");
        return Err(StudentError::io("create", out)(taken));
    }
    fs::create_dir_all(out).map_err(StudentError::io("create", out))?;
    for (name, bytes) in files.as_they_are() {
        let path = out.join(name);
        fs::write(&path, bytes).map_err(StudentError::io("write", &path))?;
    }
    let groups = deal(plans(&read), shards.max(1));
    let count = groups.len();
    let mut map = BTreeMap::new();
    let mut total = 0;
    for (index, group) in groups.iter().enumerate() {
        let file = match count {
            1 => "model.safetensors".to_owned(),
            _ => format!("model-{:05}-of-{count:05}.safetensors", index + 1),
        };
        write_shard(&out.join(&file), group, &read, seed)?;
        tell(&file);
        total += group.iter().map(Plan::bytes).sum::<usize>();
        map.extend(group.iter().map(|plan| (plan.name.clone(), file.clone())));
    }
    if count > 1 {
        let path = out.join("model.safetensors.index.json");
        let index = json!({"metadata": {"total_size": total}, "weight_map": map});
        fs::write(&path, index.to_string()).map_err(StudentError::io("write", &path))?;
    }
    Ok(read)
}

/// Every tensor of a decoder, in order; nothing is allocated for them.
fn plans(config: &ModelConfig) -> Vec<Plan> {
    let mut decoder = Decoder::zeros(config, &burn::tensor::Device::flex());
    let slots = decoder.slots().into_iter();
    slots
        .map(|(name, kind, slot)| {
            let mut shape: Vec<usize> = match slot {
                Slot::Vector(p) => p.lazy_shape().dims::<1>().to_vec(),
                Slot::Matrix(p) => p.lazy_shape().dims::<2>().to_vec(),
            };
            if kind == ParameterKind::Linear {
                shape.reverse();
            }
            Plan { name, kind, shape }
        })
        .collect()
}

/// Cuts the tensors, in order, into at most `count` groups of about the same size.
fn deal(plans: Vec<Plan>, count: usize) -> Vec<Vec<Plan>> {
    let target = plans.iter().map(Plan::bytes).sum::<usize>().div_ceil(count);
    let mut groups: Vec<(usize, Vec<Plan>)> = Vec::new();
    for plan in plans {
        let bytes = plan.bytes();
        match groups.last_mut() {
            Some((size, group)) if *size + bytes / 2 <= target => {
                *size += bytes;
                group.push(plan);
            }
            _ => groups.push((bytes, vec![plan])),
        }
    }
    // What was rounded too finely joins the last.
    while groups.len() > count {
        if let (Some((_, rest)), Some((_, last))) = (groups.pop(), groups.last_mut()) {
            last.extend(rest);
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn write_shard(path: &Path, plans: &[Plan], config: &ModelConfig, seed: u64) -> Result<(), StudentError> {
    let io = |action| StudentError::io(action, path);
    let mut header = serde_json::Map::from_iter([("__metadata__".to_owned(), json!({"format": "pt"}))]);
    let mut offset = 0;
    for plan in plans {
        let end = offset + plan.bytes();
        let entry = json!({"dtype": "BF16", "shape": plan.shape, "data_offsets": [offset, end]});
        header.insert(plan.name.clone(), entry);
        offset = end;
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).map_err(io("create"))?);
    let mut put = |bytes: &[u8]| out.write_all(bytes).map_err(io("write"));
    put(&(header.len() as u64).to_le_bytes())?;
    put(&header)?;
    for plan in plans {
        let mut draw = draws(plan, config, seed);
        let mut left = plan.bytes() / NUMBER;
        let mut bytes = Vec::with_capacity(NUMBER * 4096);
        while left > 0 {
            let n = left.min(4096);
            bytes.clear();
            bytes.extend((0..n).flat_map(|_| bf16::from_f32(draw()).to_le_bytes()));
            put(&bytes)?;
            left -= n;
        }
    }
    out.flush().map_err(io("write"))
}

/// The numbers of a tensor, one after the other: gains 1, biases 0, matrices normal with `initializer_range`.
fn draws(plan: &Plan, config: &ModelConfig, seed: u64) -> Box<dyn FnMut() -> f32> {
    match plan.kind {
        ParameterKind::Gain => return Box::new(|| 1.0),
        ParameterKind::Bias => return Box::new(|| 0.0),
        ParameterKind::Table | ParameterKind::Linear => {}
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // A stream per name: the same tensor however the files are cut.
    random.set_stream(
        plan.name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)),
    );
    let deviation = config.initializer_range as f32;
    let mut spare = None;
    Box::new(move || {
        if let Some(value) = spare.take() {
            return value;
        }
        // Box and Muller: two draws at a time.
        let (u, v): (f32, f32) = (1.0 - random.random::<f32>(), random.random());
        let radius = (-2.0 * u.ln()).sqrt() * deviation;
        let (sin, cos) = (std::f32::consts::TAU * v).sin_cos();
        spare = Some(radius * sin);
        radius * cos
    })
}

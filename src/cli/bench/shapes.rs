//! The students that are measured: the world's own, and random ones of the sizes people train.

use burn::tensor::{Device, Tensor, TensorData};

use super::args::BenchShape;
use crate::data::world::base::BASE;
use crate::student::{Decoder, ModelConfig, Parameter, Student, StudentError, StudentFiles};

/// `Qwen/Qwen2.5-0.5B-Instruct`.
const QWEN: &[u8] =
    br#"{"architectures":["Qwen2ForCausalLM"],"model_type":"qwen2","vocab_size":151936,"hidden_size":896,
"intermediate_size":4864,"num_hidden_layers":24,"num_attention_heads":14,"num_key_value_heads":2,
"max_position_embeddings":32768,"rms_norm_eps":1e-6,"rope_theta":1000000.0,"tie_word_embeddings":true}"#;
/// `meta-llama/Llama-3.2-1B-Instruct`.
const LLAMA: &[u8] =
    br#"{"architectures":["LlamaForCausalLM"],"model_type":"llama","vocab_size":128256,"hidden_size":2048,
"intermediate_size":8192,"num_hidden_layers":16,"num_attention_heads":32,"num_key_value_heads":8,"head_dim":64,
"max_position_embeddings":131072,"rms_norm_eps":1e-5,"rope_theta":500000.0,"tie_word_embeddings":true,
"rope_scaling":{"rope_type":"llama3","factor":32.0,"low_freq_factor":1.0,"high_freq_factor":4.0,
"original_max_position_embeddings":8192}}"#;

impl BenchShape {
    /// As it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            BenchShape::World => "world",
            BenchShape::Qwen => "qwen2.5-0.5b",
            BenchShape::Llama => "llama-3.2-1b",
        }
    }
}

/// A student of this shape. Random weights are made in memory; tokenizer and template are the world's, which nothing that
/// is measured depends on.
pub(in crate::cli) fn student(shape: BenchShape) -> Result<Student, StudentError> {
    let files = StudentFiles {
        config: BASE.config.to_vec(),
        tokenizer: BASE.tokenizer.to_vec(),
        tokenizer_config: BASE.tokenizer_config.to_vec(),
        generation_config: Some(BASE.generation_config.to_vec()),
        chat_template: None,
        others: Vec::new(),
    };
    let world = Student::from_bytes(files, BASE.weights, &Device::flex())?;
    let config = match shape {
        BenchShape::World => return Ok(world),
        BenchShape::Qwen => ModelConfig::from_json(QWEN)?,
        BenchShape::Llama => ModelConfig::from_json(LLAMA)?,
    };
    let mut student = world.with_model(random(&config));
    student.config = config;
    Ok(student)
}

/// A decoder with uniform weights of the usual deviation and gains of 1: a function of the shape.
fn random(config: &ModelConfig) -> Decoder {
    let device = Device::flex();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let width = (config.initializer_range * 12.0_f64.sqrt()) as f32;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 40) as f32 / (1 << 24) as f32 - 0.5) * width
    };
    Decoder::zeros(config, &device).map_parameters(|name, old| {
        let n: usize = old.dims().iter().product();
        let one = matches!(old, Parameter::Vector(_)) && !name.ends_with("bias");
        let values = (0..n).map(|_| if one { 1.0 } else { next() }).collect::<Vec<f32>>();
        old.shaped(Tensor::from_data(TensorData::new(values, [n]), &device))
    })
}

/// Token ids for a measurement: spread over the vocabulary, a function of `seed`.
pub(super) fn tokens(n: usize, seed: usize, vocab: usize) -> Vec<u32> {
    (0..n).map(|i| ((i * 7919 + seed * 104_729 + 13) % vocab) as u32).collect()
}

/// Multiply-adds of one token through all matrices, the output matrix included, without attention.
pub(super) fn multiply_adds(config: &ModelConfig) -> f64 {
    let (d, q, kv) = (config.hidden_size, config.query_width(), config.kv_width());
    let layer = d * (2 * q + 2 * kv) + 3 * d * config.intermediate_size;
    (config.layers * layer + d * config.vocab_size) as f64
}

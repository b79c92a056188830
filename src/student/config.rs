//! `config.json` of a Hugging Face checkpoint, in the layouts before and after `rope_parameters`.
//!
//! Whatever the decoder would compute differently from the reference is an error here, never a silent difference.

use serde::Deserialize;
use serde_json::Value;

use super::error::StudentError;

/// The architectures that can be loaded, for messages.
pub const SUPPORTED: &str = "Qwen2ForCausalLM (qwen2), Qwen3ForCausalLM (qwen3) and LlamaForCausalLM (llama)";

/// No width or vocabulary of a real model is larger, and the product of two stays far within 64 bits.
const LARGEST: usize = 1 << 28;

/// Family of a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Qwen2 and Qwen2.5: bias on q, k and v.
    Qwen2,
    /// Qwen3: an RMSNorm of its own on every head of q and k, no bias unless `attention_bias`.
    Qwen3,
    /// Llama 2, 3 and what is built like them: no bias unless `attention_bias`.
    Llama,
}

impl Family {
    /// The `model_type` of `config.json`.
    pub fn model_type(self) -> &'static str {
        match self {
            Family::Qwen2 => "qwen2",
            Family::Qwen3 => "qwen3",
            Family::Llama => "llama",
        }
    }
}

/// How rotary frequencies are stretched beyond the length a model was first trained on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RopeScaling {
    /// Not at all.
    None,
    /// Positions are divided by `factor`.
    Linear {
        /// The divisor.
        factor: f64,
    },
    /// Llama 3.1: low frequencies are divided, high ones kept, those between blended.
    Llama3 {
        /// Divisor of the low frequencies.
        factor: f64,
        /// Wavelengths over `original / low` are low frequencies.
        low: f64,
        /// Wavelengths under `original / high` are high frequencies.
        high: f64,
        /// Context of the first training, in tokens.
        original: f64,
    },
}

/// Shape and constants of a decoder.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// Qwen2, Qwen3 or Llama.
    pub family: Family,
    /// Rows of the embedding; may be more than the tokenizer has tokens.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width inside the feed-forward part.
    pub intermediate_size: usize,
    /// Number of layers.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of one head.
    pub head_dim: usize,
    /// Added to the mean square in RMSNorm.
    pub rms_norm_eps: f64,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// Stretching of the rotary frequencies.
    pub rope_scaling: RopeScaling,
    /// Longest context in tokens.
    pub max_positions: usize,
    /// The output matrix is the embedding.
    pub tied: bool,
    /// Bias on the q, k and v projections.
    pub qkv_bias: bool,
    /// Bias on the attention's output projection.
    pub output_bias: bool,
    /// An RMSNorm over the width of a head on queries and keys, before rotation.
    pub head_norms: bool,
    /// Standard deviation of a fresh model's matrices.
    pub initializer_range: f64,
    /// `eos_token_id`, which may be a list.
    pub eos: Vec<u32>,
    /// `pad_token_id`.
    pub pad: Option<u32>,
}

/// The keys as they stand in the file; unknown keys are left alone, as the reference does.
#[derive(Deserialize)]
struct Raw {
    model_type: Option<String>,
    architectures: Option<Vec<String>>,
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    hidden_act: Option<String>,
    rms_norm_eps: Option<f64>,
    max_position_embeddings: Option<usize>,
    tie_word_embeddings: Option<bool>,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
    use_sliding_window: Option<bool>,
    layer_types: Option<Vec<String>>,
    quantization_config: Option<Value>,
    initializer_range: Option<f64>,
    rope_theta: Option<f64>,
    rope_scaling: Option<Value>,
    rope_parameters: Option<Value>,
    eos_token_id: Option<OneOrMany>,
    pad_token_id: Option<i64>,
}

/// Token ids as Hugging Face files write them: a number or a list.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    /// One id.
    One(u32),
    /// Several.
    Many(Vec<u32>),
}

impl OneOrMany {
    pub(crate) fn into_vec(self) -> Vec<u32> {
        match self {
            OneOrMany::One(id) => vec![id],
            OneOrMany::Many(ids) => ids,
        }
    }
}

impl ModelConfig {
    /// Reads the text of a `config.json`.
    ///
    /// # Errors
    /// Malformed JSON with its line, an unsupported architecture, and every setting whose result would differ from the
    /// reference (other activations, sliding windows, YaRN, biases in the feed-forward part, quantized weights).
    pub fn from_json(text: &[u8]) -> Result<Self, StudentError> {
        let raw: Raw = serde_json::from_slice(text).map_err(|e| StudentError::json("config.json", &e))?;
        let family = family(&raw)?;
        refuse_unsupported(&raw)?;
        let heads = raw.num_attention_heads;
        let (rope_theta, rope_scaling) = rope(&raw)?;
        let attention_bias = raw.attention_bias.unwrap_or(false);
        let config = Self {
            family,
            vocab_size: raw.vocab_size,
            hidden_size: raw.hidden_size,
            intermediate_size: raw.intermediate_size,
            layers: raw.num_hidden_layers,
            heads,
            kv_heads: raw.num_key_value_heads.unwrap_or(heads),
            head_dim: raw.head_dim.unwrap_or(own_head_dim(family, raw.hidden_size, heads)),
            rms_norm_eps: raw.rms_norm_eps.unwrap_or(1e-6),
            rope_theta,
            rope_scaling,
            max_positions: raw.max_position_embeddings.unwrap_or(if family == Family::Llama { 2048 } else { 32_768 }),
            tied: raw.tie_word_embeddings.unwrap_or(false),
            qkv_bias: family == Family::Qwen2 || attention_bias,
            output_bias: family != Family::Qwen2 && attention_bias,
            head_norms: family == Family::Qwen3,
            initializer_range: raw.initializer_range.unwrap_or(0.02),
            eos: raw.eos_token_id.map(OneOrMany::into_vec).unwrap_or_default(),
            pad: raw.pad_token_id.and_then(|id| u32::try_from(id).ok()),
        };
        config.check()?;
        Ok(config)
    }

    /// Width of all query heads together.
    pub fn query_width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Width of all key heads together.
    pub fn kv_width(&self) -> usize {
        self.kv_heads * self.head_dim
    }

    fn check(&self) -> Result<(), StudentError> {
        let bounded = [
            ("vocab_size", self.vocab_size, LARGEST),
            ("hidden_size", self.hidden_size, LARGEST),
            ("intermediate_size", self.intermediate_size, LARGEST),
            ("num_hidden_layers", self.layers, 4096),
            ("num_attention_heads", self.heads, 65_536),
            ("num_key_value_heads", self.kv_heads, 65_536),
            ("max_position_embeddings", self.max_positions, LARGEST),
        ];
        for (key, value, largest) in bounded {
            if value == 0 || value > largest {
                return Err(refuse(key, value, &format!("it must lie between 1 and {largest}")));
            }
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            let hint = format!("it must divide num_attention_heads = {}", self.heads);
            return Err(refuse("num_key_value_heads", self.kv_heads, &hint));
        }
        if self.head_dim == 0 || !self.head_dim.is_multiple_of(2) || self.head_dim > 65_536 {
            return Err(refuse("head_dim", self.head_dim, "rotary embeddings need an even width between 2 and 65536"));
        }
        Ok(())
    }
}

fn refuse(key: &'static str, value: impl ToString, hint: &str) -> StudentError {
    StudentError::Config { key, value: value.to_string(), hint: hint.to_owned() }
}

fn family(raw: &Raw) -> Result<Family, StudentError> {
    let architecture = raw.architectures.as_ref().and_then(|names| names.first());
    match (raw.model_type.as_deref(), architecture.map(String::as_str)) {
        (Some("qwen2") | None, Some("Qwen2ForCausalLM")) | (Some("qwen2"), None) => Ok(Family::Qwen2),
        (Some("qwen3") | None, Some("Qwen3ForCausalLM")) | (Some("qwen3"), None) => Ok(Family::Qwen3),
        (Some("llama") | None, Some("LlamaForCausalLM")) | (Some("llama"), None) => Ok(Family::Llama),
        (model_type, architecture) => {
            let name = architecture.or(model_type).unwrap_or("(none named)").to_owned();
            Err(StudentError::Architecture { name })
        }
    }
}

/// Width of a head where the file does not say: Qwen3 has its own, the others divide the stream.
fn own_head_dim(family: Family, hidden: usize, heads: usize) -> usize {
    if family == Family::Qwen3 { 128 } else { hidden / heads.max(1) }
}

fn refuse_unsupported(raw: &Raw) -> Result<(), StudentError> {
    if let Some(act) = raw.hidden_act.as_deref().filter(|act| *act != "silu" && *act != "swish") {
        return Err(refuse("hidden_act", act, "supported is silu"));
    }
    if raw.mlp_bias == Some(true) {
        return Err(refuse("mlp_bias", true, "supported is false"));
    }
    if let Some(method) = raw.quantization_config.as_ref().filter(|value| !value.is_null()) {
        let name = method.get("quant_method").and_then(Value::as_str).unwrap_or("quantized weights");
        return Err(refuse("quantization_config", name, "supported are plain F32, F16 and BF16 weights"));
    }
    if raw.use_sliding_window == Some(true) {
        return Err(refuse("use_sliding_window", true, "supported is full attention (false)"));
    }
    if let Some(kind) = raw.layer_types.iter().flatten().find(|kind| *kind != "full_attention") {
        return Err(refuse("layer_types", kind, "supported is full_attention in every layer"));
    }
    Ok(())
}

/// New layout: all under `rope_parameters`. Old layout: `rope_theta` at the top and `rope_scaling` or null.
fn rope(raw: &Raw) -> Result<(f64, RopeScaling), StudentError> {
    let table = raw.rope_parameters.as_ref().or(raw.rope_scaling.as_ref()).filter(|table| !table.is_null());
    let theta = table.and_then(|t| t.get("rope_theta")).and_then(Value::as_f64).or(raw.rope_theta).unwrap_or(10_000.0);
    let Some(table) = table else { return Ok((theta, RopeScaling::None)) };
    let kind = table.get("rope_type").or_else(|| table.get("type")).and_then(Value::as_str).unwrap_or("default");
    let number = |key: &'static str| {
        let value = table.get(key).and_then(Value::as_f64).filter(|value| *value > 0.0);
        value.ok_or_else(|| refuse("rope", kind, &format!("it needs a positive {key}")))
    };
    if table.get("partial_rotary_factor").and_then(Value::as_f64).is_some_and(|share| share != 1.0) {
        return Err(refuse("partial_rotary_factor", kind, "supported is rotating the whole head"));
    }
    let scaling = match kind {
        "default" => RopeScaling::None,
        "linear" => RopeScaling::Linear { factor: number("factor")? },
        "llama3" => RopeScaling::Llama3 {
            factor: number("factor")?,
            low: number("low_freq_factor")?,
            high: number("high_freq_factor")?,
            original: number("original_max_position_embeddings")?,
        },
        other => return Err(refuse("rope_type", other, "supported are default, linear and llama3")),
    };
    Ok((theta, scaling))
}

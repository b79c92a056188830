//! The transformer on burn, its weights, tokenizer and chat template.
//!
//! | file | idea |
//! |---|---|
//! | `config` | `config.json`, old and new layout |
//! | `rope` | the table of rotary angles |
//! | `decoder` | the transformer |
//! | `compute` | by which kernels and in which precision it computes |
//! | `device` | what it computes on |
//! | `resident` | the decoder laid out for generation on any device |
//! | `ops` | its operations |
//! | `parameters` | parameters by their Hugging Face names |
//! | `weights` | safetensors in and out |
//! | `tokenizer`, `template`, `chat` | text, conversations, which tokens are trained |
//! | `tiktoken` | Llama 3's original tokenizer file |
//! | `speech` | tokenizer and template without the weights |
//! | `lora`, `adapter` | adapters in training; a PEFT folder added into its base |
//! | `folder` | the Hugging Face folder |
//! | `random` | students of published shapes with random weights |
//! | `score` | negative log-likelihood without a graph |
//! | `packed`, `cache` | the decoder laid out for generation, and a sequence's keys and values |
//! | `workers` | threads that work side by side |

pub mod adapter;
pub mod cache;
pub mod chat;
pub mod compute;
pub mod config;
pub mod decoder;
pub mod device;
pub mod error;
pub mod folder;
pub mod lora;
pub mod ops;
pub mod packed;
pub mod parameters;
pub mod random;
pub mod resident;
pub mod rope;
pub mod score;
pub mod speech;
pub mod template;
pub mod tiktoken;
pub mod tokenizer;
pub mod weights;
pub mod workers;

use std::sync::Arc;

use serde_json::Value;

pub use chat::{ChatTokens, ContentSpan};
pub use compute::{Compute, Precision};
pub use config::{Family, ModelConfig, RopeScaling};
pub use decoder::Decoder;
pub use error::StudentError;
pub use folder::StudentFiles;
pub use packed::PackedDecoder;
pub use parameters::{NamedParameter, Parameter, ParameterKind};
pub use rope::RopeTable;
pub use score::gather_rows;
pub use template::ChatTemplate;
pub use tokenizer::{Encoded, Tokenizer};

/// A student: the decoder and everything needed to talk with it. Cloning shares all of it.
#[derive(Clone, Debug)]
pub struct Student {
    /// Shape and constants.
    pub config: ModelConfig,
    /// The transformer.
    pub model: Decoder,
    /// Text to ids and back.
    pub tokenizer: Arc<Tokenizer>,
    /// Conversations to text.
    pub template: Arc<ChatTemplate>,
    /// Ids that end a turn; the tokenizer's own end token first. Never empty.
    pub end_of_turn: Vec<u32>,
    /// Id to pad with on the right.
    pub pad: u32,
    files: folder::SharedFiles,
}

impl Student {
    /// Puts the parts together and checks that they fit each other.
    fn assemble(files: StudentFiles, config: ModelConfig, model: Decoder) -> Result<Self, StudentError> {
        let tokenizer = Tokenizer::from_bytes(&files.tokenizer)?;
        tokenizer.fits(&config)?;
        let settings = json("tokenizer_config.json", &files.tokenizer_config)?;
        let generation = match &files.generation_config {
            Some(bytes) => json("generation_config.json", bytes)?,
            None => Value::Null,
        };
        let map = special_map(&files)?;
        let named = |key: &str| special(&settings, key).or_else(|| special(&map, key));
        let (bos, eos) = (named("bos_token"), named("eos_token"));
        let source = template_source(&files, &settings)?;
        let template = ChatTemplate::new(&source, bos.unwrap_or(""), eos.unwrap_or(""))?;
        let end_of_turn = end_of_turn(&tokenizer, eos, &generation, &config)?;
        let named_pad = named("pad_token").and_then(|name| tokenizer.id(name));
        let pad = config.pad.or(named_pad).filter(|id| (*id as usize) < config.vocab_size);
        Ok(Self {
            pad: pad.unwrap_or(end_of_turn[0]),
            config,
            model,
            tokenizer: Arc::new(tokenizer),
            template: Arc::new(template),
            end_of_turn,
            files: Arc::new(files),
        })
    }

    /// The small files it was made from.
    pub fn files(&self) -> &StudentFiles {
        &self.files
    }

    /// A table of rotary angles for sequences of up to `positions` tokens, on the model's device.
    pub fn rope(&self, positions: usize) -> RopeTable {
        RopeTable::new(&self.config, positions, &self.model.device())
    }
}

/// Where older folders name their special tokens.
const SPECIAL_MAP: &str = "special_tokens_map.json";

fn special_map(files: &StudentFiles) -> Result<Value, StudentError> {
    match files.others.iter().find(|(name, _)| name == SPECIAL_MAP) {
        Some((name, bytes)) => json(name, bytes),
        None => Ok(Value::Null),
    }
}

fn json(file: &str, bytes: &[u8]) -> Result<Value, StudentError> {
    serde_json::from_slice(bytes).map_err(|e| StudentError::json(file, &e))
}

/// Name of a special token, which stands as a string or as an object with `content`.
fn special<'a>(settings: &'a Value, key: &str) -> Option<&'a str> {
    let value = settings.get(key)?;
    value.as_str().or_else(|| value.get("content")?.as_str())
}

/// `chat_template.jinja`, else the key `chat_template` of `chat_template.json` or `tokenizer_config.json`: a string, or a
/// list of named templates with a `default`.
fn template_source(files: &StudentFiles, settings: &Value) -> Result<String, StudentError> {
    if let Some(bytes) = &files.chat_template {
        return String::from_utf8(bytes.clone())
            .map_err(|_| StudentError::Template("chat_template.jinja is not UTF-8 text".to_owned()));
    }
    let named = |list: &Value| {
        let default = list.as_array()?.iter().find(|t| t.get("name").and_then(Value::as_str) == Some("default"))?;
        default.get("template")?.as_str().map(str::to_owned)
    };
    let beside = files.others.iter().find(|(name, _)| name == TEMPLATE_JSON);
    let beside = beside.map(|(name, bytes)| json(name, bytes)).transpose()?;
    let key = beside.as_ref().and_then(|value| value.get("chat_template"));
    let key = key.or_else(|| settings.get("chat_template")).ok_or(StudentError::NoTemplate)?;
    key.as_str().map(str::to_owned).or_else(|| named(key)).ok_or(StudentError::NoTemplate)
}

/// Where some checkpoints keep their chat template.
const TEMPLATE_JSON: &str = "chat_template.json";

/// The tokenizer's end token, then those of `generation_config.json` and `config.json`.
fn end_of_turn(
    tokenizer: &Tokenizer,
    eos: Option<&str>,
    generation: &Value,
    config: &ModelConfig,
) -> Result<Vec<u32>, StudentError> {
    let listed = generation.get("eos_token_id").cloned().unwrap_or(Value::Null);
    let listed = serde_json::from_value::<config::OneOrMany>(listed).map(config::OneOrMany::into_vec);
    let all = eos.and_then(|name| tokenizer.id(name)).into_iter();
    let all = all.chain(listed.unwrap_or_default()).chain(config.eos.iter().copied());
    let mut ids = Vec::new();
    for id in all.filter(|id| (*id as usize) < config.vocab_size) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    if ids.is_empty() { Err(StudentError::NoEndOfTurn) } else { Ok(ids) }
}

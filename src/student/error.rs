//! What can be wrong with a student's folder, said in one line each.

use std::path::{Path, PathBuf};

use super::config::SUPPORTED;

/// A student that could not be loaded, asked or saved.
#[derive(Debug, thiserror::Error)]
pub enum StudentError {
    /// A file is not there.
    #[error("{what} not found: {} (a student is a Hugging Face folder with config.json, tokenizer.json, tokenizer_config.json and model.safetensors)", path.display())]
    Missing {
        /// What the file is for.
        what: &'static str,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A JSON file that cannot be read as what it should be.
    #[error("{file}:{line}: {message}")]
    Json {
        /// Name of the file.
        file: String,
        /// Line, from 1; 0 where it is not known.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// An adapter that does something other than what Footbridge computes.
    #[error("adapter_config.json: {message}")]
    Adapter {
        /// What it asks for.
        message: String,
    },
    /// A key of `config.json` with a value this decoder does not compute.
    #[error("config.json: {key} = {value} is not supported; {hint}")]
    Config {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What would be.
        hint: String,
    },
    /// Another kind of model.
    #[error("config.json: architecture {name:?} is not supported; supported are {SUPPORTED}")]
    Architecture {
        /// What the file names.
        name: String,
    },
    /// A safetensors file that is cut off, longer than it says, or has a bad header.
    #[error("{file} is damaged: {message}; download or copy it again")]
    Weights {
        /// Name of the file.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// The weights lack a tensor the configuration asks for.
    #[error("{file} has no tensor {name}, which config.json asks for")]
    MissingTensor {
        /// File or index that was searched.
        file: String,
        /// The tensor.
        name: String,
    },
    /// The weights hold a tensor that the decoder would silently leave out.
    #[error("{file} holds tensor {name}, which a {model_type} of this configuration does not have")]
    UnknownTensor {
        /// Name of the file.
        file: String,
        /// The tensor.
        name: String,
        /// `qwen2`, `qwen3` or `llama`.
        model_type: &'static str,
    },
    /// A tensor of another shape than the configuration says.
    #[error("{file}: tensor {name} has shape {found:?}, config.json asks for {expected:?}")]
    Shape {
        /// Name of the file.
        file: String,
        /// The tensor.
        name: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape by the configuration.
        expected: Vec<usize>,
    },
    /// A tensor stored in a number type that is not a float.
    #[error("{file}: tensor {name} is stored as {dtype}; supported are F32, F16, BF16 and F64")]
    Dtype {
        /// Name of the file.
        file: String,
        /// The tensor.
        name: String,
        /// Its type.
        dtype: String,
    },
    /// The tokenizer could not be read, or failed on a text.
    #[error("tokenizer.json: {0}")]
    Tokenizer(String),
    /// The original tokenizer file could not be turned into a `tokenizer.json`.
    #[error("tokenizer.model: {0}")]
    TokenizerModel(String),
    /// The tokenizer belongs to another model.
    #[error(
        "tokenizer.json does not fit the model: its token {token:?} has id {id}, but the embedding has {vocab} rows"
    )]
    TokenizerTooLarge {
        /// The token with the highest id.
        token: String,
        /// Its id.
        id: u32,
        /// `vocab_size` of the model.
        vocab: usize,
    },
    /// Nothing tells how a chat is written.
    #[error(
        "no chat template: neither chat_template.jinja, chat_template.json nor the key chat_template of \
         tokenizer_config.json is there; use an instruct checkpoint, or add its template"
    )]
    NoTemplate,
    /// The chat template has a fault, or refused the messages.
    #[error("chat template: {0}")]
    Template(String),
    /// The template does something with a message other than writing it, so that nothing can be masked.
    #[error(
        "chat template: the content of message {index} ({role}) does not stand in the rendered chat as given or trimmed; \
         it cannot be told which tokens to train"
    )]
    ContentNotFound {
        /// Which message, from 0.
        index: usize,
        /// Who speaks.
        role: &'static str,
    },
    /// No stop token is known.
    #[error("no end-of-turn token: neither generation_config.json, config.json nor tokenizer_config.json names one")]
    NoEndOfTurn,
    /// A text longer than the model can read.
    #[error("a text of {tokens} tokens is longer than the {max} positions of the model")]
    TooLong {
        /// Its length.
        tokens: usize,
        /// `max_position_embeddings`.
        max: usize,
    },
    /// The device gave back something other than single-precision numbers.
    #[error("the device did not give its numbers back: {0}")]
    Device(String),
}

impl StudentError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn json(file: &str, error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let message = text.split(" at line ").next().unwrap_or(&text).to_owned();
        Self::Json { file: file.to_owned(), line: error.line(), message }
    }
}

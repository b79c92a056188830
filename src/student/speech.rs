//! How a student reads and writes, without its weights: tokenizer and chat template alone.

use super::error::StudentError;
use super::folder::StudentFiles;
use super::template::ChatTemplate;
use super::tokenizer::Tokenizer;
use super::{ChatTokens, chat, json, special, special_map, template_source};
use crate::domain::Message;

/// A student's tokenizer and chat template.
#[derive(Debug)]
pub struct Speech {
    tokenizer: Tokenizer,
    template: ChatTemplate,
}

impl Speech {
    /// From a student's small files.
    ///
    /// # Errors
    /// A tokenizer or a template that is malformed or missing.
    pub fn new(files: &StudentFiles) -> Result<Self, StudentError> {
        let settings = json("tokenizer_config.json", &files.tokenizer_config)?;
        let map = special_map(files)?;
        let named = |key: &str| special(&settings, key).or_else(|| special(&map, key));
        let (bos, eos) = (named("bos_token"), named("eos_token"));
        let template = ChatTemplate::new(&template_source(files, &settings)?, bos.unwrap_or(""), eos.unwrap_or(""))?;
        Ok(Self { tokenizer: Tokenizer::from_bytes(&files.tokenizer)?, template })
    }

    /// As [`super::Student::encode_chat`].
    ///
    /// # Errors
    /// From the template or the tokenizer.
    pub fn encode_chat(&self, messages: &[Message]) -> Result<ChatTokens, StudentError> {
        chat::encode(&self.template, &self.tokenizer, messages)
    }
}

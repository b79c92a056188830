//! What a client is made from: the recipe's `[teacher]`, the key from the environment, and the waits.

use std::env::VarError;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::backoff::Backoff;
use super::budget::{Limits, Prices};
use crate::recipe::TeacherRecipe;
use crate::teacher::TeacherError;

/// Settings of a client. `Debug` does not show the key.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Base address of the API.
    pub base_url: String,
    /// The model's name there.
    pub model: String,
    /// The key, if the server asks for one.
    pub key: Option<SecretString>,
    /// Name of the variable it came from, for messages.
    pub key_env: String,
    /// Calls under way at once.
    pub concurrency: usize,
    /// Calls a minute; 0 sets no limit.
    pub requests_per_minute: u32,
    /// Tokens a minute; 0 sets no limit.
    pub tokens_per_minute: u32,
    /// Until an answer begins, and between its parts.
    pub timeout: Duration,
    /// Times a failed call is made again.
    pub max_retries: u32,
    /// What may be spent.
    pub limits: Limits,
    /// What tokens cost.
    pub prices: Prices,
    /// Plain http beyond this machine.
    pub allow_http: bool,
    /// Added to the body of every call.
    pub extra: Map<String, Value>,
    /// Waits between tries.
    pub backoff: Backoff,
    /// How long calls under way may still take once the run was stopped: their answers are paid for.
    pub grace: Duration,
}

impl Settings {
    /// Settings of a recipe; reads the key from the environment.
    ///
    /// # Errors
    /// [`TeacherError::Unusable`]: the key's variable is not set, or the body's extra fields are no JSON object.
    pub fn of(recipe: &TeacherRecipe) -> Result<Self, TeacherError> {
        let extra = match recipe.extra_body.trim() {
            "" => Map::new(),
            text => serde_json::from_str(text)
                .map_err(|_| TeacherError::Unusable("teacher.extra_body is not a JSON object".into()))?,
        };
        Ok(Self {
            base_url: recipe.base_url.clone(),
            model: recipe.model.clone(),
            key: key(&recipe.api_key_env)?,
            key_env: recipe.api_key_env.clone(),
            concurrency: recipe.concurrency.max(1),
            requests_per_minute: recipe.requests_per_minute,
            tokens_per_minute: recipe.tokens_per_minute,
            timeout: Duration::try_from_secs_f64(recipe.timeout).unwrap_or(Duration::from_secs(120)),
            max_retries: recipe.max_retries,
            limits: Limits { money: recipe.budget, tokens: Some(recipe.budget_tokens).filter(|tokens| *tokens > 0) },
            prices: Prices { read: recipe.price_in, written: recipe.price_out },
            allow_http: recipe.allow_http,
            extra,
            backoff: Backoff::default(),
            grace: Duration::from_secs(10),
        })
    }

    /// What besides the request decides over an answer, for the cache's key.
    pub fn parameters(&self) -> String {
        if self.extra.is_empty() { String::new() } else { Value::from(self.extra.clone()).to_string() }
    }
}

fn key(variable: &str) -> Result<Option<SecretString>, TeacherError> {
    if variable.is_empty() {
        return Ok(None);
    }
    let problem = match std::env::var(variable) {
        Ok(value) if !value.trim().is_empty() => return Ok(Some(SecretString::from(value.trim()))),
        Ok(_) => "is empty",
        Err(VarError::NotPresent) => "is not set",
        Err(VarError::NotUnicode(_)) => "is not text",
    };
    Err(TeacherError::Unusable(format!(
        "teacher.api_key_env names the environment variable {variable}, which {problem}; export it with your key, or set \
         teacher.api_key_env = \"\" for a server without keys"
    )))
}

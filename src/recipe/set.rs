//! Single settings from the command line, `--set grpo.lr=5e-5`, over a recipe.

use serde_json::Value;
use toml::de::DeValue;

use super::{
    error::{Problem, RecipeError},
    fields::{Field, field},
    load::{is_section, json, shorter, shown},
    nearest, rules, settings,
    types::Recipe,
};

impl Recipe {
    /// This recipe with settings replaced, later ones over earlier ones. A value is written as in TOML; the shell's
    /// quotes may be left out (`arm=raw-hard`), and so may a list's brackets (`grpo.steps=16,20`).
    ///
    /// # Errors
    /// [`RecipeError::Invalid`] with every unknown name, misfit and broken relation.
    pub fn with(&self, set: &[(String, String)]) -> Result<Self, RecipeError> {
        let mut values = settings::flatten(self);
        let mut texts = Vec::new();
        for (key, text) in set {
            let Some(field) = field(key) else {
                texts.push(match is_section(key) {
                    true => format!("{key} is a section; name one of its settings"),
                    false => format!("there is no setting {}; the nearest is {}", shown(key), nearest::name(key)),
                });
                continue;
            };
            match read(field, text) {
                Some(value) => drop(values.insert(field.key, value)),
                None => texts.push(rules::misfit(field, &format!("{:?}", shorter(text)), Some(text))),
            }
        }
        if texts.is_empty() {
            match settings::assemble(&values) {
                Ok(recipe) => match rules::broken(&recipe) {
                    broken if broken.is_empty() => return Ok(recipe),
                    broken => texts.extend(broken.into_iter().map(|broken| broken.text)),
                },
                Err(cause) => texts.push(cause.to_string()),
            }
        }
        let problem = |text| Problem { file: "--set".into(), line: None, text };
        Err(RecipeError::Invalid(texts.into_iter().map(problem).collect()))
    }
}

/// The first reading of the text that the setting takes: as TOML, as bare text, as a TOML list without its brackets,
/// as a list of bare words.
pub(super) fn read(field: &Field, text: &str) -> Option<Value> {
    let toml = |text: &str| DeValue::parse(text).map_or(Value::Null, |value| json(value.get_ref()));
    let words = text.split(',').map(|word| Value::from(word.trim())).collect();
    let readings = [toml(text), Value::from(text), toml(&format!("[{text}]")), words];
    readings.iter().find_map(|value| field.takes.accept(value))
}

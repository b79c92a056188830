//! Writing recipes: whole, with the source of every number, or only what differs from a preset.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    error::RecipeError,
    fields::{FIELDS, Field},
    settings::{Settings, flatten},
    types::Recipe,
};

const ABOUT: &str = "\
# A Footbridge recipe with all its settings. In brackets the source of each default, and the default where this recipe
# differs from it. Tables, equations (eq.), sections (§) and appendices are those of arXiv 2606.04466; the rows of
# reading.md say how Footbridge reads it where it leaves a choice.
";

impl Recipe {
    /// The whole recipe as commented TOML; reading it gives this recipe again.
    pub fn to_toml(&self) -> String {
        let (values, defaults) = (flatten(self), flatten(&Self::default()));
        let comment = |field: &Field| {
            let default = (values[field.key] != defaults[field.key]).then(|| written(&defaults[field.key]));
            match (field.source, default) {
                ("", None) => field.about.to_owned(),
                ("", Some(default)) => format!("{} (default: {default})", field.about),
                (source, None) => format!("{} ({source})", field.about),
                (source, Some(default)) => format!("{} ({source}: {default})", field.about),
            }
        };
        format!("{ABOUT}\n{}", document(&values, FIELDS.iter(), comment))
    }

    /// The first 12 hex digits of the SHA-256 of every setting with its value: the same for the same recipe, however its
    /// comments are worded.
    pub fn hash(&self) -> String {
        let values = serde_json::to_vec(&flatten(self)).unwrap_or_default();
        let mut digest = hex::encode(Sha256::digest(values));
        digest.truncate(12);
        digest
    }

    /// The smallest TOML that says this recipe: `extends` and what differs from that preset, each with the preset's
    /// value beside it. `None` compares with the defaults.
    ///
    /// # Errors
    /// [`RecipeError::UnknownPreset`].
    pub fn diff_to_preset(&self, preset: Option<&str>) -> Result<String, RecipeError> {
        let base = preset.map_or_else(|| Ok(Self::default()), Self::preset)?;
        let (values, base) = (flatten(self), flatten(&base));
        let name = preset.unwrap_or("default");
        let extends = preset.map(|name| format!("extends = \"{name}\"\n")).unwrap_or_default();
        let changed = FIELDS.iter().filter(|field| values[field.key] != base[field.key]);
        let body = document(&values, changed, |field| format!("{name}: {}", written(&base[field.key])));
        let gap = if extends.is_empty() || body.is_empty() || !body.starts_with('[') { "" } else { "\n" };
        Ok(format!("{extends}{gap}{body}"))
    }

    /// The dotted names of the settings in which two recipes differ, with both values as TOML.
    pub fn differences(&self, other: &Self) -> Vec<(&'static str, String, String)> {
        let (ours, theirs) = (flatten(self), flatten(other));
        let differ = FIELDS.iter().filter(|field| ours[field.key] != theirs[field.key]);
        differ.map(|field| (field.key, written(&ours[field.key]), written(&theirs[field.key]))).collect()
    }
}

/// The settings of `fields` under their sections, each with its comment; comments of a section stand in one column.
fn document<'f>(
    values: &Settings,
    fields: impl Iterator<Item = &'f Field>,
    comment: impl Fn(&Field) -> String,
) -> String {
    let mut sections: Vec<(&str, Vec<(String, String)>)> = Vec::new();
    for field in fields {
        let (section, name) = field.split();
        let line = (format!("{name} = {}", written(&values[field.key])), comment(field));
        match sections.last_mut() {
            Some((last, lines)) if *last == section => lines.push(line),
            _ => sections.push((section, vec![line])),
        }
    }
    let blocks = sections.iter().map(|(section, lines)| {
        let header = if section.is_empty() { String::new() } else { format!("[{section}]\n") };
        let wide = lines.iter().map(|(setting, _)| setting.chars().count()).max().unwrap_or_default();
        lines.iter().fold(header, |text, (setting, comment)| format!("{text}{setting:wide$}  # {comment}\n"))
    });
    blocks.collect::<Vec<_>>().join("\n")
}

/// A value as TOML.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::String(text) => toml::Value::from(text.as_str()).to_string(),
        Value::Array(list) => format!("[{}]", list.iter().map(written).collect::<Vec<_>>().join(", ")),
        Value::Number(number) => match number.as_f64() {
            Some(real) if number.is_f64() => format!("{real:?}"),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

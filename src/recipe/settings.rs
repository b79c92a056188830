//! A recipe as a flat map from dotted name to value: merging, comparing and writing are done on it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{fields::FIELDS, types::Recipe};

/// Values by dotted name.
pub type Settings = BTreeMap<&'static str, Value>;

/// Every setting of a recipe.
pub fn flatten(recipe: &Recipe) -> Settings {
    let tree = serde_json::to_value(recipe).unwrap_or_default();
    let value = |key: &str| tree.pointer(&format!("/{}", key.replace('.', "/"))).cloned().unwrap_or_default();
    FIELDS.iter().map(|field| (field.key, value(field.key))).collect()
}

/// The recipe of these settings; all must be there.
///
/// # Errors
/// A value that its field does not take, in serde's words.
pub fn assemble(settings: &Settings) -> Result<Recipe, serde_json::Error> {
    let mut root = Map::new();
    for (key, value) in settings {
        let mut words = key.split('.').collect::<Vec<_>>();
        let name = words.pop().unwrap_or_default();
        let mut table = Some(&mut root);
        for section in words {
            table = table.and_then(|t| t.entry(section).or_insert_with(|| Map::new().into()).as_object_mut());
        }
        if let Some(table) = table {
            table.insert(name.into(), value.clone());
        }
    }
    serde_json::from_value(root.into())
}

//! `footbridge recipe show|check`: what a run would be, and whether a file says it rightly.

use std::path::Path;

use crate::recipe::{Loaded, Recipe, RecipeError};

/// A recipe as commented TOML, every setting with its source; with `only_diff`, what it changes against the preset it
/// extends (a preset: against the defaults).
///
/// # Errors
/// Those of [`Recipe::find`].
pub fn show(preset_or_path: &str, only_diff: bool) -> Result<String, RecipeError> {
    let loaded = Loaded::find(preset_or_path)?;
    if only_diff { loaded.recipe.diff_to_preset(loaded.extends) } else { Ok(loaded.recipe.to_toml()) }
}

/// Reads a recipe file and says in one line what it is.
///
/// # Errors
/// Those of [`Recipe::load`].
pub fn check(path: &Path) -> Result<String, RecipeError> {
    let Loaded { recipe, extends, named } = Loaded::read(path)?;
    let base = extends.map_or_else(|| Ok(Recipe::default()), Recipe::preset)?;
    let changed = recipe.differences(&base).len();
    let (stands_on, base) = match extends {
        Some(preset) => (format!("extends {preset}"), preset),
        None => ("extends no preset".to_owned(), "the defaults"),
    };
    let settings = if named == 1 { "setting" } else { "settings" };
    Ok(format!("{}: valid; {stands_on}, names {named} {settings}, {changed} unlike {base}\n", path.display()))
}

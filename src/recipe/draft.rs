//! A recipe while it is written: settings over a preset, held against their ranges and against each other at every
//! change. What does not hold stays as it was typed, so that it can be mended; a recipe comes out only when all holds.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::error::RecipeError;
use super::fields::{FIELDS, Field, field};
use super::load::{Loaded, shorter};
use super::settings::{self, Settings};
use super::types::Recipe;
use super::{presets, rules, set, write};

/// Settings that tell runs of one recipe apart, and so no recipes.
const OF_THE_RUN: [&str; 2] = ["seed", "arm"];

/// What does not hold: the settings it is about, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// One for a value out of its range, several for a relation.
    pub keys: Vec<&'static str>,
    /// What was found, what is wrong with it, what to do.
    pub text: String,
}

/// A recipe that is being written.
#[derive(Clone, Debug)]
pub struct Draft {
    preset: &'static str,
    base: Settings,
    values: Settings,
    /// What was typed and fits nowhere; the value before it stands in `values`.
    typed: BTreeMap<&'static str, String>,
    faults: Vec<Fault>,
    recipe: Option<Recipe>,
}

impl Draft {
    /// A preset, unchanged.
    ///
    /// # Errors
    /// [`RecipeError::UnknownPreset`], with the nearest name.
    pub fn preset(name: &str) -> Result<Self, RecipeError> {
        let recipe = Recipe::preset(name)?;
        let known = presets::names().find(|known| *known == name).unwrap_or_default();
        Ok(Self::over(known, &recipe, &recipe))
    }

    /// A recipe file over the preset it extends; one that extends none stands over the nearest.
    ///
    /// # Errors
    /// The file cannot be read, or what is wrong in it, everything with its line.
    pub fn read(path: &Path) -> Result<Self, RecipeError> {
        let loaded = Loaded::read(path)?;
        match loaded.extends {
            Some(preset) => Ok(Self::over(preset, &Recipe::preset(preset)?, &loaded.recipe)),
            None => Self::of(&loaded.recipe),
        }
    }

    /// A whole recipe, over the preset from which it differs least.
    ///
    /// # Errors
    /// When no preset can be read.
    pub fn of(recipe: &Recipe) -> Result<Self, RecipeError> {
        let (preset, _) = recipe.nearest_preset()?;
        Ok(Self::over(preset, &Recipe::preset(preset)?, recipe))
    }

    fn over(preset: &'static str, base: &Recipe, recipe: &Recipe) -> Self {
        let (base, values) = (settings::flatten(base), settings::flatten(recipe));
        let mut draft = Self { preset, base, values, typed: BTreeMap::new(), faults: Vec::new(), recipe: None };
        draft.hold();
        draft
    }

    /// The preset it stands over.
    pub fn stands_over(&self) -> &'static str {
        self.preset
    }

    /// The recipe, where everything holds.
    pub fn recipe(&self) -> Option<&Recipe> {
        self.recipe.as_ref()
    }

    /// What does not hold.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// What does not hold of a setting.
    pub fn fault(&self, key: &str) -> Option<&Fault> {
        self.faults.iter().find(|fault| fault.keys.contains(&key))
    }

    /// Gives a setting another value, written as [`Recipe::with`] takes it.
    pub fn set(&mut self, key: &str, text: &str) {
        let Some(field) = field(key) else { return };
        match set::read(field, text) {
            Some(value) => {
                self.typed.remove(field.key);
                self.values.insert(field.key, value);
            }
            None => drop(self.typed.insert(field.key, text.to_owned())),
        }
        self.hold();
    }

    /// What would not hold of a setting with another value.
    pub fn would_fault(&self, key: &str, text: &str) -> Option<String> {
        let mut other = self.clone();
        other.set(key, text);
        other.fault(key).map(|fault| fault.text.clone())
    }

    /// Gives a setting the preset's value.
    pub fn reset(&mut self, key: &str) {
        if let Some((key, value)) = self.base.get_key_value(key) {
            self.typed.remove(key);
            self.values.insert(key, value.clone());
            self.hold();
        }
    }

    /// Takes a whole recipe in place of all settings.
    pub fn replace(&mut self, recipe: &Recipe) {
        self.values = settings::flatten(recipe);
        self.typed.clear();
        self.hold();
    }

    /// A setting as the researcher would type it: what was typed where that fits nowhere, texts without quotes.
    pub fn text(&self, key: &str) -> String {
        self.typed.get(key).cloned().unwrap_or_else(|| self.values.get(key).map_or_else(String::new, bare))
    }

    /// The preset's value of a setting, in the same form.
    pub fn base_text(&self, key: &str) -> String {
        self.base.get(key).map_or_else(String::new, bare)
    }

    /// Whether a setting differs from the preset's.
    pub fn differs(&self, key: &str) -> bool {
        self.typed.contains_key(key) || self.values.get(key) != self.base.get(key)
    }

    /// How many settings differ from the preset's.
    pub fn changed(&self) -> usize {
        FIELDS.iter().filter(|field| self.differs(field.key)).count()
    }

    /// The smallest file that says this recipe: the preset it extends and what differs; `None` while something does not
    /// hold.
    pub fn to_toml(&self) -> Option<String> {
        self.recipe.as_ref().and_then(|recipe| recipe.diff_to_preset(Some(self.preset)).ok())
    }

    /// Holds everything against everything.
    fn hold(&mut self) {
        let misfit = |(key, text): (&&'static str, &String)| {
            let of = |field: &Field| rules::misfit(field, &format!("{:?}", shorter(text)), Some(text));
            Fault { keys: vec![*key], text: field(key).map_or_else(String::new, of) }
        };
        self.faults = self.typed.iter().map(misfit).collect();
        self.recipe = None;
        match settings::assemble(&self.values) {
            Ok(recipe) => {
                let broken = rules::broken(&recipe);
                self.faults.extend(broken.into_iter().map(|b| Fault { keys: b.keys.to_vec(), text: b.text }));
                self.recipe = self.faults.is_empty().then_some(recipe);
            }
            Err(cause) => self.faults.push(Fault { keys: Vec::new(), text: cause.to_string() }),
        }
    }
}

impl Recipe {
    /// The preset from which this recipe differs in the fewest settings, and in how many; seed and arm don't count.
    ///
    /// # Errors
    /// When a preset can't be read.
    pub fn nearest_preset(&self) -> Result<(&'static str, usize), RecipeError> {
        let mut best: Option<(&'static str, usize)> = None;
        for name in presets::names() {
            let differences = self.differences(&Self::preset(name)?);
            let count = differences.iter().filter(|(key, ..)| !OF_THE_RUN.contains(key)).count();
            if best.is_none_or(|(_, least)| count < least) {
                best = Some((name, count));
            }
        }
        Ok(best.unwrap_or_default())
    }
}

fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| write::written(value), str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_held_at_once_and_can_be_mended() {
        let mut draft = Draft::preset("demo").unwrap();
        assert_eq!((draft.changed(), draft.faults().len()), (0, 0));
        draft.set("grpo.lr", "fast");
        assert!(draft.recipe().is_none() && draft.differs("grpo.lr"));
        assert_eq!(draft.text("grpo.lr"), "fast");
        assert!(draft.fault("grpo.lr").unwrap().text.contains("grpo.lr is \"fast\"; it must be a number above 0"));
        draft.set("grpo.lr", "5e-5");
        assert_eq!(draft.recipe().unwrap().grpo.lr, 5e-5);
        assert_eq!((draft.text("grpo.lr"), draft.base_text("grpo.lr")), ("5e-5".into(), "0.0001".into()));
    }

    #[test]
    fn a_broken_relation_is_a_fault_of_both_settings() {
        let mut draft = Draft::preset("demo").unwrap();
        draft.set("grpo.mini_batch", "5");
        for key in ["grpo.mini_batch", "grpo.prompts"] {
            assert!(draft.fault(key).unwrap().text.contains("must divide"), "{key}");
        }
        assert!(draft.would_fault("grpo.prompts", "40").is_none());
        draft.reset("grpo.mini_batch");
        assert!(draft.recipe().is_some() && !draft.differs("grpo.mini_batch"));
    }

    #[test]
    fn the_file_that_is_saved_reads_back_as_the_same_recipe() {
        for preset in presets::names() {
            let mut draft = Draft::preset(preset).unwrap();
            for (key, text) in [("arm", "raw-hard"), ("seed", "7"), ("grpo.steps", "3, 4"), ("student.path", "a b")] {
                draft.set(key, text);
            }
            let recipe = draft.recipe().unwrap().clone();
            let loaded = Loaded::parse(&draft.to_toml().unwrap(), "saved").unwrap();
            assert_eq!((loaded.extends, loaded.named), (Some(preset), draft.changed()));
            assert_eq!(loaded.recipe, recipe);
        }
    }

    #[test]
    fn every_value_can_be_typed_as_it_is_shown() {
        for preset in presets::names() {
            let mut draft = Draft::preset(preset).unwrap();
            for field in FIELDS {
                let text = draft.text(field.key);
                draft.set(field.key, &text);
                assert!(!draft.differs(field.key), "{preset}: {} = {text}", field.key);
            }
        }
    }

    #[test]
    fn a_recipe_stands_over_the_preset_that_is_nearest() {
        let mut recipe = Recipe::preset("paper-llama-3.2-1b").unwrap();
        (recipe.seed, recipe.grpo.group) = (99, 4);
        assert_eq!(recipe.nearest_preset().unwrap(), ("paper-llama-3.2-1b", 1));
        let draft = Draft::of(&recipe).unwrap();
        assert_eq!((draft.stands_over(), draft.changed()), ("paper-llama-3.2-1b", 2));
        assert_eq!(draft.recipe(), Some(&recipe));
    }
}

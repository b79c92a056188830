//! What must hold of a whole recipe: every value in its range, and what two settings owe each other.

use super::{
    error::{Problem, RecipeError},
    fields::{FIELDS, Field},
    nearest, settings,
    types::Recipe,
};

mod teacher;

/// A relation that does not hold: the settings it is between, and what is wrong.
pub(super) struct Broken {
    pub(super) keys: &'static [&'static str],
    pub(super) text: String,
}

impl Recipe {
    /// Holds every value against its range and against the others; for recipes that were built or changed in code
    /// (what [`Recipe::load`] returns has passed).
    ///
    /// # Errors
    /// [`RecipeError::Invalid`] with every problem found.
    pub fn validate(&self) -> Result<(), RecipeError> {
        let values = settings::flatten(self);
        let misfits = FIELDS.iter().filter_map(|field| {
            let value = &values[field.key];
            let found = if value.is_null() { "not a finite number".to_owned() } else { value.to_string() };
            field.takes.accept(value).is_none().then(|| misfit(field, &found, value.as_str()))
        });
        let texts: Vec<String> = misfits.chain(broken(self).into_iter().map(|broken| broken.text)).collect();
        if texts.is_empty() {
            return Ok(());
        }
        let problem = |text| Problem { file: String::new(), line: None, text };
        Err(RecipeError::Invalid(texts.into_iter().map(problem).collect()))
    }
}

/// Says that a value does not fit; `word` is the misspelt one, where words are asked for.
pub(super) fn misfit(field: &Field, found: &str, word: Option<&str>) -> String {
    let text = format!("{} is {found}; it must be {}", field.key, field.takes.describe());
    match word {
        Some(word) if field.takes.words().len() > 1 => {
            format!("{text}; the nearest is \"{}\"", nearest::word(word, field.takes.words()))
        }
        _ => text,
    }
}

/// The relations that do not hold.
pub(super) fn broken(recipe: &Recipe) -> Vec<Broken> {
    [data(recipe), bands(recipe), batches(recipe), weights(recipe), passes(recipe)]
        .into_iter()
        .flatten()
        .chain(greedy(recipe))
        .chain(cold(recipe))
        .chain(teacher::broken(&recipe.teacher))
        .collect()
}

fn data(recipe: &Recipe) -> Option<Broken> {
    (recipe.data.source == "world" && recipe.data.train == 0).then(|| Broken {
        keys: &["data.train", "data.source"],
        text: "data.train is 0; the generated world has no end, so say how many questions to use (demo: 600)".into(),
    })
}

fn bands(recipe: &Recipe) -> Option<Broken> {
    let (medium, simple) = (recipe.difficulty.medium_from, recipe.difficulty.simple_from);
    (medium >= simple).then(|| Broken {
        keys: &["difficulty.medium_from", "difficulty.simple_from"],
        text: format!("difficulty.medium_from is {medium}; it must be below difficulty.simple_from, {simple}"),
    })
}

fn batches(recipe: &Recipe) -> Option<Broken> {
    let (prompts, mini) = (recipe.grpo.prompts, recipe.grpo.mini_batch);
    (mini > 0 && !prompts.is_multiple_of(mini)).then(|| Broken {
        keys: &["grpo.mini_batch", "grpo.prompts"],
        text: format!("grpo.mini_batch is {mini}; it must divide grpo.prompts, {prompts}"),
    })
}

fn weights(recipe: &Recipe) -> Option<Broken> {
    let sum: f64 = recipe.recycle.weights.iter().sum();
    ((sum - 3.0).abs() > 1e-9).then(|| Broken {
        keys: &["recycle.weights"],
        text: format!("recycle.weights sum to {sum}; they must sum to 3 (eq. 30)"),
    })
}

fn passes(recipe: &Recipe) -> Option<Broken> {
    let (n, k) = (recipe.evaluate.n, recipe.evaluate.k);
    (n > 0 && k > n).then(|| Broken {
        keys: &["evaluate.k", "evaluate.n"],
        text: format!("evaluate.k is {k}; pass@k needs at least k samples, and evaluate.n is {n}"),
    })
}

/// The lowest temperature. Logits divided by one that is lower are all or nothing, and then too large for a number.
const COLDEST: f64 = 1e-3;

/// Temperatures that are nearly 0.
fn cold(recipe: &Recipe) -> Vec<Broken> {
    let all: [(&'static [&'static str], f64, bool); 5] = [
        (&["difficulty.sampling.temperature"], recipe.difficulty.sampling.temperature, true),
        (&["teacher.temperature"], recipe.teacher.temperature, true),
        (&["rollouts.sampling.temperature"], recipe.rollouts.sampling.temperature, false),
        (&["grpo.sampling.temperature"], recipe.grpo.sampling.temperature, false),
        (&["evaluate.sampling.temperature"], recipe.evaluate.sampling.temperature, true),
    ];
    let low = all.into_iter().filter(|(_, value, _)| *value > 0.0 && *value < COLDEST);
    low.map(|(keys, value, greedy)| {
        let or = if greedy { ", or 0 for the likeliest token" } else { "" };
        Broken { keys, text: format!("{} is {value:?}; it must be at least {COLDEST}{or}", keys.join(" and ")) }
    })
    .collect()
}

/// Several samples at temperature 0 would all be the same answer.
fn greedy(recipe: &Recipe) -> Vec<Broken> {
    let same = |what: &str, n: u32| {
        format!("{what}.sampling.temperature is 0, and the {n} samples of {what}.n would all be the same")
    };
    let mut found = Vec::new();
    if recipe.difficulty.sampling.temperature == 0.0 && recipe.difficulty.n > 1 {
        let text = same("difficulty", recipe.difficulty.n);
        found.push(Broken { keys: &["difficulty.sampling.temperature", "difficulty.n"], text });
    }
    if recipe.evaluate.sampling.temperature == 0.0 && recipe.evaluate.n > 1 {
        let text = same("evaluate", recipe.evaluate.n);
        found.push(Broken { keys: &["evaluate.sampling.temperature", "evaluate.n"], text });
    }
    found
}

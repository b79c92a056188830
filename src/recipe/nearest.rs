//! The valid name most like a misspelt one.

use strsim::normalized_damerau_levenshtein as likeness;

use super::{fields::FIELDS, presets};

/// What being in the same section adds to the likeness of two names, which is 0 to 1.
const SAME_SECTION: f64 = 0.4;
/// What being in a section beneath it adds.
const BENEATH: f64 = 0.2;

/// The setting or section most like `key`: the name counts, and so does the section it stands in.
pub fn name(key: &str) -> &'static str {
    let (section, word) = key.rsplit_once('.').unwrap_or(("", key));
    best(names().map(|known| {
        let (known_section, known_word) = known.rsplit_once('.').unwrap_or(("", known));
        let bonus = match known_section.strip_prefix(section) {
            Some("") => SAME_SECTION,
            Some(rest) if rest.starts_with('.') => BENEATH,
            _ => 0.0,
        };
        (likeness(word, known_word) + bonus, known)
    }))
}

/// The word of a list most like `found`.
pub fn word(found: &str, words: &'static [&'static str]) -> &'static str {
    best(words.iter().map(|word| (likeness(&found.to_lowercase(), word), *word)))
}

/// The preset most like `found`.
pub fn preset(found: &str) -> &'static str {
    best(presets::names().map(|name| (likeness(&found.to_lowercase(), name), name)))
}

/// Every setting and every section.
fn names() -> impl Iterator<Item = &'static str> {
    let sections = FIELDS.iter().map(|field| field.split().0).filter(|section| !section.is_empty());
    let parents = sections.clone().filter_map(|section| section.rsplit_once('.').map(|(parent, _)| parent));
    FIELDS.iter().map(|field| field.key).chain(sections).chain(parents)
}

/// The first of the highest score.
fn best(scored: impl Iterator<Item = (f64, &'static str)>) -> &'static str {
    scored.fold((f64::MIN, ""), |best, next| if next.0 > best.0 { next } else { best }).1
}

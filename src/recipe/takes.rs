//! What a setting takes: its type and range, how a value is held against it, and how that is said in words.

use std::ops::{Bound, RangeBounds};

use serde_json::Value;

use super::device::{DEVICE_WORDS, DeviceChoice};

/// A range of real numbers. Infinity and NaN are never in it.
pub type Range = (Bound<f64>, Bound<f64>);

/// What a setting takes.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// A whole number from the first to the second, both included.
    Whole(u64, u64),
    /// A number in the range.
    Number(Range),
    /// A number in the range, or the word.
    NumberOr(Range, &'static str),
    /// `true` or `false`.
    Switch,
    /// Text that is not empty.
    Text,
    /// Text; empty says that there is none.
    TextOrNone,
    /// A list of texts, none empty.
    Texts,
    /// A device: `auto`, `cpu`, `cuda` or `cuda:N`.
    Device,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list of whole numbers from the first to the second.
    Wholes(u64, u64),
    /// A list of this many numbers in the range.
    Numbers(usize, Range),
    /// A list of some of these words.
    Several(&'static [&'static str]),
}

impl Takes {
    /// The value as it is stored (a whole number where a number is asked for becomes one), or `None` where it does
    /// not fit.
    pub fn accept(&self, value: &Value) -> Option<Value> {
        match self {
            Self::Whole(least, most) => whole(value, *least, *most),
            Self::Number(range) => number(value, range),
            Self::NumberOr(range, word) => number(value, range).or_else(|| one_of(value, &[word])),
            Self::Switch => value.is_boolean().then(|| value.clone()),
            Self::Text => value.as_str().filter(|text| !text.trim().is_empty()).map(Value::from),
            Self::TextOrNone => value.as_str().map(Value::from),
            Self::Texts => each(value, |item| Self::Text.accept(item)),
            Self::Device => value.as_str().filter(|text| text.parse::<DeviceChoice>().is_ok()).map(Value::from),
            Self::OneOf(words) => one_of(value, words),
            Self::Wholes(least, most) => each(value, |item| whole(item, *least, *most)),
            Self::Numbers(count, range) => each(value, |item| number(item, range))
                .filter(|list| list.as_array().is_some_and(|l| l.len() == *count)),
            Self::Several(words) => each(value, |item| one_of(item, words)),
        }
    }

    /// What is taken, to stand after "it must be".
    pub fn describe(&self) -> String {
        match self {
            Self::Whole(least, most) => format!("a whole number {}", span(*least, *most)),
            Self::Number(range) => format!("a number{}", bounds(range)),
            Self::NumberOr(range, word) => format!("a number{}, or \"{word}\"", bounds(range)),
            Self::Switch => "true or false".into(),
            Self::Text => "a text in quotes, not empty".into(),
            Self::TextOrNone => "a text in quotes".into(),
            Self::Texts => "a list of texts in quotes, none empty".into(),
            Self::Device => DEVICE_WORDS.into(),
            Self::OneOf(words) => choice(words),
            Self::Wholes(least, most) => format!("a list of whole numbers, each {}", span(*least, *most)),
            Self::Numbers(count, range) => format!("a list of {count} numbers, each{}", bounds(range)),
            Self::Several(words) => format!("a list of some of {}", quoted(words)),
        }
    }

    /// The words among which a misspelt one has its nearest.
    pub fn words(&self) -> &'static [&'static str] {
        match self {
            Self::OneOf(words) | Self::Several(words) => words,
            _ => &[],
        }
    }
}

fn whole(value: &Value, least: u64, most: u64) -> Option<Value> {
    value.as_u64().filter(|number| (least..=most).contains(number)).map(Value::from)
}

fn number(value: &Value, range: &Range) -> Option<Value> {
    value.as_f64().filter(|number| number.is_finite() && range.contains(number)).map(Value::from)
}

fn one_of(value: &Value, words: &[&str]) -> Option<Value> {
    value.as_str().filter(|word| words.contains(word)).map(Value::from)
}

fn each(value: &Value, accept: impl Fn(&Value) -> Option<Value>) -> Option<Value> {
    value.as_array()?.iter().map(accept).collect::<Option<Vec<_>>>().map(Value::from)
}

fn span(least: u64, most: u64) -> String {
    format!("from {least} to {most}")
}

fn bounds(range: &Range) -> String {
    let low = match range.0 {
        Bound::Included(low) => format!(" of at least {low}"),
        Bound::Excluded(low) => format!(" above {low}"),
        Bound::Unbounded => String::new(),
    };
    let high = match range.1 {
        Bound::Included(high) => format!("at most {high}"),
        Bound::Excluded(high) => format!("below {high}"),
        Bound::Unbounded => return low,
    };
    if low.is_empty() { format!(" {high}") } else { format!("{low} and {high}") }
}

/// "one of" several words, or the only one.
fn choice(words: &[&str]) -> String {
    if words.len() == 1 { quoted(words) } else { format!("one of {}", quoted(words)) }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

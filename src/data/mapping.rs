//! From a row of any file to a question: which field is what, by the recipe or recognised by the names of the fields.
//!
//! Gold answers are normalised here, once: thousands commas and currency signs go, `3.0` becomes `3`, an option becomes
//! its letter. What a row lacks is said by its place and what to do.

use serde_json::Value;

use super::json::kind;
use super::rows::Fields;
use crate::domain::{AskKind, Question, Verifier};

/// Which fields of a row make a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Joined to the question's text.
    pub question: Vec<String>,
    /// The gold answer, or a worked solution that ends with `#### answer`.
    pub answer: String,
    /// A worked solution apart from the answer.
    pub solution: Option<String>,
    /// The options of a multiple-choice question.
    pub choices: Option<String>,
    /// Names the question; its place in the file where there is none.
    pub id: Option<String>,
    /// Numbers, separated by blanks, that stand for `number0`, `number1`, … in the question.
    pub numbers: Option<String>,
}

/// A layout that is recognised by its fields: question, answer, solution, choices, id, numbers.
struct Layout {
    question: &'static [&'static str],
    answer: &'static str,
    solution: Option<&'static str>,
    choices: Option<&'static str>,
    numbers: Option<&'static str>,
}

const fn plain(question: &'static [&'static str], answer: &'static str) -> Layout {
    Layout { question, answer, solution: None, choices: None, numbers: None }
}

/// The most telling first.
const LAYOUTS: &[Layout] = &[
    // AGIEval: as its authors publish it, and as the hub has it.
    Layout { choices: Some("options"), ..plain(&["passage", "question"], "label") },
    Layout { choices: Some("choices"), ..plain(&["query"], "gold") },
    // SVAMP's folds of MAWPS, with placeholders.
    Layout { numbers: Some("Numbers"), ..plain(&["Question"], "Answer") },
    plain(&["Body", "Question"], "Answer"),
    // MWPToolkit.
    plain(&["original_text"], "ans"),
    // MATH.
    Layout { solution: Some("solution"), ..plain(&["problem"], "answer") },
    // GSM8K-Platinum, re-keyed.
    Layout { solution: Some("output"), ..plain(&["input"], "answer") },
    plain(&["input"], "target"),
    Layout { choices: Some("options"), ..plain(&["question"], "answer") },
    Layout { choices: Some("choices"), ..plain(&["question"], "answer") },
    Layout { solution: Some("solution"), ..plain(&["question"], "answer") },
    plain(&["question"], "answer"),
    plain(&["question"], "result"),
    plain(&["problem"], "answer"),
    plain(&["question"], "gold"),
    plain(&["prompt"], "answer"),
];

impl Layout {
    fn fields(&self) -> impl Iterator<Item = &'static str> {
        let more = [self.solution, self.choices, self.numbers].into_iter().flatten();
        self.question.iter().copied().chain([self.answer]).chain(more)
    }

    fn mapping(&self) -> Mapping {
        let owned = |name: Option<&str>| name.map(str::to_owned);
        Mapping {
            question: self.question.iter().map(ToString::to_string).collect(),
            answer: self.answer.into(),
            solution: owned(self.solution),
            choices: owned(self.choices),
            id: None,
            numbers: owned(self.numbers),
        }
    }
}

impl Mapping {
    /// The mapping of the layout whose fields a row has, the most telling first.
    pub fn recognise(row: &Fields) -> Option<Self> {
        let layout = LAYOUTS.iter().find(|layout| layout.fields().all(|name| row.contains_key(name)))?;
        let mut mapping = layout.mapping();
        // MWPToolkit numbers its rows and other sets name them; numbers alone say no more than the place.
        mapping.id = row.get("id").is_some_and(Value::is_string).then(|| "id".to_owned());
        Some(mapping)
    }

    /// In words, for people: `question from Body + Question, answer from Answer`.
    pub fn describe(&self) -> String {
        let mut text = format!("question from {}, answer from {}", self.question.join(" + "), self.answer);
        for (what, name) in
            [("solution", &self.solution), ("options", &self.choices), ("id", &self.id), ("numbers", &self.numbers)]
        {
            if let Some(name) = name {
                text.push_str(&format!(", {what} from {name}"));
            }
        }
        text
    }

    /// How its questions are asked when nothing else is said.
    pub fn ask(&self) -> AskKind {
        if self.choices.is_some() { AskKind::Choice } else { AskKind::Answer }
    }

    /// The question of a row, without an id of its own where the row gives none.
    ///
    /// # Errors
    /// What is wrong with the row and what to do.
    pub fn question(&self, row: &Fields, verifier: Verifier, ask: AskKind) -> Result<Question, String> {
        let mut parts = Vec::new();
        for name in &self.question {
            let part = text_of(row, name)?;
            if !part.trim().is_empty() {
                parts.push(part.trim());
            }
        }
        let mut text = joined(&parts);
        if text.is_empty() {
            let names = self.question.join("` and `");
            return Err(format!(
                "`{names}` {} empty; every question needs its text",
                if self.question.len() > 1 { "are" } else { "is" }
            ));
        }
        if let Some(name) = &self.numbers {
            text = filled(&text, text_of(row, name)?)?;
        }
        let mut options = Vec::new();
        if let Some(name) = &self.choices {
            options = options_of(row, name)?;
            text.push('\n');
            for (letter, option) in letters().zip(&options) {
                text.push_str(&format!("\n({letter}) {option}"));
            }
        }
        let answer = self.answer(row, &options)?;
        let solution = match &self.solution {
            Some(name) => Some(text_of(row, name)?.to_owned()),
            None => answer.contains("####").then(|| answer.clone()),
        };
        let gold = verifier.normalise_gold(&answer);
        if !verifier.reads_gold(&gold) {
            return Err(self.unreadable(&answer, verifier));
        }
        let id = self.id.as_deref().map(|name| id_of(row, name)).transpose()?.unwrap_or_default();
        Ok(Question { id, text, gold, solution, steps: None, ask })
    }

    /// The answer as a text; for questions with options its letter.
    fn answer(&self, row: &Fields, options: &[String]) -> Result<String, String> {
        let name = &self.answer;
        let mut value = field(row, name)?;
        if let Value::Array(items) = value {
            let [only] = items.as_slice() else {
                return Err(format!("`{name}` lists {} answers; one is needed", items.len()));
            };
            value = only;
        }
        if !options.is_empty() {
            return letter(value, options).ok_or_else(|| {
                let last = letters().nth(options.len() - 1).unwrap_or('Z');
                format!(
                    "`{name}` is {}; it must be a letter from A to {last}, the number of an option from 0, or its text",
                    shown(value)
                )
            });
        }
        match value {
            Value::String(text) if text.trim().is_empty() => {
                Err(format!("`{name}` is empty; every question needs its answer"))
            }
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(plain_number(number)),
            other => Err(format!("`{name}` is {}; it must be a text or a number", kind(other))),
        }
    }

    /// Why a gold answer is refused, and who could read it.
    fn unreadable(&self, answer: &str, verifier: Verifier) -> String {
        let able = Verifier::ALL.into_iter().filter(|v| v.reads_gold(&v.normalise_gold(answer)));
        let able: Vec<&str> = able.map(Verifier::name).collect();
        let hint = match able.as_slice() {
            [] => "no verifier can; let it end with a line `#### answer`".to_owned(),
            names => format!("these can: {}; name one of them as verifier, or mend the answer", names.join(", ")),
        };
        let line = answer.trim().lines().last().unwrap_or_default();
        format!("the verifier {verifier} cannot read the answer {}; {hint}", quoted(line))
    }
}

/// The field, or which ones there are.
fn field<'r>(row: &'r Fields, name: &str) -> Result<&'r Value, String> {
    let inner = || {
        let mut parts = name.split('.');
        let first = row.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    };
    match row.get(name).or_else(inner) {
        Some(Value::Null) => Err(format!("`{name}` is null; give it a value, or leave the row out")),
        Some(value) => Ok(value),
        None => {
            let there = names(row);
            Err(format!("missing field `{name}`; the row has {there}; give it that field, or leave the row out"))
        }
    }
}

/// The names of a row's fields, as a message shows them.
pub(super) fn names(row: &Fields) -> String {
    const SHOWN: usize = 12;
    let mut names: Vec<String> = row.keys().take(SHOWN).map(|name| quoted(name)).collect();
    if row.len() > SHOWN {
        names.push(format!("and {} more", row.len() - SHOWN));
    }
    if names.is_empty() { "no fields".into() } else { names.join(", ") }
}

fn text_of<'r>(row: &'r Fields, name: &str) -> Result<&'r str, String> {
    let value = field(row, name)?;
    value.as_str().ok_or_else(|| format!("`{name}` is {}; expected a string: write it as a text", kind(value)))
}

fn id_of(row: &Fields, name: &str) -> Result<String, String> {
    match field(row, name)? {
        Value::String(text) if text.trim().is_empty() => Err(format!("the id in `{name}` is empty")),
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(format!("`{name}` is {}; an id must be a text or a number", kind(other))),
    }
}

/// Parts with a blank between them; a part that ends in the middle of nowhere gets a full stop.
fn joined(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        if text.ends_with(char::is_alphanumeric) {
            text.push('.');
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(part);
    }
    text
}

/// The text with `number0`, `number1`, … replaced by the numbers of a list.
fn filled(text: &str, numbers: &str) -> Result<String, String> {
    let numbers: Vec<&str> = numbers.split_whitespace().collect();
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("number") {
        let after = &rest[at + "number".len()..];
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        out.push_str(&rest[..at]);
        if digits == 0 {
            out.push_str("number");
        } else {
            let index: usize = after[..digits].parse().unwrap_or(usize::MAX);
            let number = numbers.get(index).ok_or_else(|| {
                format!(
                    "`number{}` stands in the question, but only {} numbers are given",
                    &after[..digits],
                    numbers.len()
                )
            })?;
            let whole =
                number.strip_suffix(".0").filter(|whole| whole.bytes().all(|b| b.is_ascii_digit() || b == b'-'));
            out.push_str(whole.unwrap_or(number));
        }
        rest = &after[digits..];
    }
    out.push_str(rest);
    Ok(out)
}

fn letters() -> impl Iterator<Item = char> {
    'A'..='Z'
}

/// The options without letters in front of them.
fn options_of(row: &Fields, name: &str) -> Result<Vec<String>, String> {
    let value = field(row, name)?;
    let list =
        value.as_array().ok_or_else(|| format!("`{name}` is {}; the options must be a list of texts", kind(value)))?;
    let texts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
    let texts = texts.ok_or_else(|| format!("`{name}` must be a list of texts only"))?;
    if !(2..=26).contains(&texts.len()) {
        return Err(format!("`{name}` holds {} options; from 2 to 26 can be lettered", texts.len()));
    }
    // `A Shannan` is a lettered option only beside other lettered ones.
    let bracketed = letters().zip(&texts).any(|(letter, text)| text.starts_with(&format!("({letter})")));
    let all = letters().zip(&texts).all(|(letter, text)| text.starts_with(letter));
    let stripped = letters().zip(&texts).map(|(letter, text)| {
        let rest = text.strip_prefix('(').and_then(|t| t.strip_prefix(letter)).and_then(|t| t.strip_prefix(')'));
        let bare = || {
            let rest = text.strip_prefix(letter)?;
            rest.strip_prefix(['.', ')', '?', ':', ' ']).filter(|_| bracketed || all)
        };
        rest.or_else(bare).unwrap_or(text).trim().to_owned()
    });
    let options: Vec<String> = stripped.collect();
    match options.iter().position(String::is_empty) {
        Some(at) => Err(format!("option {} of `{name}` is empty", at + 1)),
        None => Ok(options),
    }
}

/// The letter that an answer names among options.
fn letter(value: &Value, options: &[String]) -> Option<String> {
    let index = match value {
        Value::Number(number) => usize::try_from(number.as_u64()?).ok()?,
        Value::String(text) => {
            let text = text.trim();
            let bare = text.trim_matches(['(', ')', '.']);
            let named = letters().position(|letter| bare.len() == 1 && bare.starts_with(letter));
            named.or_else(|| options.iter().position(|option| option == text)).or_else(|| text.parse().ok())?
        }
        _ => return None,
    };
    letters().take(options.len()).nth(index).map(String::from)
}

/// A number as it is written without a fraction of zeros.
fn plain_number(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(real) if number.is_f64() && real.fract() == 0.0 && real.abs() < 1e15 => format!("{real:.0}"),
        _ => number.to_string(),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Number(number) => number.to_string(),
        other => kind(other).into(),
    }
}

/// A text as a message shows it: quoted, on one line, not too long.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let end = text.char_indices().nth(LONGEST).map(|(at, _)| at);
    let line: String =
        text[..end.unwrap_or(text.len())].chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("`{line}{}`", if end.is_some() { "…" } else { "" })
}

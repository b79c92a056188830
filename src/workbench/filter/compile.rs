//! The tree held against the fields that rows have: names become indices, values are checked, and what is wrong is said.

use super::Fault;
use super::fields::{Field, Fields, Kind, nearest};
use super::parse::{Tree, Value};
use super::token::Sign;
use super::words::Word;

/// What a row is held against.
#[derive(Clone, Debug)]
pub(super) enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    /// A number between two others, both included or not.
    Number {
        field: usize,
        from: Bound,
        to: Bound,
    },
    /// A value that holds this text, or is it.
    Text {
        field: usize,
        needles: Vec<String>,
        whole: bool,
    },
    /// Without any value.
    None {
        field: usize,
        number: bool,
    },
    /// A free word, by its index.
    Word {
        index: usize,
        word: Word,
    },
}

/// An end of a range: the value, and whether it belongs to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound(f64, bool);

const LOWEST: Bound = Bound(f64::NEG_INFINITY, true);
const HIGHEST: Bound = Bound(f64::INFINITY, true);
/// Numbers that differ by less are the same: ρ is a quotient, and what is typed a decimal.
const SAME: f64 = 1e-9;

/// Builds the test.
pub(super) fn compile(tree: &Tree, fields: &(impl Fields + ?Sized)) -> Result<Test, Fault> {
    Compiler { fields: fields.fields(), words: 0 }.test(tree)
}

struct Compiler<'a> {
    fields: &'a [Field],
    words: usize,
}

impl Compiler<'_> {
    fn test(&mut self, tree: &Tree) -> Result<Test, Fault> {
        Ok(match tree {
            Tree::All(parts) => Test::All(parts.iter().map(|part| self.test(part)).collect::<Result<_, _>>()?),
            Tree::Any(parts) => Test::Any(parts.iter().map(|part| self.test(part)).collect::<Result<_, _>>()?),
            Tree::Not(part) => Test::Not(Box::new(self.test(part)?)),
            Tree::Word { text, exact } => {
                self.words += 1;
                Test::Word { index: self.words - 1, word: Word { text: text.clone(), exact: *exact } }
            }
            Tree::Field { name, at, sign, value } => self.field(name, *at, *sign, value)?,
        })
    }

    fn field(&self, name: &str, at: usize, sign: Sign, value: &Value) -> Result<Test, Fault> {
        let field = self.fields.iter().position(|field| field.name.eq_ignore_ascii_case(name));
        let field = field.ok_or_else(|| self.unknown(name, at))?;
        let kind = &self.fields[field].kind;
        if !value.quoted && value.text == "none" && matches!(sign, Sign::Has | Sign::Is | Sign::IsNot) {
            let none = Test::None { field, number: *kind == Kind::Number };
            return Ok(if sign == Sign::IsNot { Test::Not(Box::new(none)) } else { none });
        }
        match kind {
            Kind::Number => number(field, name, sign, value),
            Kind::Text => text(field, name, at, sign, value, None),
            Kind::Words(words) => text(field, name, at, sign, value, Some(words)),
        }
    }

    fn unknown(&self, name: &str, at: usize) -> Fault {
        let names = || self.fields.iter().map(|field| field.name.as_str());
        let offer = match nearest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
        };
        Fault::new(at, format!("there is no field `{name}`; {offer}"))
    }
}

fn number(field: usize, name: &str, sign: Sign, value: &Value) -> Result<Test, Fault> {
    let fault = || {
        let words =
            format!("`{name}` is held against a number, such as `{name}>4` or `{name}:3..5`; `{}` is none", value.text);
        Fault::new(value.at, words)
    };
    if let (Sign::Has | Sign::Is, Some((from, to))) = (sign, value.text.split_once("..")) {
        let end = |text: &str, open: Bound| match text {
            "" => Some(open),
            text => figure(text).map(|value| Bound(value, true)),
        };
        let (from, to) = end(from, LOWEST).zip(end(to, HIGHEST)).ok_or_else(fault)?;
        return Ok(Test::Number { field, from, to });
    }
    let figure = figure(&value.text).ok_or_else(fault)?;
    let (from, to) = match sign {
        Sign::Has | Sign::Is | Sign::IsNot => (Bound(figure, true), Bound(figure, true)),
        Sign::Less => (LOWEST, Bound(figure, false)),
        Sign::LessOrIs => (LOWEST, Bound(figure, true)),
        Sign::More => (Bound(figure, false), HIGHEST),
        Sign::MoreOrIs => (Bound(figure, true), HIGHEST),
    };
    let test = Test::Number { field, from, to };
    Ok(if sign == Sign::IsNot { Test::Not(Box::new(test)) } else { test })
}

/// `4`, `.1`, `1e-3`, `12%`; numbers only.
fn figure(text: &str) -> Option<f64> {
    let (digits, scale) = text.strip_suffix('%').map_or((text, 1.0), |digits| (digits, 0.01));
    digits.parse::<f64>().ok().filter(|value| value.is_finite()).map(|value| value * scale)
}

fn text(
    field: usize,
    name: &str,
    at: usize,
    sign: Sign,
    value: &Value,
    words: Option<&Vec<String>>,
) -> Result<Test, Fault> {
    if !matches!(sign, Sign::Has | Sign::Is | Sign::IsNot) {
        let written = sign.written();
        return Err(Fault::new(
            at,
            format!("`{name}` is no number, so `{written}` says nothing of it; write `{name}:{}`", value.text),
        ));
    }
    let split = |c: char| c == ',' && !value.quoted;
    let needles: Vec<String> = value.text.split(split).filter(|part| !part.is_empty()).map(str::to_lowercase).collect();
    if let Some(words) = words {
        for needle in &needles {
            // What is being typed may be the beginning of a word yet.
            if !words.iter().any(|word| word.to_lowercase().starts_with(needle)) {
                let known = words.join(", ");
                let near = nearest(needle, words.iter().map(String::as_str));
                let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
                return Err(Fault::new(value.at, format!("`{name}` is never `{needle}`; {near}it may be {known}")));
            }
        }
    }
    let test = Test::Text { field, needles, whole: sign != Sign::Has };
    Ok(if sign == Sign::IsNot { Test::Not(Box::new(test)) } else { test })
}

impl Test {
    /// The free words in it, by their indices.
    pub(super) fn words(&self) -> Vec<&Word> {
        match self {
            Test::All(parts) | Test::Any(parts) => parts.iter().flat_map(Test::words).collect(),
            Test::Not(part) => part.words(),
            Test::Word { word, .. } => vec![word],
            _ => Vec::new(),
        }
    }

    /// Whether a row is chosen. `found` holds for each free word how well each row holds it, 0 for not at all.
    pub(super) fn fits(&self, row: usize, fields: &(impl Fields + ?Sized), found: &[Vec<u16>]) -> bool {
        match self {
            Test::All(parts) => parts.iter().all(|part| part.fits(row, fields, found)),
            Test::Any(parts) => parts.iter().any(|part| part.fits(row, fields, found)),
            Test::Not(part) => !part.fits(row, fields, found),
            Test::Number { field, from, to } => {
                fields.number(row, *field).is_some_and(|value| within(value, *from, *to))
            }
            Test::Text { field, needles, whole } => fields.any(row, *field, &mut |text| {
                needles.iter().any(|needle| if *whole { same(text, needle) } else { holds(text, needle) })
            }),
            Test::None { field, number: true } => fields.number(row, *field).is_none(),
            Test::None { field, number: false } => !fields.any(row, *field, &mut |_| true),
            Test::Word { index, .. } => {
                found.get(*index).and_then(|scores| scores.get(row)).is_some_and(|score| *score > 0)
            }
        }
    }
}

fn within(value: f64, from: Bound, to: Bound) -> bool {
    let margin = |bound: Bound| if bound.1 { SAME } else { -SAME };
    value >= from.0 - margin(from) && value <= to.0 + margin(to)
}

/// Whether a text holds another that is in small letters, whatever its own are.
fn holds(text: &str, needle: &str) -> bool {
    if needle.is_empty() {
        return true;
    }
    if !text.is_ascii() {
        return text.to_lowercase().contains(needle);
    }
    text.as_bytes().windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle.as_bytes()))
}

fn same(text: &str, needle: &str) -> bool {
    text.eq_ignore_ascii_case(needle) || !text.is_ascii() && text.to_lowercase() == needle
}

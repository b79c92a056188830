//! Reads the LaTeX of a single final answer as an exact [`Value`].
//!
//! Only what has one reading is read. `1/2x`, a word of letters, `f(x)` next to `f x`, a mixed number that might be a
//! product, an unknown command: each has no value here, and is then equal only to what is spelt alike. A mixed number is
//! taken as one where its fraction is proper (`3\frac{1}{2}`), since no final answer is written as that product.

use super::algebra::{Ratio, Value};

/// Deepest nesting.
const DEPTH: usize = 24;

const GREEK: [&str; 16] = [
    "pi", "theta", "alpha", "beta", "gamma", "delta", "lambda", "mu", "phi", "varphi", "omega", "sigma", "rho", "tau",
    "epsilon", "infty",
];
const FUNCTIONS: [&str; 12] =
    ["sin", "cos", "tan", "cot", "sec", "csc", "log", "ln", "arcsin", "arccos", "arctan", "exp"];

/// The value of a cleaned text; `None` where it has none or more than one reading.
pub(super) fn value(text: &str) -> Option<Value> {
    let mut parser = Parser { rest: text.trim(), depth: 0 };
    let value = parser.sum()?;
    parser.blank();
    parser.rest.is_empty().then_some(value)
}

struct Parser<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn blank(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn peek(&mut self) -> Option<char> {
        self.blank();
        self.rest.chars().next()
    }

    fn take(&mut self, token: &str) -> bool {
        self.blank();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// A command's name, without going past it.
    fn command(&mut self) -> Option<&'t str> {
        self.blank();
        let name = self.rest.strip_prefix('\\')?;
        let end = name.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(name.len());
        (end > 0).then(|| &name[..end])
    }

    fn pass(&mut self, command: &str) {
        self.rest = &self.rest[1 + command.len()..];
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.depth += 1;
        let parsed = if self.depth > DEPTH { None } else { parse(self) };
        self.depth -= 1;
        parsed
    }

    fn sum(&mut self) -> Option<Value> {
        let negative = self.sign();
        let mut value = self.product()?;
        if negative {
            value = value.negative()?;
        }
        while let Some(sign) = self.peek().filter(|c| matches!(c, '+' | '-')) {
            self.rest = &self.rest[1..];
            let term = self.product()?;
            value = value.add(&if sign == '-' { term.negative()? } else { term })?;
        }
        Some(value)
    }

    fn sign(&mut self) -> bool {
        let negative = self.take("-");
        if !negative {
            self.take("+");
        }
        negative
    }

    fn product(&mut self) -> Option<Value> {
        let mut value = self.factor()?;
        let mut divided = false;
        loop {
            if self.take("*") {
                let negative = self.sign();
                let factor = self.factor()?;
                value = value.times(&if negative { factor.negative()? } else { factor })?;
            } else if self.take("/") {
                // `a/b/c` and `a/bc` have two readings.
                if divided {
                    return None;
                }
                divided = true;
                value = value.over(&self.factor()?)?;
            } else if self.starts_factor() {
                if divided {
                    return None;
                }
                value = value.times(&self.factor()?)?;
            } else {
                return Some(value);
            }
        }
    }

    /// Whether another factor follows without a sign; a number never does.
    fn starts_factor(&mut self) -> bool {
        match self.peek() {
            Some('(' | '{') => true,
            Some('\\') => self.command().is_some(),
            Some(c) => c.is_ascii_alphabetic(),
            None => false,
        }
    }

    fn factor(&mut self) -> Option<Value> {
        let base = self.base()?;
        if self.take("^") {
            let exponent = self.deeper(Self::argument)?;
            if self.peek() == Some('^') {
                return None;
            }
            return raised(&base, &exponent);
        }
        if self.take("!") {
            let number = base.ratio()?.whole().filter(|n| (0..=25).contains(n))?;
            return (1..=number).try_fold(1_i128, i128::checked_mul).map(Value::whole);
        }
        Some(base)
    }

    fn base(&mut self) -> Option<Value> {
        match self.peek()? {
            '(' => self.bracketed("(", ")"),
            '{' => self.bracketed("{", "}"),
            '\\' => self.commanded(),
            c if c.is_ascii_digit() || c == '.' => self.number(),
            c if c.is_ascii_alphabetic() => self.letter(c),
            _ => None,
        }
    }

    fn bracketed(&mut self, open: &str, close: &str) -> Option<Value> {
        self.take(open);
        let value = self.deeper(Self::sum)?;
        self.take(close).then_some(value)
    }

    /// What a command or a power applies to: a group in braces, or one character.
    fn argument(&mut self) -> Option<Value> {
        match self.peek()? {
            '{' => self.bracketed("{", "}"),
            '\\' => self.commanded(),
            c if c.is_ascii_digit() => {
                self.rest = &self.rest[1..];
                c.to_digit(10).map(|digit| Value::whole(digit.into()))
            }
            c if c.is_ascii_alphabetic() => {
                self.rest = &self.rest[1..];
                Some(Value::atom(c.to_string()))
            }
            _ => None,
        }
    }

    fn digits(&mut self) -> &'t str {
        let end = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits
    }

    fn number(&mut self) -> Option<Value> {
        let whole = self.digits();
        let mut ratio = if whole.is_empty() { Ratio::ZERO } else { Ratio::new(whole.parse().ok()?, 1)? };
        if let Some(rest) = self.rest.strip_prefix('.') {
            self.rest = rest;
            let part = self.digits();
            let mut repeated = "";
            if let Some(rest) = self.rest.strip_prefix("\\overline{") {
                self.rest = rest;
                repeated = self.digits();
                if repeated.is_empty() || !self.take("}") {
                    return None;
                }
            }
            if whole.is_empty() && part.is_empty() && repeated.is_empty() {
                return None;
            }
            ratio = decimal(whole, part, repeated)?;
        } else if self.rest.starts_with('_') {
            return self.based(whole);
        }
        if self.command() == Some("frac") {
            return self.mixed(ratio.whole()?);
        }
        // `3 1/2`, `2 3`: not for us to say.
        if self.rest.starts_with(' ') && self.peek().is_some_and(|c| c.is_ascii_digit()) {
            return None;
        }
        Some(Value::number(ratio))
    }

    /// `1011_2`: digits in a base stand for themselves.
    fn based(&mut self, digits: &str) -> Option<Value> {
        self.rest = &self.rest[1..];
        let base = self.argument()?.ratio()?.whole()?;
        Some(Value::atom(format!("{digits}_{base}")))
    }

    fn mixed(&mut self, whole: i128) -> Option<Value> {
        self.pass("frac");
        let (top, bottom) = (self.argument()?.ratio()?.whole()?, self.argument()?.ratio()?.whole()?);
        let proper = 0 < top && top < bottom;
        if !proper {
            return None;
        }
        Value::whole(whole).add(&Value::number(Ratio::new(top, bottom)?))
    }

    fn letter(&mut self, letter: char) -> Option<Value> {
        let run = self.rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        // Three letters in a row are a word, and words are no products.
        if run > 2 {
            return None;
        }
        self.rest = &self.rest[1..];
        let mut name = letter.to_string();
        if let Some(rest) = self.rest.strip_prefix('_') {
            self.rest = rest;
            let index = self.index()?;
            name = format!("{name}_{index}");
        }
        let function = "fghFGHPQ".contains(letter) || simple_argument(self.rest);
        if (self.rest.starts_with('(') && function) || self.rest.starts_with('\'') {
            return None;
        }
        Some(Value::atom(name))
    }

    fn index(&mut self) -> Option<String> {
        let (index, rest) = match self.rest.strip_prefix('{') {
            Some(group) => group.split_once('}')?,
            None => self.rest.split_at(self.rest.chars().next()?.len_utf8()),
        };
        self.rest = rest;
        index.chars().all(|c| c.is_ascii_alphanumeric()).then(|| index.to_owned())
    }

    fn commanded(&mut self) -> Option<Value> {
        let name = self.command()?;
        self.pass(name);
        match name {
            "frac" => {
                let top = self.deeper(Self::argument)?;
                let bottom = self.deeper(Self::argument)?;
                top.over(&bottom)
            }
            "sqrt" => {
                let degree = match self.rest.strip_prefix('[') {
                    Some(rest) => {
                        let (degree, rest) = rest.split_once(']')?;
                        self.rest = rest;
                        degree.trim().parse::<i128>().ok().filter(|n| (2..=16).contains(n))?
                    }
                    None => 2,
                };
                let radicand = self.deeper(Self::argument)?;
                raised(&radicand, &Value::number(Ratio::new(1, degree)?))
            }
            _ if GREEK.contains(&name) => {
                let call = self.rest.starts_with('(');
                (!call).then(|| Value::atom(format!("\\{name}")))
            }
            _ if FUNCTIONS.contains(&name) => self.function(name),
            _ => None,
        }
    }

    /// A function of what follows it: brackets, or a run of numbers and letters.
    fn function(&mut self, name: &str) -> Option<Value> {
        let mut name = name.to_owned();
        if let Some(rest) = self.rest.strip_prefix('_') {
            self.rest = rest;
            name = format!("{name}_{}", self.deeper(Self::argument)?.spelt()?);
        }
        let power = if self.take("^") { Some(self.deeper(Self::argument)?) } else { None };
        let argument = if matches!(self.peek()?, '(' | '{') {
            self.base()?
        } else {
            let mut argument = self.deeper(Self::factor)?;
            while self.peek().is_some_and(|c| c.is_ascii_alphabetic())
                || self.command().is_some_and(|name| GREEK.contains(&name))
            {
                argument = argument.times(&self.deeper(Self::factor)?)?;
            }
            argument
        };
        let value = Value::atom(format!("{name}({})", argument.spelt()?));
        match power {
            // sin^{-1} is the inverse, not the reciprocal.
            Some(power) if power.ratio()?.whole().is_none_or(|n| n < 0) => None,
            Some(power) => raised(&value, &power),
            None => Some(value),
        }
    }
}

/// A bracket that holds one letter or number: `f(x)`, `T(2)`.
fn simple_argument(rest: &str) -> bool {
    let Some((inside, _)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) else { return false };
    !inside.is_empty() && inside.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ')
}

/// A power; one that is not multiplied out is an atom of its own.
fn raised(base: &Value, exponent: &Value) -> Option<Value> {
    let Some(ratio) = exponent.ratio() else {
        return Some(Value::atom(format!("({})^({})", base.spelt()?, exponent.spelt()?)));
    };
    match (base.power(ratio), base.ratio(), ratio.whole()) {
        (Some(value), ..) => Some(value),
        (None, None, None) => Some(Value::atom(format!("({})^({})", base.spelt()?, exponent.spelt()?))),
        _ => None,
    }
}

/// A decimal with a repeated part, which may be empty.
fn decimal(whole: &str, part: &str, repeated: &str) -> Option<Ratio> {
    let ten = |power: usize| 10_i128.checked_pow(u32::try_from(power).ok()?);
    let number = |digits: String| if digits.is_empty() { Some(0) } else { digits.parse::<i128>().ok() };
    let before = number(format!("{whole}{part}"))?;
    if repeated.is_empty() {
        return Ratio::new(before, ten(part.len())?);
    }
    let all = number(format!("{whole}{part}{repeated}"))?;
    Ratio::new(all.checked_sub(before)?, ten(part.len())?.checked_mul(ten(repeated.len())?.checked_sub(1)?)?)
}

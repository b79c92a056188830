//! Our own number rule: tolerant about how a number is written, strict about which number it is.
//!
//! The answer is what follows the last `####` that anything follows. Emphasis, currency signs, units, thousands commas,
//! leading zeros, a detached or typographic minus and fractions are understood. Two readings are never guessed between:
//! a mixed number (`3 1/2`), a time, a range, a sum, an equation or misplaced commas count as unparseable.

use super::Verdict;

/// Two numbers are equal by value.
pub(super) fn equal(one: &str, other: &str) -> bool {
    match (Number::parse(one), Number::parse(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

pub(super) fn judge(output: &str, gold: &str) -> Verdict {
    let Some(answer) = final_segment(output).and_then(Number::parse) else {
        return Verdict { answer: None, correct: false };
    };
    let correct = Number::parse(gold).is_some_and(|gold| gold == answer);
    Verdict { answer: Some(answer.to_string()), correct }
}

/// A gold answer as the text-comparing rules expect it.
pub(super) fn plain_gold(gold: &str) -> String {
    let text: String = gold.trim().trim_start_matches('$').chars().filter(|&c| c != ',').collect();
    // Without its commas a text may hold a marker that was none before: `##,##`.
    let text = text.rsplit("####").next().unwrap_or_default().trim_end_matches('.');
    match text.split_once('.') {
        Some((whole, zeros)) if is_digits(whole.trim_start_matches('-')) && zeros.bytes().all(|b| b == b'0') => {
            whole.to_string()
        }
        _ => text.to_string(),
    }
}

/// Whether a gold answer is a number to the rule that compares values.
pub(super) fn reads(gold: &str) -> bool {
    Number::parse(gold).is_some()
}

/// Whether a gold answer is a number to the rules that compare texts: digits, and perhaps a fraction behind a point.
pub(super) fn is_plain(gold: &str) -> bool {
    let unsigned = gold.strip_prefix('-').unwrap_or(gold);
    let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    (is_digits(whole) || (whole.is_empty() && unsigned.len() > 1)) && is_digits(part)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// What stands between the last marker that something follows and the next one. Four or more hashes are a marker.
pub(super) fn final_segment(text: &str) -> Option<&str> {
    let mut end = text.len();
    while let Some(at) = text[..end].rfind("####") {
        let segment = &text[at + 4..end];
        if !segment.trim().is_empty() {
            return Some(segment);
        }
        end = text[..at].trim_end_matches('#').len();
    }
    None
}

/// A rational number of any length: the digits as they were written, without what does not change the value.
#[derive(Clone, Debug)]
struct Number {
    negative: bool,
    top: Decimal,
    /// The denominator of a fraction.
    bottom: Option<Decimal>,
}

/// An unsigned decimal: digits without zeros in front, and how many of them stand behind the point; none of those is a
/// zero at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Decimal {
    digits: String,
    scale: usize,
}

impl Number {
    /// The number at the beginning of a segment, if what follows leaves no doubt.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim_start();
        let text = skip_dress(text);
        let (negative, text) = match text.chars().next()? {
            '-' | '−' => (true, &text[text.chars().next()?.len_utf8()..]),
            '+' => (false, &text[1..]),
            _ => (false, text),
        };
        let text = skip_dress(text.trim_start_matches([' ', '\t']));
        let (top, mut rest) = Decimal::parse(text)?;
        let mut bottom = None;
        if let Some(after) = rest.strip_prefix('/') {
            let (below, after) = Decimal::parse(after)?;
            if below.is_zero() {
                return None;
            }
            bottom = Some(below);
            rest = after;
        }
        ends_cleanly(rest).then(|| Self { negative: negative && !top.is_zero(), top, bottom })
    }

    /// Numerator and denominator as integers, where they fit.
    fn ratio(&self) -> Option<(u128, u128)> {
        let top = self.top.digits.parse::<u128>().ok()?;
        let below = match &self.bottom {
            Some(bottom) => bottom.clone(),
            None => Decimal { digits: "1".into(), scale: 0 },
        };
        let bottom = below.digits.parse::<u128>().ok()?;
        let ten = |power: usize| 10u128.checked_pow(u32::try_from(power).ok()?);
        Some((top.checked_mul(ten(below.scale)?)?, bottom.checked_mul(ten(self.top.scale)?)?))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        if self.negative != other.negative {
            return false;
        }
        if self.top == other.top && self.bottom == other.bottom {
            return true;
        }
        // Different digits can only be one value where a fraction is involved; fractions too long for 128 bits are not
        // reduced.
        if self.bottom.is_none() && other.bottom.is_none() {
            return false;
        }
        let (Some((a, b)), Some((c, d))) = (self.ratio(), other.ratio()) else { return false };
        matches!((a.checked_mul(d), c.checked_mul(b)), (Some(x), Some(y)) if x == y)
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", if self.negative { "-" } else { "" }, self.top.written())?;
        self.bottom.as_ref().map_or(Ok(()), |bottom| write!(f, "/{}", bottom.written()))
    }
}

impl Decimal {
    /// The decimal at the beginning of `text`, and what follows it. Commas must stand at thousands.
    fn parse(text: &str) -> Option<(Self, &str)> {
        let run = |from: usize| text.as_bytes()[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut at = run(0);
        let mut whole = text[..at].to_string();
        let first = at;
        while first > 0 && text[at..].starts_with(',') {
            let group = run(at + 1);
            if group == 0 {
                break;
            }
            if group != 3 || first > 3 {
                return None;
            }
            whole.push_str(&text[at + 1..at + 4]);
            at += 4;
        }
        let mut part = "";
        if text[at..].starts_with('.') {
            let end = at + 1 + run(at + 1);
            part = &text[at + 1..end];
            at = if part.is_empty() { at } else { end };
        }
        if whole.is_empty() && part.is_empty() {
            return None;
        }
        let part = part.trim_end_matches('0');
        let digits = format!("{whole}{part}").trim_start_matches('0').to_string();
        let digits = if digits.is_empty() { "0".to_string() } else { digits };
        Some((Self { digits, scale: part.len() }, &text[at..]))
    }

    fn is_zero(&self) -> bool {
        self.digits == "0"
    }

    fn written(&self) -> String {
        if self.scale == 0 {
            return self.digits.clone();
        }
        let padded = format!("{:0>width$}", self.digits, width = self.scale + 1);
        let (whole, part) = padded.split_at(padded.len() - self.scale);
        format!("{whole}.{part}")
    }
}

/// Emphasis and currency around a number.
fn skip_dress(text: &str) -> &str {
    text.trim_start_matches(['*', '_', '`', '$', '€', '£', '¥', '₹', '₩'])
}

/// Whether what follows a number leaves it whole: no further digit glued to it by a sign, no operator, no fraction.
fn ends_cleanly(rest: &str) -> bool {
    let mut chars = rest.chars();
    let glued =
        chars.next().is_some_and(|c| matches!(c, ':' | '.' | ',' | '/' | '^' | '_' | '-' | '−' | '–' | 'e' | 'E'));
    if glued && chars.next().is_some_and(|c| c.is_ascii_digit()) {
        return false;
    }
    let line = rest.trim_start_matches([' ', '\t']);
    let mut chars = line.chars();
    let operator = chars.next().is_some_and(|c| matches!(c, '+' | '-' | '−' | '*' | '×' | '·' | '/' | '÷' | '=' | '^'));
    if operator && chars.as_str().trim_start_matches([' ', '\t', '$', '(']).starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    // `3 1/2` is a mixed number; `7 2` is 7 with something behind it.
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    !(digits > 0 && line[digits..].starts_with('/'))
}

//! The four public number rules, quirks included: they are what published numbers were measured with.
//!
//! One deviation: where lm-evaluation-harness puts the word `[invalid]` for an answer it could not find, we say that
//! there is none.

use super::Verdict;

/// verl looks at no more than this many characters at the end, so a number before a long tail is not found.
const CLIP_CHARACTERS: usize = 300;

pub(super) fn gsm8k_strict(output: &str, gold: &str) -> Verdict {
    let answer = marked_numbers(clipped(output)).last().map(|number| number.replace(',', ""));
    exactly(answer, gold)
}

pub(super) fn gsm8k_flexible(output: &str, gold: &str) -> Verdict {
    let text = clipped(output);
    let mut first = None;
    let mut last = None;
    for number in Numbers::new(text) {
        first = first.or(Some(number));
        if number != "." {
            last = Some(number);
        }
    }
    // Where every find is a lone full stop, the rule ends its search on the first of them.
    exactly(last.or(first).map(str::to_string), gold)
}

pub(super) fn lm_eval_strict(output: &str, gold: &str) -> Verdict {
    forgiving(marked_numbers(output).next(), gold)
}

pub(super) fn lm_eval_flexible(output: &str, gold: &str) -> Verdict {
    forgiving(DollarNumbers { text: output, at: 0 }.last(), gold)
}

fn exactly(answer: Option<String>, gold: &str) -> Verdict {
    let correct = answer.as_deref() == Some(gold);
    Verdict { answer, correct }
}

fn forgiving(answer: Option<&str>, gold: &str) -> Verdict {
    let correct = answer.is_some_and(|answer| bare(answer) == bare(gold));
    Verdict { answer: answer.map(str::to_string), correct }
}

/// What lm-evaluation-harness compares: no commas, no dollars, nothing up to the last `#### `, no full stop at the end,
/// lower case.
fn bare(text: &str) -> String {
    let text: String = text.chars().filter(|c| !matches!(c, ',' | '$')).collect();
    let text = text.rfind("#### ").map_or(text.as_str(), |at| &text[at + 5..]);
    let text = match (text.strip_suffix('.'), text.strip_suffix(".\n")) {
        (Some(before), _) => before.to_string(),
        (_, Some(before)) => format!("{before}\n"),
        _ => text.to_string(),
    };
    text.to_lowercase()
}

fn clipped(text: &str) -> &str {
    let begin = text.char_indices().rev().nth(CLIP_CHARACTERS - 1).map_or(0, |(at, _)| at);
    &text[begin..]
}

/// Every `#### number`: the marker, one space, an optional minus, then digits, full stops and commas in any order.
fn marked_numbers(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("#### ").filter_map(|(at, marker)| number_at(&text[at + marker.len()..]))
}

/// The number at the very beginning of `text`.
fn number_at(text: &str) -> Option<&str> {
    let minus = usize::from(text.starts_with('-'));
    let run = run_length(&text.as_bytes()[minus..], is_number_byte);
    (run > 0).then(|| &text[..minus + run])
}

fn is_number_byte(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'.' || byte == b','
}

fn run_length(bytes: &[u8], wanted: fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|&&b| wanted(b)).count()
}

/// Everything that looks like a number, from left to right.
struct Numbers<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Numbers<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }
}

impl<'a> Iterator for Numbers<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        while self.at < bytes.len() {
            let minus = usize::from(bytes[self.at] == b'-');
            let run = run_length(&bytes[self.at + minus..], is_number_byte);
            let begin = self.at;
            self.at += (minus + run).max(1);
            if run > 0 {
                return self.text.get(begin..self.at);
            }
        }
        None
    }
}

/// The same with dollars among the characters, where a lone character counts only if it is a digit.
struct DollarNumbers<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for DollarNumbers<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        while self.at < bytes.len() {
            let minus = usize::from(bytes[self.at] == b'-');
            let rest = &bytes[self.at + minus..];
            let run = run_length(rest, |b| is_number_byte(b) || b == b'$');
            let counts = run >= 2 || (run == 1 && rest[0].is_ascii_digit());
            let begin = self.at;
            self.at += (minus + run).max(1);
            if counts {
                return self.text.get(begin..self.at);
            }
        }
        None
    }
}

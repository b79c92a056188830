//! Multiple choice: the letter of the option that a text decides for.
//!
//! Looked for in this order: after the last `####`; in the last box; after the last "answer is", "answer:", "option" and
//! their like; alone on the last line. A text that names two letters in that place, or none, has no answer, which counts
//! as wrong (reading.md, row 8): below chance is a finding, not something to be mended by guessing.

use super::{Verdict, math, numeric};

pub(super) fn judge(output: &str, gold: &str) -> Verdict {
    let answer = read(output);
    let correct = answer.is_some_and(|letter| normalise(gold) == letter.to_string());
    Verdict { answer: answer.map(String::from), correct }
}

/// A gold answer as its capital letter; any other text as it is.
pub(super) fn normalise(gold: &str) -> String {
    let text = gold.trim();
    letter(text).map_or_else(|| text.to_owned(), String::from)
}

fn read(output: &str) -> Option<char> {
    if let Some(segment) = numeric::final_segment(output) {
        let line = segment.trim_start().lines().next().unwrap_or_default();
        return after_phrase(line).or_else(|| letter(line));
    }
    if let Some(boxed) = math::boxed(output) {
        return letter(&boxed);
    }
    if let Some(letter) = after_phrase(output) {
        return Some(letter);
    }
    let last = output.lines().rev().find(|line| !line.trim().is_empty())?;
    alone(last)
}

/// Words that a decision follows.
const PHRASES: [&str; 8] =
    ["answer is", "answer:", "answer :", "option is", "choice is", "correct option:", "correct choice:", "i choose"];

/// The letter behind the last phrase that a letter follows.
fn after_phrase(text: &str) -> Option<char> {
    // Only ASCII is lowered, so that places in both texts are the same.
    let lower = text.to_ascii_lowercase();
    let ends = PHRASES.iter().filter_map(|phrase| lower.rfind(phrase).map(|at| at + phrase.len()));
    let end = ends.max()?;
    letter(text[end..].lines().next().unwrap_or_default())
}

/// A line that is nothing but a letter, dressed or not.
fn alone(line: &str) -> Option<char> {
    let (letter, rest) = dressed(line)?;
    rest.trim_matches(|c: char| !c.is_alphanumeric()).is_empty().then_some(letter)
}

/// The letter at the beginning of a text, where what follows leaves no doubt that it is one.
fn letter(text: &str) -> Option<char> {
    let (letter, rest) = dressed(text)?;
    let bare = rest.trim_start();
    // `A man …` is a sentence, `A. …` and `(A) …` are options, `B because …` is a decision.
    let spaced = bare.len() < rest.len() || bare.is_empty();
    if spaced && bare.starts_with(char::is_alphanumeric) {
        let word: String = bare.chars().take_while(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
        let reasons = ["because", "since", "as", "which", "for"];
        if matches!(letter, 'A' | 'I') && !reasons.contains(&word.as_str()) {
            return None;
        }
    }
    (!another(bare, letter)).then_some(letter)
}

/// A capital letter and what follows it, without brackets, emphasis and commands around it; a small letter only in
/// brackets or alone.
fn dressed(text: &str) -> Option<(char, &str)> {
    let mut rest = text.trim_start();
    let mut opened = false;
    loop {
        let before = rest;
        for word in
            ["\\text{", "\\textbf{", "\\mathrm{", "\\mathbf{", "\\boxed{", "option", "Option", "choice", "Choice"]
        {
            rest = rest.strip_prefix(word).unwrap_or(rest);
        }
        opened |= rest.starts_with(['(', '[', '{']);
        rest = rest.trim_start_matches(['(', '[', '{', '*', '_', '`', '$', '"', '\'', '“', ':', ' ', '\t']);
        if rest == before {
            break;
        }
    }
    let first = rest.chars().next()?;
    let after = &rest[first.len_utf8()..];
    if !first.is_ascii_alphabetic() || after.starts_with(|c: char| c.is_alphanumeric() || c == '\'' || c == '’') {
        return None;
    }
    let closed = after.starts_with([')', ']', '}']);
    let end = after.trim_matches(|c: char| !c.is_alphanumeric()).is_empty();
    if first.is_ascii_lowercase() && !(opened && closed) && !end {
        return None;
    }
    Some((first.to_ascii_uppercase(), after.trim_start_matches([')', ']', '}', '*', '_', '`', '$', '"', '\'', '”'])))
}

/// Whether a second letter is offered: `B or C`, `A and D`, `B, C`, `B/C`.
fn another(rest: &str, letter: char) -> bool {
    let rest = rest.trim_start();
    let joined = ["or ", "and ", "&", "/", ",", "+"].iter().find_map(|word| rest.strip_prefix(word));
    joined.and_then(dressed).is_some_and(|(other, after)| {
        let ends = after.trim_start().chars().next().is_none_or(|c| !c.is_alphanumeric());
        other != letter && (ends || !matches!(other, 'A' | 'I'))
    })
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn letters_are_read_and_sentences_are_not() {
        let table = [
            ("The answer is (B)", Some('B')),
            ("so #### B", Some('B')),
            ("####C", Some('C')),
            ("#### (D) The leisure area", Some('D')),
            ("#### **B**", Some('B')),
            ("#### D. because", Some('D')),
            ("first #### A\nno, #### B", Some('B')),
            ("#### The answer is B", Some('B')),
            ("#### b", Some('B')),
            ("thus \\boxed{B}", Some('B')),
            ("\\boxed{\\text{C}}", Some('C')),
            ("\\boxed{(a)}", Some('A')),
            ("Answer: A", Some('A')),
            ("The correct answer is A because it follows.", Some('A')),
            ("The answer is option C.", Some('C')),
            ("Therefore, the answer is **(D)**.", Some('D')),
            ("I thought.\n\n(C)", Some('C')),
            ("I thought.\nB.", Some('B')),
            ("The answer is A man who walks", None),
            ("The answer is B or C", None),
            ("#### A and D", None),
            ("#### B, C", None),
            ("#### 42", None),
            ("#### Bob", None),
            ("\\boxed{", None),
            ("The area is south of B", None),
            ("I'm not sure", None),
            ("The answer is I'm not sure", None),
            ("", None),
        ];
        for (text, wanted) in table {
            assert_eq!(read(text), wanted, "{text:?}");
        }
    }
}

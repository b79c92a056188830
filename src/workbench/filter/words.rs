//! Free words: each is looked for in the text of every row, as written or nearly so.
//!
//! Nearly so means one slip: a letter missing or wrong in a word of five letters and more, or another between two letters.
//! `frizbee` would find a word's letters anywhere in a long text; what scores less than a word with one slip is therefore
//! not counted as found.

use frizbee::{CaseMatching, Config, Matcher, Matching, Scoring, SortStrategy};

use super::Fields;

/// A free word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// What was typed.
    pub text: String,
    /// Only as written.
    pub exact: bool,
}

/// Words shorter than this are found only as written: nearly everything is near them.
const SHORT: usize = 4;
/// From this length on a letter may be missing.
const LONG: usize = 5;
/// Texts looked at between two questions whether to go on.
const CHUNK: usize = 8192;

/// How well each row holds each word; 0 for not at all.
pub(super) fn find(words: Vec<&Word>, fields: &(impl Fields + ?Sized), going_on: &dyn Fn() -> bool) -> Vec<Vec<u16>> {
    if words.is_empty() {
        return Vec::new();
    }
    let texts: Vec<&str> = (0..fields.len()).map(|row| fields.text(row)).collect();
    words.into_iter().map(|word| one(word, &texts, going_on)).collect()
}

fn one(word: &Word, texts: &[&str], going_on: &dyn Fn() -> bool) -> Vec<u16> {
    let mut scores = vec![0; texts.len()];
    let letters = word.text.chars().count();
    let scoring = scoring();
    let exact = word.exact || letters < SHORT || letters > scoring.max_needle_len().min(64);
    let slip = if letters >= LONG { scoring.match_score + scoring.mismatch_penalty } else { scoring.gap_open_penalty };
    let whole = usize::from(scoring.match_score) * letters;
    let least = if exact { 0 } else { whole.saturating_sub(usize::from(slip)) };
    let config = Config {
        max_typos: Some(u16::from(letters >= LONG)),
        casing: CaseMatching::Ignore,
        matching: if exact { Matching::Substring } else { Matching::Fuzzy },
        sort: SortStrategy::IndexAsc,
        scoring,
        ..Config::default()
    };
    let mut matcher = Matcher::new(&word.text, &config);
    for (begin, chunk) in (0..).step_by(CHUNK).zip(texts.chunks(CHUNK)) {
        if !going_on() {
            break;
        }
        for found in matcher.match_list(chunk) {
            if usize::from(found.score) >= least {
                scores[begin + found.index as usize] = found.score.max(1);
            }
        }
    }
    scores
}

/// As usual, but what stands between two letters counts more, and nothing counts but letters.
fn scoring() -> Scoring {
    Scoring {
        gap_extend_penalty: 4,
        prefix_bonus: 2,
        exact_match_bonus: 0,
        matching_case_bonus: 0,
        capitalization_bonus: 0,
        delimiter_bonus: 2,
        ..Scoring::default()
    }
}

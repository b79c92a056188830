//! Free words: each is looked for in the text of every row, as written or with one slip.
//!
//! A slip is a letter that is missing or wrong in a word of five letters and more, or another between two letters of a word
//! of four and more. Every letter of a text is looked at once: how far the word has come is kept in the bits of two numbers,
//! one without a slip and one with (Wu and Manber, *Fast text searching allowing errors*, 1992), so that it takes as long
//! whether a word is found everywhere or nowhere. What is found best in a text counts: a whole word before the beginning of
//! one, that before the middle of one, and a word with a slip last. Capital letters are as small ones.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::Fields;

/// A free word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// What was typed.
    pub text: String,
    /// Only as written.
    pub exact: bool,
}

/// From this length on another letter may stand between two; shorter words are found only as written, since nearly
/// everything is near them.
const SHORT: usize = 4;
/// From this length on a letter may be missing or wrong.
const LONG: usize = 5;
/// Longer words are found only as written, by their beginning of so many letters and a look at the rest.
const LONGEST: usize = 64;
/// Texts looked at between two questions whether to go on.
const CHUNK: usize = 2048;
/// More threads than this gain nothing.
const MOST_THREADS: usize = 4;

/// How well a text holds a word; 0 for not at all.
const SLIP: u16 = 1;
const INSIDE: u16 = 2;
const BEGINS: u16 = 3;
const WHOLE: u16 = 4;

/// How well each row holds each word; 0 for not at all.
pub(super) fn find(words: Vec<&Word>, fields: &(impl Fields + ?Sized), going_on: &dyn Fn() -> bool) -> Vec<Vec<u16>> {
    if words.is_empty() {
        return Vec::new();
    }
    let texts: Vec<&str> = (0..fields.len()).map(|row| fields.text(row)).collect();
    words.into_iter().map(|word| one(&Pattern::new(word), &texts, going_on)).collect()
}

/// Chunks of texts go to whichever thread is free; this one alone asks whether to go on.
fn one(pattern: &Pattern, texts: &[&str], going_on: &dyn Fn() -> bool) -> Vec<u16> {
    let mut scores = vec![0; texts.len()];
    let (work, stop) = (Mutex::new(scores.chunks_mut(CHUNK).zip(texts.chunks(CHUNK))), AtomicBool::new(false));
    let next = || work.lock().unwrap_or_else(PoisonError::into_inner).next();
    let serve = |going_on: &dyn Fn() -> bool| {
        let mut letters = Vec::new();
        while going_on() {
            let Some((scores, texts)) = next() else { return };
            for (score, text) in scores.iter_mut().zip(texts) {
                *score = pattern.held(text, &mut letters);
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let helpers = cores.min(texts.len().div_ceil(CHUNK)).saturating_sub(1);
    thread::scope(|scope| {
        for _ in 0..helpers {
            scope.spawn(|| serve(&|| !stop.load(Ordering::Relaxed)));
        }
        serve(going_on);
        stop.store(!going_on(), Ordering::Relaxed);
    });
    scores
}

/// A word, ready to be looked for.
struct Pattern {
    /// Where each ASCII letter stands in the word, large or small, a bit for each place.
    ascii: [u64; 256],
    /// The same of other letters.
    others: Vec<(char, u64)>,
    /// The bit of the last letter; 0 for a word without letters.
    last: u64,
    /// Letters behind those that have a bit.
    rest: Vec<char>,
    /// Letters that have a bit.
    len: usize,
    /// Whether another letter may stand between two, and whether one may be missing or wrong.
    slips: [bool; 2],
}

impl Pattern {
    fn new(word: &Word) -> Self {
        let letters: Vec<char> = word.text.chars().map(small).collect();
        let (bits, rest) = letters.split_at(letters.len().min(LONGEST));
        let mut pattern = Self {
            ascii: [0; 256],
            others: Vec::new(),
            last: bits.len().checked_sub(1).map_or(0, |place| 1 << place),
            rest: rest.to_vec(),
            len: bits.len(),
            slips: [SHORT, LONG].map(|least| !word.exact && rest.is_empty() && bits.len() >= least),
        };
        for (place, letter) in bits.iter().enumerate() {
            let bit = 1 << place;
            if letter.is_ascii() {
                pattern.ascii[*letter as usize] |= bit;
                pattern.ascii[letter.to_ascii_uppercase() as usize] |= bit;
            } else if let Some((_, places)) = pattern.others.iter_mut().find(|(known, _)| known == letter) {
                *places |= bit;
            } else {
                pattern.others.push((*letter, bit));
            }
        }
        pattern
    }

    /// How well a text holds the word. `letters` is room to work in.
    fn held(&self, text: &str, letters: &mut Vec<char>) -> u16 {
        if text.is_ascii() {
            let byte = |byte: u8| char::from(byte).to_ascii_lowercase();
            return self.scan(text.as_bytes(), |byte| self.ascii[usize::from(byte)], byte);
        }
        letters.clear();
        letters.extend(text.chars().map(small));
        self.scan(letters, |letter| self.places(letter), |letter| letter)
    }

    fn places(&self, letter: char) -> u64 {
        let other = || self.others.iter().find(|(known, _)| *known == letter).map_or(0, |(_, places)| *places);
        if letter.is_ascii() { self.ascii[letter as usize] } else { other() }
    }

    fn scan<L: Copy>(&self, text: &[L], places: impl Fn(L) -> u64, letter: impl Fn(L) -> char) -> u16 {
        match self.slips {
            _ if self.last == 0 => WHOLE,
            [_, true] => self.scan_with::<L, true, true>(text, places, letter),
            [true, false] => self.scan_with::<L, true, false>(text, places, letter),
            [false, false] => self.scan_with::<L, false, false>(text, places, letter),
        }
    }

    /// Bit `i` of `right` says that the word's first `i + 1` letters end here, of `near` that they do with one slip: another
    /// letter `BETWEEN` two, or one that is missing or `WRONG`.
    fn scan_with<L: Copy, const BETWEEN: bool, const WRONG: bool>(
        &self,
        text: &[L],
        places: impl Fn(L) -> u64,
        letter: impl Fn(L) -> char,
    ) -> u16 {
        let (mut right, mut near, mut best) = (0u64, u64::from(WRONG), 0);
        for (at, this) in text.iter().enumerate() {
            let places = places(*this);
            let before = right;
            right = (before << 1 | 1) & places;
            near = near << 1 & places;
            if BETWEEN {
                near |= before;
            }
            if WRONG {
                // This letter is wrong, or the next is missing.
                near |= (before | right) << 1 | 1;
            }
            if (right | near) & self.last != 0 {
                let found = if right & self.last == 0 { SLIP } else { self.stands(text, at, &letter) };
                if found == WHOLE {
                    return WHOLE;
                }
                best = best.max(found);
            }
        }
        best
    }

    /// How well the word stands in a text, its last bit's letter at this place.
    fn stands<L: Copy>(&self, text: &[L], last: usize, letter: &impl Fn(L) -> char) -> u16 {
        let behind = &text[last + 1..];
        if behind.len() < self.rest.len() || behind.iter().zip(&self.rest).any(|(this, rest)| letter(*this) != *rest) {
            return 0;
        }
        let free = |place: Option<&L>| place.is_none_or(|this| !letter(*this).is_alphanumeric());
        let begins = free((last + 1).checked_sub(self.len + 1).and_then(|before| text.get(before)));
        match (begins, free(behind.get(self.rest.len()))) {
            (true, true) => WHOLE,
            (true, false) => BEGINS,
            (false, _) => INSIDE,
        }
    }
}

/// The first of a letter's small ones: there are more than one only of `İ`.
fn small(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn held(word: &str, text: &str) -> u16 {
        Pattern::new(&Word { text: word.into(), exact: false }).held(text, &mut Vec::new())
    }

    #[test]
    fn whole_words_come_before_beginnings_middles_and_slips() {
        for (word, text, score) in [
            ("geese", "ten geese.", WHOLE),
            ("geese", "Geese", WHOLE),
            ("gees", "ten geese.", BEGINS),
            ("eese", "ten geese.", INSIDE),
            ("eese", "a geese eese", WHOLE),
            ("geese", "ten gXese", SLIP),
            ("geese", "ten geXese", SLIP),
            ("geese", "ten gees", SLIP),
            ("geese", "eese", SLIP),
            ("geese", "gXeXese", 0),
            ("geese", "gese, gee", SLIP),
            ("pond", "the poXnd", SLIP),
            ("pond", "the pXnd", 0),
            ("pond", "the pon", 0),
            ("pod", "the pond", 0),
            ("über", "ÜBER allem", WHOLE),
            ("gänse", "zehn Ganse", SLIP),
            ("日本", "昔の日本語", INSIDE),
            ("", "anything", WHOLE),
            ("x", "", 0),
        ] {
            assert_eq!(held(word, text), score, "{word} in {text}");
        }
    }

    #[test]
    fn words_of_more_letters_than_bits_are_found_as_written() {
        let long = "abcdefghij".repeat(7);
        assert_eq!(held(&long, &format!("x {long} y")), WHOLE);
        assert_eq!(held(&long, &format!("x{}", long.to_uppercase())), INSIDE);
        assert_eq!(held(&long, &format!("{}X", &long[..69])), 0);
        assert_eq!(held(&long[..64], &format!("{}é", &long[..64])), BEGINS);
    }

    #[test]
    fn many_texts_are_all_looked_at_in_order() {
        let texts: Vec<String> = (0..3 * CHUNK + 7).map(|row| format!("row {row} geese")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let word = Word { text: "5".into(), exact: true };
        let scores = one(&Pattern::new(&word), &texts, &|| true);
        let found = scores.iter().enumerate().filter(|(_, score)| **score > 0).map(|(row, _)| row);
        assert!(found.eq((0..texts.len()).filter(|row| row.to_string().contains('5'))));
        assert!(one(&Pattern::new(&word), &texts[..CHUNK], &|| false).iter().all(|score| *score == 0));
    }

    /// Whether some part of a text is the word, or the word with one slip: tried out part by part.
    fn naive(word: &[char], text: &[char]) -> u16 {
        let parts = || (0..=text.len()).flat_map(|from| (from..=text.len()).map(move |to| &text[from..to]));
        let slipped = |part: &[char]| {
            let missing = word.len() >= LONG && word.len() == part.len() + 1 && without_one(word, part);
            let more = word.len() >= SHORT && part.len() == word.len() + 1 && without_one(part, word);
            let wrong = word.len() >= LONG
                && part.len() == word.len()
                && part.iter().zip(word).filter(|(a, b)| a != b).count() == 1;
            missing || more || wrong
        };
        if parts().any(|part| part == word) {
            INSIDE
        } else if parts().any(slipped) {
            SLIP
        } else {
            0
        }
    }

    fn without_one(long: &[char], short: &[char]) -> bool {
        (0..long.len()).any(|at| long[..at] == short[..at] && long[at + 1..] == short[at..])
    }

    proptest! {
        #[test]
        fn one_look_at_every_letter_finds_what_trying_all_parts_finds(word in "[abé]{1,7}", text in "[abcé ]{0,14}") {
            let [small, large] = [&word, &text].map(|text| text.chars().collect::<Vec<_>>());
            prop_assert_eq!(held(&word, &text).min(INSIDE), naive(&small, &large));
        }
    }
}

//! Whether a text runs in circles, as students do that lost the end of their turn.

use std::collections::{HashMap, HashSet};

/// A line this often is a loop.
const SAME_LINE: u32 = 4;
/// Words looked at together.
const WINDOW: usize = 4;
/// Shorter texts have too few windows to say anything.
const MIN_WINDOWS: usize = 16;
/// This many equal characters in a row are a loop.
const SAME_CHARACTER: usize = 64;

/// True where one line comes back four times, half of all four-word windows were seen before, or one character runs
/// on for 64 places. A flag for the researcher's eye; no score depends on it. Linear in the text.
pub fn repeats_itself(text: &str) -> bool {
    has_repeated_line(text) || has_repeated_windows(text) || has_long_run(text)
}

fn has_repeated_line(text: &str) -> bool {
    let mut seen: HashMap<&str, u32> = HashMap::new();
    text.lines().map(str::trim).filter(|line| line.chars().count() > 2).any(|line| {
        let count = seen.entry(line).or_default();
        *count += 1;
        *count >= SAME_LINE
    })
}

fn has_repeated_windows(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let windows = words.len().saturating_sub(WINDOW - 1);
    if windows < MIN_WINDOWS {
        return false;
    }
    let distinct: HashSet<&[&str]> = words.windows(WINDOW).collect();
    distinct.len() * 2 <= windows
}

fn has_long_run(text: &str) -> bool {
    let mut last = None;
    let mut run = 0;
    text.chars().filter(|c| !c.is_whitespace()).any(|c| {
        run = if last == Some(c) { run + 1 } else { 1 };
        last = Some(c);
        run >= SAME_CHARACTER
    })
}

//! Finding a teacher's excerpt in a student's answer: exactly, else by normalised text, else nearly (reading.md, row 42).

use serde::{Deserialize, Serialize};

/// Longest excerpt that is looked for, in characters.
pub const LONGEST_EXCERPT: usize = 120;
/// Shorter excerpts are not looked for nearly: they would be found anywhere.
const SHORTEST_FUZZY: usize = 8;
/// At most this share of an excerpt's characters may differ.
const FUZZY_SHARE: f64 = 0.2;

/// How an excerpt was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MatchKind {
    /// Character by character.
    Exact,
    /// Apart from white space, capitals, emphasis and formula delimiters.
    Normalised,
    /// With a few characters more, less or other.
    Fuzzy,
}

/// Where an excerpt lies in the answer, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// How it was found.
    pub kind: MatchKind,
}

/// Finds an excerpt of at most [`LONGEST_EXCERPT`] characters; the first occurrence, and among near ones the first of the
/// nearest. `None` for an empty, a longer or a missing excerpt. Time is linear in the answer.
pub fn find_excerpt(answer: &str, excerpt: &str) -> Option<Excerpt> {
    let excerpt = excerpt.trim();
    if excerpt.is_empty() || excerpt.chars().count() > LONGEST_EXCERPT {
        return None;
    }
    if let Some(start) = answer.find(excerpt) {
        return Some(Excerpt { start, end: start + excerpt.len(), kind: MatchKind::Exact });
    }
    let (hay, needle) = (Normalised::of(answer), Normalised::of(excerpt));
    if needle.text.is_empty() {
        return None;
    }
    let normalised = hay.text.find(&needle.text).map(|at| {
        let first = hay.text[..at].chars().count();
        (first, first + needle.places.len(), MatchKind::Normalised)
    });
    let (first, end, kind) = normalised.or_else(|| nearest(&hay, &needle))?;
    Some(Excerpt { start: hay.places.get(first)?.0, end: hay.places.get(end.checked_sub(1)?)?.1, kind })
}

/// A text without what may differ, and where each of its characters came from.
struct Normalised {
    text: String,
    /// Byte range in the original, per character.
    places: Vec<(usize, usize)>,
}

impl Normalised {
    fn of(original: &str) -> Self {
        let mut out = Self { text: String::new(), places: Vec::new() };
        let mut rest = original;
        while let Some(c) = rest.chars().next() {
            let at = original.len() - rest.len();
            let (plain, length) = spelled(rest, c);
            out.push(plain, at, at + length);
            rest = &rest[length..];
        }
        if out.text.ends_with(' ') {
            out.text.pop();
            out.places.pop();
        }
        out
    }

    fn push(&mut self, plain: Option<char>, start: usize, end: usize) {
        let Some(c) = plain else { return };
        if c == ' ' && (self.text.is_empty() || self.text.ends_with(' ')) {
            return;
        }
        self.text.push(c);
        self.places.push((start, end));
    }
}

/// Spellings of one sign in LaTeX; those without a sign only dress the text.
const COMMANDS: [(&str, Option<char>); 12] = [
    ("\\times", Some('*')),
    ("\\cdot", Some('*')),
    ("\\div", Some('/')),
    ("\\left", None),
    ("\\right", None),
    ("\\(", None),
    ("\\)", None),
    ("\\[", None),
    ("\\]", None),
    ("\\$", None),
    ("\\,", Some(' ')),
    ("\\%", Some('%')),
];

/// What the text's first character (or command) is compared as, and how many bytes it takes.
fn spelled(text: &str, first: char) -> (Option<char>, usize) {
    if first == '\\'
        && let Some((command, plain)) = COMMANDS.iter().find(|(command, _)| text.starts_with(command))
    {
        return (*plain, command.len());
    }
    let plain = match first {
        '$' | '*' | '`' | '_' if first != '*' || text.starts_with("**") => None,
        '×' | '·' => Some('*'),
        '÷' => Some('/'),
        '−' | '–' | '—' => Some('-'),
        '‘' | '’' => Some('\''),
        '“' | '”' => Some('"'),
        c if c.is_whitespace() => Some(' '),
        c => c.to_lowercase().next(),
    };
    let length = if text.starts_with("**") { 2 } else { first.len_utf8() };
    (plain, length)
}

/// Sellers' algorithm: the piece of `hay` with the fewest edits to `needle`, as character positions.
fn nearest(hay: &Normalised, needle: &Normalised) -> Option<(usize, usize, MatchKind)> {
    let needle: Vec<char> = needle.text.chars().collect();
    if needle.len() < SHORTEST_FUZZY {
        return None;
    }
    let allowed = (needle.len() as f64 * FUZZY_SHARE) as usize;
    // Per prefix of the needle: edits, and where in the hay the match began.
    let mut column: Vec<(usize, usize)> = (0..=needle.len()).map(|edits| (edits, 0)).collect();
    let mut best: Option<(usize, usize, usize)> = None;
    for (at, c) in hay.text.chars().enumerate() {
        let mut diagonal = column[0];
        column[0] = (0, at + 1);
        for (row, &wanted) in needle.iter().enumerate() {
            let left = column[row + 1];
            let replaced = (diagonal.0 + usize::from(wanted != c), diagonal.1);
            let skipped = (left.0 + 1, left.1);
            let missed = (column[row].0 + 1, column[row].1);
            column[row + 1] = [replaced, skipped, missed].into_iter().min_by_key(|(edits, _)| *edits)?;
            diagonal = left;
        }
        let (edits, begin) = column[needle.len()];
        if edits <= allowed && best.is_none_or(|(fewest, _, _)| edits < fewest) {
            best = Some((edits, begin, at + 1));
        }
    }
    best.filter(|(_, begin, end)| begin < end).map(|(_, begin, end)| (begin, end, MatchKind::Fuzzy))
}

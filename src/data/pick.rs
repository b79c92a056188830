//! Which rows of a file are used: all, the first or last so many, or so many by a seed.
//!
//! SVAMP is published as one file of 1000 rows and told about with 300; which 300 is written down in the recipe
//! (`data.svamp`), never guessed.

use std::fmt;
use std::str::FromStr;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// A rule that picks rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pick {
    /// Every row.
    #[default]
    All,
    /// The first so many.
    First(usize),
    /// The last so many.
    Last(usize),
    /// So many, drawn by a seed, in the order of the file.
    Seeded(usize, u64),
}

impl Pick {
    /// The picked places among `rows`, rising, or `None` where there are not so many.
    pub fn of(self, rows: usize) -> Option<Vec<usize>> {
        match self {
            Pick::All => Some((0..rows).collect()),
            Pick::First(n) => (n <= rows).then(|| (0..n).collect()),
            Pick::Last(n) => (n <= rows).then(|| (rows - n..rows).collect()),
            Pick::Seeded(n, seed) => (n <= rows).then(|| {
                let mut places: Vec<usize> = (0..rows).collect();
                places.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
                places.truncate(n);
                places.sort_unstable();
                places
            }),
        }
    }
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pick::All => f.write_str("all"),
            Pick::First(n) => write!(f, "first {n}"),
            Pick::Last(n) => write!(f, "last {n}"),
            Pick::Seeded(n, seed) => write!(f, "{n} by seed {seed}"),
        }
    }
}

impl FromStr for Pick {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let count = |word: &str| word.parse::<usize>().ok().filter(|n| *n > 0);
        let pick = match words.as_slice() {
            ["all"] => Some(Pick::All),
            ["first", n] => count(n).map(Pick::First),
            ["last", n] => count(n).map(Pick::Last),
            [n, "by", "seed", seed] => count(n).zip(seed.parse().ok()).map(|(n, seed)| Pick::Seeded(n, seed)),
            _ => None,
        };
        pick.ok_or_else(|| {
            format!("rows are picked by \"all\", \"first 300\", \"last 300\" or \"300 by seed 1\", not by {text:?}")
        })
    }
}

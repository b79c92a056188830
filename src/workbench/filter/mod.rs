//! A language for choosing rows: `band:hard steps>4 rho<0.1 action:localize error:"misread" geese`.
//!
//! | file | idea |
//! |---|---|
//! | `token` | a line of text cut into words, quotations and signs |
//! | `parse` | tokens to a tree: `and` between terms is left out, `or`, `not` or `-`, brackets |
//! | `fields` | what rows have: names, kinds, values; the trait that a pane implements |
//! | `compile` | the tree held against the fields; what is wrong is said in words, with its column |
//! | `words` | free words, found as written or with one slip |
//!
//! | written | chosen are rows |
//! |---|---|
//! | `steps>4`, `rho<=.1`, `k=0`, `k!=0` | whose number is so |
//! | `steps:3..5` | whose number lies between, both included |
//! | `band:hard`, `band:medium,hard` | that have one of these words |
//! | `error:"off by"` | in which a text holds this; `=` asks for the whole text |
//! | `rho:none` | that have no such value |
//! | `geese` | in whose text this stands, or nearly so: with one slip; in quotation marks exactly so |
//! | `-flag:zero`, `not (a or b)` | for which the rest is not so |
//!
//! A row without a number is chosen by no comparison but `!=`. A slip is a letter that is missing or wrong in a word of five
//! letters and more, or another between two letters of a word of four and more. Whole words come before the beginnings of
//! others, those before what stands inside, and slips last.

mod compile;
mod fields;
mod parse;
mod token;
mod words;

pub use fields::{Field, Fields, Kind};

use compile::Test;

/// What is wrong with a filter, for the researcher who is typing it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {words}")]
pub struct Fault {
    /// Which character, from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub words: String,
}

impl Fault {
    fn new(at: usize, words: impl Into<String>) -> Self {
        Self { column: at + 1, words: words.into() }
    }
}

/// A filter held against the fields of some rows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    test: Option<Test>,
}

/// What a filter chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// The rows, in their order.
    pub rows: Vec<u32>,
    /// How well each holds the free words, by the same index; empty where the filter has none.
    pub nearness: Vec<u32>,
}

impl Filter {
    /// Reads a filter; a blank one chooses everything.
    ///
    /// # Errors
    /// In words, with the column: what can't be read, a field that these rows don't have, a value that it can't have.
    pub fn parse(text: &str, fields: &(impl Fields + ?Sized)) -> Result<Self, Fault> {
        let tree = parse::parse(&token::tokens(text)?)?;
        let test = tree.map(|tree| compile::compile(&tree, fields)).transpose()?;
        Ok(Self { test })
    }

    /// Whether it chooses everything.
    pub fn is_empty(&self) -> bool {
        self.test.is_none()
    }

    /// Chooses rows. `going_on` is asked now and then; once it says no, what was chosen so far is given.
    pub fn choose(&self, fields: &(impl Fields + ?Sized), going_on: &dyn Fn() -> bool) -> Chosen {
        let len = fields.len();
        let Some(test) = &self.test else {
            return Chosen { rows: (0..len as u32).collect(), nearness: Vec::new() };
        };
        let found = words::find(test.words(), fields, going_on);
        let mut chosen = Chosen::default();
        for row in 0..len {
            if row % 4096 == 0 && !going_on() {
                break;
            }
            if test.fits(row, fields, &found) {
                chosen.rows.push(row as u32);
                if !found.is_empty() {
                    chosen.nearness.push(found.iter().map(|scores| u32::from(scores[row])).sum());
                }
            }
        }
        chosen
    }
}

#[cfg(test)]
mod tests;

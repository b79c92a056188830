//! Other sessions laid over the one that is shown: the same value, aligned by step. One of them may be the baseline.

use crate::pipeline::begun::recipe_of;
use crate::workbench::curves::Family;
use crate::workbench::jobs::Query;
use crate::workbench::look::Look;
use crate::workbench::pane::Cx;
use crate::workbench::panes::rewards::chart;
use crate::workbench::text;
use crate::workbench::training::{Addition, Book, Known, read};

use ratatui::style::Style;

/// Sessions that can be laid over at once.
pub const MOST: usize = 5;

/// A session beside the one that is shown.
pub struct Beside {
    /// Its name.
    pub name: String,
    /// The letter that stands for it on the chart.
    pub letter: char,
    /// Whether the others are held against it.
    pub baseline: bool,
    /// What is known of it.
    pub book: Book,
    reading: Query<Vec<Addition>>,
}

/// How a session beside can be shown on a chart.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// As a curve; the value at the cursor, if there is one there.
    Shown(Option<f64>),
    /// Not drawn, and why.
    Apart(String),
}

impl Beside {
    /// A session that is read from now on.
    pub fn new(name: &str, letter: char, smoothing: f64, cx: &Cx<'_>) -> Self {
        let mut book = Book::default();
        book.smooth(smoothing);
        let mut beside = Self { name: name.to_string(), letter, baseline: false, book, reading: Query::default() };
        beside.read(cx);
        beside
    }

    /// Reads it, or what has come since.
    pub fn read(&mut self, cx: &Cx<'_>) {
        let (sessions, name, known): (_, _, Known) = (cx.house.sessions.clone(), self.name.clone(), self.book.known());
        self.reading.refresh(cx.jobs, cx.now, move |cancel| {
            let session = sessions.open_read_only(&name).map_err(|e| e.to_string())?;
            read::steps(&session, &recipe_of(&session)?, &known, cancel)
        });
        self.take();
    }

    /// Takes what was read.
    pub fn poll(&mut self, cx: &Cx<'_>) {
        if cx.poll(&mut self.reading) {
            self.take();
        }
    }

    fn take(&mut self) {
        if let Some(additions) = self.reading.value_mut() {
            self.book.merge(std::mem::take(additions));
        }
    }

    /// Gives up reading.
    pub fn give_up(&mut self) {
        self.reading.cancel();
    }

    /// How it stands on a chart beside `own` at a step.
    pub fn standing(&self, own: &Book, family: Family, name: &str, cursor: u64) -> Standing {
        let apart = |why: &str| Standing::Apart(why.to_string());
        if let Some(error) = self.reading.error() {
            return Standing::Apart(text::printable(error));
        }
        if self.book.steps(family) == 0 {
            return apart(if self.reading.waiting().is_some() { "is being read" } else { "has no such steps" });
        }
        if name == chart::GROUPS {
            return apart("has no place here; all-zero has a chart of its own");
        }
        if chart::judged(name) {
            let (here, there) = (own.measured(family), self.book.measured(family));
            if here.iter().any(|one| there.iter().any(|other| one.verifier != other.verifier)) {
                return apart("has another verifier: not drawn as one");
            }
            if here.iter().any(|one| there.iter().any(|other| one.prompt != other.prompt)) {
                return apart("has another prompt: not drawn as one");
            }
        }
        Standing::Shown(self.book.at(family, name, cursor).map(|(_, smooth)| smooth))
    }

    /// The curve's colour; letters and marks say the same.
    pub fn style(&self, look: &Look) -> Style {
        // The first colour is the session's own smoothed curve's.
        let series = &look.theme.series[1..];
        series[(self.letter as usize).wrapping_sub('a' as usize) % series.len()]
    }
}

/// The first letter that stands for no session yet.
pub fn free_letter(taken: &[Beside]) -> char {
    ('a'..='z').find(|letter| taken.iter().all(|beside| beside.letter != *letter)).unwrap_or('z')
}

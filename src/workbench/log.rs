//! The log: bounded, and where the researcher has scrolled to stays put when new lines come.

use std::collections::VecDeque;
use std::time::Duration;

use super::text;
use crate::pipeline::events::Level;

/// Entries kept; the oldest go first.
const MOST_ENTRIES: usize = 2000;

/// One line, or several when the pane is narrow.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The screen's clock when it came; the work done by then where it was read from a session.
    pub at: Duration,
    /// How loud.
    pub level: Level,
    /// The text, printable.
    pub text: String,
}

/// All that was said.
#[derive(Clone, Debug, Default)]
pub struct Log {
    entries: VecDeque<Entry>,
    /// Entries dropped at the old end.
    dropped: usize,
    warnings: usize,
    errors: usize,
}

impl Log {
    /// Adds a line.
    pub fn push(&mut self, at: Duration, level: Level, message: &str) {
        match level {
            Level::Info => {}
            Level::Warn => self.warnings += 1,
            Level::Error => self.errors += 1,
        }
        self.entries.push_back(Entry { at, level, text: text::printable(message) });
        if self.entries.len() > MOST_ENTRIES {
            self.entries.pop_front();
            self.dropped += 1;
        }
    }

    /// The entries with their numbers, counted from the first ever; newest first.
    pub fn upwards(&self) -> impl Iterator<Item = (usize, &Entry)> {
        let last = self.dropped + self.entries.len();
        self.entries.iter().rev().enumerate().map(move |(back, entry)| (last - 1 - back, entry))
    }

    /// Entries ever added.
    pub fn said(&self) -> usize {
        self.dropped + self.entries.len()
    }

    /// Adds what another log has from an entry on, by its number.
    pub fn follow(&mut self, other: &Log, from: usize) {
        for entry in other.entries.iter().skip(from.saturating_sub(other.dropped)) {
            self.push(entry.at, entry.level, &entry.text);
        }
    }

    /// Warnings and errors so far.
    pub fn alarms(&self) -> (usize, usize) {
        (self.warnings, self.errors)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_come_first_with_numbers_that_stay() {
        let mut log = Log::default();
        for line in 0..MOST_ENTRIES + 3 {
            let level = if line % 2 == 0 { Level::Info } else { Level::Warn };
            log.push(Duration::ZERO, level, &line.to_string());
        }
        let (at, newest) = log.upwards().next().unwrap();
        assert_eq!((at, newest.text.as_str()), (MOST_ENTRIES + 2, "2002"));
        let (at, oldest) = log.upwards().last().unwrap();
        assert_eq!((at, oldest.text.as_str(), log.upwards().count()), (3, "3", MOST_ENTRIES));
        assert_eq!(log.alarms(), ((MOST_ENTRIES + 3) / 2, 0));
    }
}

//! The log: bounded, and where the researcher has scrolled to stays put when new lines come. Warnings and errors are
//! counted until they were read.

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
    /// Warnings and errors that nobody has read, by their numbers, oldest first.
    unread: VecDeque<(usize, Level)>,
}

impl Log {
    /// Adds a line.
    pub fn push(&mut self, at: Duration, level: Level, message: &str) {
        if level > Level::Info {
            self.unread.push_back((self.said(), level));
        }
        self.entries.push_back(Entry { at, level, text: text::printable(message) });
        if self.entries.len() > MOST_ENTRIES {
            self.entries.pop_front();
            self.dropped += 1;
            // What is gone can't be read any more.
            let dropped = self.dropped;
            self.unread.retain(|(at, _)| *at >= dropped);
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

    /// Takes the place of another log that began with the same entries: adds what that one has from an entry on, by its
    /// number. What was read there is read here.
    pub fn follow(&mut self, other: &Log, from: usize) {
        self.unread.retain(|(at, _)| *at >= from || other.is_unread(*at));
        for (at, entry) in other.entries.iter().enumerate().skip(from.saturating_sub(other.dropped)) {
            self.push(entry.at, entry.level, &entry.text);
            if !other.is_unread(other.dropped + at) {
                let last = self.said().saturating_sub(1);
                self.unread.retain(|(at, _)| *at != last);
            }
        }
    }

    fn is_unread(&self, at: usize) -> bool {
        self.unread.iter().any(|(unread, _)| *unread == at)
    }

    /// These entries, by their numbers, were read.
    pub fn read(&mut self, entries: &[usize]) {
        self.unread.retain(|(at, _)| !entries.contains(at));
    }

    /// Warnings and errors that nobody has read.
    pub fn alarms(&self) -> (usize, usize) {
        let errors = self.unread.iter().filter(|(_, level)| *level == Level::Error).count();
        (self.unread.len() - errors, errors)
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
        assert_eq!(log.alarms(), (MOST_ENTRIES / 2, 0), "those that are still there");
    }

    #[test]
    fn alarms_go_once_they_were_read_also_where_the_log_is_read_anew() {
        let mut log = Log::default();
        let levels = [Level::Warn, Level::Error, Level::Info, Level::Warn, Level::Error];
        for level in levels {
            log.push(Duration::ZERO, level, "said");
        }
        assert_eq!(log.alarms(), (2, 2));
        log.read(&[1, 2, 3]);
        assert_eq!(log.alarms(), (1, 1));
        // The first three were said by the session, which has said one more since.
        let mut again = Log::default();
        for level in [Level::Warn, Level::Error, Level::Info, Level::Error] {
            again.push(Duration::ZERO, level, "said");
        }
        again.follow(&log, 3);
        assert_eq!((again.said(), again.alarms()), (6, (1, 2)));
        again.read(&[3, 5]);
        assert_eq!(again.alarms(), (1, 0));
    }
}

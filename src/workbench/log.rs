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
    /// The screen's clock when it came.
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
    /// The entry at the bottom of the pane, counted from the first ever; `None` follows the newest.
    held: Option<usize>,
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
            self.held = self.held.map(|held| held.max(self.dropped));
        }
    }

    /// The entries down to the bottom of the pane, newest first.
    pub fn upwards(&self) -> impl Iterator<Item = &Entry> {
        let bottom = self.bottom().map_or(0, |bottom| bottom + 1 - self.dropped);
        self.entries.iter().take(bottom).rev()
    }

    /// Entries below the bottom of the pane.
    pub fn below(&self) -> usize {
        self.bottom().map_or(0, |bottom| self.newest() - bottom)
    }

    /// Warnings and errors so far.
    pub fn alarms(&self) -> (usize, usize) {
        (self.warnings, self.errors)
    }

    /// Moves by entries: down is positive, and `isize::MIN` goes to the oldest. At the newest it follows again.
    pub fn scroll(&mut self, by: isize) {
        let Some(bottom) = self.bottom() else { return };
        let to = bottom.saturating_add_signed(by).max(self.dropped);
        self.held = (to < self.newest()).then_some(to);
    }

    /// To the newest, following.
    pub fn to_bottom(&mut self) {
        self.held = None;
    }

    fn newest(&self) -> usize {
        (self.dropped + self.entries.len()).saturating_sub(1)
    }

    fn bottom(&self) -> Option<usize> {
        (!self.entries.is_empty()).then(|| self.held.unwrap_or_else(|| self.newest()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn log(lines: usize) -> Log {
        let mut log = Log::default();
        for line in 0..lines {
            log.push(Duration::ZERO, Level::Info, &line.to_string());
        }
        log
    }

    fn bottom(log: &Log) -> &str {
        &log.upwards().next().unwrap().text
    }

    #[test]
    fn follows_until_scrolled_then_stays_put() {
        let mut log = log(10);
        assert_eq!((bottom(&log), log.below()), ("9", 0));
        log.scroll(-3);
        log.push(Duration::ZERO, Level::Warn, "new");
        assert_eq!((bottom(&log), log.below()), ("6", 4));
        log.scroll(2);
        assert_eq!(bottom(&log), "8");
        log.scroll(5);
        log.push(Duration::ZERO, Level::Error, "newer");
        assert_eq!((bottom(&log), log.alarms()), ("newer", (1, 1)));
    }

    #[test]
    fn top_and_bottom() {
        let mut log = log(5);
        log.scroll(isize::MIN);
        assert_eq!((bottom(&log), log.upwards().count()), ("0", 1));
        log.to_bottom();
        assert_eq!(log.upwards().count(), 5);
        Log::default().scroll(isize::MIN);
        assert_eq!(Log::default().upwards().count(), 0);
    }

    #[test]
    fn the_oldest_go_and_a_held_place_goes_with_them() {
        let mut log = log(10);
        log.scroll(isize::MIN);
        for line in 0..MOST_ENTRIES {
            log.push(Duration::ZERO, Level::Info, &format!("later {line}"));
        }
        assert_eq!((bottom(&log), log.below()), ("later 0", MOST_ENTRIES - 1));
    }
}

//! When to draw: wishes to draw are gathered, and a frame comes no sooner than a set gap after the last one. A wish
//! that follows a key waits less than one that follows progress. Without a wish, nothing is drawn.

use std::time::Duration;

/// Gap between frames while the run reports progress: about thirty a second.
pub const PROGRESS: Duration = Duration::from_millis(33);
/// Gap between frames that answer a key.
pub const ANSWER: Duration = Duration::from_millis(8);
/// Gap under reduced motion, for progress.
pub const CALM: Duration = Duration::from_secs(1);

/// Gathers wishes to draw.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pacer {
    last: Option<Duration>,
    due: Option<Duration>,
}

impl Pacer {
    /// Wishes for a frame, at least `gap` after the last.
    pub fn wish(&mut self, now: Duration, gap: Duration) {
        let at = self.last.map_or(now, |last| last + gap);
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// Time until the next frame; `None` when nobody wishes for one.
    pub fn wait(&self, now: Duration) -> Option<Duration> {
        self.due.map(|due| due.saturating_sub(now))
    }

    /// A frame was drawn.
    pub fn drawn(&mut self, now: Duration) {
        (self.last, self.due) = (Some(now), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    #[test]
    fn nothing_is_drawn_unasked() {
        let mut pacer = Pacer::default();
        assert_eq!(pacer.wait(ms(0)), None);
        pacer.wish(ms(5), PROGRESS);
        assert_eq!(pacer.wait(ms(5)), Some(ms(0)));
        pacer.drawn(ms(6));
        assert_eq!(pacer.wait(ms(10_000)), None);
    }

    #[test]
    fn a_thousand_events_make_thirty_frames_a_second() {
        let (mut pacer, mut frames) = (Pacer::default(), 0);
        for now in (0..1000).map(ms) {
            pacer.wish(now, PROGRESS);
            if pacer.wait(now) == Some(Duration::ZERO) {
                pacer.drawn(now);
                frames += 1;
            }
        }
        assert_eq!(frames, 31);
    }

    #[test]
    fn a_key_is_answered_sooner() {
        let mut pacer = Pacer::default();
        pacer.drawn(ms(100));
        pacer.wish(ms(101), PROGRESS);
        assert_eq!(pacer.wait(ms(101)), Some(ms(32)));
        pacer.wish(ms(102), ANSWER);
        assert_eq!(pacer.wait(ms(102)), Some(ms(6)));
    }
}

//! Which part of the steps is shown, how, and where the cursor stands. Steps count from 1; without steps nothing moves.

use crate::workbench::curves::Family;

/// Weights of the past to choose from.
pub const SMOOTHINGS: [f64; 8] = [0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99];
/// The one at first.
const USUAL: usize = 3;
/// Fewest steps in sight.
const LEAST: u64 = 4;

/// A part of the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Zoom {
    steps: u64,
    /// The first one; `None` follows the newest.
    first: Option<u64>,
}

/// What is shown of the curves.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The family chosen; `None` shows the one that says most.
    pub family: Option<Family>,
    /// Name of the chart that is large; `None` shows the first.
    pub chart: Option<String>,
    /// Whether values stand on a logarithmic axis.
    pub log: bool,
    /// Steps of the session itself, where others are longer: what is followed.
    pub own: Option<u64>,
    smoothing: usize,
    cursor: Option<u64>,
    zoom: Option<Zoom>,
}

impl Default for View {
    fn default() -> Self {
        Self { family: None, chart: None, log: false, own: None, smoothing: USUAL, cursor: None, zoom: None }
    }
}

impl View {
    /// Weight of the past in smoothed values.
    pub fn smoothing(&self) -> f64 {
        SMOOTHINGS[self.smoothing]
    }

    /// More or less smoothing.
    pub fn smooth_by(&mut self, by: isize) {
        self.smoothing = self.smoothing.saturating_add_signed(by).min(SMOOTHINGS.len() - 1);
    }

    /// The step under the cursor among `total`; the session's newest while it was not moved.
    pub fn cursor(&self, total: u64) -> Option<u64> {
        (total > 0).then(|| self.cursor.unwrap_or(self.newest(total)).clamp(1, total))
    }

    /// The session's newest step among `total`.
    fn newest(&self, total: u64) -> u64 {
        self.own.map_or(total, |own| own.clamp(1, total.max(1)))
    }

    /// Whether the cursor follows the newest step.
    pub fn follows(&self) -> bool {
        self.cursor.is_none()
    }

    /// First and last step in sight.
    pub fn range(&self, total: u64) -> [u64; 2] {
        let last = total.max(1);
        match self.zoom {
            Some(Zoom { steps, first }) if steps < last => {
                let first = first.unwrap_or((self.newest(last) + 1).saturating_sub(steps)).clamp(1, last - steps + 1);
                [first, first + steps - 1]
            }
            _ => [1, last],
        }
    }

    /// Moves the cursor by so many steps, and what is in sight along with it.
    pub fn step(&mut self, by: i64, total: u64) {
        if let Some(at) = self.cursor(total) {
            self.point_at(at.saturating_add_signed(by), total);
        }
    }

    /// Puts the cursor onto a step.
    pub fn point_at(&mut self, step: u64, total: u64) {
        if total == 0 {
            return;
        }
        let at = step.clamp(1, total);
        self.cursor = Some(at);
        let [low, high] = self.range(total);
        if at < low {
            self.look_from(at);
        } else if at > high {
            self.look_from(at - (high - low));
        }
    }

    /// The cursor follows the newest step again.
    pub fn follow(&mut self) {
        self.cursor = None;
        if let Some(zoom) = &mut self.zoom {
            zoom.first = None;
        }
    }

    /// Half or twice as many steps, around the cursor.
    pub fn zoom(&mut self, closer: bool, total: u64) {
        let Some(at) = self.cursor(total) else { return };
        let [low, high] = self.range(total);
        let steps = if closer { ((high - low).div_ceil(2)).max(LEAST) } else { (high - low + 1).saturating_mul(2) };
        if steps >= total {
            self.zoom = None;
            return;
        }
        let follows = self.follows() && high >= self.newest(total);
        let first = at.saturating_sub(steps / 2).clamp(1, total - steps + 1);
        self.zoom = Some(Zoom { steps, first: (!follows).then_some(first) });
    }

    /// Earlier or later steps, by a quarter of what is in sight.
    pub fn pan(&mut self, by: i64, total: u64) {
        let [low, high] = self.range(total);
        let quarter = ((high - low + 1) / 4).max(1);
        let by = by.saturating_mul(i64::try_from(quarter).unwrap_or(1));
        let first = low.saturating_add_signed(by).clamp(1, (total.max(1) - (high - low)).max(1));
        self.look_from(first);
    }

    /// All steps, at the newest.
    pub fn reset(&mut self) {
        (self.zoom, self.cursor) = (None, None);
    }

    fn look_from(&mut self, first: u64) {
        if let Some(zoom) = &mut self.zoom {
            zoom.first = Some(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_where_there_are_no_steps() {
        let mut view = View::default();
        for _ in 0..3 {
            view.step(1, 0);
            view.step(-1, 0);
            view.zoom(true, 0);
            view.zoom(false, 0);
            view.pan(1, 0);
            view.pan(-1, 0);
            view.point_at(7, 0);
        }
        assert_eq!((view.cursor(0), view.range(0)), (None, [1, 1]));
        assert_eq!(view, View::default());
    }

    #[test]
    fn the_cursor_follows_until_it_is_moved() {
        let mut view = View::default();
        assert_eq!((view.cursor(10), view.cursor(11)), (Some(10), Some(11)));
        view.step(-3, 11);
        assert_eq!(view.cursor(50), Some(8));
        view.step(i64::MIN, 50);
        assert_eq!(view.cursor(50), Some(1));
        view.step(i64::MAX, 50);
        assert_eq!(view.cursor(50), Some(50));
        view.follow();
        assert_eq!(view.cursor(60), Some(60));
        assert_eq!(view.cursor(3), Some(3));
    }

    #[test]
    fn a_longer_session_beside_does_not_take_the_newest_step_away() {
        let mut view = View { own: Some(40), ..View::default() };
        assert_eq!((view.cursor(500), view.range(500)), (Some(40), [1, 500]));
        (0..4).for_each(|_| view.zoom(true, 500));
        assert_eq!(view.range(500), [10, 40]);
        view.own = Some(41);
        assert_eq!((view.cursor(500), view.range(500)), (Some(41), [11, 41]), "it follows");
        view.step(1, 500);
        assert_eq!(view.cursor(500), Some(42), "what the others have more of can be looked at");
        view.follow();
        assert_eq!(view.cursor(500), Some(41));
        assert_eq!(View { own: Some(0), ..View::default() }.cursor(0), None);
    }

    #[test]
    fn zooming_keeps_the_cursor_in_sight_and_follows_the_newest() {
        let mut view = View::default();
        view.zoom(true, 100);
        assert_eq!((view.range(100), view.range(120)), ([51, 100], [71, 120]));
        view.point_at(30, 120);
        assert_eq!(view.range(120), [30, 79]);
        view.zoom(true, 120);
        assert_eq!(view.range(120), [18, 42]);
        for _ in 0..20 {
            view.zoom(true, 120);
        }
        assert_eq!(view.range(120)[1] - view.range(120)[0] + 1, LEAST);
        for _ in 0..20 {
            view.zoom(false, 120);
        }
        assert_eq!(view.range(120), [1, 120]);
    }

    #[test]
    fn panning_stops_at_both_ends_and_the_cursor_pulls_the_window() {
        let mut view = View::default();
        view.pan(1, 100);
        assert_eq!(view.range(100), [1, 100], "everything is in sight");
        view.point_at(50, 100);
        view.zoom(true, 100);
        assert_eq!(view.range(100), [25, 74]);
        for _ in 0..9 {
            view.pan(1, 100);
        }
        assert_eq!(view.range(100), [51, 100]);
        for _ in 0..9 {
            view.pan(-1, 100);
        }
        assert_eq!(view.range(100), [1, 50]);
        view.step(1, 100);
        assert_eq!((view.cursor(100), view.range(100)), (Some(51), [2, 51]));
    }

    #[test]
    fn smoothing_has_two_ends() {
        let mut view = View::default();
        (0..20).for_each(|_| view.smooth_by(1));
        assert_eq!(view.smoothing(), 0.99);
        (0..20).for_each(|_| view.smooth_by(-1));
        assert_eq!(view.smoothing(), 0.0);
    }
}

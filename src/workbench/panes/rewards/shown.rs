//! What is shown: the parts that all charts of the pane draw from, and which steps a column stands for.

use super::beside::Beside;
use super::view::View;
use crate::workbench::curves::Family;
use crate::workbench::look::Look;
use crate::workbench::state::State;
use crate::workbench::training::Book;

/// What the charts draw from.
pub struct Shown<'a> {
    /// The session.
    pub book: &'a Book,
    /// Sessions beside it.
    pub beside: &'a [Beside],
    /// Which part of it.
    pub view: &'a View,
    /// The family.
    pub family: Family,
    /// Names of all charts.
    pub charts: &'a [String],
    /// Name of the large one.
    pub large: &'a str,
    /// Steps there are, over all sessions.
    pub total: u64,
    /// The step under the cursor.
    pub cursor: Option<u64>,
    /// First and last step in sight.
    pub range: [u64; 2],
    /// The run, for what its stages have still to do.
    pub run: &'a State,
    /// How it looks.
    pub look: &'a Look,
}

impl Shown<'_> {
    /// The step in the middle of a column of a chart of this width.
    pub fn step_at(&self, column: u16, width: u16) -> u64 {
        let [low, high] = self.range;
        let share = f64::from(column) / f64::from(width.saturating_sub(1).max(1));
        low + (share.clamp(0.0, 1.0) * (high - low) as f64).round() as u64
    }

    /// The steps that a column stands for, at least one.
    pub fn steps_at(&self, column: u16, width: u16) -> [u64; 2] {
        let [low, high] = self.range;
        let per_column = (high - low) as f64 / f64::from(width.saturating_sub(1).max(1));
        let middle = low as f64 + f64::from(column) * per_column;
        let (first, last) = ((middle - per_column / 2.0).ceil(), (middle + per_column / 2.0).floor());
        if first > last {
            let step = self.step_at(column, width);
            return [step, step];
        }
        [(first.max(low as f64)) as u64, (last.min(high as f64)) as u64]
    }
}

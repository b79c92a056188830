//! Marks of standings and colours of losses. A letter or a mark always says the same as a colour.

use ratatui::style::Style;

use crate::session::records::Status;
use crate::workbench::look::Look;
use crate::workbench::theme::Theme;

/// The mark of a standing, and how it is drawn.
pub fn status(look: &Look, status: &Status) -> (&'static str, Style) {
    let glyphs = &look.glyphs;
    let mark = match status {
        Status::Proposed => glyphs.waiting,
        Status::Approved => glyphs.done,
        Status::Edited => "e",
        Status::Rejected { .. } => glyphs.failed,
        Status::Review { .. } => glyphs.warn,
    };
    (mark, look.theme.status(status))
}

/// How the bar of a loss is drawn: as the bars of the scores are, with those above the threshold apart. The colours that
/// lie behind hot tokens are too close to the background for so small a thing.
pub fn bar(theme: &Theme, share: f64) -> Style {
    if share > 0.5 { theme.warn } else { theme.bar }
}

/// How a token of some loss is drawn: its share of the hottest, from 0 to 1.
pub fn heat(theme: &Theme, share: f64) -> Style {
    let steps = &theme.heat;
    let at = (share.clamp(0.0, 1.0) * (steps.len() - 1) as f64).round() as usize;
    steps[at.min(steps.len() - 1)]
}

//! Colours and marks of this pane: operations, standings, losses. A letter or a mark always says the same.

use ratatui::style::Style;

use crate::domain::{Action, Band};
use crate::session::records::Status;
use crate::workbench::look::Look;
use crate::workbench::theme::Theme;

/// How an operation is drawn.
pub fn action(theme: &Theme, action: Action) -> Style {
    match action {
        Action::Keep => theme.keep,
        Action::Compress => theme.compress,
        Action::Expand => theme.expand,
        Action::Drop => theme.drop,
        Action::Localize => theme.localize,
    }
}

/// How a band is drawn.
pub fn band(theme: &Theme, band: Band) -> Style {
    match band {
        Band::Simple => theme.simple,
        Band::Medium => theme.medium,
        Band::Hard => theme.hard,
    }
}

/// How a standing is drawn, and its mark.
pub fn status(look: &Look, status: &Status) -> (&'static str, Style) {
    let (glyphs, theme) = (&look.glyphs, &look.theme);
    match status {
        Status::Proposed => (glyphs.waiting, theme.proposed),
        Status::Approved => (glyphs.done, theme.approved),
        Status::Edited => ("e", theme.edited),
        Status::Rejected { .. } => (glyphs.failed, theme.rejected),
        Status::Review { .. } => (glyphs.warn, theme.review),
    }
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

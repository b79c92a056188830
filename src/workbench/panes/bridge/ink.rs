//! Colours and marks of this pane: operations, standings, losses. A letter or a mark always says the same.

use ratatui::style::{Modifier, Style};

use crate::domain::Action;
use crate::session::records::Status;
use crate::workbench::look::Look;
use crate::workbench::theme::Theme;

/// How an operation is drawn.
pub fn action(theme: &Theme, action: Action) -> Style {
    match action {
        Action::Keep => theme.text,
        Action::Compress => theme.running,
        Action::Expand => theme.good,
        Action::Drop => theme.bad,
        Action::Localize => theme.above,
    }
}

/// How a standing is drawn, and its mark.
pub fn status(look: &Look, status: &Status) -> (&'static str, Style) {
    let (glyphs, theme) = (&look.glyphs, &look.theme);
    match status {
        Status::Proposed => (glyphs.waiting, theme.text),
        Status::Approved => (glyphs.done, theme.good),
        Status::Edited => ("e", theme.good),
        Status::Rejected { .. } => (glyphs.failed, theme.bad),
        Status::Review { .. } => (glyphs.warn, theme.warn),
    }
}

/// How a loss is drawn: its share of the hottest, from 0 to 1.
pub fn heat(theme: &Theme, share: f64) -> Style {
    let steps = [theme.dim, theme.text, theme.smooth, theme.warn, theme.bad];
    let at = (share.clamp(0.0, 1.0) * (steps.len() - 1) as f64).round() as usize;
    steps[at.min(steps.len() - 1)]
}

/// Words that only the original has.
pub fn gone(theme: &Theme) -> Style {
    theme.bad.add_modifier(Modifier::CROSSED_OUT)
}

/// Words that only the bridged text has.
pub fn new(theme: &Theme) -> Style {
    theme.good.add_modifier(Modifier::UNDERLINED)
}

/// The selected row.
pub fn selected(theme: &Theme) -> Style {
    theme.focus
}

//! Which meaning what the loop knows is drawn with: operations, bands and standings look the same in every pane.

use ratatui::style::Style;

use super::Theme;
use crate::domain::{Action, Band};
use crate::session::records::Status;

impl Theme {
    /// How an operation of the bridge is drawn.
    pub fn action(&self, action: Action) -> Style {
        match action {
            Action::Keep => self.keep,
            Action::Compress => self.compress,
            Action::Expand => self.expand,
            Action::Drop => self.drop,
            Action::Localize => self.localize,
        }
    }

    /// How a band is drawn.
    pub fn band(&self, band: Band) -> Style {
        match band {
            Band::Simple => self.simple,
            Band::Medium => self.medium,
            Band::Hard => self.hard,
        }
    }

    /// How the standing of a product is drawn.
    pub fn status(&self, status: &Status) -> Style {
        match status {
            Status::Proposed => self.proposed,
            Status::Approved => self.approved,
            Status::Edited => self.edited,
            Status::Rejected { .. } => self.rejected,
            Status::Review { .. } => self.review,
        }
    }
}

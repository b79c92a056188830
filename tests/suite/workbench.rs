//! The workbench without a terminal: every pane over a small session, as keys reach it and as it is drawn.

mod bridge;
mod datasets;
mod evaluation;
mod random;
mod rewards;
mod shell;
pub mod stand;

//! The workbench without a terminal: every pane over a small session, as keys reach it and as it is drawn.

mod bridge;
mod datasets;
mod evaluation;
mod look;
mod prompts;
mod questions;
mod random;
mod recycle;
mod rewards;
mod rollouts;
mod shell;
pub mod stand;

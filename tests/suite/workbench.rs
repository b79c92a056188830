//! The workbench without a terminal: every pane over a small session, as keys reach it and as it is drawn; and with
//! one, in a pseudo-terminal.

mod bridge;
mod cells;
mod datasets;
mod evaluation;
mod home;
mod look;
mod prompts;
#[cfg(unix)]
mod pty;
mod questions;
mod random;
mod recycle;
mod rewards;
mod rollouts;
mod run;
mod shell;
pub mod stand;
mod themes;

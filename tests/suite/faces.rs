//! The screen without a terminal (update table, vt100 snapshots, random input) and with one (a pty around a scripted
//! run).

mod child;
mod lines;
#[cfg(unix)]
mod pty;
mod random;
pub mod script;
mod snapshots;
mod updates;

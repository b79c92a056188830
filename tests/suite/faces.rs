//! The screen without a terminal (update table, vt100 snapshots, random input) and with one (a pty around a scripted
//! run).

mod pty;
mod random;
mod script;
mod snapshots;
mod updates;

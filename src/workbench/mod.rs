//! The terminal screen.

pub mod text;

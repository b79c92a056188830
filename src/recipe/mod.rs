//! A run as typed TOML: every number of the paper is a field with its default.

pub mod types;

pub use types::*;

//! A run as typed TOML: every number of the paper is a field with its default.

mod defaults;
pub mod types;

pub use types::*;

//! The paper's vocabulary: questions, verifiers, bands, steps, bridge decisions, rollouts, diagnoses, data sets.
//!
//! Pure: no I/O, no tensors, no clock, no async. Every rule of the paper is a small function with a table test.

pub mod types;

pub use types::*;

//! Batched generation.

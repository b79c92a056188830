//! Questions from files, and the generated world of the demo.

pub mod jsonl;
pub mod world;

pub use jsonl::DataError;

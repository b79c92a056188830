//! Questions from files, the benchmarks by name, the hub they come from, and the generated world.

pub mod benchmarks;
pub mod check;
mod columnar;
mod delimited;
mod error;
pub mod hub;
mod json;
pub mod jsonl;
mod mapping;
mod pick;
mod rows;
pub mod source;
mod text;
pub mod world;

pub use benchmarks::{BENCHMARKS, Benchmark};
pub use error::{DataError, Place};
pub use mapping::Mapping;
pub use pick::Pick;
pub use rows::{Format, Rows};
pub use source::{Source, SourceSpec, open};

//! What a run leaves for others: its report as data, as text, as JSON.

mod gather;
mod report;
mod text;

pub use gather::gather;
pub use report::{AllZero, Bands, CheckpointRow, Grpo, Report, Results, SampleCount, Timing};

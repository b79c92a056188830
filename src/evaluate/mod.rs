//! Accuracy, parse rate, mean@n and unbiased pass@k of one checkpoint on one set of questions, and paired differences
//! between two checkpoints, all with 95 % intervals.

mod measure;
mod paired;
mod splits;
mod tally;

pub use measure::{Estimate, Measure, by_steps, mean_of_columns, measure};
pub use paired::{Answers, Change, Changes, FormatControl, RESAMPLES, Values, changes, format_control, values};
pub use splits::{BySplit, DEV};
pub use tally::{Figures, Tally, average};

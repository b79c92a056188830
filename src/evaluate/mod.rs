//! Accuracy, parse rate, mean@n and unbiased pass@k of one checkpoint on one set of questions, with 95 % intervals.

mod measure;

pub use measure::{Estimate, Measure, by_steps, mean_of_columns, measure};

//! Accuracy, pass@k, intervals, controls, and the report of a run.

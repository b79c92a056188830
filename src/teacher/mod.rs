//! Who writes traces, judges steps, edits them and diagnoses failures.

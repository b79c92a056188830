//! Tests of train.

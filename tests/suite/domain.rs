//! Tests of domain: the paper's rules against the fixtures, and against any text at all.
#![allow(clippy::print_stdout)]

mod any_text;
mod diagnoses;
mod fixtures;
mod real_text;
mod rules;
mod steps;
mod verifiers;

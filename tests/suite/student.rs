//! Tests of student: parity with the reference, saving, and what is said about broken folders.

mod adapter;
mod faults;
pub mod fixtures;
mod formats;
mod parity;
mod places;
mod qwen3;
mod real;
mod saving;
mod steps;
mod text;
mod textbook;
mod verbs;

//! Tests of student: parity with the reference, saving, and what is said about broken folders.

mod faults;
pub mod fixtures;
mod parity;
mod real;
mod saving;
mod steps;
mod text;
mod textbook;

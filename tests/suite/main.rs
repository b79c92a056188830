//! One test binary for everything that crosses a module, so that the crate is linked once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod cli;
mod data;
mod device;
mod domain;
mod eval;
mod faces;
mod floors;
mod pipeline;
mod prompts;
mod realdata;
mod recipe;
mod report;
mod review;
mod sample;
mod score;
mod session;
mod student;
mod teacher_http;
mod teacher_model;
mod train;
mod workbench;
mod world;

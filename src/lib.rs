//! Footbridge: a workbench that teaches small language models to reason.
//!
//! The house, ground floor first; no import runs up, none in a circle (see `ARCHITECTURE.md`):
//!
//! | floor | modules | what lives there |
//! |---|---|---|
//! | ground | [`domain`] | the paper's vocabulary; pure functions, no I/O, no tensors, no clock |
//! | 1 | [`recipe`], [`data`], [`session`], [`teacher`], [`student`] | a run as typed TOML; questions; records; traces and diagnoses; the transformer |
//! | 2 | [`sample`], [`train`] | batched generation; SFT and GRPO |
//! | 3 | [`pipeline`], [`evaluate`], [`export`] | the loop, its stages and its engine thread; accuracy and intervals; what is taken away |
//! | 4 | [`workbench`], [`cli`] | the terminal screen; the shell's verbs |

pub mod cli;
pub mod data;
pub mod domain;
pub mod evaluate;
pub mod export;
pub mod pipeline;
pub mod recipe;
pub mod sample;
pub mod session;
pub mod student;
pub mod teacher;
pub mod train;
pub mod workbench;

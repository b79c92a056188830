//! The loop: stages, their order and gates, the engine thread, events and commands.
//!
//! [`run::start`] runs a session on a thread of its own; faces read its events and send it commands. Stages
//! ([`stages`]) are resumable functions over records; the engine ([`engine`]) owns the device and every tensor.

pub mod asking;
pub mod checkpoints;
pub mod context;
pub mod control;
pub mod emit;
pub mod engine;
pub mod events;
pub mod fit;
pub mod frames;
pub mod gates;
pub mod lessons;
pub mod material;
pub mod parallel;
pub mod plan;
pub mod pretrain;
pub mod review;
pub mod run;
pub mod seeds;
pub mod spent;
pub mod stages;
pub mod supported;
pub mod workshop;

//! The loop: stages, their order and gates, the engine thread, events and commands.
//!
//! [`run::start`] runs a session on a thread of its own; faces read its events and send it commands. Stages
//! ([`stages`]) are resumable functions over records; the engine ([`engine`]) owns the device and every tensor.

pub mod answers;
pub mod asking;
pub mod begun;
pub mod checkpoints;
pub mod context;
pub mod control;
pub mod emit;
mod ending;
pub mod engine;
pub mod events;
mod fault;
pub mod files;
pub mod fit;
pub mod forecast;
pub mod frames;
pub mod gates;
pub mod lessons;
pub mod local_teacher;
pub mod locate;
pub mod material;
pub mod memory;
pub mod outlook;
pub mod parallel;
pub mod plan;
pub mod pretrain;
pub mod prompting;
pub mod recorded;
mod replies;
pub mod review;
pub mod run;
pub mod seeds;
pub mod specimen;
pub mod spent;
pub mod stages;
pub mod supported;
pub mod teaching;
pub mod token_logs;
pub mod trial;
pub mod tryout;
pub mod workshop;

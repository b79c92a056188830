//! The loop: stages, their order and gates, the engine thread, events and commands.

pub mod events;
pub mod pretrain;

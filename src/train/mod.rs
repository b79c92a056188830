//! SFT, GRPO, their losses, the optimizer and the schedule.

pub mod adamw;
pub mod gradients;
pub mod grpo;
pub mod parameters;
pub mod schedule;
pub mod shards;

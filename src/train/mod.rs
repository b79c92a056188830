//! SFT, GRPO, their losses, the optimizer and the schedule.
//!
//! | file | idea |
//! |---|---|
//! | `sft` | eq. 21, a textbook page |
//! | `grpo` | eqs. 22 to 28, a textbook page |
//! | `grpo_step` | rollouts in, updates out |
//! | `schedule` | learning rates |
//! | `adamw` | the optimizer |
//! | `gradients` | gradients on the host, their norm, the clip |
//! | `trainer` | from a batch to an update, on many threads |
//! | `checkpointed` | backward with less memory |
//! | `batch`, `shards`, `ordered` | what goes through the model at once, and the order in which it is summed |
//! | `state` | a training run as bytes |

pub mod adamw;
pub mod batch;
pub mod checkpointed;
pub mod error;
pub mod gradients;
pub mod grpo;
pub mod grpo_step;
pub mod ordered;
pub mod schedule;
pub mod sft;
pub mod shards;
pub mod state;
pub mod trainer;

pub use error::TrainError;
pub use grpo_step::{Group, GrpoMetrics, LogProbs, MiniBatch, UpdateMetrics};
pub use sft::SftMetrics;
pub use trainer::Trainer;

//! One file per stage. A stage lists what is missing in the session and does only that.

pub mod bridge;
pub mod difficulty;
pub mod evaluate;
pub mod grpo;
pub mod recycle;
pub mod rollouts;
pub mod scores;
pub mod sft_bridged;
pub mod sft_medium;
pub mod sft_recycled;
pub mod split;
pub mod traces;

//! SFT, GRPO, their losses, the optimizer and the schedule.

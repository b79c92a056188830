//! What runs on a device that is not the CPU, run on the CPU: the same operations, by the backend that is always there.

#[path = "device/sampling.rs"]
mod sampling;
#[path = "device/training.rs"]
mod training;
#[path = "device/verbs.rs"]
mod verbs;

//! What a panic on a thread of ours, or of a device's library, says, and what it means for the run.

use super::engine::EngineError;
use crate::student::device::{Placed, lose, of_panic, try_out};

/// A panic on the engine thread: a fault of ours, or of the device, whose library has no other way to say so.
pub(super) fn died(placed: &Placed, panic: &(dyn std::any::Any + Send)) -> EngineError {
    let answers = if placed.is_cpu() { Ok(()) } else { try_out(&placed.device) };
    fault(placed, of_panic(panic), answers)
}

/// The fault that `said` this, on a device that still `answers` or does not.
pub(super) fn fault(placed: &Placed, said: String, answers: Result<(), String>) -> EngineError {
    let Some(index) = placed.index else { return EngineError::Died(said) };
    match answers {
        // Too little memory, for one, passes.
        Ok(()) => EngineError::Died(format!("{said} (on {})", placed.name)),
        Err(_) => {
            lose(index, &said);
            EngineError::Lost(format!("{said} (on {})", placed.name))
        }
    }
}

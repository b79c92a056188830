//! Pause and cancel: two flags that every long loop looks at between two items.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::events::Command;

/// The researcher asked the run to stop. Everything written so far is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

#[derive(Debug, Default)]
struct Flags {
    paused: bool,
    cancelled: bool,
    gate: u32,
}

/// Shared by the faces (which set the flags) and the loop (which obeys them).
#[derive(Clone, Debug, Default)]
pub struct Control {
    inner: Arc<(Mutex<Flags>, Condvar)>,
}

impl Control {
    /// Nothing paused, nothing cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies one command.
    pub fn apply(&self, command: &Command) {
        let (flags, woken) = &*self.inner;
        // A thread that panicked while it held the lock leaves plain flags behind: they are still good.
        let mut flags = flags.lock().unwrap_or_else(PoisonError::into_inner);
        match command {
            Command::Pause => flags.paused = true,
            Command::Resume => flags.paused = false,
            Command::Cancel => flags.cancelled = true,
            Command::PassGate => flags.gate += 1,
        }
        woken.notify_all();
    }

    /// Stands still while paused; an error once cancelled.
    pub fn check(&self) -> Result<(), Cancelled> {
        let (flags, woken) = &*self.inner;
        let mut flags = flags.lock().unwrap_or_else(PoisonError::into_inner);
        while flags.paused && !flags.cancelled {
            flags = woken.wait(flags).unwrap_or_else(PoisonError::into_inner);
        }
        if flags.cancelled { Err(Cancelled) } else { Ok(()) }
    }

    /// Whether work stands still.
    pub fn paused(&self) -> bool {
        self.inner.0.lock().unwrap_or_else(PoisonError::into_inner).paused
    }

    /// Waits until a gate is passed or the run is cancelled. One `PassGate` passes one gate.
    pub fn wait_for_gate(&self) -> Result<(), Cancelled> {
        let (flags, woken) = &*self.inner;
        let mut flags = flags.lock().unwrap_or_else(PoisonError::into_inner);
        while flags.gate == 0 && !flags.cancelled {
            flags = woken.wait(flags).unwrap_or_else(PoisonError::into_inner);
        }
        if flags.cancelled {
            return Err(Cancelled);
        }
        flags.gate -= 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancel_wins_over_a_pause() {
        let control = Control::new();
        assert_eq!(control.check(), Ok(()));
        control.apply(&Command::Pause);
        assert!(control.paused());
        control.apply(&Command::Cancel);
        assert_eq!(control.check(), Err(Cancelled));
    }

    #[test]
    fn one_pass_passes_one_gate() {
        let control = Control::new();
        control.apply(&Command::PassGate);
        assert_eq!(control.wait_for_gate(), Ok(()));
        control.apply(&Command::Cancel);
        assert_eq!(control.wait_for_gate(), Err(Cancelled));
    }
}

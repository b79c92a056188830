//! Exit codes are part of the interface: scripts read them, so there are four and each means one thing.

use std::fmt;
use std::process::ExitCode;

use crate::student::device::Placed;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: what was asked for is done.
    Done,
    /// 1: it was tried and failed.
    Failed,
    /// 2: the command line or an input is wrong; nothing was begun.
    Usage,
    /// 130: stopped by the researcher or a signal; a run can be resumed.
    Interrupted,
}

impl Exit {
    /// The number the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

/// Why a verb could not do what was asked, in plain words: what happened, where, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The code the program ends with.
    pub exit: Exit,
    /// One line for the researcher, without a trailing full stop or newline.
    pub message: String,
}

impl Failure {
    /// Bad usage or bad input (exit code 2).
    pub fn usage(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, message: message.to_string() }
    }

    /// It was tried and failed (exit code 1).
    pub fn failed(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Failed, message: message.to_string() }
    }
}

/// Does what computes on a device; a fault of the device is a failure like any other.
///
/// # Errors
/// Those of `work`, and what the device said.
pub fn on_device<T>(placed: &Placed, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let done = placed.guarded(work);
    done.unwrap_or_else(|said| Err(Failure::failed(format!("{} failed: {said}; see `footbridge doctor`", placed.name))))
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<crate::pipeline::begun::BegunError> for Failure {
    /// A session whose recipe cannot be read: nothing was begun.
    fn from(error: crate::pipeline::begun::BegunError) -> Self {
        Self::usage(error)
    }
}

impl From<crate::teacher::TeacherError> for Failure {
    /// A teacher that cannot be asked: it was tried and failed.
    fn from(error: crate::teacher::TeacherError) -> Self {
        Self::failed(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_has_its_own_code() {
        let codes = [Exit::Done, Exit::Failed, Exit::Usage, Exit::Interrupted].map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 130]);
    }

    #[test]
    fn failures_carry_their_code_and_their_words() {
        let bad = Failure::usage("no such session");
        assert_eq!((bad.exit, bad.to_string()), (Exit::Usage, "no such session".to_string()));
        assert_eq!(Failure::failed("disk full").exit, Exit::Failed);
    }
}

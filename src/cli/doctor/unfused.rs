//! The comparison once more without fusion, in a build that has it (feature `fusion`).
//!
//! burn reads once per process how much it may join, so the other way needs a process of its own: this program again, with
//! burn's search for what could be joined ended before it begins ([`SEARCHES`] = 0). Every operation then runs alone, by the
//! kernels of a build without the feature.

use std::process::{Command, Output, Stdio};

use super::parity::{ParityError, Report};
use crate::cli::bench::args::BenchShape;
use crate::recipe::DeviceChoice;

/// burn's limit of searches for operations to join, in the environment.
pub const SEARCHES: &str = "BURN_FUSION_MAX_EXPLORATIONS";

/// Whether this process joins operations on a device.
pub fn fuses() -> bool {
    cfg!(feature = "fusion") && std::env::var(SEARCHES).map_or(true, |limit| limit.trim() != "0")
}

/// Compares in a process that joins nothing. What it tells goes to stderr as it comes.
///
/// # Errors
/// [`ParityError::Unfused`], where the process does not begin or gives no report.
pub fn compare(device: DeviceChoice, which: &[BenchShape]) -> Result<Report, ParityError> {
    let program = std::env::current_exe().map_err(|error| ParityError::Unfused(error.to_string()))?;
    let shapes: Vec<&str> = which.iter().map(|shape| shape.name()).collect();
    let output = Command::new(program)
        .args(["doctor", "--parity", "--json", "--device", &device.to_string(), "--shape", &shapes.join(",")])
        .env(SEARCHES, "0")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| ParityError::Unfused(error.to_string()))?;
    read(&output)
}

/// The report of a process. Its exit code says again what the rows say, so a report counts whatever the code.
fn read(output: &Output) -> Result<Report, ParityError> {
    let Output { status, stdout, .. } = output;
    serde_json::from_slice(stdout).map_err(|error| ParityError::Unfused(format!("it ended with {status}, and {error}")))
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::super::parity::Row;
    use super::*;

    fn ended(code: i32, stdout: &str) -> Output {
        Output { status: ExitStatus::from_raw(code << 8), stdout: stdout.into(), stderr: Vec::new() }
    }

    #[test]
    fn a_report_is_read_back_whole_whatever_its_verdict_and_nothing_else_is() {
        let row = Row {
            shape: "world".into(),
            precision: "bf16".into(),
            fused: false,
            what: "logits".into(),
            off: 0.25,
            allowed: 0.05,
            fine: false,
        };
        let report = Report { device: "a GPU".into(), rows: vec![row] };
        let read = |code, text: &str| read(&ended(code, text));
        let found = read(1, &serde_json::to_string(&report).unwrap()).unwrap();
        assert_eq!((found.device, found.rows), (report.device, report.rows));
        let said = read(101, "").unwrap_err().to_string();
        assert!(said.contains("101") && said.contains("without fusion"), "{said}");
    }

    #[test]
    fn only_a_build_with_fusion_fuses() {
        // Tests run without the variable.
        assert_eq!(fuses(), cfg!(feature = "fusion"));
    }
}

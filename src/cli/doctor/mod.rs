//! `footbridge doctor`: what this build and this machine can compute on, what is missing, and what to do about it; with
//! `--parity`, whether a device computes what the CPU computes.
//!
//! | file | idea |
//! |---|---|
//! | `args` | what is asked |
//! | `facts` | what was found, as data |
//! | `cuda` | what a driver, a compiler and their devices say |
//! | `parity`, `measures` | a device beside the CPU's kernels: what is run, and how far the two are apart |
//! | `unfused` | the same once more without fusion |
//! | `lines` | findings as lines |

pub mod args;
pub mod cuda;
pub mod facts;
mod lines;
pub mod measures;
pub mod parity;
pub mod unfused;

use args::DoctorArgs;

use super::exit::{Exit, Failure, on_device};
use super::out;
use crate::recipe::{ComputeChoice, DeviceChoice};
use crate::student::device::{Placed, place};

/// Says what was found, or compares. The exit code is 1 where the device that was asked for does not compute, or
/// computes something else.
pub fn run(args: &DoctorArgs) -> Result<Exit, Failure> {
    let choice = args.device.choice.unwrap_or_default();
    if args.parity {
        return compare(args, choice);
    }
    let facts = facts::Facts::of(choice);
    let fine = facts.device.is_ok();
    let text = if args.json { serde_json::to_string(&facts).map_err(Failure::failed)? } else { lines::facts(&facts) };
    let _ = if args.json { out::json_line(&text)? } else { out::stdout(&text)? };
    Ok(if fine { Exit::Done } else { Exit::Failed })
}

fn compare(args: &DoctorArgs, choice: DeviceChoice) -> Result<Exit, Failure> {
    let placed = place(choice, ComputeChoice::Auto).map_err(Failure::usage)?;
    let which = shapes(args, &placed);
    let compared = || parity::run(&placed, &which, &mut out::stderr).map_err(Failure::failed);
    let mut report = on_device(&placed, compared)?;
    if unfused::fuses() && !placed.is_cpu() {
        // The device's memory is for the other process now.
        placed.give_back();
        out::stderr("once more, without fusion");
        report.rows.extend(unfused::compare(choice, &which).map_err(Failure::failed)?.rows);
    }
    let fine = report.rows.iter().all(|row| row.fine);
    let text =
        if args.json { serde_json::to_string(&report).map_err(Failure::failed)? } else { lines::parity(&report) };
    let _ = if args.json { out::json_line(&text)? } else { out::stdout(&text)? };
    Ok(if fine { Exit::Done } else { Exit::Failed })
}

/// The shapes asked for; without any, the world's student, and on a GPU one of half a billion parameters too.
fn shapes(args: &DoctorArgs, placed: &Placed) -> Vec<super::bench::args::BenchShape> {
    use super::bench::args::BenchShape::{Qwen, World};
    match (args.shape.is_empty(), placed.is_cpu()) {
        (false, _) => args.shape.clone(),
        (true, true) => vec![World],
        (true, false) => vec![World, Qwen],
    }
}

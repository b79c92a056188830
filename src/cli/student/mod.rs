//! `footbridge student`: shows a student, saves one, makes one with random weights, says what it computes and what memory
//! it takes.

pub mod args;
mod logits;
mod measure;
mod show;

use burn::tensor::Device;

use args::{StudentArgs, StudentVerb};

use super::exit::{Exit, Failure};
use super::{out, start};
use crate::pipeline::locate::{Place, locate};
use crate::recipe::ComputeChoice;
use crate::student::{device, random};

/// Does what `args` asks.
pub fn run(args: &StudentArgs) -> Result<Exit, Failure> {
    match &args.verb {
        StudentVerb::Show { student, threads, recipe, json } => {
            let shown = show::of(student, recipe.as_deref(), start::threads(*threads))?;
            let _ = if *json { out::json_line(&shown.json()?)? } else { out::stdout(&shown.text())? };
        }
        StudentVerb::Random { shape, tokenizer, seed, shards, out: folder } => {
            let config = random::Shape::from(*shape).json();
            let mut tell = |file: &str| out::stderr(&format!("{}: {file}", folder.display()));
            random::write(&config, tokenizer, *seed, usize::from(*shards), folder, &mut tell)
                .map_err(Failure::usage)?;
        }
        StudentVerb::Save { student, out: folder } => {
            if folder.exists() {
                return Err(Failure::usage(format!("{} is already there; name a new folder", folder.display())));
            }
            let student = place(student)?.load(&Device::flex()).map_err(Failure::usage)?;
            student.save(folder).map_err(Failure::failed)?;
        }
        StudentVerb::Logits { student, text, last, greedy, device } => {
            let placed = device::place(device.choice.unwrap_or_default(), ComputeChoice::Auto);
            let placed = placed.map_err(Failure::usage)?;
            let _ = out::json_line(&logits::of(student, text, (*last, *greedy), &placed)?)?;
        }
        StudentVerb::Measure { .. } => {
            let _ = out::stdout(&measure::run(&args.verb)?)?;
        }
    }
    Ok(Exit::Done)
}

/// Where the student is; a download is told on stderr.
fn place(word: &str) -> Result<Place, Failure> {
    locate(word, &mut out::stderr).map_err(Failure::usage)
}

//! `footbridge student`: shows a student, saves one, makes one with random weights, says what it computes and what memory
//! it takes.

pub mod args;
mod logits;
mod measure;
mod show;

use burn::tensor::Device;

use args::{StudentArgs, StudentVerb};

use super::exit::{Exit, Failure, on_device};
use super::student_word::place;
use super::{out, start};
use crate::recipe::ComputeChoice;
use crate::session::Sessions;
use crate::student::{device, random};

/// Does what `args` asks.
pub fn run(args: &StudentArgs) -> Result<Exit, Failure> {
    let sessions = Sessions::at(&args.sessions.path);
    match &args.verb {
        StudentVerb::Show { student, threads, recipe, json } => {
            let shown = show::of((student, &place(student, &sessions)?), recipe.as_deref(), start::threads(*threads))?;
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
            let student = place(student, &sessions)?.load(&Device::flex()).map_err(Failure::usage)?;
            student.save(folder).map_err(Failure::failed)?;
        }
        StudentVerb::Logits { student, text, last, greedy, device } => {
            let placed = device::place(device.choice.unwrap_or_default(), ComputeChoice::Auto);
            let placed = placed.map_err(Failure::usage)?;
            let named = (student.as_str(), &place(student, &sessions)?);
            let computed = on_device(&placed, || logits::of(named, text, (*last, *greedy), &placed))?;
            let _ = out::json_line(&computed)?;
        }
        StudentVerb::Measure { student, .. } => {
            let _ = out::stdout(&measure::run(&args.verb, &place(student, &sessions)?)?)?;
        }
    }
    Ok(Exit::Done)
}

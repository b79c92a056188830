//! A checkpoint for other programs: a Hugging Face folder, or the PEFT folder of an adapter.

use std::fs;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::pipeline::engine::EngineError;
use crate::pipeline::plan::BASE;
use crate::pipeline::workshop::base;
use crate::recipe::Recipe;
use crate::session::{Session, SessionError};
use crate::student::lora::ADAPTER_WEIGHTS;
use crate::student::{Student, StudentError};

/// Why a checkpoint could not be taken out.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The session or its checkpoint could not be read.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The base could not be loaded.
    #[error(transparent)]
    Base(#[from] EngineError),
    /// The adapter does not fit the base, or the result could not be written.
    #[error(transparent)]
    Student(#[from] StudentError),
    /// There is no checkpoint of this name.
    #[error("session `{session}` has no checkpoint `{wanted}`; it has {there}")]
    NoCheckpoint {
        /// The session.
        session: String,
        /// What was asked for.
        wanted: String,
        /// What there is.
        there: String,
    },
    /// The target is there already.
    #[error("{0} is there already; name a folder that is not, or remove it first")]
    Exists(PathBuf),
    /// A file could not be written.
    #[error("cannot write {path}: {source}; check that the disk has room and the folder can be written")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Writes checkpoint `id` of a session to the new folder `out`. An adapter is written as PEFT keeps it, or, `merged`, added
/// into its base as a student of its own. Says what was written, in one line.
///
/// # Errors
/// [`ExportError`]; a folder begun is left out of place, never half in it.
pub fn weights(session: &Session, recipe: &Recipe, id: &str, merged: bool, out: &Path) -> Result<String, ExportError> {
    if out.exists() {
        return Err(ExportError::Exists(out.to_path_buf()));
    }
    let store = session.checkpoints();
    let there = store.list()?;
    if id != BASE && !there.iter().any(|have| have == id) {
        let there = there.iter().map(String::as_str).chain([BASE]).collect::<Vec<_>>().join(", ");
        let (session, wanted) = (session.name().to_owned(), id.to_owned());
        return Err(ExportError::NoCheckpoint { session, wanted, there });
    }
    if id == BASE {
        base(&recipe.student)?.save(out)?;
        return Ok(format!("the base of {}", session.name()));
    }
    let checkpoint = store.load(id)?;
    let adapter = checkpoint.files.get(ADAPTER_WEIGHTS);
    match adapter {
        Some(bytes) if merged => {
            let adapted: Student = base(&recipe.student)?.with_adapter_weights(&recipe.student.lora, bytes)?;
            adapted.save(out)?;
            Ok(format!("{id} of {}, its adapter merged into the base", session.name()))
        }
        _ => {
            copy(&checkpoint.files, out)?;
            let kind = if adapter.is_some() { "adapter (PEFT)" } else { "whole model" };
            Ok(format!("{id} of {}, {kind}", session.name()))
        }
    }
}

fn copy(files: &std::collections::BTreeMap<String, Vec<u8>>, out: &Path) -> Result<(), ExportError> {
    let fault = |path: &Path| {
        let path = path.to_path_buf();
        move |source| ExportError::Write { path, source }
    };
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let fresh = out.with_file_name(format!(".{name}.new-{}", std::process::id()));
    fs::create_dir_all(&fresh).map_err(fault(&fresh))?;
    for (name, bytes) in files {
        let path = fresh.join(name);
        let written = fs::write(&path, bytes).and_then(|()| fs::File::open(&path)?.sync_all());
        written.map_err(fault(&path))?;
    }
    fs::rename(&fresh, out).map_err(fault(out))
}

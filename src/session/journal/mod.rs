//! The journal: numbered segments of checksummed frames, appended to and never changed.

pub(crate) mod frame;
pub(crate) mod reader;
pub(crate) mod writer;

use std::fs;
use std::path::{Path, PathBuf};

use super::error::{Result, SessionError};

/// `journal/000001.fbj`.
pub(crate) fn segment_path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:06}.fbj"))
}

/// The segments of a journal in order. Files that are not segments (what `repair` moved aside) are left out.
pub(crate) fn segments(dir: &Path) -> Result<Vec<(u32, PathBuf)>> {
    let entries = fs::read_dir(dir).map_err(|e| SessionError::disk("read the folder", dir, e))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| SessionError::disk("read the folder", dir, e))?.path();
        if let Some(number) = segment_number(&path) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}

/// The number in a segment's file name.
pub(crate) fn segment_number(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.strip_suffix(".fbj")?.parse().ok()
}

//! Small file operations that are safe against a crash: write aside, sync, rename, sync the folder.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use super::error::{Result, SessionError};

/// Makes a rename or a new file in `dir` durable. On systems that cannot sync folders this does nothing.
pub(crate) fn sync_dir(dir: &Path) -> Result<()> {
    #[cfg(unix)]
    File::open(dir).and_then(|d| d.sync_all()).map_err(|e| SessionError::disk("sync the folder", dir, e))?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

/// Writes a new file and syncs it.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|e| SessionError::disk("write", path, e))
}

/// Replaces a file without waiting for the disk; for content that is a convenience only.
pub(crate) fn replace_unsynced(path: &Path, bytes: &[u8]) -> Result<()> {
    let aside = path.with_extension("tmp");
    fs::write(&aside, bytes).map_err(|e| SessionError::disk("write", &aside, e))?;
    rename(&aside, path)
}

pub(crate) fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|e| SessionError::disk("move", from, e))
}

pub(crate) fn create_dir_all(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).map_err(|e| SessionError::disk("create the folder", dir, e))
}

pub(crate) fn remove_dir_all(dir: &Path) -> Result<()> {
    fs::remove_dir_all(dir).map_err(|e| SessionError::disk("remove", dir, e))
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|e| SessionError::disk("read", path, e))
}

/// Bytes in all files below a folder, and the newest modification time in unix milliseconds. What vanishes meanwhile
/// is left out.
pub(crate) fn size_and_change(dir: &Path) -> (u64, u64) {
    let mut sum = (0, 0);
    let Ok(entries) = fs::read_dir(dir) else { return sum };
    for entry in entries.flatten() {
        let Ok(meta) = entry.metadata() else { continue };
        let (bytes, changed) = if meta.is_dir() {
            size_and_change(&entry.path())
        } else {
            (meta.len(), meta.modified().map_or(0, unix_millis_of))
        };
        sum = (sum.0 + bytes, sum.1.max(changed));
    }
    sum
}

/// Unix time in milliseconds.
pub(crate) fn unix_millis_of(time: std::time::SystemTime) -> u64 {
    time.duration_since(std::time::UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// Now, in unix milliseconds.
pub(crate) fn unix_millis() -> u64 {
    unix_millis_of(std::time::SystemTime::now())
}

/// `2026-11-21T03:04:05Z`, or the bare number where it is out of range.
pub fn show_time(millis: u64) -> String {
    i64::try_from(millis)
        .ok()
        .and_then(|m| jiff::Timestamp::from_second(m.div_euclid(1000)).ok())
        .map_or_else(|| format!("{millis} ms"), |t| t.to_string())
}

/// `12.3 MiB`.
pub fn show_size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let exact = bytes as f64;
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", exact / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", exact / 1_048_576.0),
        _ => format!("{:.1} GiB", exact / 1_073_741_824.0),
    }
}

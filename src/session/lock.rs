//! One writer per session: an advisory lock on `lock`, released by the system even when the process is killed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use super::error::{Result, SessionError};
use super::files;

/// Held as long as the session is open for writing.
#[derive(Debug)]
pub(crate) struct SessionLock {
    _file: File,
}

impl SessionLock {
    /// Takes the lock, or names who has it.
    pub fn take(name: &str, path: &Path) -> Result<Self> {
        let disk = |e| SessionError::disk("open", path, e);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(disk)?;
        if !try_for_a_moment(&file, path)? {
            return Err(SessionError::InUse { name: name.to_owned(), holder: holder(path) });
        }
        let text = format!("process {} since {}\n", std::process::id(), files::show_time(files::unix_millis()));
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(text.as_bytes())
        };
        write(&mut file).map_err(|e| SessionError::disk("write", path, e))?;
        Ok(Self { _file: file })
    }
}

/// Who holds the lock (`process 123 since ...`), or `None` if nobody does. Needs no right to write.
pub(crate) fn held_by(path: &Path) -> Option<String> {
    let file = File::open(path).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(holder(path)),
        _ => None,
    }
}

/// A look by [`held_by`] takes the lock for an instant; wait that out before saying that the session is in use.
fn try_for_a_moment(file: &File, path: &Path) -> Result<bool> {
    for _ in 0..5 {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
            Err(TryLockError::Error(e)) => return Err(SessionError::disk("lock", path, e)),
        }
    }
    Ok(false)
}

fn holder(path: &Path) -> String {
    let mut text = String::new();
    let read = File::open(path).and_then(|f| f.take(200).read_to_string(&mut text));
    match (read, text.lines().next()) {
        (Ok(_), Some(line)) if line.starts_with("process ") => line.escape_debug().to_string(),
        _ => "another process".to_owned(),
    }
}

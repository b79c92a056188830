//! Appends frames to the last segment and begins a new one when it is large.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::error::{Result, SessionError};
use super::super::files;
use super::frame::{self, Payload};
use super::reader::Tail;
use super::segment_path;

/// A segment that has grown to this many bytes is closed.
const SEGMENT_BYTES: u64 = 64 << 20;

/// Where a frame was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Appended {
    /// Its number.
    pub sequence: u64,
    /// Its segment.
    pub segment: u32,
    /// Its first byte within the segment.
    pub offset: u64,
}

/// The writing end of a journal. Only the holder of the session's lock has one.
#[derive(Debug)]
pub(crate) struct Writer {
    dir: PathBuf,
    segment: u32,
    path: PathBuf,
    file: Arc<File>,
    length: u64,
    next: u64,
}

impl Writer {
    /// Makes the first, empty segment.
    pub fn create(dir: &Path) -> Result<()> {
        files::create_dir_all(dir)?;
        files::write_synced(&segment_path(dir, 1), &[])?;
        files::sync_dir(dir)
    }

    /// Goes on after the last whole frame, cutting off what is torn behind it. `last` is that frame's number.
    pub fn open(dir: &Path, tail: &Tail, last: u64) -> Result<Self> {
        let path = segment_path(dir, tail.segment);
        let disk = |e| SessionError::disk("write", &path, e);
        let mut file = OpenOptions::new().read(true).write(true).open(&path).map_err(disk)?;
        if tail.torn > 0 {
            file.set_len(tail.good).and_then(|()| file.sync_all()).map_err(disk)?;
        }
        file.seek(SeekFrom::Start(tail.good)).map_err(disk)?;
        let (dir, file) = (dir.to_path_buf(), Arc::new(file));
        Ok(Self { dir, segment: tail.segment, path, file, length: tail.good, next: last + 1 })
    }

    /// Writes one frame without syncing it; gives its place. With an error comes whether nothing of the frame is left
    /// in the file; otherwise no further frame may follow.
    pub fn append(&mut self, payload: &Payload) -> std::result::Result<Appended, (SessionError, bool)> {
        if self.length >= SEGMENT_BYTES {
            self.rotate().map_err(|e| (e, false))?;
        }
        let bytes = frame::encode(self.next, files::unix_millis(), payload);
        if let Err(e) = (&*self.file).write_all(&bytes) {
            let undone =
                self.file.set_len(self.length).is_ok() && (&*self.file).seek(SeekFrom::Start(self.length)).is_ok();
            return Err((SessionError::disk("write", &self.path, e), undone));
        }
        let appended = Appended { sequence: self.next, segment: self.segment, offset: self.length };
        self.length += bytes.len() as u64;
        self.next += 1;
        Ok(appended)
    }

    /// Number of the last frame.
    pub fn last(&self) -> u64 {
        self.next - 1
    }

    /// The file to sync; a sync of it covers every frame appended so far.
    pub fn file(&self) -> (Arc<File>, PathBuf) {
        (Arc::clone(&self.file), self.path.clone())
    }

    fn rotate(&mut self) -> Result<()> {
        self.file.sync_all().map_err(|e| SessionError::disk("sync", &self.path, e))?;
        let path = segment_path(&self.dir, self.segment + 1);
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
        let file = file.map_err(|e| SessionError::disk("create", &path, e))?;
        files::sync_dir(&self.dir)?;
        (self.segment, self.path, self.file, self.length) = (self.segment + 1, path, Arc::new(file), 0);
        Ok(())
    }
}

/// Copies a file from `offset` to its end; keeps what `repair` is about to cut off.
pub(crate) fn copy_from(from: &Path, offset: u64, to: &Path) -> Result<()> {
    let copy = || {
        let mut source = File::open(from)?;
        source.seek(SeekFrom::Start(offset))?;
        let mut target = File::create(to)?;
        std::io::copy(&mut source, &mut target)?;
        target.sync_all()
    };
    copy().map_err(|e| SessionError::disk("copy to", to, e))
}

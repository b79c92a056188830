//! A checkpoint that is written piece by piece, each file with its length and SHA-256 told at the end, and the same two of
//! a file that is there: what memory should not hold twice goes through here.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::checkpoints::{CheckpointStore, FileEntry, MANIFEST, Manifest};
use super::error::{Result, SessionError};
use super::{files, meta};

/// Bytes that are handed on at once.
const PIECE: usize = 1 << 20;

/// A checkpoint that is being written. Dropped before [`Draft::finish`], it leaves nothing.
#[derive(Debug)]
pub struct Draft<'a> {
    store: &'a CheckpointStore,
    id: String,
    fresh: PathBuf,
    entries: Vec<FileEntry>,
    done: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn new(store: &'a CheckpointStore, id: &str, fresh: PathBuf) -> Self {
        Self { store, id: id.to_owned(), fresh, entries: Vec::new(), done: false }
    }

    /// Opens a file of it. It may be written on another thread; [`Draft::keep`] takes it back.
    ///
    /// # Errors
    /// A name that is not allowed, or the disk's refusal.
    pub fn file(&self, name: &str) -> Result<Written> {
        self.store.check_name(name)?;
        Written::create(&self.fresh.join(name))
    }

    /// Makes a file durable and takes it into the checkpoint.
    ///
    /// # Errors
    /// The disk's refusal.
    pub fn keep(&mut self, file: Written) -> Result<()> {
        self.entries.push(file.finish()?);
        Ok(())
    }

    /// Puts the checkpoint in its place. When this returns, it is durable.
    ///
    /// # Errors
    /// The disk's refusal.
    pub fn finish(mut self, about: Value) -> Result<Manifest> {
        let (id, files) = (self.id.clone(), std::mem::take(&mut self.entries));
        let manifest = Manifest { id, created: files::unix_millis(), about, files };
        let path = self.fresh.join(MANIFEST);
        files::write_synced(&path, &meta::to_json(&path, &manifest)?)?;
        files::sync_dir(&self.fresh)?;
        self.store.put_in_place(&self.id, &self.fresh)?;
        self.done = true;
        Ok(manifest)
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_dir_all(&self.fresh); // a half-written folder only takes space
        }
    }
}

/// A file on its way.
#[derive(Debug)]
pub struct Written {
    path: PathBuf,
    out: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl Written {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).map_err(|e| SessionError::disk("write", path, e))?;
        let out = BufWriter::with_capacity(PIECE, file);
        Ok(Self { path: path.to_path_buf(), out, hash: Sha256::new(), bytes: 0 })
    }

    /// Writes all of `bytes`.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(|e| SessionError::disk("write", &self.path, e))
    }

    /// Where it lies, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes it durable.
    pub(super) fn finish(mut self) -> Result<FileEntry> {
        let synced = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        synced.map_err(|e| SessionError::disk("write", &self.path, e))?;
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(FileEntry { name, bytes: self.bytes, sha256: hex::encode(self.hash.finalize()) })
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Length and SHA-256 (hexadecimal) of a file.
pub(super) fn digest(path: &Path) -> Result<(u64, String)> {
    let fault = |e| SessionError::disk("read", path, e);
    let mut file = File::open(path).map_err(fault)?;
    let (mut piece, mut hash, mut bytes) = (vec![0; PIECE], Sha256::new(), 0);
    loop {
        match file.read(&mut piece).map_err(fault)? {
            0 => return Ok((bytes, hex::encode(hash.finalize()))),
            read => {
                hash.update(&piece[..read]);
                bytes += read as u64;
            }
        }
    }
}

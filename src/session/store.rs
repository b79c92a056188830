//! Sled behind a border: its errors and panics become one line, and every write carries the journal's frame number.

use std::path::{Path, PathBuf};

use super::batch::StoreOp;
use super::error::{Result, SessionError, is_about_the_disk};
use super::quiet::caught;

/// Key of the last frame that was applied. Table names are never empty, so no record lies here.
const SEQUENCE: &[u8] = b"\0sequence";
/// Bytes sled may keep of its pages in memory; its default is 1 GiB.
const CACHE: u64 = 48 << 20;
/// The journal is what survives a crash, so sled may flush at leisure: a crash costs the replay of this much.
const FLUSH_MILLIS: u64 = 500;

/// The open store of one session.
#[derive(Debug)]
pub(crate) struct Store {
    name: String,
    path: PathBuf,
    db: sled::Db,
}

impl Store {
    /// Opens or creates the store.
    pub fn open(name: &str, path: &Path) -> Result<Self> {
        let config = sled::Config::new().path(path).cache_capacity(CACHE).flush_every_ms(Some(FLUSH_MILLIS));
        let db = guard(name, path, || open_patiently(&config))?;
        Ok(Self { name: name.to_owned(), path: path.to_path_buf(), db })
    }

    /// A damage report about this store.
    pub fn damaged(&self, what: &str) -> SessionError {
        SessionError::StoreDamaged { name: self.name.clone(), what: what.to_owned() }
    }

    /// Number of the last frame applied, 0 before the first.
    pub fn sequence(&self) -> Result<u64> {
        let Some(bytes) = self.guarded(|| self.db.get(SEQUENCE))? else { return Ok(0) };
        match bytes.as_ref().try_into() {
            Ok(bytes) => Ok(u64::from_le_bytes(bytes)),
            Err(_) => Err(self.damaged("its frame number is unreadable")),
        }
    }

    /// Applies a frame's changes together with its number, atomically.
    pub fn apply(&self, sequence: u64, ops: Vec<StoreOp>) -> Result<()> {
        let mut batch = sled::Batch::default();
        for (key, value) in ops {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        batch.insert(SEQUENCE, &sequence.to_le_bytes());
        self.guarded(|| self.db.apply_batch(batch))
    }

    /// The packed value under a store key.
    pub fn get(&self, key: &[u8]) -> Result<Option<sled::IVec>> {
        self.guarded(|| self.db.get(key))
    }

    /// All records whose store key begins with `prefix`, in order of their keys.
    pub fn range(&self, prefix: &[u8]) -> StoreRange<'_> {
        StoreRange { store: self, iter: Box::new(self.db.scan_prefix(prefix)), done: false }
    }

    /// Marks the store as one that a rescue has begun to replace: until it has a frame number again, every opening
    /// takes up the rescue anew. Without it, a crash in the middle could leave places of large values that are no more.
    pub fn outdate(&self) -> Result<()> {
        self.guarded(|| self.db.insert(SEQUENCE, &u64::MAX.to_le_bytes()))?;
        self.flush()
    }

    /// Forgets everything, the frame number first, so that a restart that is cut off is noticed and made up for.
    pub fn restart(&self) -> Result<()> {
        self.guarded(|| self.db.insert(SEQUENCE, &0_u64.to_le_bytes()))?;
        self.flush()?;
        self.guarded(|| self.db.clear())?;
        self.flush()
    }

    /// Waits until sled's files hold everything applied so far.
    pub fn flush(&self) -> Result<()> {
        self.guarded(|| self.db.flush()).map(|_| ())
    }

    fn guarded<T>(&self, work: impl FnOnce() -> sled::Result<T>) -> Result<T> {
        guard(&self.name, &self.path, work)
    }
}

/// Iterator over packed records; ends after its first error.
pub(crate) struct StoreRange<'a> {
    store: &'a Store,
    iter: Box<sled::Iter>,
    done: bool,
}

impl Iterator for StoreRange<'_> {
    type Item = Result<(sled::IVec, sled::IVec)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        loop {
            let iter = &mut self.iter;
            let item = self.store.guarded(|| iter.next().transpose()).transpose();
            match item {
                Some(Ok((key, _))) if key.first() == Some(&0) => continue,
                Some(Ok(pair)) => return Some(Ok(pair)),
                Some(Err(e)) => {
                    self.done = true;
                    return Some(Err(e));
                }
                None => return None,
            }
        }
    }
}

/// Sled's workers may hold its files for a moment after a store was closed. Our own lock already keeps other processes
/// out, so it is enough to wait.
fn open_patiently(config: &sled::Config) -> sled::Result<sled::Db> {
    for _ in 0..100 {
        match config.open() {
            Err(sled::Error::Io(e)) if e.to_string().contains("could not acquire lock") => {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            outcome => return outcome,
        }
    }
    config.open()
}

fn guard<T>(name: &str, path: &Path, work: impl FnOnce() -> sled::Result<T>) -> Result<T> {
    let damaged = |what: String| SessionError::StoreDamaged { name: name.to_owned(), what };
    match caught(work) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Io(e))) if is_about_the_disk(&e) => Err(SessionError::disk("use the store", path, e)),
        Ok(Err(sled::Error::Io(e))) => Err(damaged(one_line(&e.to_string()))),
        Ok(Err(sled::Error::Corruption { .. })) => Err(damaged("sled reads corrupted data".to_owned())),
        Ok(Err(e)) => Err(damaged(one_line(&e.to_string()))),
        Err(panic) => Err(damaged(format!("sled panicked: {}", one_line(&panic)))),
    }
}

fn one_line(text: &str) -> String {
    let flat: Vec<&str> = text.split_whitespace().collect();
    let flat = flat.join(" ");
    match flat.char_indices().nth(160) {
        Some((cut, _)) => format!("{}...", &flat[..cut]),
        None => flat,
    }
}

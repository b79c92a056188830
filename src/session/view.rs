//! The session as the rest of the program sees it.

use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::audit::{Audit, AuditFilter};
use super::batch::Batch;
use super::blobs::Blobs;
use super::checkpoints::CheckpointStore;
use super::error::{Result, SessionError};
use super::files;
use super::layout::Layout;
use super::live::Live;
use super::lock::SessionLock;
use super::memory::Memory;
use super::meta::{self, Meta, StateLine};
use super::record::{self, Record};
use super::scan::{Keys, Packed, RawScan, Scan};

/// One session, open for writing or for reading only; the reading side is the same. `Send` and `Sync`: share it in an
/// `Arc`.
#[derive(Debug)]
pub struct Session {
    layout: Layout,
    meta: Meta,
    notes: Vec<String>,
    records: Records,
    blobs: Arc<Blobs>,
}

#[derive(Debug)]
enum Records {
    Live(Live),
    Memory(Memory),
}

impl Session {
    pub(crate) fn live(layout: Layout, lock: SessionLock) -> Result<Self> {
        let meta = Meta::read(&layout.meta())?;
        let (live, mut notes) = Live::open(&layout, lock)?;
        let blobs = Arc::new(Blobs::at(&layout.journal()));
        let session = Self { layout, meta, notes: Vec::new(), records: Records::Live(live), blobs };
        notes.extend(session.checkpoints().tidy()?);
        Ok(Self { notes, ..session })
    }

    pub(crate) fn reading(layout: Layout) -> Result<Self> {
        let meta = Meta::read(&layout.meta())?;
        let memory = Memory::open(layout.name.as_str(), &layout.journal())?;
        let blobs = Arc::new(Blobs::at(&layout.journal()));
        Ok(Self { layout, meta, notes: Vec::new(), records: Records::Memory(memory), blobs })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.layout.name.as_str()
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        &self.layout.dir
    }

    /// Schema version, creation time, seed.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The recipe as it was started, and the file it stands in (for messages with file and line).
    pub fn recipe(&self) -> Result<(String, PathBuf)> {
        self.layout.recipe_text()
    }

    /// What opening found worth telling: a torn end that was cut off, frames that were replayed. Lines for the log.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Number of the last frame that is durable; 0 in a new session.
    pub fn sequence(&self) -> u64 {
        match &self.records {
            Records::Live(live) => live.sequence(),
            Records::Memory(memory) => memory.sequence(),
        }
    }

    /// Bytes of the journal on disk, where the texts lie.
    pub fn journal_bytes(&self) -> u64 {
        files::size_and_change(&self.layout.journal()).0
    }

    /// Writes a batch, all or nothing. When this returns, the batch survives `kill -9` and loss of power. Gives the
    /// number of its frame; an empty batch writes nothing. May be called from several threads, which then share syncs.
    ///
    /// # Errors
    /// A fault of a `put` (nothing is written); a full or read-only disk; [`SessionError::Halted`] after a failure that
    /// left the end of the journal uncertain.
    pub fn write(&self, batch: Batch) -> Result<u64> {
        match &self.records {
            Records::Live(live) => live.write(batch),
            Records::Memory(_) => Err(SessionError::ReadOnly { name: self.name().to_owned() }),
        }
    }

    /// The record under a key.
    pub fn get<R: Record>(&self, key: &str) -> Result<Option<R>> {
        let at = record::store_key(R::TABLE, key);
        let packed = match &self.records {
            Records::Live(live) => live.store.get(&at)?.map(Packed::Store),
            Records::Memory(memory) => memory.get(&at).map(Packed::Memory),
        };
        packed.map(|p| record::decode(key, p.as_ref(), &self.blobs)).transpose()
    }

    /// Records whose key begins with `prefix` (`""` for all), in order of their keys; `nth` and `skip` are cheap.
    pub fn scan<R: Record>(&self, prefix: &str) -> Scan<'_, R> {
        Scan { raw: self.raw(&record::store_key(R::TABLE, prefix)), blobs: &self.blobs, kind: PhantomData }
    }

    /// Keys that begin with `prefix`, in order.
    pub fn keys<R: Record>(&self, prefix: &str) -> Keys<'_> {
        Keys { raw: self.raw(&record::store_key(R::TABLE, prefix)) }
    }

    /// Number of records whose key begins with `prefix`.
    pub fn count<R: Record>(&self, prefix: &str) -> Result<u64> {
        let mut total = 0;
        for key in self.keys::<R>(prefix) {
            key?;
            total += 1;
        }
        Ok(total)
    }

    /// Whether there is a record under a key.
    pub fn contains<R: Record>(&self, key: &str) -> Result<bool> {
        let at = record::store_key(R::TABLE, key);
        match &self.records {
            Records::Live(live) => Ok(live.store.get(&at)?.is_some()),
            Records::Memory(memory) => Ok(memory.get(&at).is_some()),
        }
    }

    /// Names of all tables with the number of their records.
    pub fn tables(&self) -> Result<Vec<(String, u64)>> {
        let mut tables: Vec<(String, u64)> = Vec::new();
        for item in self.raw(b"") {
            let (key, _) = item?;
            let (table, _) = record::split_key(key.as_ref());
            match tables.last_mut() {
                Some((last, count)) if *last == table => *count += 1,
                _ => tables.push((table.into_owned(), 1)),
            }
        }
        Ok(tables)
    }

    /// Who changed what, when and why, in the order it happened, read from the journal as the iterator goes. Sees what
    /// was written before this call.
    pub fn audit(&self, filter: AuditFilter) -> Result<Audit> {
        Audit::open(self.name(), &self.layout.journal(), Arc::clone(&self.blobs), filter)
    }

    /// The files beside the records: weights and optimizer states.
    pub fn checkpoints(&self) -> CheckpointStore {
        CheckpointStore::new(self.name(), &self.layout.checkpoints())
    }

    /// Reads what another process has written since a read-only session was opened or last refreshed; gives the
    /// number of new frames. A session open for writing is always current.
    pub fn refresh(&mut self) -> Result<u64> {
        match &mut self.records {
            Records::Live(_) => Ok(0),
            Records::Memory(memory) => memory.refresh(),
        }
    }

    /// Sets the one line that `sessions list` shows. Cheap (no sync); may lag behind after a crash.
    pub fn set_state(&self, state: &StateLine) -> Result<()> {
        if let Records::Memory(_) = &self.records {
            return Err(SessionError::ReadOnly { name: self.name().to_owned() });
        }
        let path = self.layout.state();
        files::replace_unsynced(&path, &meta::to_json(&path, state)?)
    }

    /// The line last set.
    pub fn state(&self) -> Option<StateLine> {
        StateLine::read(&self.layout.state())
    }

    pub(crate) fn raw(&self, prefix: &[u8]) -> RawScan<'_> {
        match &self.records {
            Records::Live(live) => RawScan::Store(live.store.range(prefix)),
            Records::Memory(memory) => RawScan::Memory(memory.range(prefix)),
        }
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

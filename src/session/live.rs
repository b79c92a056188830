//! The one write path: journal, sync, sled, in that order.
//!
//! Writers that come while another one waits for the disk share its next sync (group commit): everyone appends its
//! frame, then the first to get the commit lock syncs once and applies all frames appended so far, in their order.
//! Nobody returns before its own frame is both durable and applied.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::batch::{Batch, Outgoing, StoreOp};
use super::blobs::Blobs;
use super::error::{Result, SessionError};
use super::journal::reader::Reader;
use super::journal::writer::Writer;
use super::layout::Layout;
use super::ledger;
use super::lock::SessionLock;
use super::rescue::{self, Known};
use super::store::Store;

/// A session opened for writing.
#[derive(Debug)]
pub(crate) struct Live {
    name: String,
    pub store: Store,
    appender: Mutex<Appender>,
    /// Number of the last frame that is durable and applied.
    committed: Mutex<u64>,
    _lock: SessionLock,
}

#[derive(Debug)]
struct Appender {
    writer: Writer,
    /// Appended, but not yet applied to the store.
    pending: Vec<(u64, Vec<StoreOp>)>,
    /// The failure after which nothing more is accepted.
    halted: Option<String>,
}

impl Live {
    /// Opens journal and store, and replays to the store what it has not seen. Gives notes for the log.
    pub fn open(layout: &Layout, lock: SessionLock) -> Result<(Self, Vec<String>)> {
        let (name, journal) = (layout.name.as_str(), layout.journal());
        // The journal first: where it is damaged, the store is not touched.
        let mut check = Reader::open(name, &journal)?;
        while check.next_frame()?.is_some() {}
        let (tail, last) = (check.tail(), check.last());
        let store = Store::open(name, &layout.store())?;
        let seen = store.sequence()?;
        let mut notes = Vec::new();
        if tail.torn > 0 {
            let file = super::journal::segment_path(&journal, tail.segment);
            notes.push(format!(
                "the last write to {} was cut off; its {} bytes, never acknowledged, were removed",
                file.display(),
                tail.torn
            ));
        }
        // Before the torn end is cut off: whole values may lie in it.
        let known = match seen > last {
            true => rescue::difference(&store, &ledger::walk(name, &journal, last)?, &Blobs::at(&journal))?,
            false => Known::default(),
        };
        let mut writer = Writer::open(&journal, &tail, last)?;
        if seen < last {
            replay(name, &journal, &store, seen)?;
            notes.push(format!("{} frames of the journal were brought into the store", last - seen));
        } else if seen > last {
            notes.push(format!(
                "the journal had lost what followed frame {last}; {} changes were taken from the store",
                known.changes.len()
            ));
            notes.extend(rescue::say_lost(&known.lost));
            // Large values get other places, and those that are lost must go: the store is made anew.
            store.outdate()?;
            rescue::append(&mut writer, known.changes)?;
            store.restart()?;
            replay(name, &journal, &store, 0)?;
        }
        let last = writer.last();
        let appender = Mutex::new(Appender { writer, pending: Vec::new(), halted: None });
        let live = Self { name: name.to_owned(), store, appender, committed: Mutex::new(last), _lock: lock };
        Ok((live, notes))
    }

    /// Number of the last frame that is durable and applied.
    pub fn sequence(&self) -> u64 {
        *locked(&self.committed)
    }

    /// See [`super::Session::write`].
    pub fn write(&self, mut batch: Batch) -> Result<u64> {
        let outgoing = batch.outgoing()?;
        if batch.is_empty() {
            return Ok(self.sequence());
        }
        let sequence = self.append(outgoing)?;
        let mut committed = locked(&self.committed);
        if *committed < sequence {
            *committed = self.commit()?;
        }
        Ok(sequence)
    }

    fn append(&self, outgoing: Outgoing) -> Result<u64> {
        let mut appender = locked(&self.appender);
        self.refuse_if_halted(&appender)?;
        match appender.writer.append(&outgoing.payload) {
            Ok(at) => {
                appender.pending.push((at.sequence, outgoing.settle(at)));
                Ok(at.sequence)
            }
            Err((error, undone)) => {
                if !undone {
                    appender.halted = Some(error.to_string());
                }
                Err(error)
            }
        }
    }

    /// Syncs the journal and applies what is pending; gives the number of the last frame. Runs under the commit lock.
    fn commit(&self) -> Result<u64> {
        let (pending, (file, path)) = {
            let mut appender = locked(&self.appender);
            self.refuse_if_halted(&appender)?;
            (std::mem::take(&mut appender.pending), appender.writer.file())
        };
        let last = pending.last().map_or(0, |p| p.0);
        let work = || -> Result<()> {
            file.sync_data().map_err(|e| SessionError::disk("sync", &path, e))?;
            pending.into_iter().try_for_each(|(sequence, ops)| self.store.apply(sequence, ops))
        };
        work().map(|()| last).inspect_err(|e| locked(&self.appender).halted = Some(e.to_string()))
    }

    fn refuse_if_halted(&self, appender: &Appender) -> Result<()> {
        match &appender.halted {
            Some(reason) => Err(SessionError::Halted { name: self.name.clone(), reason: reason.clone() }),
            None => Ok(()),
        }
    }
}

/// Applies the frames after `seen` to the store.
fn replay(name: &str, journal: &Path, store: &Store, seen: u64) -> Result<()> {
    let mut reader = Reader::open(name, journal)?;
    while let Some(frame) = reader.next_frame()? {
        if frame.head.sequence > seen {
            let (_, ops) = reader.parse(&frame)?;
            store.apply(frame.head.sequence, ops.iter().map(super::batch::Op::for_store).collect())?;
        }
    }
    store.flush()
}

/// A lock whose holder panicked guards data that are still whole: every change to them is one assignment.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

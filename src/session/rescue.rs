//! Brings back what a journal lost and the store still knows.
//!
//! The store never runs ahead of a journal that nobody touched: frames are synced before they are applied. If it is
//! ahead all the same (an incomplete copy, a damaged end), it holds acknowledged records that exist nowhere else. They
//! are written to the journal again, as frames of their own; only their authors and reasons are lost.

use std::collections::HashSet;

use super::batch::{Author, Batch, Op};
use super::error::{Result, SessionError};
use super::journal::frame;
use super::journal::writer::Writer;
use super::ledger::{self, Ledger};
use super::record;
use super::store::Store;

/// Changes in one frame.
const PER_FRAME: usize = 1000;

/// The changes that turn the journal's last good state into the store's. Reads the whole store.
pub(crate) fn difference(store: &Store, ledger: &Ledger) -> Result<Vec<Op>> {
    let (mut changes, mut there) = (Vec::new(), HashSet::new());
    let op = |stored: &[u8], value| {
        let (table, key) = record::split_key(stored);
        Op { table: table.into_owned(), key: key.into_owned(), value }
    };
    for item in store.range(b"") {
        let (key, packed) = item?;
        let (version, json) = record::unpack(&packed).map_err(|what| store.damaged(&what))?;
        if ledger.records.get(key.as_ref()) != Some(&ledger::fingerprint(version, &json)) {
            changes.push(op(&key, Some((version, json.into_owned()))));
        }
        there.insert(key);
    }
    let mut gone: Vec<_> = ledger.records.keys().filter(|key| !there.contains(key.as_slice())).collect();
    gone.sort();
    changes.extend(gone.into_iter().map(|key| op(key, None)));
    Ok(changes)
}

/// Appends changes to the journal and syncs it.
pub(crate) fn append(writer: &mut Writer, changes: Vec<Op>) -> Result<()> {
    let mut changes = changes.into_iter().peekable();
    while changes.peek().is_some() {
        let mut batch = Batch::new(Author::Rule).because("the journal had lost this; taken from the store");
        batch.ops.extend(changes.by_ref().take(PER_FRAME));
        writer.append(&frame::squeeze(&batch.text()?)?).map_err(|(e, _)| e)?;
    }
    let (file, path) = writer.file();
    file.sync_all().map_err(|e| SessionError::disk("sync", &path, e))
}

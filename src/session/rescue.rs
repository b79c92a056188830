//! Brings back what a journal lost and the store still knows.
//!
//! The store never runs ahead of a journal that nobody touched: frames are synced before they are applied. If it is
//! ahead all the same (an incomplete copy, a damaged end), it holds acknowledged records that exist nowhere else. They
//! are written to the journal again, as frames of their own; only their authors and reasons are lost. Of large values
//! the store knows only the place in the journal: they come back where it can still be read.

use std::collections::HashSet;

use super::batch::{Author, Batch, Body, Op};
use super::blobs::Blobs;
use super::error::{Result, SessionError};
use super::journal::writer::Writer;
use super::ledger::{self, Ledger};
use super::record;
use super::store::Store;

/// Changes in one frame.
const PER_FRAME: usize = 500;

/// What a store knows beyond its journal.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The changes that turn the journal's last good state into the store's.
    pub changes: Vec<Op>,
    /// Table and key of records whose content is gone.
    pub lost: Vec<(String, String)>,
}

/// The changes that turn the journal's last good state into the store's. Reads the whole store.
pub(crate) fn difference(store: &Store, ledger: &Ledger, blobs: &Blobs) -> Result<Known> {
    let (mut changes, mut lost, mut there) = (Vec::new(), Vec::new(), HashSet::new());
    let op = |stored: &[u8], value| {
        let (table, key) = record::split_key(stored);
        Op { table: table.into_owned(), key: key.into_owned(), value }
    };
    for item in store.range(b"") {
        let (key, packed) = item?;
        let known = ledger.records.get(key.as_ref());
        if known.is_none() || known.copied() != ledger::fingerprint_packed(&packed, blobs) {
            let content = match record::place_of(&packed) {
                Some((version, length, place)) => {
                    blobs.read(&place).ok().map(|packed| (version, Body::Rescued(length, packed)))
                }
                None => {
                    let (version, json) = record::unpack(&packed, blobs).map_err(|what| store.damaged(&what))?;
                    Some((version, Body::Json(json.into_owned())))
                }
            };
            match content {
                Some(content) => changes.push(op(&key, Some(content))),
                None => {
                    let (table, key) = record::split_key(&key);
                    lost.push((table.into_owned(), key.into_owned()));
                }
            }
        }
        there.insert(key);
    }
    let mut gone: Vec<_> = ledger.records.keys().filter(|key| !there.contains(key.as_slice())).collect();
    gone.sort();
    changes.extend(gone.into_iter().map(|key| op(key, None)));
    // A brief must not outlive what it is a brief of.
    let orphans: HashSet<(String, &str)> = lost.iter().map(|(t, key)| (record::brief_table(t), key.as_str())).collect();
    changes.retain(|op| !orphans.contains(&(op.table.clone(), op.key.as_str())));
    Ok(Known { changes, lost })
}

/// A line that names what is lost; nothing where nothing is.
pub(crate) fn say_lost(lost: &[(String, String)]) -> Option<String> {
    let (table, key) = lost.first()?;
    let more = if lost.len() > 1 { format!(" and {} others", lost.len() - 1) } else { String::new() };
    Some(format!("the content of `{table}/{key}`{more} lay in the damaged part of the journal and is lost"))
}

/// Appends changes to the journal and syncs it.
pub(crate) fn append(writer: &mut Writer, changes: Vec<Op>) -> Result<()> {
    let mut changes = changes.into_iter().peekable();
    while changes.peek().is_some() {
        let mut batch = Batch::new(Author::Rule).because("the journal had lost this; taken from the store");
        batch.ops.extend(changes.by_ref().take(PER_FRAME));
        writer.append(&batch.outgoing()?.payload).map_err(|(e, _)| e)?;
    }
    let (file, path) = writer.file();
    file.sync_all().map_err(|e| SessionError::disk("sync", &path, e))
}

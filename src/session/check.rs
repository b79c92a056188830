//! `sessions check`: journal, store against journal, checkpoints. Reads everything, changes nothing of a run's content.

use std::fmt;

use super::blobs::Blobs;
use super::catalogue::Sessions;
use super::checkpoints::CheckpointStore;
use super::error::{Result, SessionError};
use super::files;
use super::layout::Layout;
use super::ledger::{self, Ledger};
use super::lock::SessionLock;
use super::store::Store;

/// What `check` found.
#[derive(Clone, Debug)]
pub struct CheckReport {
    /// The session.
    pub session: String,
    /// Good frames in the journal.
    pub frames: u64,
    /// Changes of records in them.
    pub changes: u64,
    /// Bytes of the journal's folder.
    pub journal_bytes: u64,
    /// Records in the store that equal the journal's; `None` where the store was not looked at.
    pub records: Option<u64>,
    /// Checkpoints (partial states included) that verify.
    pub checkpoints: u64,
    /// What is wrong, one line each; empty where all is well.
    pub problems: Vec<String>,
    /// What is worth knowing and needs no repair.
    pub notes: Vec<String>,
}

impl CheckReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (frames, changes, size) = (self.frames, self.changes, files::show_size(self.journal_bytes));
        writeln!(f, "journal      {frames} frames, {changes} changes, {size}")?;
        match self.records {
            Some(records) => writeln!(f, "store        {records} records agree with the journal")?,
            None => writeln!(f, "store        not compared")?,
        }
        writeln!(f, "checkpoints  {} verified", self.checkpoints)?;
        self.notes.iter().try_for_each(|note| writeln!(f, "note: {note}"))?;
        self.problems.iter().try_for_each(|problem| writeln!(f, "problem: {problem}"))?;
        let verdict = if self.is_sound() { "sound" } else { "NOT sound" };
        write!(f, "session `{}` is {verdict}", self.session)
    }
}

impl Sessions {
    /// Verifies a session. What is wrong is in the report; an error means that it could not be looked at.
    pub fn check(&self, name: &str) -> Result<CheckReport> {
        let layout = self.existing(name)?;
        let mut notes = Vec::new();
        let store = open_to_compare(&layout, &mut notes);
        let (seen, mut problems) = match &store {
            Ok(Some((_, seen, _))) => (*seen, Vec::new()),
            Ok(None) => (0, Vec::new()),
            Err(e) => (0, vec![e.to_string()]),
        };
        let ledger = ledger::walk(name, &layout.journal(), seen)?;
        problems.extend(ledger.damage.as_ref().map(ToString::to_string));
        if ledger.tail.torn > 0 {
            let torn = ledger.tail.torn;
            notes.push(format!("the journal ends in {torn} bytes of a write that was cut off; opening removes them"));
        }
        let records = match &store {
            Ok(Some((store, seen, _))) if ledger.damage.is_none() => {
                compare(&layout, store, *seen, &ledger, &mut notes).map_err(|e| problems.push(e.to_string())).ok()
            }
            _ => None,
        };
        let checkpoints = verify_checkpoints(&layout, &mut problems)?;
        let (journal_bytes, _) = files::size_and_change(&layout.journal());
        let (frames, changes) = (ledger.frames, ledger.changes);
        let session = name.to_owned();
        Ok(CheckReport { session, frames, changes, journal_bytes, records, checkpoints, problems, notes })
    }
}

type Compared = Option<(Store, u64, SessionLock)>;

/// The store with its frame number, or `None` with a note where it cannot be opened for a reason that is no damage.
fn open_to_compare(layout: &Layout, notes: &mut Vec<String>) -> Result<Compared> {
    let name = layout.name.as_str();
    let lock = match SessionLock::take(name, &layout.lock()) {
        Ok(lock) => lock,
        Err(e @ (SessionError::InUse { .. } | SessionError::Disk { .. })) => {
            notes.push(format!("the store was not looked at: {e}"));
            return Ok(None);
        }
        Err(e) => return Err(e),
    };
    if !layout.store().exists() {
        notes.push("there is no store; opening the session makes it from the journal".to_owned());
        return Ok(None);
    }
    let store = Store::open(name, &layout.store())?;
    let seen = store.sequence()?;
    Ok(Some((store, seen, lock)))
}

/// Number of records, if store and journal agree.
pub(crate) fn compare(
    layout: &Layout,
    store: &Store,
    seen: u64,
    ledger: &Ledger,
    notes: &mut Vec<String>,
) -> Result<u64> {
    let (name, blobs) = (layout.name.as_str(), Blobs::at(&layout.journal()));
    if seen > ledger.frames {
        return Err(SessionError::JournalShort { name: name.to_owned(), journal: ledger.frames, store: seen });
    }
    if seen < ledger.frames {
        let behind = ledger.frames - seen;
        notes.push(format!("the store is {behind} frames behind the journal; opening the session brings them in"));
    }
    let (mut same, mut other) = (0_u64, 0_u64);
    for item in store.range(b"") {
        let (key, packed) = item?;
        let wanted = ledger.records.get(key.as_ref());
        if wanted.is_some() && wanted.copied() == ledger::fingerprint_packed(&packed, &blobs) {
            same += 1;
        } else {
            other += 1;
        }
    }
    let total = ledger.records.len() as u64;
    if same == total && other == 0 {
        return Ok(same);
    }
    let what = format!("{same} of the journal's {total} records agree, {other} others differ or should not be there");
    Err(SessionError::StoreDamaged { name: name.to_owned(), what })
}

fn verify_checkpoints(layout: &Layout, problems: &mut Vec<String>) -> Result<u64> {
    let checkpoints = CheckpointStore::new(layout.name.as_str(), &layout.checkpoints());
    let mut good = 0;
    for id in checkpoints.list_all()? {
        match checkpoints.verify(&id) {
            Ok(_) => good += 1,
            Err(e) => problems.push(e.to_string()),
        }
    }
    Ok(good)
}

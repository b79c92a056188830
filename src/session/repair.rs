//! `sessions repair`: the journal up to its first bad frame, and a store made anew from it.
//!
//! One thing goes beyond the journal: where it lost frames that the store has already seen and the store still reads,
//! the difference is taken from the store and written to the journal as frames of their own, so that nothing that was
//! acknowledged is lost. Only their authors and reasons are. Large values lie in the journal alone; of those behind the
//! first bad frame, the ones that still match their checksums come back, and the others are named.
//!
//! Nothing is deleted: what is cut from the journal and the old store are moved aside as `*.damaged-N`. The steps are
//! ordered so that a repair that is itself interrupted can be run again.

use std::fmt;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use super::batch::Op;
use super::blobs::Blobs;
use super::catalogue::Sessions;
use super::check;
use super::error::{Result, SessionError};
use super::files;
use super::journal::reader::Tail;
use super::journal::writer::{self, Writer};
use super::journal::{segment_path, segments};
use super::layout::Layout;
use super::ledger::{self, Ledger};
use super::lock::SessionLock;
use super::rescue::{self, Known};
use super::store::Store;
use super::view::Session;

/// What `repair` did.
#[derive(Clone, Debug, Default)]
pub struct RepairReport {
    /// The session.
    pub session: String,
    /// Good frames the journal had.
    pub frames: u64,
    /// Records the session has now.
    pub records: u64,
    /// What was wrong, one line each; empty where nothing was.
    pub found: Vec<String>,
    /// Changes that only the store still knew and that are now in the journal again.
    pub rescued: u64,
    /// What was moved aside.
    pub aside: Vec<PathBuf>,
}

impl fmt::Display for RepairReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, frames, records, rescued, .. } = self;
        if self.found.is_empty() {
            return write!(f, "session `{session}` needs no repair: {frames} frames, {records} records agree");
        }
        self.found.iter().try_for_each(|line| writeln!(f, "found: {line}"))?;
        self.aside.iter().try_for_each(|path| writeln!(f, "moved aside: {}", path.display()))?;
        if *rescued > 0 {
            writeln!(f, "{rescued} changes that the journal had lost were taken from the old store")?;
        }
        write!(f, "session `{session}` is repaired: {frames} frames of the journal recovered, {records} records")
    }
}

/// The store as it was found.
enum Old {
    Missing,
    Unreadable(SessionError),
    /// With the number of the last frame it has seen.
    Readable(Store, u64),
}

impl Sessions {
    /// Repairs a session; where nothing is wrong, nothing is changed.
    pub fn repair(&self, name: &str) -> Result<RepairReport> {
        let layout = self.existing(name)?;
        let lock = SessionLock::take(name, &layout.lock())?;
        let old = look(&layout)?;
        let upto = if let Old::Readable(_, seen) = &old { *seen } else { u64::MAX };
        let ledger = ledger::walk(name, &layout.journal(), upto)?;
        let mut report = RepairReport { session: name.to_owned(), frames: ledger.frames, ..RepairReport::default() };
        report.found.extend(ledger.damage.as_ref().map(SessionError::finding));
        match &old {
            Old::Missing => {}
            Old::Unreadable(e) => report.found.push(e.finding()),
            Old::Readable(store, seen) => match check::compare(&layout, store, *seen, &ledger, &mut Vec::new()) {
                Ok(_) => {}
                Err(e) => report.found.push(e.finding()),
            },
        }
        if report.found.is_empty() {
            report.records = ledger.records.len() as u64;
            return Ok(report);
        }
        let known = changes_only_the_store_knows(&old, &ledger, &Blobs::at(&layout.journal()));
        if let Old::Readable(store, _) = &old {
            // A store that takes no mark is damaged, and is moved aside all the same.
            drop(store.outdate());
        }
        drop(old);
        report.found.extend(rescue::say_lost(&known.lost));
        mend_journal(&layout, &ledger, known.changes, &mut report)?;
        if layout.store().exists() {
            let aside = free_name(&layout.dir, "store.damaged-");
            files::rename(&layout.store(), &aside)?;
            files::sync_dir(&layout.dir)?;
            report.aside.push(aside);
        }
        let session = Session::live(layout, lock)?;
        report.records = session.tables()?.iter().map(|(_, count)| count).sum();
        Ok(report)
    }
}

/// Opens the store as far as it goes. A disk that refuses is an error, damage is not.
fn look(layout: &Layout) -> Result<Old> {
    if !layout.store().exists() {
        return Ok(Old::Missing);
    }
    let open = || {
        let store = Store::open(layout.name.as_str(), &layout.store())?;
        let seen = store.sequence()?;
        Ok((store, seen))
    };
    match open() {
        Ok((store, seen)) => Ok(Old::Readable(store, seen)),
        Err(e @ SessionError::StoreDamaged { .. }) => Ok(Old::Unreadable(e)),
        Err(e) => Err(e),
    }
}

/// What turns the journal's last good state into that of a store which has seen more. Nothing where the store has not,
/// or does not read to its end.
fn changes_only_the_store_knows(old: &Old, ledger: &Ledger, blobs: &Blobs) -> Known {
    let Old::Readable(store, seen) = old else { return Known::default() };
    if *seen <= ledger.frames {
        return Known::default();
    }
    rescue::difference(store, ledger, blobs).unwrap_or_default()
}

/// Cuts the journal behind its last good frame and appends what was rescued.
fn mend_journal(layout: &Layout, ledger: &Ledger, lost: Vec<Op>, report: &mut RepairReport) -> Result<()> {
    let journal = layout.journal();
    if ledger.damage.is_some() {
        cut(&journal, &ledger.tail, report)?;
    }
    report.rescued = lost.len() as u64;
    let mut writer = Writer::open(&journal, &ledger.tail, ledger.frames)?;
    rescue::append(&mut writer, lost)
}

/// Moves aside everything from the first bad frame on.
fn cut(journal: &Path, tail: &Tail, report: &mut RepairReport) -> Result<()> {
    files::create_dir_all(journal)?;
    for (number, path) in segments(journal)?.into_iter().filter(|s| s.0 >= tail.segment) {
        let file_name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let aside = free_name(journal, &format!("{file_name}.damaged-"));
        if number == tail.segment {
            writer::copy_from(&path, tail.good, &aside)?;
        } else {
            files::rename(&path, &aside)?;
        }
        report.aside.push(aside);
    }
    let last = segment_path(journal, tail.segment);
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&last);
    file.and_then(|f| f.set_len(tail.good).and_then(|()| f.sync_all()))
        .map_err(|e| SessionError::disk("write", &last, e))?;
    files::sync_dir(journal)
}

/// `prefix` and the first number that is not taken.
fn free_name(dir: &Path, prefix: &str) -> PathBuf {
    let mut number = 1;
    loop {
        let path = dir.join(format!("{prefix}{number}"));
        if !path.exists() {
            return path;
        }
        number += 1;
    }
}

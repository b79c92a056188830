//! What the journal says the store should hold: one walk over all frames, keeping a hash per record.

use std::collections::HashMap;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::batch::Body;
use super::blobs::Blobs;
use super::error::{Result, SessionError};
use super::journal::reader::{Reader, Tail};
use super::journal::segment_number;
use super::record;

/// First half of the SHA-256 of a record's version and JSON, or of the place of a large one.
pub(crate) type Fingerprint = [u8; 16];

/// The outcome of a walk.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// Number of the last good frame.
    pub frames: u64,
    /// Changes of records in them.
    pub changes: u64,
    /// Where the good part ends: before a torn end, or before the first bad frame.
    pub tail: Tail,
    /// The first bad frame, if any.
    pub damage: Option<SessionError>,
    /// Fingerprints by store key, after the last good frame or after the one asked for.
    pub records: HashMap<Vec<u8>, Fingerprint>,
}

/// Walks the journal. Fingerprints are those after frame `upto`; the frames behind it are verified all the same.
///
/// # Errors
/// Only what keeps the journal from being read at all; damage within it is part of the outcome.
pub(crate) fn walk(name: &str, journal: &Path, upto: u64) -> Result<Ledger> {
    let start = Tail { segment: 1, good: 0, torn: 0 };
    let mut ledger = Ledger { frames: 0, changes: 0, tail: start, damage: None, records: HashMap::new() };
    let walked = Reader::open(name, journal).and_then(|mut reader| {
        while step(&mut reader, &mut ledger, upto)? {}
        Ok(reader.tail())
    });
    match walked {
        Ok(tail) => Ok(Ledger { tail, ..ledger }),
        Err(SessionError::JournalDamaged { name, file, offset, what }) => {
            let tail = Tail { segment: segment_number(&file).unwrap_or(1), good: offset, torn: 0 };
            Ok(Ledger { tail, damage: Some(SessionError::JournalDamaged { name, file, offset, what }), ..ledger })
        }
        Err(e) => Err(e),
    }
}

fn step(reader: &mut Reader, ledger: &mut Ledger, upto: u64) -> Result<bool> {
    let Some(frame) = reader.next_frame()? else { return Ok(false) };
    let (_, ops) = reader.parse(&frame)?;
    ledger.changes += ops.len() as u64;
    ledger.frames = frame.head.sequence;
    if frame.head.sequence <= upto {
        for op in &ops {
            let key = record::store_key(&op.table, &op.key);
            match &op.value {
                Some((version, Body::Json(json))) => ledger.records.insert(key, fingerprint(*version, json)),
                Some((_, Body::There(..) | Body::Rescued(..))) => {
                    ledger.records.insert(key, op.for_store().1.map_or(EMPTY, |p| half(&p)))
                }
                None => ledger.records.remove(&key),
            };
        }
    }
    Ok(true)
}

const EMPTY: Fingerprint = [0; 16];

/// The fingerprint of a value that stands in its frame's text; packing does not matter.
pub(crate) fn fingerprint(version: u32, json: &[u8]) -> Fingerprint {
    half(&[&version.to_le_bytes(), json].concat())
}

/// The fingerprint of a packed value; one that does not unpack equals no other. Of a value that lies in the journal it
/// is that of its place and checksum, which the walk over the journal vouches for.
pub(crate) fn fingerprint_packed(packed: &[u8], blobs: &Blobs) -> Option<Fingerprint> {
    if record::place_of(packed).is_some() {
        return Some(half(packed));
    }
    record::unpack(packed, blobs).ok().map(|(version, json)| fingerprint(version, &json))
}

fn half(bytes: &[u8]) -> Fingerprint {
    let mut half = EMPTY;
    half.copy_from_slice(&Sha256::digest(bytes)[..16]);
    half
}

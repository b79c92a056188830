//! The audit log: the journal read as a list of changes, each with who, when, why, before and after.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::batch::{Author, Head, Op};
use super::blobs::Blobs;
use super::error::Result;
use super::files::show_time;
use super::journal::reader::Reader;
use super::record::{self, Record};

/// Which changes to list; the default lists all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only this table (a record's [`Record::TABLE`]).
    pub table: Option<String>,
    /// Only these tables; none named means all.
    pub tables: Vec<String>,
    /// Only records of this question: the last part of their key.
    pub question: Option<String>,
    /// Only keys that begin with this.
    pub key_prefix: Option<String>,
    /// Only what people did (`Some(true)`), or only what rules and the pipeline did (`Some(false)`).
    pub by_researcher: Option<bool>,
    /// Only authors whose name holds this: `rule`, `pipeline`, `ada`; capitals don't matter.
    pub author: Option<String>,
    /// Only what was written from this time on, in unix milliseconds.
    pub since: u64,
    /// Only frames after this one.
    pub after: u64,
}

impl AuditFilter {
    /// The history of one record and of those whose key it begins.
    pub fn of<R: Record>(key_prefix: &str) -> Self {
        Self { table: Some(R::TABLE.into()), key_prefix: Some(key_prefix.into()), ..Self::default() }
    }

    fn watches(&self, op: &Op) -> bool {
        self.table.as_ref().is_none_or(|t| *t == op.table)
            && (self.tables.is_empty() || self.tables.contains(&op.table))
            && self.key_prefix.as_ref().is_none_or(|p| op.key.starts_with(p.as_str()))
            && self.question.as_ref().is_none_or(|q| op.key.rsplit('/').next() == Some(q))
    }

    fn lists(&self, head: &Head, sequence: u64, millis: u64) -> bool {
        let person = matches!(head.author, Author::Researcher(_));
        let named = |name: &String| head.author.to_string().to_lowercase().contains(&name.to_lowercase());
        sequence > self.after
            && millis >= self.since
            && self.by_researcher.is_none_or(|wanted| wanted == person)
            && self.author.as_ref().is_none_or(named)
    }
}

/// A record's value at some time in the past.
#[derive(Clone, Debug)]
pub struct PastValue {
    packed: Arc<[u8]>,
    blobs: Arc<Blobs>,
}

impl PartialEq for PastValue {
    fn eq(&self, other: &Self) -> bool {
        self.packed == other.packed || self.hash() == other.hash()
    }
}

impl PastValue {
    /// First 16 hexadecimal digits of the SHA-256 of the value's JSON; equal values have equal hashes.
    pub fn hash(&self) -> String {
        let json = record::unpack(&self.packed, &self.blobs).map(|(_, json)| Sha256::digest(&json)).unwrap_or_default();
        hex::encode(&json[..8])
    }

    /// The value as JSON; `null` if it does not read, which the journal's checksums rule out.
    pub fn json(&self) -> Value {
        let unpacked = record::unpack(&self.packed, &self.blobs).ok();
        unpacked.and_then(|(_, json)| serde_json::from_slice(&json).ok()).unwrap_or_default()
    }

    /// The value as its type, upgraded where needed.
    pub fn read<R: Record>(&self, key: &str) -> Result<R> {
        record::decode(key, &self.packed, &self.blobs)
    }
}

/// One change of one record.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// When, in unix milliseconds.
    pub millis: u64,
    /// Number of the frame; changes of one batch share it.
    pub sequence: u64,
    /// Who.
    pub author: Author,
    /// Why, where it was said.
    pub reason: Option<String>,
    /// The record's table.
    pub table: String,
    /// The record's key.
    pub key: String,
    /// What stood there; `None` where nothing did.
    pub before: Option<PastValue>,
    /// What stands there since; `None` for a deletion.
    pub after: Option<PastValue>,
}

impl AuditEntry {
    /// The names of the fields that differ, in their order: all of a record that was new, none of one that went.
    pub fn changed(&self) -> Vec<String> {
        let json = |value: &Option<PastValue>| value.as_ref().map(PastValue::json).unwrap_or_default();
        let (before, after) = (json(&self.before), json(&self.after));
        let fields = after.as_object().into_iter().flatten().filter(|(name, value)| before.get(name) != Some(value));
        fields.map(|(name, _)| name.clone()).collect()
    }

    /// The change as one JSON object: time, frame, author, reason, record, fields that differ, before and after.
    pub fn json(&self) -> Value {
        serde_json::json!({
            "millis": self.millis,
            "time": show_time(self.millis),
            "frame": self.sequence,
            "author": self.author.to_string(),
            "reason": self.reason,
            "table": self.table,
            "key": self.key,
            "changed": self.changed(),
            "before": self.before.as_ref().map(PastValue::json),
            "after": self.after.as_ref().map(PastValue::json),
        })
    }

    /// Headings of [`AuditEntry::row`].
    pub const COLUMNS: [&str; 10] =
        ["time", "frame", "author", "table", "key", "before", "after", "changed", "reason", "hash"];

    /// The change as cells of a table: where the record has a status, it stands before and after; else `new`, `changed`
    /// and `gone`.
    pub fn row(&self) -> [String; 10] {
        let stands = |value: &Option<PastValue>| {
            let json = value.as_ref()?.json();
            json["status"].as_str().map(str::to_owned)
        };
        let after = match (&self.before, &self.after) {
            (_, None) => "gone",
            (None, _) => "new",
            _ => "changed",
        };
        [
            show_time(self.millis),
            self.sequence.to_string(),
            self.author.to_string(),
            self.table.clone(),
            self.key.clone(),
            stands(&self.before).unwrap_or_default(),
            stands(&self.after).unwrap_or_else(|| after.to_owned()),
            self.changed().join(" "),
            self.reason.clone().unwrap_or_default(),
            self.after.as_ref().map(PastValue::hash).unwrap_or_default(),
        ]
    }
}

/// Iterator over changes, oldest first. Made by [`super::Session::audit`]; ends after its first error. Keeps the last
/// value of every record the filter watches, so narrow the filter on long sessions.
#[derive(Debug)]
pub struct Audit {
    reader: Reader,
    blobs: Arc<Blobs>,
    filter: AuditFilter,
    last: HashMap<Vec<u8>, PastValue>,
    ready: VecDeque<AuditEntry>,
    done: bool,
}

impl Audit {
    pub(crate) fn open(name: &str, journal: &Path, blobs: Arc<Blobs>, filter: AuditFilter) -> Result<Self> {
        let reader = Reader::open(name, journal)?;
        Ok(Self { reader, blobs, filter, last: HashMap::new(), ready: VecDeque::new(), done: false })
    }

    /// Reads one frame into `ready`; false at the end.
    fn advance(&mut self) -> Result<bool> {
        let Some(frame) = self.reader.next_frame()? else { return Ok(false) };
        let (head, ops) = self.reader.parse(&frame)?;
        let listed = self.filter.lists(&head, frame.head.sequence, frame.head.millis);
        for op in ops {
            if !self.filter.watches(&op) {
                continue;
            }
            let (key, packed) = op.for_store();
            let after = packed.map(|p| PastValue { packed: p.into(), blobs: Arc::clone(&self.blobs) });
            let before = match &after {
                Some(value) => self.last.insert(key, value.clone()),
                None => self.last.remove(&key),
            };
            if listed {
                let Head { author, reason } = head.clone();
                let (millis, sequence) = (frame.head.millis, frame.head.sequence);
                let (table, key) = (op.table, op.key);
                self.ready.push_back(AuditEntry { millis, sequence, author, reason, table, key, before, after });
            }
        }
        Ok(true)
    }
}

impl Iterator for Audit {
    type Item = Result<AuditEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Some(Ok(entry));
            }
            if self.done {
                return None;
            }
            match self.advance() {
                Ok(more) => self.done = !more,
                Err(e) => {
                    self.done = true;
                    return Some(Err(e));
                }
            }
        }
    }
}

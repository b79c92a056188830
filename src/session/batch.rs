//! What is written together: a batch of records with its author and reason, and its text form inside a frame.
//!
//! The text is JSON lines, so a frame can be read with `zstd -d` and a pager: first who and why, then for each record
//! one line saying what is done to it and, for a `put`, one line with its value. A large value stands beside the text
//! instead, compressed by itself ([`super::blobs`]); its line says how long it is.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::blobs::{self, Place};
use super::error::{Result, SessionError};
use super::journal::frame::{self, HEAD, Payload};
use super::journal::writer::Appended;
use super::record::{self, Record};

/// Who made a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Author {
    /// A rule of the paper decided it.
    Rule,
    /// The loop recorded what it did.
    Pipeline,
    /// A person decided it; the name as they gave it.
    Researcher(String),
}

impl std::fmt::Display for Author {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Author::Rule => f.write_str("rule"),
            Author::Pipeline => f.write_str("pipeline"),
            Author::Researcher(name) => write!(f, "researcher {name}"),
        }
    }
}

/// Who and why, the first line of a frame's text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    pub author: Author,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One record's change. `value` is `None` for a deletion, else version and content.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub table: String,
    pub key: String,
    pub value: Option<(u32, Body)>,
}

/// A value's content.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// JSON.
    Json(Vec<u8>),
    /// It lies in the journal; with the length of its JSON.
    There(u32, Place),
    /// It lay in the journal and is to be written again: the length of its JSON, and its packed bytes.
    Rescued(u32, Vec<u8>),
}

impl Op {
    /// Key in the store and packed value, of a change that was read from the journal.
    pub fn for_store(&self) -> StoreOp {
        let value = self.value.as_ref().map(|(version, body)| match body {
            Body::Json(json) => record::pack(*version, json),
            Body::There(length, place) => record::pack_place(*version, *length, *place),
            Body::Rescued(length, packed) => record::pack_packed(*version, *length, packed),
        });
        (record::store_key(&self.table, &self.key), value)
    }
}

/// A batch as it goes to the journal, and from there to the store.
pub(crate) struct Outgoing {
    pub payload: Payload,
    ops: Vec<(Vec<u8>, Sent)>,
}

/// A value on its way: packed, or its version, length of JSON, and place counted from the first large value.
enum Sent {
    Gone,
    Packed(Vec<u8>),
    Beside(u32, u32, Place),
}

impl Outgoing {
    /// The changes for the store, once the frame has its place.
    pub fn settle(self, at: Appended) -> Vec<StoreOp> {
        let start = at.offset + (HEAD + self.payload.front) as u64;
        let settled = self.ops.into_iter().map(|(key, sent)| match sent {
            Sent::Gone => (key, None),
            Sent::Packed(value) => (key, Some(value)),
            Sent::Beside(version, length, place) => {
                let place = Place { segment: at.segment, offset: start + place.offset, ..place };
                (key, Some(record::pack_place(version, length, place)))
            }
        });
        settled.collect()
    }
}

/// A change in the store's terms.
pub(crate) type StoreOp = (Vec<u8>, Option<Vec<u8>>);

/// Records that are written together or not at all, with who wrote them and why.
#[derive(Debug)]
pub struct Batch {
    pub(crate) head: Head,
    pub(crate) ops: Vec<Op>,
    fault: Option<SessionError>,
}

impl Batch {
    /// An empty batch.
    pub fn new(author: Author) -> Self {
        Self { head: Head { author, reason: None }, ops: Vec::new(), fault: None }
    }

    /// Says why; kept in the audit log.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.head.reason = Some(reason.into());
        self
    }

    /// Adds a record, replacing what stands under its key. A value that cannot be written, or that would not read back
    /// (JSON has no NaN), makes [`super::Session::write`] fail, and nothing of the batch is written: better now than
    /// when the run is resumed.
    pub fn put<R: Record>(&mut self, key: &str, record: &R) -> &mut Self {
        let fault = |what: String| SessionError::Record { table: R::TABLE.into(), key: key.into(), what };
        match serde_json::to_vec(record) {
            Ok(_) if !is_table_name(R::TABLE) => self.fail(fault("its table's name is not allowed".into())),
            Ok(json) => match serde_json::from_slice::<R>(&json) {
                Ok(_) => {
                    self.push(R::TABLE, key, Some((R::VERSION, json)));
                    if let Some((table, version)) = R::BRIEF {
                        self.push(table, key, Some((version, record.brief().to_string().into_bytes())));
                    }
                }
                Err(e) => self.fail(fault(format!("its JSON would not read back ({e}); is a number not finite?"))),
            },
            Err(e) => self.fail(fault(format!("it cannot be written as JSON ({e})"))),
        }
        self
    }

    /// Removes a record; removing what is not there is allowed.
    pub fn delete<R: Record>(&mut self, key: &str) -> &mut Self {
        self.push(R::TABLE, key, None);
        if let Some((table, _)) = R::BRIEF {
            self.push(table, key, None);
        }
        self
    }

    /// Number of changes.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    pub(crate) fn push(&mut self, table: &str, key: &str, value: Option<(u32, Vec<u8>)>) {
        let value = value.map(|(version, json)| (version, Body::Json(json)));
        self.ops.push(Op { table: table.into(), key: key.into(), value });
    }

    fn fail(&mut self, fault: SessionError) {
        self.fault.get_or_insert(fault);
    }

    /// The frame's payload and the changes for the store, or the first fault of a `put`.
    pub(crate) fn outgoing(&mut self) -> Result<Outgoing> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let (mut text, mut beside) = (Vec::new(), Vec::new());
        let mut ops = Vec::with_capacity(self.ops.len());
        write_line(&mut text, &self.head)?;
        for op in &self.ops {
            let mut line =
                OpLine { put: None, beside: None, table: op.table.as_str().into(), key: op.key.as_str().into() };
            let key = record::store_key(&op.table, &op.key);
            let sent = match &op.value {
                None => {
                    write_line(&mut text, &line)?;
                    Sent::Gone
                }
                Some((version, Body::Json(json))) if json.len() < blobs::FROM => {
                    line.put = Some(*version);
                    write_line(&mut text, &line)?;
                    text.extend_from_slice(json);
                    text.push(b'\n');
                    Sent::Packed(record::pack(*version, json))
                }
                Some((version, body @ (Body::Json(_) | Body::Rescued(..)))) => {
                    let (length, place) = put_beside(op, body, &mut beside)?;
                    line.put = Some(*version);
                    line.beside = Some([place.length, length, place.crc]);
                    write_line(&mut text, &line)?;
                    Sent::Beside(*version, length, place)
                }
                Some((_, Body::There(..))) => {
                    let what = "it lies in the journal already".to_owned();
                    return Err(SessionError::Record { table: op.table.clone(), key: op.key.clone(), what });
                }
            };
            ops.push((key, sent));
        }
        Ok(Outgoing { payload: frame::squeeze(&text, &beside)?, ops })
    }
}

/// Appends a large value to those of its frame; gives the length of its JSON and its place among them.
fn put_beside(op: &Op, body: &Body, beside: &mut Vec<u8>) -> Result<(u32, Place)> {
    let fault = |what: String| SessionError::Record { table: op.table.clone(), key: op.key.clone(), what };
    let (length, packed) = match body {
        Body::Json(json) => {
            let length = u32::try_from(json.len()).map_err(|_| fault("it is larger than 4 GiB".into()))?;
            let packed = frame::squeeze_value(json).map_err(|e| fault(format!("it does not compress ({e})")))?;
            (length, Cow::Owned(packed))
        }
        Body::Rescued(length, packed) => (*length, Cow::Borrowed(packed.as_slice())),
        Body::There(..) => return Err(fault("it lies in the journal already".into())),
    };
    let packed_length = u32::try_from(packed.len()).map_err(|_| fault("it is larger than 4 GiB".into()))?;
    let crc = crc32fast::hash(&packed);
    let place = Place { segment: 0, offset: beside.len() as u64, length: packed_length, crc };
    beside.extend_from_slice(&packed);
    Ok((length, place))
}

/// `put` holds the version of a value that follows; its absence means deletion. A value that stands beside the text has
/// its packed length, the length of its JSON and its CRC-32 in `beside`.
#[derive(Serialize, Deserialize)]
struct OpLine<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    put: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    beside: Option<[u32; 3]>,
    table: Cow<'a, str>,
    key: Cow<'a, str>,
}

fn write_line<T: Serialize>(out: &mut Vec<u8>, line: &T) -> Result<()> {
    let fault = |e: serde_json::Error| SessionError::Record {
        table: String::new(),
        key: String::new(),
        what: format!("its head cannot be written as JSON ({e})"),
    };
    serde_json::to_writer(&mut *out, line).map_err(fault)?;
    out.push(b'\n');
    Ok(())
}

/// Where the large values of a frame lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beside {
    pub segment: u32,
    /// First byte of the first of them within the segment.
    pub offset: u64,
    /// Bytes of all of them.
    pub length: u64,
}

impl Beside {
    /// Takes the next value off the front; `None` where it would end behind the frame.
    fn take(&mut self, length: u32, crc: u32) -> Option<Place> {
        let place = Place { segment: self.segment, offset: self.offset, length, crc };
        self.length = self.length.checked_sub(u64::from(length))?;
        self.offset += u64::from(length);
        Some(place)
    }
}

/// Reads a frame's text back; the error says what is wrong, the caller knows where.
pub(crate) fn parse(text: &[u8], mut beside: Beside) -> std::result::Result<(Head, Vec<Op>), String> {
    let mut lines = text.split(|&b| b == b'\n').filter(|line| !line.is_empty());
    let head = lines.next().ok_or("the frame is empty")?;
    let head: Head = serde_json::from_slice(head).map_err(|e| format!("author and reason do not read ({e})"))?;
    let mut ops = Vec::new();
    while let Some(line) = lines.next() {
        let op: OpLine<'_> =
            serde_json::from_slice(line).map_err(|e| format!("a record's line does not read ({e})"))?;
        let value = match (op.put, op.beside) {
            (None, _) => None,
            (Some(version), None) => {
                Some((version, Body::Json(lines.next().ok_or("a record's value is missing")?.to_vec())))
            }
            (Some(version), Some([packed, length, crc])) => {
                let place = beside.take(packed, crc).ok_or("a record's value lies outside of its frame")?;
                Some((version, Body::There(length, place)))
            }
        };
        ops.push(Op { table: op.table.into_owned(), key: op.key.into_owned(), value });
    }
    Ok((head, ops))
}

fn is_table_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The frame of a batch read back as if it lay at byte 1000 of segment 2.
    fn back(batch: &mut Batch) -> (Head, Vec<Op>, Vec<u8>) {
        let payload = batch.outgoing().unwrap().payload;
        let bytes = frame::encode(1, 2, &payload);
        let (head, body) = bytes.split_first_chunk::<HEAD>().unwrap();
        let (text, front) = frame::unsqueeze(&frame::decode_head(head).unwrap(), body).unwrap();
        let beside = Beside { segment: 2, offset: 1000, length: (body.len() - front) as u64 };
        let (head, ops) = parse(&text, beside).unwrap();
        (head, ops, body[front..].to_vec())
    }

    #[test]
    fn a_large_value_within_an_older_frame_is_read() {
        let value = serde_json::to_vec(&"word ".repeat(blobs::FROM)).unwrap();
        let text = [b"{\"author\":\"rule\"}\n{\"put\":1,\"table\":\"t\",\"key\":\"k\"}\n".as_slice(), &value].concat();
        let (_, ops) = parse(&text, Beside { segment: 1, offset: 0, length: 0 }).unwrap();
        let (key, stored) = ops[0].for_store();
        let nowhere = blobs::Blobs::at(std::path::Path::new("nowhere"));
        assert_eq!(key, record::store_key("t", "k"));
        assert_eq!(record::unpack(&stored.unwrap(), &nowhere).unwrap(), (1, Cow::Owned(value)));
    }

    #[test]
    fn a_value_that_would_lie_behind_its_frame_is_refused() {
        let text = b"{\"author\":\"rule\"}\n{\"put\":1,\"beside\":[9,20,7],\"table\":\"t\",\"key\":\"k\"}\n";
        let beside = |length| Beside { segment: 1, offset: 50, length };
        assert!(parse(text, beside(8)).unwrap_err().contains("outside of its frame"));
        let place = match parse(text, beside(9)).unwrap().1.remove(0).value {
            Some((1, Body::There(20, place))) => place,
            other => panic!("{other:?}"),
        };
        assert_eq!(place, Place { segment: 1, offset: 50, length: 9, crc: 7 });
    }

    proptest! {
        #[test]
        fn a_batch_comes_back(
            reason: Option<String>,
            name: String,
            records: Vec<(String, Option<String>, bool)>,
        ) {
            let mut batch = Batch::new(Author::Researcher(name.clone()));
            batch.head.reason.clone_from(&reason);
            let json = |text: &str, large: bool| {
                serde_json::to_vec(&text.repeat(if large { 1 + blobs::FROM / text.len().max(1) } else { 1 })).unwrap()
            };
            for (key, value, large) in &records {
                batch.push("t", key, value.as_ref().map(|v| (3, json(v, *large))));
            }
            let (head, ops, beside) = back(&mut batch);
            prop_assert_eq!(head.author, Author::Researcher(name));
            prop_assert_eq!(head.reason, reason);
            prop_assert_eq!(ops.len(), records.len());
            for (op, (key, value, large)) in ops.iter().zip(&records) {
                prop_assert_eq!((op.table.as_str(), &op.key), ("t", key));
                let content = op.value.as_ref().map(|(version, body)| match body {
                    Body::Json(json) => (*version, json.clone()),
                    Body::There(length, place) => {
                        let at = usize::try_from(place.offset - 1000).unwrap();
                        let packed = &beside[at..at + place.length as usize];
                        assert_eq!((place.segment, place.crc), (2, crc32fast::hash(packed)));
                        (*version, zstd::bulk::decompress(packed, *length as usize).unwrap())
                    }
                    Body::Rescued(..) => panic!("nothing is read back as rescued"),
                });
                prop_assert_eq!(content, value.as_ref().map(|v| (3, json(v, *large))));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text: Vec<u8>, length: u64) {
            let _ = parse(&text, Beside { segment: 1, offset: 0, length });
        }
    }
}

//! What is written together: a batch of records with its author and reason, and its text form inside a frame.
//!
//! The text is JSON lines, so a frame can be read with `zstd -d` and a pager: first who and why, then for each record
//! one line saying what is done to it and, for a `put`, one line with its value.

use serde::{Deserialize, Serialize};

use super::error::{Result, SessionError};
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

/// One record's change. `value` is `None` for a deletion, else version and JSON.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub table: String,
    pub key: String,
    pub value: Option<(u32, Vec<u8>)>,
}

impl Op {
    /// Key in the store and packed value.
    pub fn for_store(&self) -> StoreOp {
        let value = self.value.as_ref().map(|(version, json)| record::pack(*version, json));
        (record::store_key(&self.table, &self.key), value)
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
                Ok(_) => self.push(R::TABLE, key, Some((R::VERSION, json))),
                Err(e) => self.fail(fault(format!("its JSON would not read back ({e}); is a number not finite?"))),
            },
            Err(e) => self.fail(fault(format!("it cannot be written as JSON ({e})"))),
        }
        self
    }

    /// Removes a record; removing what is not there is allowed.
    pub fn delete<R: Record>(&mut self, key: &str) -> &mut Self {
        self.push(R::TABLE, key, None);
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
        self.ops.push(Op { table: table.into(), key: key.into(), value });
    }

    fn fail(&mut self, fault: SessionError) {
        self.fault.get_or_insert(fault);
    }

    /// The frame's text, or the first fault of a `put`.
    pub(crate) fn text(&mut self) -> Result<Vec<u8>> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let bytes = self.ops.iter().map(|op| 80 + op.key.len() + op.value.as_ref().map_or(0, |v| v.1.len())).sum();
        let mut out = Vec::with_capacity(bytes);
        write_line(&mut out, &self.head)?;
        for op in &self.ops {
            let version = op.value.as_ref().map(|v| v.0);
            write_line(
                &mut out,
                &OpLine { put: version, table: op.table.as_str().into(), key: op.key.as_str().into() },
            )?;
            if let Some((_, json)) = &op.value {
                out.extend_from_slice(json);
                out.push(b'\n');
            }
        }
        Ok(out)
    }
}

/// `put` holds the version of a value that follows; its absence means deletion.
#[derive(Serialize, Deserialize)]
struct OpLine<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    put: Option<u32>,
    table: std::borrow::Cow<'a, str>,
    key: std::borrow::Cow<'a, str>,
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

/// Reads a frame's text back; the error says what is wrong, the caller knows where.
pub(crate) fn parse(text: &[u8]) -> std::result::Result<(Head, Vec<Op>), String> {
    let mut lines = text.split(|&b| b == b'\n').filter(|line| !line.is_empty());
    let head = lines.next().ok_or("the frame is empty")?;
    let head: Head = serde_json::from_slice(head).map_err(|e| format!("author and reason do not read ({e})"))?;
    let mut ops = Vec::new();
    while let Some(line) = lines.next() {
        let op: OpLine<'_> =
            serde_json::from_slice(line).map_err(|e| format!("a record's line does not read ({e})"))?;
        let value = match op.put {
            None => None,
            Some(version) => Some((version, lines.next().ok_or("a record's value is missing")?.to_vec())),
        };
        ops.push(Op { table: op.table.into_owned(), key: op.key.into_owned(), value });
    }
    Ok((head, ops))
}

fn is_table_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_batch_comes_back(
            reason: Option<String>,
            name: String,
            records: Vec<(String, Option<String>)>,
        ) {
            let mut batch = Batch::new(Author::Researcher(name.clone()));
            batch.head.reason.clone_from(&reason);
            for (key, value) in &records {
                batch.push("t", key, value.as_ref().map(|v| (3, serde_json::to_vec(v).unwrap())));
            }
            let (head, ops) = parse(&batch.text().unwrap()).unwrap();
            prop_assert_eq!(head.author, Author::Researcher(name));
            prop_assert_eq!(head.reason, reason);
            prop_assert_eq!(ops.len(), records.len());
            for (op, (key, value)) in ops.iter().zip(&records) {
                prop_assert_eq!((op.table.as_str(), &op.key), ("t", key));
                let back = op.value.as_ref().map(|(v, json)| (*v, serde_json::from_slice::<String>(json).unwrap()));
                prop_assert_eq!(back, value.clone().map(|v| (3, v)));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text: Vec<u8>) {
            let _ = parse(&text);
        }
    }
}

//! The records of a session held in memory, read from the journal: how a session is looked at without its lock.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::Result;
use super::journal::reader::Reader;

/// Records by store key, packed as in the store.
#[derive(Debug)]
pub(crate) struct Memory {
    reader: Reader,
    records: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Memory {
    /// Reads the whole journal, one frame at a time. A torn end is left alone: it may be a frame being written now.
    pub fn open(name: &str, journal: &Path) -> Result<Self> {
        let mut memory = Self { reader: Reader::open(name, journal)?, records: BTreeMap::new() };
        memory.catch_up()?;
        Ok(memory)
    }

    /// Reads what was written since; gives the number of new frames.
    pub fn refresh(&mut self) -> Result<u64> {
        let before = self.reader.last();
        self.reader.resume()?;
        self.catch_up()?;
        Ok(self.reader.last() - before)
    }

    /// Number of the last frame read.
    pub fn sequence(&self) -> u64 {
        self.reader.last()
    }

    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.records.get(key).map(Vec::as_slice)
    }

    pub fn range<'a>(&'a self, prefix: &[u8]) -> MemoryRange<'a> {
        MemoryRange { inner: self.records.range(prefix.to_vec()..), prefix: prefix.to_vec() }
    }

    fn catch_up(&mut self) -> Result<()> {
        while let Some(frame) = self.reader.next_frame()? {
            for op in self.reader.parse(&frame)?.1 {
                match op.for_store() {
                    (key, Some(value)) => self.records.insert(key, value),
                    (key, None) => self.records.remove(&key),
                };
            }
        }
        Ok(())
    }
}

/// Records below a prefix, in order of their keys.
pub(crate) struct MemoryRange<'a> {
    inner: std::collections::btree_map::Range<'a, Vec<u8>, Vec<u8>>,
    prefix: Vec<u8>,
}

impl<'a> Iterator for MemoryRange<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = self.inner.next()?;
        key.starts_with(&self.prefix).then_some((key.as_slice(), value.as_slice()))
    }
}

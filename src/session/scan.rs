//! Iterators over the records of one table, from the store or from memory.

use std::borrow::Cow;
use std::marker::PhantomData;

use super::blobs::Blobs;
use super::error::Result;
use super::memory::MemoryRange;
use super::record::{self, Record};
use super::store::StoreRange;

/// Packed records in order of their keys.
pub(crate) enum RawScan<'a> {
    Store(StoreRange<'a>),
    Memory(MemoryRange<'a>),
}

/// Bytes that come from sled or from memory.
pub(crate) enum Packed<'a> {
    Store(sled::IVec),
    Memory(&'a [u8]),
}

impl AsRef<[u8]> for Packed<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Packed::Store(bytes) => bytes,
            Packed::Memory(bytes) => bytes,
        }
    }
}

impl<'a> Iterator for RawScan<'a> {
    type Item = Result<(Packed<'a>, Packed<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            RawScan::Store(range) => range.next().map(|item| item.map(|(k, v)| (Packed::Store(k), Packed::Store(v)))),
            RawScan::Memory(range) => range.next().map(|(k, v)| Ok((Packed::Memory(k), Packed::Memory(v)))),
        }
    }
}

/// Records of one table with their keys, in order of the keys. Made by [`super::Session::scan`].
pub struct Scan<'a, R> {
    pub(crate) raw: RawScan<'a>,
    pub(crate) blobs: &'a Blobs,
    pub(crate) kind: PhantomData<R>,
}

impl<R: Record> Iterator for Scan<'_, R> {
    type Item = Result<(String, R)>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.raw.next()?;
        Some(item.and_then(|(key, value)| {
            let key = key_of(key.as_ref());
            let record = record::decode(&key, value.as_ref(), self.blobs)?;
            Ok((key, record))
        }))
    }

    /// Skipping does not unpack what is skipped, so a page far down a long table is cheap to reach.
    fn nth(&mut self, n: usize) -> Option<Self::Item> {
        for _ in 0..n {
            if let Err(e) = self.raw.next()? {
                return Some(Err(e));
            }
        }
        self.next()
    }
}

/// Keys of one table in order. Made by [`super::Session::keys`].
pub struct Keys<'a> {
    pub(crate) raw: RawScan<'a>,
}

impl Iterator for Keys<'_> {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        self.raw.next().map(|item| item.map(|(key, _)| key_of(key.as_ref())))
    }
}

fn key_of(stored: &[u8]) -> String {
    let (_, key): (_, Cow<'_, str>) = record::split_key(stored);
    key.into_owned()
}

//! Typed records, and the bytes a value takes in the store.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;
pub use serde_json::Value;

use super::blobs::{Blobs, Place};
use super::error::{Result, SessionError};

/// Something a session keeps under a key. The type is the table's schema; bump [`Record::VERSION`] when a stored value
/// of the old shape no longer reads as the new one, and teach [`Record::upgrade`] the way.
///
/// Values are stored as JSON, which has no NaN and no infinity: keep a number that may not be finite as an `Option`.
/// Finite numbers read back to the last bit.
pub trait Record: Serialize + DeserializeOwned {
    /// Name of the table: lower-case letters, digits and `-`.
    const TABLE: &'static str;
    /// Version of the shape, from 1.
    const VERSION: u32;

    /// Table and version of a small record that is kept beside each record of this type, under the same key and written
    /// with it; `None` where there is none. What lists need of large records belongs there.
    const BRIEF: Option<(&'static str, u32)> = None;

    /// That small record as JSON; asked for only where [`Record::BRIEF`] names a table.
    fn brief(&self) -> Value {
        Value::Null
    }

    /// Reads a value that was written with another version. The default knows no other version and says so.
    fn upgrade(version: u32, value: Value) -> std::result::Result<Self, String> {
        drop(value);
        Err(if version > Self::VERSION {
            format!(
                "it was written in version {version} by a newer Footbridge; this one knows version {}",
                Self::VERSION
            )
        } else {
            format!("it was written in version {version}; this Footbridge knows only version {}", Self::VERSION)
        })
    }
}

/// Below this many bytes a value is stored as it is.
const COMPRESS_FROM: usize = 400;
const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
/// Instead of a content stands its [`Place`] in the journal, where it lies as zstd of JSON.
const BESIDE: u8 = 2;
const HEAD: usize = 9;

/// Store form of a value: one byte for the packing, four for the version, four for the length of the JSON (both little
/// endian), then JSON or zstd of JSON.
pub(crate) fn pack(version: u32, json: &[u8]) -> Vec<u8> {
    let squeezed = if json.len() < COMPRESS_FROM {
        None
    } else {
        zstd::bulk::compress(json, 1).ok().filter(|z| z.len() < json.len())
    };
    let (tag, body) = match &squeezed {
        Some(z) => (ZSTD, z.as_slice()),
        None => (PLAIN, json),
    };
    let mut out = Vec::with_capacity(HEAD + body.len());
    out.push(tag);
    out.extend_from_slice(&version.to_le_bytes());
    out.extend_from_slice(&u32::try_from(json.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(body);
    out
}

/// Store form of a value that lies in the journal; `json_length` is the length of its JSON.
pub(crate) fn pack_place(version: u32, json_length: u32, place: Place) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD + Place::BYTES);
    out.push(BESIDE);
    out.extend_from_slice(&version.to_le_bytes());
    out.extend_from_slice(&json_length.to_le_bytes());
    out.extend_from_slice(&place.to_bytes());
    out
}

/// Store form of a value that is packed already.
pub(crate) fn pack_packed(version: u32, json_length: u32, packed: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD + packed.len());
    out.push(ZSTD);
    out.extend_from_slice(&version.to_le_bytes());
    out.extend_from_slice(&json_length.to_le_bytes());
    out.extend_from_slice(packed);
    out
}

/// Version, length of JSON and place of a stored value that only says where its content lies; `None` of others.
pub(crate) fn place_of(stored: &[u8]) -> Option<(u32, u32, Place)> {
    let (head, body) = stored.split_first_chunk::<HEAD>().filter(|(head, _)| head[0] == BESIDE)?;
    let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    Some((word(1), word(5), Place::from_bytes(body)?))
}

/// The version and the JSON of a stored value.
pub(crate) fn unpack<'a>(stored: &'a [u8], blobs: &Blobs) -> std::result::Result<(u32, Cow<'a, [u8]>), String> {
    let (head, body) = stored.split_first_chunk::<HEAD>().ok_or("the stored value is cut short")?;
    let version = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
    let length = u32::from_le_bytes([head[5], head[6], head[7], head[8]]) as usize;
    let expand = |packed: &[u8]| {
        zstd::bulk::decompress(packed, length)
            .map(|json| (version, Cow::Owned(json)))
            .map_err(|e| format!("the stored value does not unpack ({e})"))
    };
    match head[0] {
        PLAIN => Ok((version, Cow::Borrowed(body))),
        ZSTD => expand(body),
        BESIDE => expand(&blobs.read(&Place::from_bytes(body).ok_or("the stored value is cut short")?)?),
        other => Err(format!("the stored value has an unknown packing ({other})")),
    }
}

/// Reads a stored value as its type, upgrading it where needed.
pub(crate) fn decode<R: Record>(key: &str, stored: &[u8], blobs: &Blobs) -> Result<R> {
    let read = || -> std::result::Result<R, String> {
        let (version, json) = unpack(stored, blobs)?;
        if version == R::VERSION {
            return serde_json::from_slice(&json).map_err(|e| format!("it does not read as its type ({e})"));
        }
        let value = serde_json::from_slice(&json).map_err(|e| format!("it is not JSON ({e})"))?;
        R::upgrade(version, value)
    };
    read().map_err(|what| SessionError::Record { table: R::TABLE.into(), key: key.into(), what })
}

/// Name of the table of briefs beside a table; [`Record::BRIEF`] follows it.
pub(crate) fn brief_table(table: &str) -> String {
    format!("{table}-brief")
}

/// Key of a record in the store. Table names hold no NUL, so tables cannot run into each other.
pub(crate) fn store_key(table: &str, key: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(table.len() + 1 + key.len());
    out.extend_from_slice(table.as_bytes());
    out.push(0);
    out.extend_from_slice(key.as_bytes());
    out
}

/// Table and key of a store key.
pub(crate) fn split_key(stored: &[u8]) -> (Cow<'_, str>, Cow<'_, str>) {
    let nul = stored.iter().position(|&b| b == 0).unwrap_or(stored.len());
    let key = stored.get(nul + 1..).unwrap_or_default();
    (String::from_utf8_lossy(&stored[..nul]), String::from_utf8_lossy(key))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn values_pack_and_unpack() {
        let blobs = Blobs::at(std::path::Path::new("nowhere"));
        for json in [&b"1"[..], &[b'x'; 5000]] {
            let stored = pack(7, json);
            assert_eq!(unpack(&stored, &blobs).unwrap(), (7, Cow::Borrowed(json)));
        }
        assert!(pack(1, &[b'x'; 5000]).len() < 200, "long values are squeezed");
        assert!(unpack(b"\x00\x01", &blobs).is_err());
        assert!(unpack(b"\x09\x01\0\0\0\x02\0\0\0{}", &blobs).is_err());
        assert!(unpack(b"\x02\x01\0\0\0\x02\0\0\0{}", &blobs).is_err());
    }
}

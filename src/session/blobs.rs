//! Large values lie in the journal only; store and memory keep their place in it.
//!
//! A stage of difficulty writes hundreds of megabytes of rollouts. Kept in the store as well they would double the disk
//! a session takes, and a walk over its keys would drag every text through memory. A value from [`FROM`] bytes of JSON
//! on is compressed by itself and stands behind the text of its frame, so one is read without its neighbours.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::journal::segment_path;

/// Values of this many bytes of JSON and more are kept beside the text of their frame.
pub(crate) const FROM: usize = 4096;

/// Where a compressed value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Segment of the journal.
    pub segment: u32,
    /// First byte within it.
    pub offset: u64,
    /// Compressed bytes.
    pub length: u32,
    /// CRC-32 of them.
    pub crc: u32,
}

impl Place {
    /// Bytes of a place in the store.
    pub const BYTES: usize = 20;

    /// As it is stored, little endian.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[..4].copy_from_slice(&self.segment.to_le_bytes());
        out[4..12].copy_from_slice(&self.offset.to_le_bytes());
        out[12..16].copy_from_slice(&self.length.to_le_bytes());
        out[16..].copy_from_slice(&self.crc.to_le_bytes());
        out
    }

    /// Reads a stored place.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::BYTES] = bytes.try_into().ok()?;
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let offset = u64::from(word(4)) | u64::from(word(8)) << 32;
        Some(Self { segment: word(0), offset, length: word(12), crc: word(16) })
    }
}

/// Reads large values out of a journal. Keeps its segments open.
#[derive(Debug)]
pub(crate) struct Blobs {
    dir: PathBuf,
    files: Mutex<BTreeMap<u32, Arc<File>>>,
}

impl Blobs {
    /// Over the journal in `dir`. Touches no disk yet.
    pub fn at(dir: &Path) -> Self {
        Self { dir: dir.to_path_buf(), files: Mutex::default() }
    }

    /// The compressed bytes at a place, checked; the error says what is wrong.
    pub fn read(&self, place: &Place) -> Result<Vec<u8>, String> {
        let path = segment_path(&self.dir, place.segment);
        let wrong = |what: String| format!("its content, in {} at byte {}, {what}", path.display(), place.offset);
        let mut bytes = vec![0; place.length as usize];
        self.fill(place, &path, &mut bytes).map_err(|e| wrong(format!("cannot be read ({e})")))?;
        if crc32fast::hash(&bytes) == place.crc {
            Ok(bytes)
        } else {
            Err(wrong("does not match its checksum; `footbridge sessions check` says what else is damaged".into()))
        }
    }

    fn fill(&self, place: &Place, path: &Path, bytes: &mut [u8]) -> std::io::Result<()> {
        // Held while reading where a read moves the file's position; one read is short.
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match files.get(&place.segment) {
            Some(file) => Arc::clone(file),
            None => {
                let file = Arc::new(File::open(path)?);
                files.insert(place.segment, Arc::clone(&file));
                file
            }
        };
        #[cfg(unix)]
        {
            drop(files);
            std::os::unix::fs::FileExt::read_exact_at(&*file, bytes, place.offset)
        }
        #[cfg(not(unix))]
        {
            use std::io::{Read, Seek, SeekFrom};
            (&*file).seek(SeekFrom::Start(place.offset))?;
            (&*file).read_exact(bytes)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_and_its_content_is_checked() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(segment_path(dir.path(), 3), b"head and the value").unwrap();
        let place = Place { segment: 3, offset: 9, length: 9, crc: crc32fast::hash(b"the value") };
        assert_eq!(Place::from_bytes(&place.to_bytes()), Some(place));
        assert_eq!(Place::from_bytes(b"short"), None);
        let blobs = Blobs::at(dir.path());
        assert_eq!(blobs.read(&place).unwrap(), b"the value");
        assert!(
            blobs.read(&Place { offset: 8, ..place }).unwrap_err().contains("000003.fbj at byte 8, does not match")
        );
        assert!(blobs.read(&Place { length: 10, ..place }).unwrap_err().contains("cannot be read"));
        assert!(blobs.read(&Place { segment: 4, ..place }).is_err());
    }
}

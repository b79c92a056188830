//! Text files, line by line, with bounds: no line takes more memory than [`LONGEST_LINE`], and what is not UTF-8 is
//! named for what it seems to be.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::{DataError, Place};

/// The longest line, or JSON value, that is read, in bytes. No question comes near it.
pub const LONGEST_LINE: usize = 4 << 20;
/// The largest file that has to be read as a whole (JSON, CSV), in bytes.
pub const LARGEST_WHOLE: u64 = 512 << 20;

/// Reads the lines of a file and the hash of its bytes on the way.
pub struct Lines<'p> {
    path: &'p Path,
    reader: BufReader<File>,
    digest: Sha256,
    line: usize,
    buffer: Vec<u8>,
}

impl<'p> Lines<'p> {
    /// Opens a file and looks at its first bytes.
    ///
    /// # Errors
    /// It can't be opened, or begins like something else than UTF-8 text.
    pub fn open(path: &'p Path) -> Result<Self, DataError> {
        let unreadable = |source| DataError::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let begin = reader.fill_buf().map_err(unreadable)?;
        if let Some(reason) = foreign(begin) {
            return Err(DataError::File { path: path.to_owned(), reason });
        }
        Ok(Self { path, reader, digest: Sha256::new(), line: 0, buffer: Vec::new() })
    }

    /// The next line without its end, and its number from 1.
    ///
    /// # Errors
    /// The line is too long or is not UTF-8.
    pub fn next(&mut self) -> Result<Option<(usize, &str)>, DataError> {
        self.buffer.clear();
        let limit = LONGEST_LINE as u64 + 2;
        let read = (&mut self.reader).take(limit).read_until(b'\n', &mut self.buffer);
        let read = read.map_err(|source| DataError::Unreadable { path: self.path.to_owned(), source })?;
        if read == 0 {
            return Ok(None);
        }
        self.line += 1;
        self.digest.update(&self.buffer);
        while matches!(self.buffer.last(), Some(b'\n' | b'\r')) {
            self.buffer.pop();
        }
        if self.buffer.len() > LONGEST_LINE {
            return Err(fault(self.path, self.line, too_long("line")));
        }
        let (path, line) = (self.path, self.line);
        let text =
            std::str::from_utf8(&self.buffer).map_err(|error| fault(path, line, not_utf8(error.valid_up_to())))?;
        let text = if line == 1 { text.trim_start_matches('\u{feff}') } else { text };
        Ok(Some((line, text)))
    }

    /// The SHA-256 of the bytes read so far, in hex.
    pub fn sha256(self) -> String {
        hex::encode(self.digest.finalize())
    }
}

/// A whole text file, and the SHA-256 of its bytes in hex. A byte order mark is left out.
///
/// # Errors
/// As [`Lines`], or the file is larger than [`LARGEST_WHOLE`].
pub fn whole(path: &Path) -> Result<(String, String), DataError> {
    let bytes = whole_bytes(path)?;
    if let Some(reason) = foreign(&bytes) {
        return Err(DataError::File { path: path.to_owned(), reason });
    }
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..at];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = at - before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        fault(path, line, not_utf8(column))
    })?;
    Ok((text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text), sha256))
}

/// All bytes of a file that is not larger than [`LARGEST_WHOLE`].
///
/// # Errors
/// It can't be read, or is larger.
pub fn whole_bytes(path: &Path) -> Result<Vec<u8>, DataError> {
    let unreadable = |source| DataError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(LARGEST_WHOLE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST_WHOLE {
        let reason = format!(
            "is larger than {} MiB; split it, or write it as JSON Lines, which is read line by line",
            LARGEST_WHOLE >> 20
        );
        return Err(DataError::File { path: path.to_owned(), reason });
    }
    Ok(bytes)
}

/// What a file is by its first bytes, where it is not UTF-8 text.
fn foreign(begin: &[u8]) -> Option<String> {
    let starts = |magic: &[u8]| begin.starts_with(magic);
    // Text of another width has a zero in every second place; ours has none at all.
    let zeros = begin.iter().take(64).filter(|byte| **byte == 0).count();
    if starts(b"\xff\xfe") || starts(b"\xfe\xff") || (zeros > 0 && 4 * zeros >= begin.len().min(64)) {
        return Some("is UTF-16 text; save it as UTF-8, for example by `iconv -f UTF-16 -t UTF-8`".into());
    }
    if begin.contains(&b'\r') && !begin.contains(&b'\n') {
        return Some("ends its lines with CR alone; save it with LF, for example by `tr '\\r' '\\n'`".into());
    }
    let what = match begin {
        _ if starts(b"\x1f\x8b") => "is compressed by gzip; unpack it first",
        _ if starts(b"PK\x03\x04") => "is a zip archive; unpack it first",
        _ if starts(b"\x28\xb5\x2f\xfd") => "is compressed by zstd; unpack it first",
        _ if starts(b"PAR1") => "is a parquet file; let its name end in .parquet",
        _ if starts(b"version https://git-lfs") => {
            "is only a pointer of Git LFS; fetch the file itself by `git lfs pull`"
        }
        _ if starts(b"<!DOCTYPE") || starts(b"<html") => "is a web page; download the raw file",
        _ => return None,
    };
    Some(what.into())
}

/// Says that a line or value is too long.
pub(super) fn too_long(what: &str) -> String {
    format!(
        "this {what} is longer than {} MiB; no question is that long, so look whether line ends are missing",
        LONGEST_LINE >> 20
    )
}

fn not_utf8(byte: usize) -> String {
    format!("not UTF-8 text from byte {} of the line on; save the file as UTF-8", byte + 1)
}

pub(super) fn fault(path: &Path, line: usize, reason: String) -> DataError {
    DataError::At { path: path.to_owned(), place: Place::Line(line), reason }
}

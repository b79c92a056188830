//! Reads a journal frame by frame, holding one frame in memory.
//!
//! The end of the last segment may be torn by a crash; that is not an error but a [`Tail`]. Everything else that does
//! not fit (checksums, a gap in the numbers, a torn end with another segment behind it) stops with the place.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::super::batch::{self, Beside, Head, Op};
use super::super::error::{Result, SessionError};
use super::frame::{self, FrameHead, HEAD};
use super::{segment_path, segments};

/// Where the good part of the journal ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tail {
    /// The last segment.
    pub segment: u32,
    /// Its bytes up to the end of its last whole frame.
    pub good: u64,
    /// Bytes of an incomplete frame behind that.
    pub torn: u64,
}

/// A frame as it lies in the journal, its checksums verified.
#[derive(Debug)]
pub(crate) struct Frame {
    pub head: FrameHead,
    payload: Vec<u8>,
    segment: u32,
    offset: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Reader {
    name: String,
    dir: PathBuf,
    segments: Vec<(u32, PathBuf)>,
    /// Index into `segments` of the one being read.
    at: usize,
    file: Option<BufReader<File>>,
    /// Offset of the next frame.
    offset: u64,
    /// Number the next frame must have.
    next: u64,
    torn: u64,
}

impl Reader {
    /// Starts at the first frame.
    pub fn open(name: &str, dir: &Path) -> Result<Self> {
        let segments = segments(dir)?;
        let (name, dir) = (name.to_owned(), dir.to_path_buf());
        let reader = Self { name, dir, segments, at: 0, file: None, offset: 0, next: 1, torn: 0 };
        match reader.segments.first() {
            Some((1, _)) => Ok(reader),
            _ => Err(reader.damage(&segment_path(&reader.dir, 1), 0, "the first segment is missing".into())),
        }
    }

    /// Number of the last frame that was read.
    pub fn last(&self) -> u64 {
        self.next - 1
    }

    /// The next whole frame; `None` at the end.
    pub fn next_frame(&mut self) -> Result<Option<Frame>> {
        loop {
            let Some((segment, path)) = self.segments.get(self.at).cloned() else { return Ok(None) };
            match self.read_one(segment, &path)? {
                Step::Frame(frame) => return Ok(Some(frame)),
                Step::End if self.at + 1 < self.segments.len() => {
                    self.at += 1;
                    self.offset = 0;
                    self.file = None;
                }
                Step::End => return Ok(None),
                Step::Torn(bytes) if self.at + 1 == self.segments.len() => {
                    self.torn = bytes;
                    return Ok(None);
                }
                Step::Torn(_) => {
                    return Err(self.damage(&path, self.offset, "the segment ends within a frame".into()));
                }
            }
        }
    }

    /// Where the good part ends; meaningful after [`Reader::next_frame`] gave `None` or an error.
    pub fn tail(&self) -> Tail {
        let segment = self.segments.get(self.at).map_or(1, |s| s.0);
        Tail { segment, good: self.offset, torn: self.torn }
    }

    /// Goes on after the end was reached: another process may have written since.
    pub fn resume(&mut self) -> Result<()> {
        self.segments = segments(&self.dir)?;
        self.file = None;
        self.torn = 0;
        Ok(())
    }

    /// Who, why and what of a frame.
    pub fn parse(&self, frame: &Frame) -> Result<(Head, Vec<Op>)> {
        let place = |front: usize| Beside {
            segment: frame.segment,
            offset: frame.offset + (HEAD + front) as u64,
            length: frame.payload.len().saturating_sub(front) as u64,
        };
        frame::unsqueeze(&frame.head, &frame.payload)
            .and_then(|(text, front)| batch::parse(&text, place(front)))
            .map_err(|what| self.damage(&segment_path(&self.dir, frame.segment), frame.offset, what))
    }

    fn read_one(&mut self, segment: u32, path: &Path) -> Result<Step> {
        let disk = |e| SessionError::disk("read", path, e);
        let offset = self.offset;
        let file = match &mut self.file {
            Some(file) => file,
            empty => {
                let mut file = File::open(path).map_err(disk)?;
                file.seek(SeekFrom::Start(offset)).map_err(disk)?;
                empty.insert(BufReader::with_capacity(1 << 17, file))
            }
        };
        let mut head = [0; HEAD];
        match fill(file, &mut head).map_err(disk)? {
            0 => return Ok(Step::End),
            HEAD => {}
            part => return Ok(Step::Torn(part as u64)),
        }
        let head = match frame::decode_head(&head) {
            Ok(head) => head,
            // After a loss of power a file can be longer than what reached the disk; the rest reads as zeros.
            Err(_) if head == [0; HEAD] => match zeros(file).map_err(disk)? {
                Some(rest) => return Ok(Step::Torn(HEAD as u64 + rest)),
                None => return Err(self.damage(path, offset, "zeros stand where a frame should".into())),
            },
            Err(what) => return Err(self.damage(path, offset, what.into())),
        };
        let mut payload = vec![0; head.length as usize];
        let got = fill(file, &mut payload).map_err(disk)?;
        if got < payload.len() {
            return Ok(Step::Torn((HEAD + got) as u64));
        }
        if crc32fast::hash(&payload) != head.payload_crc {
            return Err(self.damage(path, offset, "the frame's content does not match its checksum".into()));
        }
        if head.sequence != self.next {
            let what = format!("frame {} stands where frame {} should", head.sequence, self.next);
            return Err(self.damage(path, offset, what));
        }
        self.offset += (HEAD + payload.len()) as u64;
        self.next += 1;
        Ok(Step::Frame(Frame { head, payload, segment, offset }))
    }

    fn damage(&self, file: &Path, offset: u64, what: String) -> SessionError {
        SessionError::JournalDamaged { name: self.name.clone(), file: file.to_path_buf(), offset, what }
    }
}

enum Step {
    Frame(Frame),
    End,
    Torn(u64),
}

/// Reads until the buffer is full or the file ends; gives the number of bytes.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(got)
}

/// Number of bytes to the end if all of them are zero.
fn zeros(file: &mut impl Read) -> io::Result<Option<u64>> {
    let (mut total, mut buffer) = (0, [0; 4096]);
    loop {
        let got = fill(file, &mut buffer)?;
        if buffer[..got].iter().any(|&b| b != 0) {
            return Ok(None);
        }
        total += got as u64;
        if got < buffer.len() {
            return Ok(Some(total));
        }
    }
}

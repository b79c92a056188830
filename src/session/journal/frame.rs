//! One frame of the journal as bytes. All numbers are little endian.
//!
//! | bytes | content |
//! |---|---|
//! | 0..4 | `FBJ1`, or `FBJ2` where large values stand beside the text |
//! | 4..8 | length of the payload |
//! | 8..16 | sequence number, from 1, without gaps over all segments |
//! | 16..24 | unix time in milliseconds |
//! | 24..28 | length of the text the payload unpacks to |
//! | 28..32 | CRC-32 of the payload |
//! | 32..36 | CRC-32 of bytes 0..32 |
//! | 36.. | payload: zstd of the batch's text; then zstd of each large value, in the order in which the text names them |
//!
//! The head has its own checksum, so that a damaged length is never mistaken for a frame that was cut off by a crash:
//! a frame is *torn* only if its head is whole (or itself cut off) and the file ends before the payload does.

use super::super::error::{Result, SessionError};

/// Length of a frame's head.
pub(crate) const HEAD: usize = 36;
const MAGIC: [u8; 4] = *b"FBJ1";
const MAGIC_BESIDE: [u8; 4] = *b"FBJ2";
/// Largest payload, packed.
pub(crate) const LARGEST_PAYLOAD: usize = 256 << 20;
/// Largest text of a frame, unpacked.
const LARGEST_TEXT: usize = 1 << 30;
const LEVEL: i32 = 3;

/// A frame's head, read and checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHead {
    pub length: u32,
    pub sequence: u64,
    pub millis: u64,
    pub text_length: u32,
    pub payload_crc: u32,
    /// Whether large values stand beside the text.
    pub beside: bool,
}

/// A batch, packed for a frame.
#[derive(Debug)]
pub(crate) struct Payload {
    pub bytes: Vec<u8>,
    pub text_length: u32,
    /// Bytes of the packed text; behind them stand the large values.
    pub front: usize,
}

/// Packs the text of a batch; `beside` are its large values, packed already.
pub(crate) fn squeeze(text: &[u8], beside: &[u8]) -> Result<Payload> {
    let too_large = |bytes: usize, limit: usize| SessionError::BatchTooLarge {
        mib: (bytes >> 20) as u64,
        limit: (limit >> 20) as u64,
    };
    let text_length = u32::try_from(text.len()).ok().filter(|_| text.len() <= LARGEST_TEXT);
    let text_length = text_length.ok_or_else(|| too_large(text.len(), LARGEST_TEXT))?;
    // The buffer is sized by zstd's own bound, so this cannot fail short of a text that is too large for it.
    let mut bytes = zstd::bulk::compress(text, LEVEL).map_err(|_| too_large(text.len(), LARGEST_TEXT))?;
    let front = bytes.len();
    bytes.extend_from_slice(beside);
    if bytes.len() > LARGEST_PAYLOAD {
        return Err(too_large(bytes.len(), LARGEST_PAYLOAD));
    }
    Ok(Payload { bytes, text_length, front })
}

/// Packs one large value.
pub(crate) fn squeeze_value(json: &[u8]) -> std::io::Result<Vec<u8>> {
    zstd::bulk::compress(json, LEVEL)
}

/// Unpacks the text of a payload whose head was read; with it comes the number of packed bytes it took, behind which
/// the large values stand.
pub(crate) fn unsqueeze(head: &FrameHead, payload: &[u8]) -> std::result::Result<(Vec<u8>, usize), String> {
    let front = if head.beside {
        zstd::zstd_safe::find_frame_compressed_size(payload).map_err(|_| "the frame's text has no end")?
    } else {
        payload.len()
    };
    let text = zstd::bulk::decompress(payload.get(..front).unwrap_or(payload), head.text_length as usize)
        .map_err(|e| format!("the frame does not unpack ({e})"))?;
    if text.len() == head.text_length as usize {
        Ok((text, front))
    } else {
        Err("the frame unpacks to too little".into())
    }
}

/// Head and payload as they go to the file.
pub(crate) fn encode(sequence: u64, millis: u64, payload: &Payload) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD + payload.bytes.len());
    out.extend_from_slice(if payload.front < payload.bytes.len() { &MAGIC_BESIDE } else { &MAGIC });
    out.extend_from_slice(&u32::try_from(payload.bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&sequence.to_le_bytes());
    out.extend_from_slice(&millis.to_le_bytes());
    out.extend_from_slice(&payload.text_length.to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(&payload.bytes).to_le_bytes());
    let head_crc = crc32fast::hash(&out);
    out.extend_from_slice(&head_crc.to_le_bytes());
    out.extend_from_slice(&payload.bytes);
    out
}

/// Reads and checks a head; the error says what is wrong with it.
pub(crate) fn decode_head(head: &[u8; HEAD]) -> std::result::Result<FrameHead, &'static str> {
    let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
    if crc32fast::hash(&head[..32]) != word(32) {
        return Err("the frame's head does not match its checksum");
    }
    let beside = head[..4] == MAGIC_BESIDE;
    if head[..4] != MAGIC && !beside {
        return Err("this is no frame of a version this Footbridge knows");
    }
    if word(4) as usize > LARGEST_PAYLOAD || word(24) as usize > LARGEST_TEXT {
        return Err("the frame claims to be larger than any frame may be");
    }
    let (length, text_length, payload_crc) = (word(4), word(24), word(28));
    Ok(FrameHead { length, sequence: long(8), millis: long(16), text_length, payload_crc, beside })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_frame_comes_back(text: Vec<u8>, beside: Vec<u8>, sequence: u64, millis: u64) {
            let payload = squeeze(&text, &beside).unwrap();
            let bytes = encode(sequence, millis, &payload);
            let (head, body) = bytes.split_first_chunk::<HEAD>().unwrap();
            let head = decode_head(head).unwrap();
            prop_assert_eq!((head.sequence, head.millis, head.length as usize), (sequence, millis, body.len()));
            prop_assert_eq!(head.payload_crc, crc32fast::hash(body));
            let (back, front) = unsqueeze(&head, body).unwrap();
            prop_assert_eq!((back, &body[front..]), (text, beside.as_slice()));
        }

        #[test]
        fn any_flipped_bit_is_noticed(text: Vec<u8>, at: prop::sample::Index, bit in 0_u8..8) {
            let payload = squeeze(&text, b"beside").unwrap();
            let mut bytes = encode(1, 2, &payload);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let (head, body) = bytes.split_first_chunk::<HEAD>().unwrap();
            let noticed = decode_head(head).map_or(true, |h| h.payload_crc != crc32fast::hash(body));
            prop_assert!(noticed);
        }
    }
}

//! Frames of the block log: one serialized block, checked and compressed.
//!
//! ```text
//! frame   = header(21) ‖ payload ‖ digest(32) ‖ CRC-32(all before)(4)
//! digest  = SM3(header ‖ payload), or SM3(header ‖ SM3 of each 4 KiB of it) where the payload is longer than that
//! header  = "CBL1" ‖ u8 kind ‖ u64 number ‖ u32 payload length ‖ CRC-32(all before)
//! payload = [u32 body length ‖ LZ4 block]  or, where that would not be shorter, the body itself
//! body    = u32 block length ‖ u16 n ‖ n × (u16 length ‖ identity)
//!           ‖ u32 m ‖ m × (u32 literal length ‖ u32 frame offset ‖ u16 index) ‖ literals
//! ```
//! Integers are big-endian. A block is its literals with identities between them; an identity is
//! named by the frame of the same segment that defines it (`u32::MAX`: this frame) and its index
//! there. CRC-32 makes reading a whole log at start cheap, SM3 is what a block is served under.

mod body;

use std::collections::BTreeMap;
use std::sync::Arc;

use smkit::sm3::Sm3Digest;

pub use body::{Body, Reference};
pub(crate) use body::{Definitions, Known, Reader};

use crate::limits::PAYLOAD_BYTES_MAX;

pub(crate) const HEADER_BYTES: usize = 21;
const TRAILER_BYTES: usize = 36;
const MAGIC: [u8; 4] = *b"CBL1";
pub(crate) const MAGIC_BYTE: u8 = b'C';
const KIND_BLOCK: u8 = 0b0001;
const KIND_COMPRESSED: u8 = 0b0010;
const KIND_DEFINES: u8 = 0b0100;
const KIND_ALL: u8 = KIND_BLOCK | KIND_COMPRESSED | KIND_DEFINES;

/// Why bytes are not a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Fewer bytes than the frame needs.
    #[error("the frame ends early")]
    Short,
    /// The header is not one, or its checksum does not fit.
    #[error("the frame's header is not intact")]
    Header,
    /// The frame's checksum does not fit.
    #[error("the frame's checksum does not fit")]
    Checksum,
    /// The frame's SM3 digest does not fit.
    #[error("the frame's digest does not fit")]
    Digest,
    /// A length is beyond its bound.
    #[error("a length in the frame is beyond its bound")]
    TooLarge,
    /// The payload does not decompress to the length it states.
    #[error("the frame's payload does not decompress")]
    Compression,
    /// The body is not of the form above.
    #[error("the frame's body is malformed")]
    Malformed,
    /// An identity that the frame refers to is not there.
    #[error("the frame refers to an identity that is not defined")]
    Reference,
}

/// Where a segment is not intact, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at offset {offset}: {error}")]
pub struct SegmentError {
    /// Offset of the frame.
    pub offset: usize,
    /// What is wrong with it.
    pub error: FrameError,
}

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    kind: u8,
    pub(crate) number: u64,
    pub(crate) payload_bytes: u32,
}

impl Header {
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let (fields, _) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(FrameError::Short)?;
        let (checked, crc) = fields.split_last_chunk::<4>().ok_or(FrameError::Short)?;
        if crc32fast::hash(checked) != u32::from_be_bytes(*crc) {
            return Err(FrameError::Header);
        }
        let mut reader = Reader(checked);
        let magic = reader.array::<4>()?;
        let kind = reader.u8()?;
        let number = reader.u64()?;
        let payload_bytes = reader.u32()?;
        if magic != MAGIC || kind & KIND_BLOCK == 0 || kind & !KIND_ALL != 0 {
            return Err(FrameError::Header);
        }
        if payload_bytes as usize > PAYLOAD_BYTES_MAX {
            return Err(FrameError::TooLarge);
        }
        Ok(Self { kind, number, payload_bytes })
    }

    fn encode(self) -> [u8; HEADER_BYTES] {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend(MAGIC);
        out.push(self.kind);
        out.extend(self.number.to_be_bytes());
        out.extend(self.payload_bytes.to_be_bytes());
        out.extend(crc32fast::hash(&out).to_be_bytes());
        let mut header = [0; HEADER_BYTES];
        header.copy_from_slice(&out);
        header
    }

    /// Length of the whole frame.
    pub(crate) fn frame_bytes(self) -> usize {
        HEADER_BYTES + self.payload_bytes as usize + TRAILER_BYTES
    }

    /// Whether the body defines identities.
    pub(crate) fn defines(self) -> bool {
        self.kind & KIND_DEFINES != 0
    }
}

/// How much of a frame is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    Checksum,
    Digest,
}

/// Checks the frame at the start of `bytes`; `bytes` may go on behind it.
pub(crate) fn check(bytes: &[u8], check: Check) -> Result<Header, FrameError> {
    let header = Header::decode(bytes)?;
    let frame = bytes.get(..header.frame_bytes()).ok_or(FrameError::Short)?;
    let (rest, crc) = frame.split_last_chunk::<4>().ok_or(FrameError::Short)?;
    if crc32fast::hash(rest) != u32::from_be_bytes(*crc) {
        return Err(FrameError::Checksum);
    }
    if check == Check::Digest {
        let (signed, digest) = rest.split_last_chunk::<32>().ok_or(FrameError::Short)?;
        let (head, payload) =
            signed.split_first_chunk::<HEADER_BYTES>().ok_or(FrameError::Short)?;
        if crate::digest::digest(&[head], payload) != Sm3Digest::new(*digest) {
            return Err(FrameError::Digest);
        }
    }
    Ok(header)
}

/// A decoded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Number of the block.
    pub number: u64,
    /// Bytes that the frame takes up.
    pub frame_bytes: usize,
    /// Its content.
    pub body: Body,
}

/// Decodes the frame at the start of `bytes`, which may go on behind it. Checksum and digest are
/// checked first; memory is bounded by [`crate::limits`] whatever the lengths say.
///
/// # Errors
///
/// [`FrameError`] for the first thing that does not fit.
pub fn decode_frame(bytes: &[u8]) -> Result<Frame, FrameError> {
    let header = check(bytes, Check::Digest)?;
    let payload = bytes
        .get(HEADER_BYTES..HEADER_BYTES + header.payload_bytes as usize)
        .ok_or(FrameError::Short)?;
    let body = decode_payload(header.kind & KIND_COMPRESSED != 0, payload)?;
    if header.defines() == body.definitions.is_empty() {
        return Err(FrameError::Malformed);
    }
    Ok(Frame { number: header.number, frame_bytes: header.frame_bytes(), body })
}

/// Decodes a frame's payload alone: what a fuzzer reaches without forging digests.
///
/// # Errors
///
/// [`FrameError`] for the first thing that does not fit.
pub fn decode_payload(compressed: bool, payload: &[u8]) -> Result<Body, FrameError> {
    if !compressed {
        return Body::decode(payload);
    }
    let (length, packed) = payload.split_first_chunk::<4>().ok_or(FrameError::Short)?;
    let length = u32::from_be_bytes(*length) as usize;
    // LZ4 cannot do better than 255 to 1: a longer promise is a lie told to make us allocate.
    if length > PAYLOAD_BYTES_MAX || length > packed.len().saturating_mul(255).saturating_add(64) {
        return Err(FrameError::TooLarge);
    }
    let body = lz4_flex::block::decompress(packed, length).map_err(|_| FrameError::Compression)?;
    if body.len() != length {
        return Err(FrameError::Compression);
    }
    Body::decode(&body)
}

/// Encodes one block as a frame.
pub(crate) fn encode_frame(number: u64, body: &Body) -> Vec<u8> {
    let plain = body.encode();
    let packed = lz4_flex::block::compress(&plain);
    let compressed = packed.len() + 4 < plain.len();
    let mut kind = KIND_BLOCK;
    if !body.definitions.is_empty() {
        kind |= KIND_DEFINES;
    }
    let mut payload_bytes = plain.len();
    if compressed {
        kind |= KIND_COMPRESSED;
        payload_bytes = packed.len() + 4;
    }
    let payload_bytes = u32::try_from(payload_bytes).unwrap_or(u32::MAX);
    let header = Header { kind, number, payload_bytes };
    let mut out = Vec::with_capacity(header.frame_bytes());
    out.extend(header.encode());
    if compressed {
        out.extend(u32::try_from(plain.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend(packed);
    } else {
        out.extend(plain);
    }
    let (head, payload) = out.split_at(HEADER_BYTES.min(out.len()));
    let digest = crate::digest::digest(&[head], payload);
    out.extend(digest.as_bytes());
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out
}

/// Decodes a whole segment file: every block with its number, in order. The blocks are rebuilt from
/// the identities that frames of this segment define. Total output is bounded by `bytes_max`.
///
/// # Errors
///
/// [`SegmentError`] for the first frame that is not intact.
pub fn decode_segment(bytes: &[u8], bytes_max: usize) -> Result<Vec<(u64, Vec<u8>)>, SegmentError> {
    let mut defined = BTreeMap::new();
    let (mut blocks, mut offset, mut total) = (Vec::new(), 0_usize, 0_usize);
    while let Some(rest) = bytes.get(offset..).filter(|rest| !rest.is_empty()) {
        let wrong = |error| SegmentError { offset, error };
        let frame = decode_frame(rest).map_err(wrong)?;
        let at = u32::try_from(offset).map_err(|_| wrong(FrameError::TooLarge))?;
        if !frame.body.definitions.is_empty() {
            defined.insert(at, Arc::clone(&frame.body.definitions));
        }
        total = total.saturating_add(frame.body.block_bytes as usize);
        if total > bytes_max {
            return Err(wrong(FrameError::TooLarge));
        }
        let find = |at| defined.get(&at).cloned().ok_or(FrameError::Reference);
        blocks.push((frame.number, frame.body.block(find).map_err(wrong)?));
        offset += frame.frame_bytes;
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests;

//! Records of the consensus log.

use super::Entry;
use crate::frame::{FrameError, Reader};
use crate::limits::WAL_RECORD_BYTES_MAX;

const MAGIC: [u8; 4] = *b"CBWR";
const HEADER_BYTES: usize = 4 + 8 + 1 + 4 + 4;
const DIGEST_BYTES: usize = 16;

/// First half of the SM3 digest of a record, which covers the digest of the record before.
pub(super) type Chain = [u8; DIGEST_BYTES];

/// Why bytes are not the next record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The records end.
    #[error("the records end")]
    End,
    /// The header is not intact.
    #[error("a record's header is not intact")]
    Header,
    /// The digest does not fit, or the record continues another one.
    #[error("a record's digest does not fit")]
    Digest,
    /// The length is beyond its bound.
    #[error("a record's length is beyond its bound")]
    TooLarge,
}

#[derive(Debug)]
pub(super) struct Record {
    pub(super) entry: Entry,
    pub(super) chain: Chain,
    pub(super) record_bytes: usize,
}

/// Appends a record to `out`; returns the digest that the next one continues.
pub(super) fn encode_record(
    out: &mut Vec<u8>,
    previous: Chain,
    height: u64,
    kind: u8,
    bytes: &[u8],
) -> Chain {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend(MAGIC);
    header.extend(height.to_be_bytes());
    header.push(kind);
    header.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    header.extend(crc32fast::hash(&header).to_be_bytes());
    let chain = digest(previous, &header, bytes);
    out.extend(header);
    out.extend(bytes);
    out.extend(chain);
    chain
}

pub(super) fn decode_record(bytes: &[u8], previous: Chain) -> Result<Record, RecordError> {
    let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(RecordError::End)?;
    let (checked, crc) = header.split_last_chunk::<4>().ok_or(RecordError::End)?;
    if crc32fast::hash(checked) != u32::from_be_bytes(*crc) {
        return Err(RecordError::Header);
    }
    let mut reader = Reader(checked);
    let (height, kind, length) =
        fields(&mut reader).map_err(|_| RecordError::Header)?.ok_or(RecordError::Header)?;
    if length > WAL_RECORD_BYTES_MAX {
        return Err(RecordError::TooLarge);
    }
    let (payload, rest) = rest.split_at_checked(length).ok_or(RecordError::End)?;
    let found = rest.first_chunk::<DIGEST_BYTES>().ok_or(RecordError::End)?;
    let chain = digest(previous, header, payload);
    if chain != *found {
        return Err(RecordError::Digest);
    }
    Ok(Record {
        entry: Entry { height, kind, bytes: payload.to_vec() },
        chain,
        record_bytes: HEADER_BYTES + length + DIGEST_BYTES,
    })
}

/// Decodes records from the start of `bytes` until one is not intact: an entry point for fuzzing.
/// `chain` is the digest that the first one continues.
#[must_use]
pub fn decode_records(mut bytes: &[u8], mut chain: [u8; 16]) -> (Vec<Entry>, RecordError) {
    let mut entries = Vec::new();
    loop {
        match decode_record(bytes, chain) {
            Ok(record) => {
                entries.push(record.entry);
                chain = record.chain;
                bytes = bytes.get(record.record_bytes..).unwrap_or_default();
            }
            Err(end) => return (entries, end),
        }
    }
}

/// Height, kind and payload length; `None` for another magic number.
fn fields(reader: &mut Reader<'_>) -> Result<Option<(u64, u8, usize)>, FrameError> {
    let magic = reader.array::<4>()?;
    let fields = (reader.u64()?, reader.u8()?, reader.u32()? as usize);
    Ok((magic == MAGIC).then_some(fields))
}

fn digest(previous: Chain, header: &[u8], payload: &[u8]) -> Chain {
    let digest = crate::digest::digest(&[&previous, header], payload);
    let mut chain = [0; DIGEST_BYTES];
    chain.copy_from_slice(digest.as_bytes().split_at(DIGEST_BYTES).0);
    chain
}

//! The sealed forms (数字信封). Integers are big-endian.
//!
//! Version 2, for originals. Its key is nowhere in it: that is wrapped beside it, in the original's [`crate::entry`], so
//! that recipients come and go, and keys are destroyed, without a change to the object.
//! ```text
//! header   "CBE2" ‖ kind u8 ‖ 000000 ‖ chunk size u32 ‖ nonce prefix 4 ‖ id 16 ‖ length u32 of what follows
//!          ‖ SM4-GCM(key, prefix ‖ 2^64−2, header so far, metadata)                 36 + metadata + 16 bytes
//! chunk i, trailer: as in version 1
//! ```
//! Version 1, for openings, and for originals of earlier versions.
//! ```text
//! header   "CBE1" ‖ kind u8 ‖ 000000 ‖ chunk size u32 ‖ nonce prefix 4 ‖ context 32
//!          ‖ wrap nonce 12 ‖ SM4-GCM(KEK, wrap nonce, header so far, envelope key 16) 32      92 bytes
//! chunk i  SM4-GCM(key, prefix ‖ i u64, SM3(header) ‖ 00 ‖ i, plaintext)        ≤ chunk size + 16
//! trailer  SM4-GCM(key, prefix ‖ 2^64−1, SM3(header) ‖ 01, size u64 ‖ crc32 u32 ‖ sm3 32)    60 bytes
//! ```
//! All chunks but the last are full; an empty original has none. The length of the file follows
//! from the trailer's size: bytes too many or too few are damage.

use smkit::sm4::{Gcm, Key};
use smkit::{Sm3Digest, sm3};

use crate::error::CustodyError;
use crate::keys::{Fresh, Keys};
use crate::limits::{CHUNK_BYTES, METADATA_BYTES_MAX};

/// Length of a header of version 1.
pub(crate) const HEADER_BYTES: usize = 92;
/// Length of a header of version 2 before its metadata.
pub(crate) const FIXED_BYTES: usize = 36;
pub(crate) const TRAILER_BYTES: usize = 60;
pub(crate) const TAG_BYTES: usize = 16;
const MAGIC: &[u8; 4] = b"CBE1";
const MAGIC_2: &[u8; 4] = b"CBE2";
/// Where the length of the sealed metadata stands in a header of version 2.
pub(crate) const LENGTH_AT: usize = 32;
const CONTEXT_AT: usize = 16;
const WRAP_NONCE_AT: usize = 48;
const WRAPPED_AT: usize = 60;
/// Index of the trailer in nonces: beyond any chunk's.
const TRAILER_INDEX: u64 = u64::MAX;
/// Index of the metadata in nonces.
const METADATA_INDEX: u64 = u64::MAX - 1;

/// What an envelope holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Original = 1,
    Openings = 2,
}

/// Why bytes are not an intact envelope; the offset is where that was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("damaged at offset {offset}: {reason}")]
pub struct EnvelopeError {
    /// Offset in bytes.
    pub offset: u64,
    /// What is wrong.
    pub reason: &'static str,
}

/// The key of one envelope with everything its chunks are bound to.
pub(crate) struct Sealer {
    gcm: Gcm,
    prefix: [u8; 4],
    header_digest: Sm3Digest,
}

/// What the trailer states about the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trailer {
    pub(crate) size_bytes: u64,
    pub(crate) crc32: u32,
    pub(crate) sm3: Sm3Digest,
}

impl Sealer {
    /// A new envelope of version 2 around `metadata`: its header, its key, and what seals its chunks.
    pub(crate) fn create_2(
        keys: &Keys,
        metadata: &[u8],
    ) -> Result<(Vec<u8>, Key, Self), CustodyError> {
        let Fresh { key, prefix, .. } = keys.fresh();
        // Random, so that two envelopes never share a header.
        let id = keys.fresh().key;
        let sealed = metadata.len().saturating_add(TAG_BYTES);
        let length = u32::try_from(sealed).ok().filter(|_| metadata.len() <= METADATA_BYTES_MAX);
        let length = length.ok_or(CustodyError::Seal("too much metadata"))?;
        let mut header = Vec::with_capacity(FIXED_BYTES + sealed);
        header.extend(MAGIC_2);
        header.extend([Kind::Original as u8, 0, 0, 0]);
        header.extend(u32::try_from(CHUNK_BYTES).unwrap_or(u32::MAX).to_be_bytes());
        header.extend(prefix);
        header.extend(id.expose());
        header.extend(length.to_be_bytes());
        let gcm = Gcm::new(&key);
        let mut body = metadata.to_vec();
        gcm.seal_in_place(&nonce(prefix, METADATA_INDEX), &header, &mut body)
            .map_err(|_| CustodyError::Seal("the metadata"))?;
        header.extend(body);
        let sealer = Self { gcm, prefix, header_digest: sm3(&header) };
        Ok((header, key, sealer))
    }

    /// Reads a header of version 2: its metadata, and what opens the chunks.
    pub(crate) fn open_2(key: &Key, header: &[u8]) -> Result<(Vec<u8>, Self), EnvelopeError> {
        let wrong = |offset, reason| EnvelopeError { offset, reason };
        let (fixed, sealed) =
            header.split_at_checked(FIXED_BYTES).ok_or_else(|| wrong(0, "too short"))?;
        check_fixed(fixed)?;
        let prefix = fixed.get(12..).and_then(|rest| rest.first_chunk::<4>());
        let prefix = *prefix.ok_or_else(|| wrong(0, "too short"))?;
        let gcm = Gcm::new(key);
        let mut metadata = sealed.to_vec();
        gcm.open_in_place(&nonce(prefix, METADATA_INDEX), fixed, &mut metadata)
            .map_err(|_| wrong(0, "the header does not authenticate"))?;
        Ok((metadata, Self { gcm, prefix, header_digest: sm3(header) }))
    }

    /// A new envelope of version 1: its header, and what seals its chunks.
    pub(crate) fn create(
        keys: &Keys,
        kind: Kind,
        context: &[u8; 32],
    ) -> Result<(Vec<u8>, Self), &'static str> {
        let Fresh { key, wrap_nonce, prefix } = keys.fresh();
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend(MAGIC);
        header.extend([kind as u8, 0, 0, 0]);
        header.extend(u32::try_from(CHUNK_BYTES).unwrap_or(u32::MAX).to_be_bytes());
        header.extend(prefix);
        header.extend(context);
        header.extend(wrap_nonce);
        let mut wrapped = zeroize::Zeroizing::new(key.expose().to_vec());
        wrapped.reserve_exact(TAG_BYTES);
        Gcm::new(&keys.kek)
            .seal_in_place(&wrap_nonce, &header, &mut wrapped)
            .map_err(|_| "the envelope's key")?;
        header.extend(wrapped.iter());
        let sealer = Self { gcm: Gcm::new(&key), prefix, header_digest: sm3(&header) };
        Ok((header, sealer))
    }

    /// Reads a header of this kind and context.
    pub(crate) fn open(
        keys: &Keys,
        kind: Kind,
        context: &[u8; 32],
        header: &[u8; HEADER_BYTES],
    ) -> Result<Self, EnvelopeError> {
        let wrong = |offset, reason| EnvelopeError { offset, reason };
        let (fixed, rest) = header.split_at(CONTEXT_AT);
        let chunk = u32::try_from(CHUNK_BYTES).unwrap_or(u32::MAX).to_be_bytes();
        let expected = [MAGIC.as_slice(), &[kind as u8, 0, 0, 0], &chunk].concat();
        if let Some(at) = fixed.iter().zip(&expected).position(|(a, b)| a != b) {
            return Err(wrong(at as u64, "not an envelope of this kind and version"));
        }
        let (stated, _) = rest.split_at(WRAP_NONCE_AT - CONTEXT_AT);
        if stated != context {
            return Err(wrong(CONTEXT_AT as u64, "the envelope belongs to something else"));
        }
        let array = |at: usize| header.get(at..).unwrap_or_default();
        let (Some(prefix), Some(nonce)) =
            (array(12).first_chunk::<4>(), array(WRAP_NONCE_AT).first_chunk::<12>())
        else {
            return Err(wrong(0, "too short"));
        };
        let mut key = zeroize::Zeroizing::new(array(WRAPPED_AT).to_vec());
        let bound = header.get(..WRAPPED_AT).unwrap_or_default();
        Gcm::new(&keys.kek)
            .open_in_place(nonce, bound, &mut key)
            .map_err(|_| wrong(0, "the header does not authenticate"))?;
        let key = Key::from_slice(&key).map_err(|_| wrong(WRAPPED_AT as u64, "no key"))?;
        Ok(Self { gcm: Gcm::new(&key), prefix: *prefix, header_digest: sm3(header) })
    }

    /// Appends `plain`, sealed as the chunk of this index, to `out`.
    pub(crate) fn append_chunk(
        &self,
        index: u64,
        plain: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), &'static str> {
        let at = out.len();
        out.extend_from_slice(plain);
        let body = out.get_mut(at..).unwrap_or_default();
        let tag = self
            .gcm
            .seal_detached(&nonce(self.prefix, index), &self.aad(0, index), body)
            .map_err(|_| "a chunk")?;
        out.extend_from_slice(&tag);
        Ok(())
    }

    /// Seals a chunk in place; 16 bytes are added.
    pub(crate) fn seal_chunk(&self, index: u64, data: &mut Vec<u8>) -> Result<(), &'static str> {
        let aad = self.aad(0, index);
        self.gcm.seal_in_place(&nonce(self.prefix, index), &aad, data).map_err(|_| "a chunk")
    }

    /// Opens a chunk in place; nothing of it may be used when this fails.
    pub(crate) fn open_chunk(&self, index: u64, data: &mut Vec<u8>) -> Result<(), ()> {
        let aad = self.aad(0, index);
        self.gcm.open_in_place(&nonce(self.prefix, index), &aad, data).map_err(|_| ())
    }

    pub(crate) fn seal_trailer(&self, trailer: &Trailer) -> Result<Vec<u8>, &'static str> {
        let mut data = Vec::with_capacity(TRAILER_BYTES);
        data.extend(trailer.size_bytes.to_be_bytes());
        data.extend(trailer.crc32.to_be_bytes());
        data.extend(trailer.sm3.as_bytes());
        let aad = self.aad(1, TRAILER_INDEX);
        self.gcm
            .seal_in_place(&nonce(self.prefix, TRAILER_INDEX), &aad, &mut data)
            .map_err(|_| "the trailer")?;
        Ok(data)
    }

    pub(crate) fn open_trailer(&self, sealed: &[u8]) -> Option<Trailer> {
        let mut data = sealed.to_vec();
        let aad = self.aad(1, TRAILER_INDEX);
        self.gcm.open_in_place(&nonce(self.prefix, TRAILER_INDEX), &aad, &mut data).ok()?;
        let (size, rest) = data.split_first_chunk::<8>()?;
        let (crc32, digest) = rest.split_first_chunk::<4>()?;
        Some(Trailer {
            size_bytes: u64::from_be_bytes(*size),
            crc32: u32::from_be_bytes(*crc32),
            sm3: Sm3Digest::from_slice(digest).ok()?,
        })
    }

    fn aad(&self, part: u8, index: u64) -> Vec<u8> {
        [self.header_digest.as_bytes().as_slice(), &[part], &index.to_be_bytes()].concat()
    }
}

/// The 96-bit nonce of a part: the envelope's prefix and the part's index.
fn nonce(prefix: [u8; 4], index: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    for (to, from) in nonce.iter_mut().zip(prefix.iter().chain(&index.to_be_bytes())) {
        *to = *from;
    }
    nonce
}

/// Checks everything in the beginning of a version 2 header that has one value.
fn check_fixed(fixed: &[u8]) -> Result<(), EnvelopeError> {
    let chunk = u32::try_from(CHUNK_BYTES).unwrap_or(u32::MAX).to_be_bytes();
    let expected = [MAGIC_2.as_slice(), &[Kind::Original as u8, 0, 0, 0], &chunk].concat();
    match fixed.iter().zip(&expected).position(|(a, b)| a != b) {
        None => Ok(()),
        Some(at) => Err(EnvelopeError {
            offset: at as u64,
            reason: "not an envelope of this kind and version",
        }),
    }
}

/// Length of a version 2 header whose beginning this is.
pub(crate) fn header_bytes(fixed: &[u8; FIXED_BYTES]) -> Result<usize, EnvelopeError> {
    check_fixed(fixed)?;
    let length = fixed.get(LENGTH_AT..).and_then(|rest| rest.first_chunk::<4>());
    let length = length.map_or(0, |bytes| u32::from_be_bytes(*bytes) as usize);
    if !(TAG_BYTES..=METADATA_BYTES_MAX + TAG_BYTES).contains(&length) {
        let reason = "the metadata have an impossible length";
        return Err(EnvelopeError { offset: LENGTH_AT as u64, reason });
    }
    Ok(FIXED_BYTES.saturating_add(length))
}

/// Length of the envelope around `size_bytes` of plaintext; `None` beyond what there can be.
pub(crate) fn envelope_bytes(header_bytes: usize, size_bytes: u64) -> Option<u64> {
    let chunks = size_bytes.div_ceil(CHUNK_BYTES as u64);
    let tags = chunks.checked_mul(TAG_BYTES as u64)?;
    let around = header_bytes.checked_add(TRAILER_BYTES)? as u64;
    size_bytes.checked_add(tags)?.checked_add(around)
}

/// Checks the form of an envelope that is not encrypted: an entry point for fuzzing.
///
/// # Errors
/// [`EnvelopeError`] for anything but a header of version 1 or 2 and a possible length.
pub fn check_envelope(bytes: &[u8]) -> Result<(), EnvelopeError> {
    let wrong = |offset: usize, reason| EnvelopeError { offset: offset as u64, reason };
    let header = match bytes.first_chunk::<FIXED_BYTES>() {
        Some(fixed) if fixed.starts_with(MAGIC_2) => header_bytes(fixed)?,
        _ if bytes.starts_with(MAGIC) => HEADER_BYTES,
        _ => return Err(wrong(0, "not an envelope")),
    };
    let body = bytes.len().checked_sub(header.saturating_add(TRAILER_BYTES));
    let body = body.ok_or_else(|| wrong(bytes.len(), "too short"))?;
    let rest = body % (CHUNK_BYTES + TAG_BYTES);
    if (1..=TAG_BYTES).contains(&rest) {
        return Err(wrong(bytes.len(), "the last chunk is cut"));
    }
    Ok(())
}

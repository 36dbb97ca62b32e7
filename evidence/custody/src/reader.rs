//! The way out: authenticated chunk by chunk, compared as a whole.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use smkit::sm4::Key;
use smkit::{Sm3, Sm3Digest};

use crate::envelope::{
    FIXED_BYTES, HEADER_BYTES, Kind, LENGTH_AT, Sealer, TAG_BYTES, TRAILER_BYTES, Trailer,
    envelope_bytes, header_bytes,
};
use crate::error::CustodyError;
use crate::keys::Keys;
use crate::limits::CHUNK_BYTES;
use crate::store::{Object, StoreError};

/// An original on its way out. A failed read is an [`io::Error`] around [`CustodyError`] and
/// returns nothing of the damaged chunk; the digest of the whole is compared before the end is
/// reported, so that reading to the end without an error means: unchanged.
pub struct OriginalReader {
    place: PathBuf,
    object: Box<dyn Object>,
    sealer: Sealer,
    metadata: Vec<u8>,
    header_bytes: usize,
    trailer: Trailer,
    chunk: Vec<u8>,
    /// Bytes of the chunk handed out already.
    used: usize,
    index: u64,
    left: u64,
    sm3: Sm3,
    crc32: crc32fast::Hasher,
    /// An error stays: whoever reads on after one must not see a clean end.
    failed: bool,
}

impl OriginalReader {
    /// An envelope of version 1.
    pub(crate) fn open_1(
        place: &Path,
        mut object: Box<dyn Object>,
        keys: &Keys,
        kind: Kind,
        context: &[u8; 32],
    ) -> Result<Self, CustodyError> {
        let mut header = [0; HEADER_BYTES];
        read(place, object.as_mut(), 0, &mut header)?;
        let sealer = Sealer::open(keys, kind, context, &header)
            .map_err(|error| CustodyError::damaged(place, error.offset, error.reason))?;
        Self::begin(place, object, sealer, Vec::new(), HEADER_BYTES)
    }

    /// An envelope of version 2.
    pub(crate) fn open_2(
        place: &Path,
        mut object: Box<dyn Object>,
        key: &Key,
    ) -> Result<Self, CustodyError> {
        let damaged =
            |error: crate::EnvelopeError| CustodyError::damaged(place, error.offset, error.reason);
        let mut fixed = [0; FIXED_BYTES];
        read(place, object.as_mut(), 0, &mut fixed)?;
        let mut header = vec![0; header_bytes(&fixed).map_err(damaged)?];
        if header.len() as u64 > object.size_bytes() {
            let reason = "the metadata have an impossible length";
            return Err(CustodyError::damaged(place, LENGTH_AT as u64, reason));
        }
        read(place, object.as_mut(), 0, &mut header)?;
        let (metadata, sealer) = Sealer::open_2(key, &header).map_err(damaged)?;
        Self::begin(place, object, sealer, metadata, header.len())
    }

    fn begin(
        place: &Path,
        mut object: Box<dyn Object>,
        sealer: Sealer,
        metadata: Vec<u8>,
        header_bytes: usize,
    ) -> Result<Self, CustodyError> {
        let damaged = |offset, reason| CustodyError::damaged(place, offset, reason);
        let length = object.size_bytes();
        let trailer_at = length
            .checked_sub(TRAILER_BYTES as u64)
            .filter(|at| *at >= header_bytes as u64)
            .ok_or_else(|| damaged(length, "too short for an envelope"))?;
        let mut sealed = [0; TRAILER_BYTES];
        read(place, object.as_mut(), trailer_at, &mut sealed)?;
        let trailer = sealer
            .open_trailer(&sealed)
            .ok_or_else(|| damaged(trailer_at, "the trailer does not authenticate"))?;
        if envelope_bytes(header_bytes, trailer.size_bytes) != Some(length) {
            return Err(damaged(length, "its length does not fit its content's"));
        }
        Ok(Self {
            place: place.to_owned(),
            object,
            sealer,
            metadata,
            header_bytes,
            trailer,
            chunk: Vec::new(),
            used: 0,
            index: 0,
            left: trailer.size_bytes,
            sm3: Sm3::new(),
            crc32: crc32fast::Hasher::new(),
            failed: false,
        })
    }

    /// Length of the original.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.trailer.size_bytes
    }

    /// CRC-32 (IEEE) of the original.
    #[must_use]
    pub fn crc32(&self) -> u32 {
        self.trailer.crc32
    }

    /// SM3 of the original, as its envelope states it.
    #[must_use]
    pub fn sm3(&self) -> &Sm3Digest {
        &self.trailer.sm3
    }

    /// The authenticated metadata, JSON; empty in an envelope of version 1.
    #[must_use]
    pub fn metadata(&self) -> &[u8] {
        &self.metadata
    }

    /// Opens the next chunk; after the last one, compares the whole.
    fn advance(&mut self) -> Result<(), CustodyError> {
        let offset = (self.header_bytes as u64)
            .saturating_add(self.index.saturating_mul((CHUNK_BYTES + TAG_BYTES) as u64));
        let plain = usize::try_from(self.left).unwrap_or(usize::MAX).min(CHUNK_BYTES);
        self.chunk.clear();
        self.chunk.resize(plain.saturating_add(TAG_BYTES), 0);
        read(&self.place, self.object.as_mut(), offset, &mut self.chunk)?;
        if self.sealer.open_chunk(self.index, &mut self.chunk).is_err() {
            self.chunk.clear();
            let reason = "a chunk does not authenticate";
            return Err(CustodyError::damaged(&self.place, offset, reason));
        }
        self.index = self.index.saturating_add(1);
        self.left = self.left.saturating_sub(plain as u64);
        self.used = 0;
        self.sm3.update(&self.chunk);
        self.crc32.update(&self.chunk);
        if self.left == 0 { self.compare() } else { Ok(()) }
    }

    fn compare(&mut self) -> Result<(), CustodyError> {
        let same = std::mem::take(&mut self.sm3).finalize() == self.trailer.sm3
            && std::mem::take(&mut self.crc32).finalize() == self.trailer.crc32;
        if same {
            return Ok(());
        }
        self.chunk.clear();
        let reason = "the content has another digest than its envelope";
        Err(CustodyError::damaged(&self.place, 0, reason))
    }
}

/// Opens a sealed object of version 2 with its key: what a recipient does, with the object's bytes and the wrapped key
/// of its entry ([`crate::Wrap::open`]).
///
/// # Errors
/// [`CustodyError::Damaged`] with the offset.
pub fn open_sealed(object: &[u8], key: &Key) -> Result<OriginalReader, CustodyError> {
    struct Bytes(Vec<u8>);
    impl Object for Bytes {
        fn size_bytes(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<(), StoreError> {
            let from = usize::try_from(offset).map_err(|_| StoreError::Short)?;
            let held = self.0.get(from..).and_then(|rest| rest.get(..into.len()));
            into.copy_from_slice(held.ok_or(StoreError::Short)?);
            Ok(())
        }
    }
    OriginalReader::open_2(Path::new("object"), Box::new(Bytes(object.to_vec())), key)
}

/// What an object does not have where it should is damage; what a store does not hand over is not.
fn read(
    place: &Path,
    object: &mut dyn Object,
    offset: u64,
    into: &mut [u8],
) -> Result<(), CustodyError> {
    let size_bytes = object.size_bytes();
    if offset.saturating_add(into.len() as u64) > size_bytes {
        return Err(CustodyError::damaged(place, size_bytes, "it ends early"));
    }
    object.read_at(offset, into).map_err(|error| match error {
        StoreError::Short => CustodyError::damaged(place, offset, "it ends early"),
        error => CustodyError::store(place.display().to_string())(error),
    })
}

impl Read for OriginalReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.failed {
            let error = CustodyError::damaged(&self.place, 0, "reading it has failed before");
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        if self.used >= self.chunk.len() {
            if self.left == 0 {
                return Ok(0);
            }
            self.failed = true;
            self.advance().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            self.failed = false;
        }
        let mut rest = self.chunk.get(self.used..).unwrap_or_default();
        let read = rest.read(out)?;
        self.used = self.used.saturating_add(read);
        Ok(read)
    }
}

impl std::fmt::Debug for OriginalReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OriginalReader").field("trailer", &self.trailer).finish_non_exhaustive()
    }
}

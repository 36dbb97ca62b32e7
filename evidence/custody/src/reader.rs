//! The way out: authenticated chunk by chunk, compared as a whole.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use smkit::{Sm3, Sm3Digest};

use crate::envelope::{HEADER_BYTES, Kind, Sealer, TAG_BYTES, TRAILER_BYTES, Trailer, file_bytes};
use crate::error::CustodyError;
use crate::kek::Keys;
use crate::limits::CHUNK_BYTES;

/// An original on its way out. A failed read is an [`io::Error`] around [`CustodyError`] and
/// returns nothing of the damaged chunk; the digest of the whole is compared before the end is
/// reported, so that reading to the end without an error means: unchanged.
pub struct OriginalReader {
    path: PathBuf,
    file: File,
    sealer: Sealer,
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
    pub(crate) fn open(
        path: &Path,
        keys: &Keys,
        kind: Kind,
        context: &[u8; 32],
    ) -> Result<Self, CustodyError> {
        let file = File::open(path).map_err(CustodyError::io(path, "open"))?;
        let length = file.metadata().map_err(CustodyError::io(path, "open"))?.len();
        let damaged = |offset, reason| CustodyError::damaged(path, offset, reason);
        let trailer_at = length
            .checked_sub(TRAILER_BYTES as u64)
            .filter(|at| *at >= HEADER_BYTES as u64)
            .ok_or_else(|| damaged(length, "the file is too short for an envelope"))?;
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(&mut header, 0).map_err(CustodyError::io(path, "read"))?;
        let sealer = Sealer::open(keys, kind, context, &header)
            .map_err(|error| damaged(error.offset, error.reason))?;
        let mut sealed = [0; TRAILER_BYTES];
        file.read_exact_at(&mut sealed, trailer_at).map_err(CustodyError::io(path, "read"))?;
        let trailer = sealer
            .open_trailer(&sealed)
            .ok_or_else(|| damaged(trailer_at, "the trailer does not authenticate"))?;
        if file_bytes(trailer.size_bytes) != Some(length) {
            return Err(damaged(length, "the file's length does not fit its content's"));
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            sealer,
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

    /// Opens the next chunk; after the last one, compares the whole.
    fn advance(&mut self) -> Result<(), CustodyError> {
        let offset = (HEADER_BYTES as u64)
            .saturating_add(self.index.saturating_mul((CHUNK_BYTES + TAG_BYTES) as u64));
        let plain = usize::try_from(self.left).unwrap_or(usize::MAX).min(CHUNK_BYTES);
        self.chunk.clear();
        self.chunk.resize(plain.saturating_add(TAG_BYTES), 0);
        self.file
            .read_exact_at(&mut self.chunk, offset)
            .map_err(CustodyError::io(&self.path, "read"))?;
        if self.sealer.open_chunk(self.index, &mut self.chunk).is_err() {
            self.chunk.clear();
            return Err(CustodyError::damaged(&self.path, offset, "a chunk does not authenticate"));
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
        Err(CustodyError::damaged(
            &self.path,
            0,
            "the content has another digest than its envelope",
        ))
    }
}

impl Read for OriginalReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.failed {
            let error = CustodyError::damaged(&self.path, 0, "reading it has failed before");
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

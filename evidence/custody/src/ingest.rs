//! The way in: hash and seal in one pass.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use smkit::{Sm3, Sm3Digest};

use crate::envelope::{Kind, Sealer, TAG_BYTES, Trailer};
use crate::error::CustodyError;
use crate::files;
use crate::limits::CHUNK_BYTES;
use crate::store::Custody;

/// An original that is in custody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredOriginal {
    /// SM3 of all its bytes: its address.
    pub sm3: Sm3Digest,
    /// Its length.
    pub size_bytes: u64,
    /// CRC-32 (IEEE), which ZIP files need before the content.
    pub crc32: u32,
}

/// An original on its way in. Dropped before [`finish`](Self::finish), it leaves nothing behind.
pub struct Ingest<'a> {
    custody: &'a Custody,
    file: File,
    draft: Draft,
    sealer: Sealer,
    chunk: Vec<u8>,
    index: u64,
    sm3: Sm3,
    crc32: crc32fast::Hasher,
    size_bytes: u64,
    size_bytes_max: u64,
    /// An earlier error left a gap: what follows must not be stored under any digest.
    failed: bool,
}

/// A temporary file that disappears with its owner.
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

impl<'a> Ingest<'a> {
    pub(crate) fn begin(custody: &'a Custody, size_bytes_max: u64) -> Result<Self, CustodyError> {
        let path = custody.incoming().join(custody.keys().name());
        let (header, sealer) =
            Sealer::create(custody.keys(), Kind::Original, &[0; 32]).map_err(CustodyError::Seal)?;
        let mut file = files::create_new(&path)?;
        let draft = Draft(path);
        file.write_all(&header).map_err(CustodyError::io(&draft.0, "write"))?;
        Ok(Self {
            custody,
            file,
            draft,
            sealer,
            chunk: Vec::new(),
            index: 0,
            sm3: Sm3::new(),
            crc32: crc32fast::Hasher::new(),
            size_bytes: 0,
            size_bytes_max,
            failed: false,
        })
    }

    /// Takes the next bytes, in any portions.
    ///
    /// # Errors
    /// [`CustodyError::TooLarge`], or the system's refusal; the original can only be dropped then.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), CustodyError> {
        self.check()?;
        // Until the end of this call, an early return means failure.
        self.failed = true;
        self.size_bytes = self.size_bytes.saturating_add(bytes.len() as u64);
        if self.size_bytes > self.size_bytes_max {
            return Err(CustodyError::TooLarge { bytes_max: self.size_bytes_max });
        }
        self.sm3.update(bytes);
        self.crc32.update(bytes);
        while !bytes.is_empty() {
            let room = CHUNK_BYTES.saturating_sub(self.chunk.len());
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.chunk.extend_from_slice(now);
            bytes = later;
            if self.chunk.len() == CHUNK_BYTES {
                self.seal()?;
            }
        }
        self.failed = false;
        Ok(())
    }

    /// Ends the original. Durable under its address when this returns; the same original again
    /// changes nothing, unless the stored one is damaged: then the new one replaces it.
    ///
    /// # Errors
    /// The system's refusal, or an earlier error of [`write`](Self::write); the original is not stored then.
    pub fn finish(mut self) -> Result<StoredOriginal, CustodyError> {
        self.check()?;
        if !self.chunk.is_empty() {
            self.seal()?;
        }
        let stored = StoredOriginal {
            sm3: std::mem::take(&mut self.sm3).finalize(),
            size_bytes: self.size_bytes,
            crc32: std::mem::take(&mut self.crc32).finalize(),
        };
        let StoredOriginal { sm3, size_bytes, crc32 } = stored;
        let trailer = self
            .sealer
            .seal_trailer(&Trailer { size_bytes, crc32, sm3 })
            .map_err(CustodyError::Seal)?;
        self.file.write_all(&trailer).map_err(CustodyError::io(&self.draft.0, "write"))?;
        if !self.custody.holds_intact(&sm3) {
            files::publish(&self.file, &self.draft.0, &self.custody.object(&sm3))?;
        }
        Ok(stored)
    }

    fn check(&self) -> Result<(), CustodyError> {
        if self.failed { Err(CustodyError::Seal("an earlier error ended it")) } else { Ok(()) }
    }

    fn seal(&mut self) -> Result<(), CustodyError> {
        self.chunk.reserve_exact(TAG_BYTES);
        self.sealer.seal_chunk(self.index, &mut self.chunk).map_err(CustodyError::Seal)?;
        self.index = self.index.saturating_add(1);
        self.file.write_all(&self.chunk).map_err(CustodyError::io(&self.draft.0, "write"))?;
        self.chunk.clear();
        Ok(())
    }
}

impl std::fmt::Debug for Ingest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ingest").field("size_bytes", &self.size_bytes).finish_non_exhaustive()
    }
}

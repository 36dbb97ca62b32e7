//! The way in: hash and seal side by side.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use serde::Serialize;
use smkit::sm4::Key;
use smkit::{Sm3, Sm3Digest};
use zeroize::Zeroize as _;

use crate::cid::Cid;
use crate::custody::Custody;
use crate::entry::Entry;
use crate::envelope::{Sealer, TAG_BYTES, Trailer};
use crate::error::CustodyError;
use crate::files;
use crate::limits::{BATCH_BYTES, CHUNK_BYTES};
use crate::store::SealedDraft;

/// An original that is in custody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredOriginal {
    /// SM3 of all its bytes.
    pub sm3: Sm3Digest,
    /// Its length.
    pub size_bytes: u64,
    /// CRC-32 (IEEE), which ZIP files need before the content.
    pub crc32: u32,
}

/// What stands inside an envelope beside the original, sealed and authenticated with it.
#[derive(Debug, Serialize)]
struct Metadata<'a> {
    version: u8,
    owner: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<&'a str>,
    sealed_at_ms: u64,
}

/// An original on its way in. Dropped before [`finish`](Self::finish), it leaves nothing behind.
pub struct Ingest<'a> {
    custody: &'a Custody,
    file: File,
    draft: Draft,
    key: Key,
    sealer: Sealer,
    /// Plaintext that waits for the rest of its batch.
    plain: Vec<u8>,
    /// Sealed bytes that are not written yet: they are while the next batch is sealed.
    sealed: Vec<u8>,
    /// Room for the batch after it.
    spare: Vec<u8>,
    index: u64,
    digest: Digest,
    written: Written,
    size_bytes: u64,
    size_bytes_max: u64,
    /// An earlier error left a gap: what follows must not be stored under any digest.
    failed: bool,
}

/// Of the original.
#[derive(Default)]
struct Digest {
    sm3: Sm3,
    crc32: crc32fast::Hasher,
}

/// Of the sealed bytes.
#[derive(Default)]
struct Written {
    sm3: Sm3,
    size_bytes: u64,
}

/// A temporary file that disappears with its owner.
pub(crate) struct Draft(pub(crate) PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

impl<'a> Ingest<'a> {
    pub(crate) fn begin(
        custody: &'a Custody,
        media_type: Option<&str>,
        size_bytes_max: u64,
    ) -> Result<Self, CustodyError> {
        let path = custody.incoming().join(custody.keys().name());
        let metadata = Metadata {
            version: 2,
            owner: custody.owner(),
            media_type,
            sealed_at_ms: custody.now_ms(),
        };
        let metadata = serde_json::to_vec(&metadata).map_err(|_| CustodyError::Seal("metadata"))?;
        let (header, key, sealer) = Sealer::create_2(custody.keys(), &metadata)?;
        let file = files::create_new(&path)?;
        Ok(Self {
            custody,
            file,
            draft: Draft(path),
            key,
            sealer,
            plain: Vec::new(),
            sealed: header,
            spare: Vec::new(),
            index: 0,
            digest: Digest::default(),
            written: Written::default(),
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
        while !bytes.is_empty() {
            let room = BATCH_BYTES.saturating_sub(self.plain.len());
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.plain.extend_from_slice(now);
            bytes = later;
            if self.plain.len() == BATCH_BYTES {
                self.seal_batch()?;
            }
        }
        self.failed = false;
        Ok(())
    }

    /// Ends the original. Durable in the store, and known by its digest, when this returns; the same original again
    /// changes nothing, unless the stored one is damaged or missing: then the new one replaces it.
    ///
    /// # Errors
    /// The refusal of the system or the store, or an earlier error of [`write`](Self::write); the original is not
    /// in custody then.
    pub fn finish(mut self) -> Result<StoredOriginal, CustodyError> {
        self.check()?;
        if !self.plain.is_empty() {
            self.seal_batch()?;
        }
        let digest = std::mem::take(&mut self.digest);
        let sm3 = digest.sm3.finalize();
        let stored =
            StoredOriginal { sm3, size_bytes: self.size_bytes, crc32: digest.crc32.finalize() };
        let StoredOriginal { sm3, size_bytes, crc32 } = stored;
        let found = self.custody.probe(&sm3)?;
        if found.is_intact() {
            return Ok(stored);
        }
        let trailer = self
            .sealer
            .seal_trailer(&Trailer { size_bytes, crc32, sm3 })
            .map_err(CustodyError::Seal)?;
        self.sealed.extend(trailer);
        self.written.add(&mut self.file, &self.sealed).map_err(wrote(&self.draft.0))?;
        self.file.sync_all().map_err(CustodyError::io(&self.draft.0, "sync"))?;
        let written = std::mem::take(&mut self.written);
        let name = Cid::new(written.sm3.finalize());
        let now_ms = self.custody.now_ms();
        let mut entry = Entry::new(&sm3, size_bytes, crc32, now_ms);
        entry.retain_until_ms = now_ms.saturating_add(self.custody.unrecorded_ms());
        entry.object = Some(name.to_string());
        let draft =
            SealedDraft { path: &self.draft.0, file: &self.file, size_bytes: written.size_bytes };
        self.custody.keep(&sm3, entry, &self.key, &draft, found)?;
        Ok(stored)
    }

    fn check(&self) -> Result<(), CustodyError> {
        if self.failed { Err(CustodyError::Seal("an earlier error ended it")) } else { Ok(()) }
    }

    /// Three things at once, where there is enough of them to be worth threads: SM3 over the plaintext, sealing it, and
    /// writing and naming what was sealed before.
    fn seal_batch(&mut self) -> Result<(), CustodyError> {
        let Self { file, plain, sealed, spare, digest, written, sealer, draft, .. } = self;
        let first = self.index;
        spare.clear();
        spare.reserve(plain.len().saturating_add(plain.len().div_ceil(CHUNK_BYTES) * TAG_BYTES));
        let mut seal = || {
            let mut index = first;
            for chunk in plain.chunks(CHUNK_BYTES) {
                sealer.append_chunk(index, chunk, spare).map_err(CustodyError::Seal)?;
                index = index.saturating_add(1);
            }
            Ok(index)
        };
        let (index, wrote_all) = if plain.len() < ALONE_BYTES {
            digest.add(plain);
            (seal(), written.add(file, sealed))
        } else {
            std::thread::scope(|scope| {
                let hashing = scope.spawn(|| digest.add(plain));
                let writing = scope.spawn(|| written.add(file, sealed));
                let index = seal();
                let hashed = hashing.join().map_err(|_| CustodyError::Seal("hashing it"));
                let wrote = writing.join().unwrap_or_else(|_| Err(std::io::Error::other("panic")));
                (index.and_then(|index| hashed.map(|()| index)), wrote)
            })
        };
        wrote_all.map_err(wrote(&draft.0))?;
        self.index = index?;
        std::mem::swap(&mut self.sealed, &mut self.spare);
        self.plain.clear();
        Ok(())
    }
}

impl Drop for Ingest<'_> {
    fn drop(&mut self) {
        self.plain.zeroize();
    }
}

impl Digest {
    fn add(&mut self, bytes: &[u8]) {
        self.crc32.update(bytes);
        self.sm3.update(bytes);
    }
}

impl Written {
    fn add(&mut self, file: &mut File, bytes: &[u8]) -> std::io::Result<()> {
        self.sm3.update(bytes);
        self.size_bytes = self.size_bytes.saturating_add(bytes.len() as u64);
        file.write_all(bytes)
    }
}

fn wrote(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> CustodyError {
    CustodyError::io(path, "write")
}

impl std::fmt::Debug for Ingest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ingest").field("size_bytes", &self.size_bytes).finish_non_exhaustive()
    }
}

/// With less than this, starting threads costs more than they save.
const ALONE_BYTES: usize = 256 << 10;

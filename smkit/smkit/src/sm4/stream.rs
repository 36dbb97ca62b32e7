//! Authenticated encryption of files of any size in constant memory.
//!
//! # Format
//! ```text
//! header  "SM4S" ‖ version 1 ‖ log2 of the chunk's bytes ‖ 2 zero bytes ‖ 16 bytes of salt
//! chunk   SM4-GCM of up to 2^n bytes ‖ 16 bytes of tag; only the last may be shorter, and may be empty
//! key     first 16 bytes of HMAC-SM3(key, "changbai/smkit/sm4-stream/v1" ‖ header ‖ associated data)
//! nonce   3 zero bytes ‖ 1 in the last chunk, else 0 ‖ number of the chunk, 8 bytes big-endian
//! ```
//! This is the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015) under a key of its own for each stream.
//! Chunks that change places, repeat or are missing meet a nonce that is not theirs; a stream cut between two chunks
//! has no last chunk. The associated data are bound through the key.
//!
//! Plaintext leaves [`Opener::update`] chunk by chunk, each authenticated, before the end is seen: a consumer that must
//! not act on a part keeps it aside until [`Opener::finish`] succeeds.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::{Gcm, Key, NONCE_BYTES, Sm4Error, TAG_BYTES};
use crate::{
    random::{Random, RandomError},
    sm3::hmac_sm3,
};

/// Bytes before the first chunk.
pub const HEADER_BYTES: usize = 24;
/// Smallest permitted chunk, as a power of two: 1 KiB.
pub const CHUNK_LOG2_MIN: u8 = 10;
/// Chunk size that suits files, as a power of two: 64 KiB.
pub const CHUNK_LOG2_DEFAULT: u8 = 16;
/// Largest permitted chunk, as a power of two: 16 MiB; a reader never buffers more.
pub const CHUNK_LOG2_MAX: u8 = 24;

/// Writes a stream: the header, then [`update`](Self::update) as often as you like, then [`finish`](Self::finish).
pub struct Sealer {
    header: [u8; HEADER_BYTES],
    chunks: Chunks,
}

impl Sealer {
    /// Starts a stream with chunks of [`CHUNK_LOG2_DEFAULT`] under `key`, which may serve any number of streams.
    ///
    /// # Errors
    /// The random source failed.
    pub fn new(key: &Key, aad: &[u8], random: &mut dyn Random) -> Result<Self, RandomError> {
        let mut salt = [0; 16];
        random.fill(&mut salt)?;
        Ok(Self::with_salt(key, aad, CHUNK_LOG2_DEFAULT, salt))
    }

    /// Like [`Sealer::new`] with chunks of 2^`chunk_log2` bytes, clamped to the permitted sizes.
    ///
    /// # Errors
    /// The random source failed.
    pub fn with_chunk_log2(
        key: &Key,
        aad: &[u8],
        chunk_log2: u8,
        random: &mut dyn Random,
    ) -> Result<Self, RandomError> {
        let mut salt = [0; 16];
        random.fill(&mut salt)?;
        Ok(Self::with_salt(key, aad, chunk_log2.clamp(CHUNK_LOG2_MIN, CHUNK_LOG2_MAX), salt))
    }

    fn with_salt(key: &Key, aad: &[u8], chunk_log2: u8, salt: [u8; 16]) -> Self {
        let mut header = [0; HEADER_BYTES];
        let fields = MAGIC.into_iter().chain([VERSION, chunk_log2, 0, 0]).chain(salt);
        for (to, from) in header.iter_mut().zip(fields) {
            *to = from;
        }
        Self { header, chunks: Chunks::new(key, &header, aad, chunk_log2) }
    }

    /// The first bytes of the stream.
    #[must_use]
    pub const fn header(&self) -> &[u8; HEADER_BYTES] {
        &self.header
    }

    /// Takes plaintext and appends to `out` whatever chunks are complete.
    ///
    /// # Errors
    /// Never within 2^64 chunks.
    pub fn update(&mut self, mut plain: &[u8], out: &mut Vec<u8>) -> Result<(), Sm4Error> {
        while !plain.is_empty() {
            // A full buffer stays until more arrives: the last chunk is only known at the end.
            if self.chunks.buffer.len() == self.chunks.chunk_bytes {
                self.chunks.seal(false, out)?;
            }
            plain = self.chunks.fill(plain, self.chunks.chunk_bytes);
        }
        Ok(())
    }

    /// Appends the last chunk; without it nobody accepts the stream.
    ///
    /// # Errors
    /// Never within 2^64 chunks.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), Sm4Error> {
        self.chunks.seal(true, out)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("sm4::stream::Sealer(..)")
    }
}

/// Reads a stream: give it the header, then [`update`](Self::update) as bytes arrive, then [`finish`](Self::finish).
pub struct Opener {
    chunks: Chunks,
    failed: bool,
}

impl Opener {
    /// Reads a header.
    ///
    /// # Errors
    /// Not a header of this format and version, or a chunk size out of bounds.
    pub fn new(key: &Key, aad: &[u8], header: &[u8; HEADER_BYTES]) -> Result<Self, Sm4Error> {
        let [m0, m1, m2, m3, VERSION, chunk_log2, 0, 0, ..] = *header else {
            return Err(Sm4Error::Header);
        };
        if [m0, m1, m2, m3] != MAGIC || !(CHUNK_LOG2_MIN..=CHUNK_LOG2_MAX).contains(&chunk_log2) {
            return Err(Sm4Error::Header);
        }
        Ok(Self { chunks: Chunks::new(key, header, aad, chunk_log2), failed: false })
    }

    /// Takes ciphertext and appends to `out` the plaintext of whatever chunks are complete and authentic.
    ///
    /// # Errors
    /// A chunk is not authentic or not in its place; nothing of it reaches `out`, and every later call fails too.
    pub fn update(&mut self, mut sealed: &[u8], out: &mut Vec<u8>) -> Result<(), Sm4Error> {
        let full = self.chunks.chunk_bytes + TAG_BYTES;
        while !sealed.is_empty() {
            if self.chunks.buffer.len() == full {
                self.open(false, out)?;
            }
            sealed = self.chunks.fill(sealed, full);
        }
        Ok(())
    }

    /// Opens the last chunk.
    ///
    /// # Errors
    /// The stream was cut, or its last chunk is not authentic.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), Sm4Error> {
        self.open(true, out)
    }

    fn open(&mut self, last: bool, out: &mut Vec<u8>) -> Result<(), Sm4Error> {
        if self.failed {
            return Err(Sm4Error::Authentication);
        }
        let opened = self.chunks.open(last, out);
        self.failed = opened.is_err();
        opened
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("sm4::stream::Opener(..)")
    }
}

/// What both directions share: the stream's own key, the number of the next chunk, the chunk being gathered.
struct Chunks {
    gcm: Gcm,
    next: u64,
    chunk_bytes: usize,
    buffer: Zeroizing<Vec<u8>>,
}

impl Chunks {
    fn new(key: &Key, header: &[u8; HEADER_BYTES], aad: &[u8], chunk_log2: u8) -> Self {
        let derived = Zeroizing::new(hmac_sm3(key.expose(), &[DOMAIN, header, aad]));
        let mut stream_key = Zeroizing::new([0; 16]);
        for (to, from) in stream_key.iter_mut().zip(derived.as_bytes()) {
            *to = *from;
        }
        let gcm = Gcm::new(&Key::from_bytes(*stream_key));
        let chunk_bytes = 1_usize << chunk_log2;
        // Reserved at once: a growing vector would leave copies of plaintext behind.
        let buffer = Zeroizing::new(Vec::with_capacity(chunk_bytes + TAG_BYTES));
        Self { gcm, next: 0, chunk_bytes, buffer }
    }

    /// Takes bytes until the buffer holds `limit`; returns those it left.
    fn fill<'a>(&mut self, bytes: &'a [u8], limit: usize) -> &'a [u8] {
        let room = limit.saturating_sub(self.buffer.len());
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        self.buffer.extend_from_slice(now);
        later
    }

    fn seal(&mut self, last: bool, out: &mut Vec<u8>) -> Result<(), Sm4Error> {
        let nonce = self.nonce(last)?;
        self.gcm.seal_in_place(&nonce, &[], &mut self.buffer)?;
        out.extend_from_slice(&self.buffer);
        self.buffer.clear();
        Ok(())
    }

    fn open(&mut self, last: bool, out: &mut Vec<u8>) -> Result<(), Sm4Error> {
        let nonce = self.nonce(last)?;
        self.gcm.open_in_place(&nonce, &[], &mut self.buffer)?;
        out.extend_from_slice(&self.buffer);
        self.buffer.clear();
        Ok(())
    }

    fn nonce(&mut self, last: bool) -> Result<[u8; NONCE_BYTES], Sm4Error> {
        let number = self.next;
        self.next = number.checked_add(1).ok_or(Sm4Error::TooLong)?;
        let mut nonce = [0; NONCE_BYTES];
        let fields = [0, 0, 0, u8::from(last)].into_iter().chain(number.to_be_bytes());
        for (to, from) in nonce.iter_mut().zip(fields) {
            *to = from;
        }
        Ok(nonce)
    }
}

const MAGIC: [u8; 4] = *b"SM4S";
const VERSION: u8 = 1;
const DOMAIN: &[u8] = b"changbai/smkit/sm4-stream/v1";

#[cfg(test)]
mod tests;

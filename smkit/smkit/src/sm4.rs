//! SM4 in Galois/Counter mode (GB/T 32907-2016, GB/T 17964-2021, parameters of RFC 8998 §2).

use std::fmt;

use aes_gcm::{
    AesGcm, KeyInit,
    aead::{AeadInOut, consts::U12},
};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::random::{Random, RandomError};

/// Bytes a sealed message is longer than its plaintext.
pub const TAG_BYTES: usize = 16;
/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 12;
/// Longest plaintext of one message: 2^36 − 32 bytes (NIST SP 800-38D §5.2.1.1).
pub const MESSAGE_BYTES_MAX: u64 = (1 << 36) - 32;

/// An SM4 key: 16 bytes, wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; 16]);

impl Key {
    /// Draws a new key.
    ///
    /// # Errors
    /// The random source failed.
    pub fn generate(random: &mut dyn Random) -> Result<Self, RandomError> {
        let mut key = Self([0; 16]);
        random.fill(&mut key.0)?;
        Ok(key)
    }

    /// Takes existing key bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Takes a slice of exactly 16 bytes.
    ///
    /// # Errors
    /// Any other length: SM4 has no other key size.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Sm4Error> {
        bytes.try_into().map(Self).map_err(|_| Sm4Error::KeyLength { bytes: bytes.len() })
    }

    /// The key bytes, for wrapping under another key; never log them.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("sm4::Key(..)")
    }
}

/// SM4-GCM under one key: 12-byte nonce, 16-byte tag.
///
/// The caller never uses a nonce twice with one key; prefer counters over random nonces (at most 2^32 of the latter).
#[derive(Clone)]
pub struct Gcm(AesGcm<::sm4::Sm4, U12>);

impl Gcm {
    /// Expands the key once; use the value for many messages.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        Self(AesGcm::new(&key.0.into()))
    }

    /// Encrypts `data` in place and appends the tag of [`TAG_BYTES`].
    ///
    /// # Errors
    /// `data` exceeds [`MESSAGE_BYTES_MAX`]; it is then unchanged.
    pub fn seal_in_place(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        data: &mut Vec<u8>,
    ) -> Result<(), Sm4Error> {
        let tag = self
            .0
            .encrypt_inout_detached(&(*nonce).into(), aad, data.as_mut_slice().into())
            .map_err(|_| Sm4Error::TooLong)?;
        data.extend_from_slice(&tag);
        Ok(())
    }

    /// Checks the tag, then decrypts `data` in place and removes the tag.
    ///
    /// # Errors
    /// Shorter than a tag, or the tag does not belong to these bytes, nonce, associated data and key. `data` is then
    /// still the ciphertext: no unauthenticated plaintext is ever visible.
    pub fn open_in_place(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        data: &mut Vec<u8>,
    ) -> Result<(), Sm4Error> {
        let (body, tag) =
            data.split_last_chunk_mut::<TAG_BYTES>().ok_or(Sm4Error::Authentication)?;
        let body_bytes = body.len();
        let tag = (*tag).into();
        self.0
            .decrypt_inout_detached(&(*nonce).into(), aad, body.into(), &tag)
            .map_err(|_| Sm4Error::Authentication)?;
        data.truncate(body_bytes);
        Ok(())
    }
}

impl fmt::Debug for Gcm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("sm4::Gcm(..)")
    }
}

/// Why an SM4 operation was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Sm4Error {
    /// Not a 16-byte key.
    #[error("an SM4 key has 16 bytes, got {bytes}")]
    KeyLength {
        /// Length received.
        bytes: usize,
    },
    /// The tag does not authenticate the bytes; deliberately without detail.
    #[error("SM4-GCM authentication failed")]
    Authentication,
    /// More than [`MESSAGE_BYTES_MAX`] in one message.
    #[error("message longer than SM4-GCM allows")]
    TooLong,
}

#[cfg(test)]
mod tests;

//! SM4 (GB/T 32907-2016) and its modes (GB/T 17964-2021): take [`Gcm`] for messages and [`stream`] for files.
//!
//! The other modes are for formats that prescribe them; each says what it does not protect. ECB is not offered.
//!
//! # Model
//! A [`Key`] is expanded once into a mode ([`Gcm`], [`Ccm`], [`Cbc`], [`Ctr`], [`Xts`]), which then serves any number of
//! messages. [`Kernel::detect`] names the code that runs: GFNI with AVX-512, AES-NI with AVX2, or bit-sliced words.
//!
//! # Invariants
//! * No kernel branches or indexes memory by a key or by data.
//! * [`Gcm`] and [`Ccm`] leave data they refuse unchanged; [`Cbc`] wipes them.
//!
//! # Example
//! ```
//! use smkit::{OsRandom, sm4::{Gcm, Key}};
//!
//! let gcm = Gcm::new(&Key::generate(&mut OsRandom)?);
//! let nonce = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]; // counted, never repeated under one key
//! let mut data = b"content".to_vec();
//! gcm.seal_in_place(&nonce, b"header", &mut data)?;
//! gcm.open_in_place(&nonce, b"header", &mut data)?;
//! assert_eq!(data, b"content");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cbc;
mod ccm;
pub(crate) mod cipher;
mod ctr;
mod gcm;
mod ghash;
mod kernel;
pub mod legacy;
mod sealed;
pub mod stream;
#[cfg(feature = "rustcrypto")]
mod traits;
mod xts;

use core::fmt;

#[cfg(feature = "rustcrypto")]
pub use self::traits::Sm4;
pub use self::{
    cbc::Cbc,
    ccm::{CCM_MESSAGE_BYTES_MAX, Ccm},
    ctr::Ctr,
    gcm::Gcm,
    kernel::Kernel,
    xts::{Xts, XtsStandard},
};
use zeroize::{Zeroize, ZeroizeOnDrop};

use self::ghash::Multiplier;
use crate::{
    cpu::Path,
    random::{Random, RandomError},
};

/// Bytes of a block, of an IV and of a counter.
pub const BLOCK_BYTES: usize = 16;
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
    #[error("SM4 authentication failed")]
    Authentication,
    /// More than [`MESSAGE_BYTES_MAX`] (or [`CCM_MESSAGE_BYTES_MAX`]) in one message.
    #[error("message longer than this mode of SM4 allows")]
    TooLong,
    /// Not a length this mode can take: whole blocks, or for XTS one block to 2^20 blocks.
    #[error("{bytes} bytes are no length for this mode of SM4")]
    BlockLength {
        /// Length received.
        bytes: usize,
    },
    /// CBC ciphertext without correct padding; deliberately without detail.
    #[error("SM4-CBC ciphertext malformed")]
    Padding,
    /// XTS with twice the same key.
    #[error("the two keys of SM4-XTS are equal")]
    EqualKeys,
    /// Not the header of an SM4 stream that this version reads.
    #[error("not the header of an SM4 stream")]
    Header,
}

/// What computes the block cipher.
pub(crate) fn path() -> Path {
    match Kernel::detect() {
        Kernel::Gfni512 => Path::Gfni512,
        Kernel::AesNi => Path::AesNi,
        Kernel::Armv8 => Path::Armv8Sm,
        Kernel::Portable => Path::Portable,
    }
}

/// What computes the hash of GCM.
pub(crate) fn path_ghash() -> Path {
    match Multiplier::detect(Kernel::detect()) {
        #[cfg(target_arch = "x86_64")]
        Multiplier::Wide => Path::Vpclmul,
        #[cfg(target_arch = "x86_64")]
        Multiplier::Narrow => Path::Pclmul,
        #[cfg(target_arch = "aarch64")]
        Multiplier::Pmull => Path::Armv8Pmull,
        Multiplier::Soft => Path::Portable,
    }
}

#[cfg(test)]
mod tests;

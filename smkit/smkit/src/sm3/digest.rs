//! The digest as a value: bytes, text, JSON.

use core::{fmt, str::FromStr};

use zeroize::Zeroize;

use crate::hex;

/// An SM3 digest: 32 bytes, shown and parsed as 64 hexadecimal characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sm3Digest(pub(super) [u8; 32]);

impl Sm3Digest {
    /// Takes 32 bytes that are already a digest.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Takes a slice of exactly 32 bytes.
    ///
    /// # Errors
    /// Any other length.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, ParseDigestError> {
        bytes.try_into().map(Self).map_err(|_| ParseDigestError::Length { bytes: bytes.len() })
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Sm3Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write_lower(out, &self.0)
    }
}

impl fmt::Debug for Sm3Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Sm3Digest {
    type Err = ParseDigestError;

    /// Accepts exactly 64 hexadecimal characters of either case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        hex::read(text).map(Self).ok_or(ParseDigestError::Hex)
    }
}

impl From<[u8; 32]> for Sm3Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl From<Sm3Digest> for [u8; 32] {
    fn from(digest: Sm3Digest) -> Self {
        digest.0
    }
}

/// A digest of secrets is a secret: `Zeroizing<Sm3Digest>` wipes it.
impl Zeroize for Sm3Digest {
    fn zeroize(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

impl AsRef<[u8]> for Sm3Digest {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(feature = "serde")]
impl serde_core::Serialize for Sm3Digest {
    fn serialize<S: serde_core::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde_core::Deserialize<'de> for Sm3Digest {
    /// Lower case only: one digest has one spelling in canonical JSON.
    fn deserialize<D: serde_core::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde_core::de::Visitor<'_> for Visitor {
            type Value = Sm3Digest;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("64 lower-case hexadecimal characters")
            }

            fn visit_str<E: serde_core::de::Error>(self, text: &str) -> Result<Sm3Digest, E> {
                if text.bytes().any(|character| character.is_ascii_uppercase()) {
                    return Err(E::custom(ParseDigestError::Hex));
                }
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// Bytes or text that are not an SM3 digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseDigestError {
    /// A slice of the wrong length.
    #[error("an SM3 digest has 32 bytes, got {bytes}")]
    Length {
        /// Length received.
        bytes: usize,
    },
    /// Not exactly 64 hexadecimal characters of the accepted case.
    #[error("an SM3 digest is written as 64 hexadecimal characters")]
    Hex,
}

//! SM3 digests (GB/T 32905-2016) and HMAC-SM3 (GM/T 0042-2015 annex D).

use std::{fmt, str::FromStr};

use ::sm3::digest::{Digest, FixedOutput, Update};
use hmac::{KeyInit, Mac, SimpleHmac};

use crate::hex;

/// An SM3 digest: 32 bytes, shown and parsed as 64 hexadecimal characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sm3Digest([u8; 32]);

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

impl AsRef<[u8]> for Sm3Digest {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Sm3Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Sm3Digest {
    /// Lower case only: one digest has one spelling in canonical JSON.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Sm3Digest;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("64 lower-case hexadecimal characters")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Sm3Digest, E> {
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

/// A running SM3 computation, for input that arrives in pieces.
#[derive(Clone, Default)]
pub struct Sm3(::sm3::Sm3);

impl Sm3 {
    /// An empty computation.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends bytes; how they are cut into pieces does not change the digest.
    pub fn update(&mut self, bytes: &[u8]) {
        Update::update(&mut self.0, bytes);
    }

    /// The digest of everything appended.
    #[must_use]
    pub fn finalize(self) -> Sm3Digest {
        Sm3Digest(self.0.finalize_fixed().into())
    }
}

impl fmt::Debug for Sm3 {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Sm3").finish_non_exhaustive()
    }
}

impl std::io::Write for Sm3 {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// SM3 of one message.
#[must_use]
pub fn sm3(message: &[u8]) -> Sm3Digest {
    Sm3Digest(::sm3::Sm3::digest(message).into())
}

/// SM3 of the concatenation of `parts`, without building it.
#[must_use]
pub fn sm3_parts(parts: &[&[u8]]) -> Sm3Digest {
    let mut hasher = Sm3::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize()
}

/// SM3 of each message, in order: the shape of Merkle leaves and nodes.
#[must_use]
pub fn sm3_many(messages: &[&[u8]]) -> Vec<Sm3Digest> {
    messages.iter().map(|message| sm3(message)).collect()
}

/// HMAC-SM3 of the concatenation of `parts`; keys of any length, block size 64 bytes.
///
/// To check a received value use [`verify_hmac_sm3`], which compares in constant time.
#[must_use]
pub fn hmac_sm3(key: &[u8], parts: &[&[u8]]) -> Sm3Digest {
    Sm3Digest(keyed(key, parts).finalize_fixed().into())
}

/// Whether `mac` is the HMAC-SM3 of `parts`, compared in constant time.
#[must_use]
pub fn verify_hmac_sm3(key: &[u8], parts: &[&[u8]], mac: &Sm3Digest) -> bool {
    keyed(key, parts).verify(&mac.0.into()).is_ok()
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> SimpleHmac<::sm3::Sm3> {
    // HMAC accepts every key length (RFC 2104 §3), so the error branch cannot be reached; hashing the key first is
    // what HMAC itself does with long keys.
    let mut mac = SimpleHmac::<::sm3::Sm3>::new_from_slice(key)
        .unwrap_or_else(|_| SimpleHmac::new(&SimpleHmacKey::default()));
    parts.iter().for_each(|part| Mac::update(&mut mac, part));
    mac
}

type SimpleHmacKey = hmac::digest::Key<SimpleHmac<::sm3::Sm3>>;

#[cfg(test)]
mod tests;

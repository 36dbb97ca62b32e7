//! SM2 public keys.

use core::{
    fmt,
    hash::{Hash, Hasher},
};

use crate::{hex, sm2::group::Affine};

/// A point on the SM2 curve other than infinity.
#[derive(Clone)]
pub struct PublicKey {
    sec1: [u8; 65],
    affine: Affine,
}

impl PublicKey {
    /// Reads the uncompressed form `04 ‖ x ‖ y` of exactly 65 bytes (GB/T 35276-2017 §7.1).
    ///
    /// # Errors
    /// Another length or form, a coordinate not below p, or a point off the curve.
    pub fn from_sec1(bytes: &[u8]) -> Result<Self, PublicKeyError> {
        let sec1: [u8; 65] =
            bytes.try_into().map_err(|_| PublicKeyError::Length { bytes: bytes.len() })?;
        let [form, ..] = sec1;
        if form != UNCOMPRESSED {
            return Err(PublicKeyError::Form { byte: form });
        }
        let affine = match sec1.split_at(1).1.as_chunks::<32>() {
            ([x, y], _) => Affine::from_bytes(x, y),
            _ => None,
        };
        let affine = affine.ok_or(PublicKeyError::NotOnCurve)?;
        Ok(Self { sec1, affine })
    }

    /// The uncompressed form `04 ‖ x ‖ y`.
    #[must_use]
    pub const fn to_sec1(&self) -> [u8; 65] {
        self.sec1
    }

    /// The uncompressed form, borrowed.
    #[must_use]
    pub const fn as_sec1(&self) -> &[u8; 65] {
        &self.sec1
    }

    /// Takes big-endian coordinates; `None` when one is not below p or the point is off the curve.
    pub(crate) fn from_coordinates(x: &[u8; 32], y: &[u8; 32]) -> Option<Self> {
        let affine = Affine::from_bytes(x, y)?;
        let mut sec1 = [UNCOMPRESSED; 65];
        let (_, coordinates) = sec1.split_at_mut(1);
        coordinates.iter_mut().zip(x.iter().chain(y)).for_each(|(to, from)| *to = *from);
        Some(Self { sec1, affine })
    }

    pub(crate) const fn affine(&self) -> &Affine {
        &self.affine
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.sec1 == other.sec1
    }
}

impl Eq for PublicKey {}

impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.sec1.hash(state);
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write_lower(out, &self.sec1)
    }
}

/// Bytes that are not an SM2 public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// Not 65 bytes.
    #[error("an SM2 public key has 65 bytes, got {bytes}")]
    Length {
        /// Length received.
        bytes: usize,
    },
    /// Compressed, hybrid or unknown form.
    #[error("an SM2 public key starts with 04, got {byte:02x}")]
    Form {
        /// First byte received.
        byte: u8,
    },
    /// A coordinate is not below p, or the equation does not hold.
    #[error("the point is not on the SM2 curve")]
    NotOnCurve,
}

const UNCOMPRESSED: u8 = 4;

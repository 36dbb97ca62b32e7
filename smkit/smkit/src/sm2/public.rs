//! SM2 public keys.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use crate::hex;

/// A point on the SM2 curve other than infinity.
#[derive(Clone)]
pub struct PublicKey {
    sec1: [u8; 65],
    point: ::sm2::PublicKey,
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
        let point =
            ::sm2::PublicKey::from_sec1_bytes(&sec1).map_err(|_| PublicKeyError::NotOnCurve)?;
        Ok(Self { sec1, point })
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

    /// Takes a point the arithmetic produced itself.
    pub(crate) fn from_point(point: ::sm2::PublicKey) -> Self {
        use ::sm2::elliptic_curve::sec1::ToSec1Point;
        let encoded = point.to_sec1_point(false);
        let mut sec1 = [0; 65];
        sec1.copy_from_slice(encoded.as_bytes());
        Self { sec1, point }
    }

    pub(crate) const fn point(&self) -> &::sm2::PublicKey {
        &self.point
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

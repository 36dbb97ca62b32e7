//! Compressed public keys, `02 ‖ x` or `03 ‖ x` (GB/T 32918.1-2016 §4.2.9).

use crate::sm2::{PublicKey, encrypt::coordinates, group::Point};

impl PublicKey {
    /// Reads the compressed form of exactly 33 bytes; costs a square root.
    ///
    /// # Errors
    /// Another length or form, x not below p, or no point with this x.
    pub fn from_compressed(bytes: &[u8]) -> Result<Self, CompressedKeyError> {
        Self::decompress(bytes).ok_or(CompressedKeyError)
    }

    /// The compressed form `02 ‖ x` (y even) or `03 ‖ x` (y odd).
    #[must_use]
    pub fn to_compressed(&self) -> [u8; 33] {
        let (x, y) = coordinates(self);
        let [.., last] = *y;
        let mut out = [EVEN | (last & 1); 33];
        out.iter_mut().skip(1).zip(x).for_each(|(to, from)| *to = *from);
        out
    }

    fn decompress(bytes: &[u8]) -> Option<Self> {
        let (form, x) = bytes.split_first()?;
        if !matches!(*form, EVEN | ODD) {
            return None;
        }
        let (x, y) = Point::decompress(x.try_into().ok()?, *form == ODD)?.to_affine()?;
        Self::from_coordinates(&x, &y)
    }
}

/// Bytes that are not a compressed SM2 public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a compressed SM2 public key")]
pub struct CompressedKeyError;

const EVEN: u8 = 2;
const ODD: u8 = 3;

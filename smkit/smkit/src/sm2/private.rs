//! SM2 private keys.

use core::fmt;

use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::{
    random::{Random, RandomError},
    sm2::{
        PublicKey,
        group::{Point, Scalar},
    },
};

/// A private key d in \[1, n−2\], wiped when dropped, with its public key.
#[derive(Clone)]
pub struct PrivateKey {
    d: Zeroizing<Scalar>,
    public: PublicKey,
}

impl PrivateKey {
    /// Draws a new key by rejection sampling.
    ///
    /// # Errors
    /// The random source failed, or gave 64 candidates in a row that are no keys (it is then broken: the chance is
    /// below 2^−2000).
    pub fn generate(random: &mut dyn Random) -> Result<Self, RandomError> {
        for _ in 0..CANDIDATES_MAX {
            let mut candidate = Zeroizing::new([0; 32]);
            random.fill(candidate.as_mut())?;
            if let Ok(key) = Self::from_bytes(&candidate) {
                return Ok(key);
            }
        }
        Err(RandomError { reason: "no usable SM2 private key drawn".into() })
    }

    /// Takes d as 32 big-endian bytes.
    ///
    /// # Errors
    /// d outside \[1, n−2\]: 1 + d must be invertible (GB/T 32918.1-2016 §6.1).
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, PrivateKeyError> {
        let d = Scalar::from_bytes(bytes).map(Zeroizing::new).ok_or(PrivateKeyError::Range)?;
        // d = n−1 makes 1 + d = 0.
        if d.is_zero() | d.add(&Scalar::ONE).is_zero() {
            return Err(PrivateKeyError::Range);
        }
        let (x, y) = Point::mul_base(&d).to_affine().ok_or(PrivateKeyError::Range)?;
        let public = PublicKey::from_coordinates(&x, &y).ok_or(PrivateKeyError::Range)?;
        Ok(Self { d, public })
    }

    /// d as 32 big-endian bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.d.to_bytes())
    }

    /// The public key dG.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn scalar(&self) -> &Scalar {
        &self.d
    }
}

/// d wipes itself.
impl ZeroizeOnDrop for PrivateKey {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PrivateKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Bytes that are not an SM2 private key; never shows any of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateKeyError {
    /// d is outside \[1, n−2\].
    #[error("the SM2 private key is out of range")]
    Range,
    /// Not an unencrypted PKCS#8 SM2 key.
    #[error("not an unencrypted PKCS#8 SM2 private key")]
    Pkcs8,
}

const CANDIDATES_MAX: usize = 64;

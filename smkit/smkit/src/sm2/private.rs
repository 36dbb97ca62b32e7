//! SM2 private keys and their PKCS#8 files.

use std::fmt;

use ::sm2::{
    NonZeroScalar, SecretKey,
    elliptic_curve::subtle::{Choice, ConstantTimeEq},
    pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding},
};
use zeroize::Zeroizing;

use crate::{
    random::{Random, RandomError},
    sm2::PublicKey,
};

/// A private key d in \[1, n−2\], wiped when dropped, with its public key.
#[derive(Clone)]
pub struct PrivateKey {
    secret: SecretKey,
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
        let secret = SecretKey::from_slice(bytes).map_err(|_| PrivateKeyError::Range)?;
        Self::from_secret(secret)
    }

    /// Reads an unencrypted PKCS#8 `OneAsymmetricKey` (RFC 5958) holding an SM2 key.
    ///
    /// # Errors
    /// Not PKCS#8, another algorithm or curve, or d out of range; deliberately without detail.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, PrivateKeyError> {
        let secret = SecretKey::from_pkcs8_der(der).map_err(|_| PrivateKeyError::Pkcs8)?;
        Self::from_secret(secret)
    }

    /// Reads the PEM form, label `PRIVATE KEY`.
    ///
    /// # Errors
    /// As [`PrivateKey::from_pkcs8_der`], or not PEM.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, PrivateKeyError> {
        let secret = SecretKey::from_pkcs8_pem(pem).map_err(|_| PrivateKeyError::Pkcs8)?;
        Self::from_secret(secret)
    }

    /// d as 32 big-endian bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.secret.to_bytes().into())
    }

    /// The unencrypted PKCS#8 form, with the public key inside.
    ///
    /// # Errors
    /// None in practice: the form has a fixed size.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
        let document = self.secret.to_pkcs8_der().map_err(|_| PrivateKeyError::Pkcs8)?;
        Ok(document.to_bytes())
    }

    /// The PEM form of [`PrivateKey::to_pkcs8_der`].
    ///
    /// # Errors
    /// As [`PrivateKey::to_pkcs8_der`].
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, PrivateKeyError> {
        self.secret.to_pkcs8_pem(LineEnding::LF).map_err(|_| PrivateKeyError::Pkcs8)
    }

    /// The public key dG.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn scalar(&self) -> Zeroizing<NonZeroScalar> {
        Zeroizing::new(self.secret.to_nonzero_scalar())
    }

    fn from_secret(secret: SecretKey) -> Result<Self, PrivateKeyError> {
        // SecretKey guarantees [1, n−1]; n−1 makes 1 + d = 0.
        let is_order_minus_1: Choice =
            Zeroizing::new(<[u8; 32]>::from(secret.to_bytes())).ct_eq(&ORDER_MINUS_1);
        if is_order_minus_1.into() {
            return Err(PrivateKeyError::Range);
        }
        let public = PublicKey::from_point(secret.public_key());
        Ok(Self { secret, public })
    }
}

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
#[rustfmt::skip]
const ORDER_MINUS_1: [u8; 32] = [
    0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0x72, 0x03, 0xdf, 0x6b, 0x21, 0xc6, 0x05, 0x2b, 0x53, 0xbb, 0xf4, 0x09, 0x39, 0xd5, 0x41, 0x22,
];

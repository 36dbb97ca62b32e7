//! Public-key encryption (GB/T 32918.4-2016) and the three encodings of its ciphertexts.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::{
    random::{Random, RandomError},
    sm2::{
        PrivateKey, PublicKey,
        asn1::{self, OCTET_STRING, Reader, SEQUENCE},
        group::{Point, Scalar},
        kdf,
    },
    sm3::sm3_secret_parts,
};

/// An SM2 ciphertext: C1 on the curve, C3 a digest, C2 as long as the plaintext and never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Ciphertext {
    c1: PublicKey,
    c3: [u8; 32],
    c2: Vec<u8>,
}

impl Ciphertext {
    /// Longest plaintext: 16 MiB. SM2 carries keys; larger data belongs under SM4 with the key in here.
    pub const MESSAGE_BYTES_MAX: usize = 1 << 24;

    /// Reads `C1 ‖ C3 ‖ C2`, the order of GB/T 32918.4-2016, C1 uncompressed.
    ///
    /// # Errors
    /// The form or lengths are wrong, or C1 is no point of the curve.
    pub fn from_c1c3c2(bytes: &[u8]) -> Result<Self, DecryptError> {
        let (c1, rest) = bytes.split_at_checked(65).ok_or(DecryptError)?;
        let (c3, c2) = rest.split_first_chunk().ok_or(DecryptError)?;
        Self::from_parts(PublicKey::from_sec1(c1).map_err(|_| DecryptError)?, c3, c2)
    }

    /// Reads `C1 ‖ C2 ‖ C3`, the order of the 2010 draft; for old data only, there is no writer.
    ///
    /// # Errors
    /// As [`Ciphertext::from_c1c3c2`].
    pub fn from_legacy_c1c2c3(bytes: &[u8]) -> Result<Self, DecryptError> {
        let (c1, rest) = bytes.split_at_checked(65).ok_or(DecryptError)?;
        let (c2, c3) = rest.split_last_chunk().ok_or(DecryptError)?;
        Self::from_parts(PublicKey::from_sec1(c1).map_err(|_| DecryptError)?, c3, c2)
    }

    /// Reads `SM2Cipher ::= SEQUENCE { x INTEGER, y INTEGER, hash OCTET STRING (SIZE (32)), cipherText OCTET STRING }` in
    /// DER (GB/T 35276-2017 §7.2).
    ///
    /// # Errors
    /// Anything but the one DER form, trailing bytes, or C1 no point of the curve.
    pub fn from_der(der: &[u8]) -> Result<Self, DecryptError> {
        Self::read(Reader::of_sequence(der).ok_or(DecryptError)?).ok_or(DecryptError)
    }

    /// `C1 ‖ C3 ‖ C2`, C1 uncompressed.
    #[must_use]
    pub fn to_c1c3c2(&self) -> Vec<u8> {
        [self.c1.as_sec1().as_slice(), &self.c3, &self.c2].concat()
    }

    /// The DER form of `SM2Cipher`.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let (x, y) = coordinates(&self.c1);
        let der = asn1::element(
            SEQUENCE,
            &[
                &asn1::unsigned(x),
                &asn1::unsigned(y),
                &asn1::element(OCTET_STRING, &[&self.c3]),
                &asn1::element(OCTET_STRING, &[&self.c2]),
            ],
        );
        der.to_vec()
    }

    /// Length of the plaintext inside.
    #[must_use]
    pub const fn message_bytes(&self) -> usize {
        self.c2.len()
    }

    /// Reads the content of an `SM2Cipher` SEQUENCE.
    pub(crate) fn read(mut content: Reader<'_>) -> Option<Self> {
        let (x, y) = (content.unsigned()?, content.unsigned()?);
        let (c3, c2) = (content.octets()?, content.octets()?);
        content.end()?;
        Self::from_parts(PublicKey::from_coordinates(&x, &y)?, c3.try_into().ok()?, c2).ok()
    }

    fn from_parts(c1: PublicKey, c3: &[u8; 32], c2: &[u8]) -> Result<Self, DecryptError> {
        if c2.is_empty() || c2.len() > Self::MESSAGE_BYTES_MAX {
            return Err(DecryptError);
        }
        Ok(Self { c1, c3: *c3, c2: c2.to_vec() })
    }
}

impl PublicKey {
    /// Encrypts `message` to this key (GB/T 32918.4-2016 §6.1).
    ///
    /// # Errors
    /// An empty or too long message, or the random source failed.
    pub fn encrypt(
        &self,
        message: &[u8],
        random: &mut dyn Random,
    ) -> Result<Ciphertext, EncryptError> {
        if message.is_empty() || message.len() > Ciphertext::MESSAGE_BYTES_MAX {
            return Err(EncryptError::MessageLength { bytes: message.len() });
        }
        for _ in 0..ATTEMPTS_MAX {
            let k = kdf::random_scalar(random)?;
            if let Some(ciphertext) = self.encrypt_with(message, &k) {
                return Ok(ciphertext);
            }
        }
        // Short messages meet an all-zero mask with probability 2^−8 per byte; 128 times in a row is no accident.
        Err(RandomError { reason: "no usable SM2 nonce drawn".into() }.into())
    }

    /// Steps A2–A7 for one k; `None` asks for another (the mask was all zero).
    pub(super) fn encrypt_with(&self, message: &[u8], k: &Scalar) -> Option<Ciphertext> {
        let (x1, y1) = Point::mul_base(k).to_affine()?;
        let shared = Shared::new(self, k)?;
        let (c2, mask_is_zero) = shared.mask(message)?;
        if mask_is_zero {
            return None;
        }
        let c1 = Self::from_coordinates(&x1, &y1)?;
        Some(Ciphertext { c1, c3: shared.tag(message), c2: c2.to_vec() })
    }
}

impl PrivateKey {
    /// Decrypts (GB/T 32918.4-2016 §7.1), in constant time for ciphertexts of one length.
    ///
    /// # Errors
    /// The ciphertext was not made for this key or was altered; there is deliberately one reason only.
    pub fn decrypt(&self, ciphertext: &Ciphertext) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
        let shared = Shared::new(&ciphertext.c1, self.scalar()).ok_or(DecryptError)?;
        let (message, mask_is_zero) = shared.mask(&ciphertext.c2).ok_or(DecryptError)?;
        // Both are looked at whatever the first says: one mask of a byte in 256 is zero, and its ciphertext the sender's.
        if kdf::equal(&shared.tag(&message), &ciphertext.c3) & !mask_is_zero {
            Ok(message)
        } else {
            Err(DecryptError)
        }
    }
}

/// (x2, y2) = \[k\]P = \[d\]C1, known to both sides.
struct Shared(Zeroizing<[u8; 32]>, Zeroizing<[u8; 32]>);

impl Shared {
    fn new(point: &PublicKey, scalar: &Scalar) -> Option<Self> {
        let shared = Zeroizing::new(Point::from(*point.affine()).mul(scalar));
        let (x, y) = shared.to_affine()?;
        Some(Self(Zeroizing::new(x), Zeroizing::new(y)))
    }

    /// The text under the mask t = KDF(x2 ‖ y2), in either direction, and whether t is all zero (steps A5, B4).
    fn mask(&self, text: &[u8]) -> Option<(Zeroizing<Vec<u8>>, bool)> {
        let mut out = kdf::derive(&[&*self.0, &*self.1], text.len())?;
        let mask_is_zero = out.iter().fold(0, |seen, byte| seen | byte) == 0;
        out.iter_mut().zip(text).for_each(|(mask, text)| *mask ^= text);
        Some((out, mask_is_zero))
    }

    /// C3 = SM3(x2 ‖ M ‖ y2).
    fn tag(&self, message: &[u8]) -> [u8; 32] {
        *sm3_secret_parts(&[&*self.0, message, &*self.1]).as_bytes()
    }
}

/// x and y of a public key, big-endian.
pub(crate) fn coordinates(key: &PublicKey) -> (&[u8; 32], &[u8; 32]) {
    match key.as_sec1().as_slice().split_at(1).1.as_chunks() {
        ([x, y], _) => (x, y),
        _ => (&[0; 32], &[0; 32]),
    }
}

impl fmt::Debug for Ciphertext {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Ciphertext")
            .field("message_bytes", &self.c2.len())
            .finish_non_exhaustive()
    }
}

/// Why a message was not encrypted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptError {
    /// Empty, or longer than [`Ciphertext::MESSAGE_BYTES_MAX`].
    #[error("SM2 encrypts 1 to 16777216 bytes, got {bytes}")]
    MessageLength {
        /// Length received.
        bytes: usize,
    },
    /// The random source failed.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Not an SM2 ciphertext for this key: every failure of parsing and decryption looks the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an SM2 ciphertext for this key")]
pub struct DecryptError;

const ATTEMPTS_MAX: usize = 128;

#[cfg(test)]
mod tests;

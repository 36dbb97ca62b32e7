//! The signer's distinguishing identifier and the hash ZA it enters.

use alloc::{borrow::Cow, vec::Vec};
use core::fmt;

use crate::{
    sm2::PublicKey,
    sm3::{Sm3Digest, sm3_parts},
};

/// A signer's distinguishing identifier (可辨别标识): part of what every SM2 signature covers.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SignerId(Cow<'static, [u8]>);

impl SignerId {
    /// `1234567812345678`: business signatures, certificates, CRL, OCSP, CMS, seals (GB/T 35276-2017 §10).
    pub const DEFAULT: Self = Self(Cow::Borrowed(b"1234567812345678"));
    /// `TLSv1.3+GM+Cipher+Suite`: TLS 1.3 `CertificateVerify` (RFC 8998 §3.2.1).
    pub const TLS13: Self = Self(Cow::Borrowed(b"TLSv1.3+GM+Cipher+Suite"));

    /// Longest identifier: its length in bits must fit the two bytes of ENTL.
    pub const BYTES_MAX: usize = 8191;

    /// Takes any identifier, the empty one included.
    ///
    /// # Errors
    /// More than [`SignerId::BYTES_MAX`] bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, SignerIdTooLong> {
        let bytes = bytes.into();
        if bytes.len() > Self::BYTES_MAX {
            return Err(SignerIdTooLong { bytes: bytes.len() });
        }
        Ok(Self(Cow::Owned(bytes)))
    }

    /// The identifier's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// ZA = SM3(ENTL ‖ ID ‖ a ‖ b ‖ xG ‖ yG ‖ xA ‖ yA), GB/T 32918.2-2016 §5.5.
    pub(crate) fn hash(&self, key: &PublicKey) -> Result<Sm3Digest, SignerIdTooLong> {
        let too_long = || SignerIdTooLong { bytes: self.0.len() };
        let bits = self.0.len().checked_mul(8).ok_or_else(too_long)?;
        let entl = u16::try_from(bits).map_err(|_| too_long())?.to_be_bytes();
        let sec1 = key.to_sec1();
        let (_, coordinates) = sec1.split_at(1);
        Ok(sm3_parts(&[&entl, &self.0, &CURVE_A_B_G, coordinates]))
    }
}

impl fmt::Debug for SignerId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SignerId(\"{}\")", self.0.escape_ascii())
    }
}

/// An identifier whose bit length does not fit ENTL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an SM2 signer identifier has at most 8191 bytes, got {bytes}")]
pub struct SignerIdTooLong {
    /// Length received.
    pub bytes: usize,
}

/// a ‖ b ‖ xG ‖ yG of GB/T 32918.5-2017 §2, 32 bytes each; a test compares them with the arithmetic in use.
#[rustfmt::skip]
const CURVE_A_B_G: [u8; 128] = [
    0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc,
    0x28, 0xe9, 0xfa, 0x9e, 0x9d, 0x9f, 0x5e, 0x34, 0x4d, 0x5a, 0x9e, 0x4b, 0xcf, 0x65, 0x09, 0xa7,
    0xf3, 0x97, 0x89, 0xf5, 0x15, 0xab, 0x8f, 0x92, 0xdd, 0xbc, 0xbd, 0x41, 0x4d, 0x94, 0x0e, 0x93,
    0x32, 0xc4, 0xae, 0x2c, 0x1f, 0x19, 0x81, 0x19, 0x5f, 0x99, 0x04, 0x46, 0x6a, 0x39, 0xc9, 0x94,
    0x8f, 0xe3, 0x0b, 0xbf, 0xf2, 0x66, 0x0b, 0xe1, 0x71, 0x5a, 0x45, 0x89, 0x33, 0x4c, 0x74, 0xc7,
    0xbc, 0x37, 0x36, 0xa2, 0xf4, 0xf6, 0x77, 0x9c, 0x59, 0xbd, 0xce, 0xe3, 0x6b, 0x69, 0x21, 0x53,
    0xd0, 0xa9, 0x87, 0x7c, 0xc6, 0x2a, 0x47, 0x40, 0x02, 0xdf, 0x32, 0xe5, 0x21, 0x39, 0xf0, 0xa0,
];

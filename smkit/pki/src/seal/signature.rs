//! A signature with a seal and its fields.

use std::fmt;

use smkit::{Sm3Digest, sm2::Signature, sm3};

use super::{read, ses::Seal};
use crate::{Certificate, FormError, TimeStampToken};

/// A signature with an electronic seal (电子签章), `SES_Signature`.
///
/// Parsing proves form, not origin: see [`SealSignature::verify`]. Equality is equality of the DER bytes.
#[derive(Clone)]
pub struct SealSignature {
    pub(super) der: Vec<u8>,
    /// What the signer signed.
    pub(super) signed: Vec<u8>,
    pub(super) seal: Seal,
    pub(super) signed_at: i64,
    pub(super) data_hash: Sm3Digest,
    pub(super) property: String,
    pub(super) signer: Certificate,
    pub(super) signature: Signature,
    /// The signature's bytes, which a time stamp is over.
    pub(super) signature_der: Vec<u8>,
    pub(super) time_stamp: Option<TimeStampToken>,
}

impl SealSignature {
    /// Parses DER strictly, of versions 1, 4 and 5, with the tolerances of [`Seal::from_der`].
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn from_der(der: &[u8]) -> Result<Self, FormError> {
        read::signature(der)
    }

    /// The exact bytes parsed.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The seal it was made with.
    #[must_use]
    pub const fn seal(&self) -> &Seal {
        &self.seal
    }

    /// When it says to have been made, seconds since 1970.
    #[must_use]
    pub const fn signed_at(&self) -> i64 {
        self.signed_at
    }

    /// SM3 of what was signed.
    #[must_use]
    pub const fn data_hash(&self) -> &Sm3Digest {
        &self.data_hash
    }

    /// What was signed, by name; in OFD the path of `Signature.xml`.
    #[must_use]
    pub fn property(&self) -> &str {
        &self.property
    }

    /// The signer's certificate (签章者).
    #[must_use]
    pub const fn signer(&self) -> &Certificate {
        &self.signer
    }

    /// The time stamp over the signature.
    #[must_use]
    pub const fn time_stamp(&self) -> Option<&TimeStampToken> {
        self.time_stamp.as_ref()
    }

    /// What a time stamp is to be over: SM3 of the signature's bytes.
    #[must_use]
    pub fn imprint(&self) -> Sm3Digest {
        sm3(&self.signature_der)
    }
}

impl PartialEq for SealSignature {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for SealSignature {}

impl fmt::Debug for SealSignature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SealSignature")
            .field("seal", &self.seal)
            .field("signed_at", &self.signed_at)
            .field("property", &self.property)
            .finish_non_exhaustive()
    }
}

//! Revocation lists in the configuration.

use smkit_pki::Certificate;

use crate::{IdentityError, limits::REVOCATION_LIST_BYTES_MAX};

/// A certificate revocation list (证书撤销列表, CRL) as its authority signed it.
///
/// This crate keeps lists and does not read them: until `smkit-pki` does, an organisation that has
/// one vouches for nobody, rather than for somebody whose certificate was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    der: Vec<u8>,
}

impl RevocationList {
    /// Takes the DER of one list; `None` if it is empty or longer than
    /// [`REVOCATION_LIST_BYTES_MAX`].
    #[must_use]
    pub fn from_der(der: Vec<u8>) -> Option<Self> {
        (1..=REVOCATION_LIST_BYTES_MAX).contains(&der.len()).then_some(Self { der })
    }

    /// The DER as it was given.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether the certificate may still be used, as far as this list says.
    pub(crate) fn check(&self, _certificate: &Certificate) -> Result<(), IdentityError> {
        Err(IdentityError::RevocationUnknown)
    }
}

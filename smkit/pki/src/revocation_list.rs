//! Certificate revocation lists, version 2 (RFC 5280 §5).

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use der::Encode;
use smkit::{Sm3Digest, sm2::Signature};
use x509_cert::name::RdnSequence;

use crate::{
    Certificate, DistinguishedName, FormError, RevocationReason, SerialNumber,
    asn1::unix_seconds,
    limits::{CRL_BYTES_MAX, CRL_ENTRIES_MAX},
    name,
    reasons::{self, Reason, speak},
};

pub(crate) use asn1::ReasonCode;
use asn1::{FORM, ListExtensions, SignedList, VERSION_2, read_entries};
pub use build::RevocationListContent;

/// A certificate revocation list (证书吊销列表, CRL), parsed and immutable; cloning is cheap.
///
/// Parsing proves form, not origin: see [`RevocationList::verify`]. At most [`crate::CRL_BYTES_MAX`] bytes and
/// [`crate::CRL_ENTRIES_MAX`] entries. Delta lists, indirect lists and lists of a partial scope are refused: they say so in
/// critical extensions, and no critical extension is evaluated.
#[derive(Clone)]
pub struct RevocationList(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    tbs_der: Vec<u8>,
    issuer: RdnSequence,
    this_update: i64,
    next_update: i64,
    number: Option<SerialNumber>,
    authority_key_id: Option<Vec<u8>>,
    /// Revocations of certificates that expired since then are still listed.
    keeps_expired_since: Option<i64>,
    /// Sorted by serial number, each once.
    entries: Vec<RevokedCertificate>,
    signature: Signature,
    /// The issuer whose signature this was found to be.
    verified: OnceLock<Sm3Digest>,
}

/// One entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevokedCertificate {
    /// Which certificate of the list's issuer.
    pub serial: SerialNumber,
    /// When it was revoked, in Unix seconds.
    pub revoked_at: i64,
    /// Why.
    pub reason: RevocationReason,
    /// Since when the key is suspected to be in other hands, in Unix seconds (invalidityDate).
    pub invalid_since: Option<i64>,
}

impl RevokedCertificate {
    /// The first second at which the certificate must not be relied on: the earlier of the two dates.
    #[must_use]
    pub fn since(&self) -> i64 {
        self.invalid_since.map_or(self.revoked_at, |since| since.min(self.revoked_at))
    }
}

impl RevocationList {
    /// Parses DER strictly.
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn from_der(der: &[u8]) -> Result<Self, FormError> {
        let parsed: SignedList = FORM.read_long(der, CRL_BYTES_MAX, CRL_ENTRIES_MAX)?;
        FORM.sm2_with_sm3(&parsed.algorithm)?;
        if parsed.algorithm != parsed.tbs.signature {
            return Err(FORM.malformed("the two signature algorithm fields differ"));
        }
        let signature = FORM.signature(&parsed.signature)?;
        let tbs = parsed.tbs;
        let tbs_der = tbs.to_der().map_err(|error| FORM.der(&error))?;
        if tbs.version != VERSION_2 {
            return Err(FORM.malformed("not version 2"));
        }
        if tbs.issuer.is_empty() {
            return Err(FORM.malformed("an empty name"));
        }
        name::check(&tbs.issuer)?;
        let next_update = tbs.next_update.ok_or_else(|| FORM.malformed("no nextUpdate"))?;
        let (this_update, next_update) = (unix_seconds(tbs.this_update), unix_seconds(next_update));
        if next_update < this_update {
            return Err(FORM.malformed("nextUpdate before thisUpdate"));
        }
        let extensions = ListExtensions::read(tbs.extensions.as_deref())?;
        Ok(Self(Arc::new(Inner {
            der: der.to_vec(),
            tbs_der,
            issuer: tbs.issuer,
            this_update,
            next_update,
            number: extensions.number,
            authority_key_id: extensions.authority_key_id,
            keeps_expired_since: extensions.keeps_expired_since,
            entries: read_entries(tbs.revoked.as_deref())?,
            signature,
            verified: OnceLock::new(),
        })))
    }

    /// Parses one `X509 CRL` block (RFC 7468).
    ///
    /// # Errors
    /// Not exactly one block, or as [`RevocationList::from_der`].
    pub fn from_pem(pem: &str) -> Result<Self, FormError> {
        Self::from_der(&FORM.pem(PEM_LABEL, pem)?)
    }

    /// The PEM form with LF line ends.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let ending = pem_rfc7468::LineEnding::LF;
        // Base64 of at most CRL_BYTES_MAX bytes under a constant label cannot fail.
        pem_rfc7468::encode_string(PEM_LABEL, ending, &self.0.der).unwrap_or_default()
    }

    /// The exact bytes parsed.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// Whose list it says to be.
    #[must_use]
    pub fn issuer(&self) -> DistinguishedName {
        DistinguishedName(self.0.issuer.clone())
    }

    /// When it was made, in Unix seconds.
    #[must_use]
    pub fn this_update(&self) -> i64 {
        self.0.this_update
    }

    /// When the next one is due, in Unix seconds.
    #[must_use]
    pub fn next_update(&self) -> i64 {
        self.0.next_update
    }

    /// The list's number (cRLNumber), rising from list to list; `None` for number 0 or without the extension.
    #[must_use]
    pub fn number(&self) -> Option<SerialNumber> {
        self.0.number
    }

    /// The entries in the order of their serial numbers.
    #[must_use]
    pub fn entries(&self) -> &[RevokedCertificate] {
        &self.0.entries
    }

    /// The entry of a serial number; takes O(log n).
    #[must_use]
    pub fn find(&self, serial: &SerialNumber) -> Option<&RevokedCertificate> {
        let index = self.0.entries.binary_search_by(|entry| entry.serial.cmp(serial)).ok()?;
        self.0.entries.get(index)
    }

    /// Whether the absence of a certificate that ends at `not_after` means that it was not revoked: entries of expired
    /// certificates may have been dropped, unless the list says that it keeps them (expiredCertsOnCRL).
    #[must_use]
    pub fn covers(&self, not_after: i64) -> bool {
        not_after >= self.0.this_update
            || self.0.keeps_expired_since.is_some_and(|since| not_after >= since)
    }

    /// Verifies that this is the list of `issuer`: name and key identifier, keyUsage cRLSign, signature. The answer for
    /// one issuer is remembered. Says nothing about freshness, nor about the issuer's own certificate.
    ///
    /// # Errors
    /// See [`RevocationListError`].
    pub fn verify(&self, issuer: &Certificate) -> Result<(), RevocationListError> {
        if self.0.verified.get() == Some(&issuer.sm3()) {
            return Ok(());
        }
        let subject = || issuer.subject();
        if !self.is_named(issuer) {
            return Err(RevocationListError::Issuer { subject: subject() });
        }
        if !issuer.key_usage().crl_sign() {
            return Err(RevocationListError::KeyUsage { subject: subject() });
        }
        issuer
            .verifying_key()
            .verify(&self.0.tbs_der, &self.0.signature)
            .map_err(|_| RevocationListError::Signature)?;
        let _ = self.0.verified.set(issuer.sm3());
        Ok(())
    }

    /// Whether it bears the name and, where both state one, the key identifier of `issuer`.
    pub(crate) fn is_named(&self, issuer: &Certificate) -> bool {
        let same_key = match (&self.0.authority_key_id, issuer.subject_key_id()) {
            (Some(wanted), Some(found)) => wanted == found,
            _ => true,
        };
        self.0.issuer == *issuer.subject_name() && same_key
    }
}

impl PartialEq for RevocationList {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for RevocationList {}

impl fmt::Debug for RevocationList {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RevocationList")
            .field("issuer", &self.issuer())
            .field("this_update", &self.0.this_update)
            .field("entries", &self.0.entries.len())
            .finish_non_exhaustive()
    }
}

/// Why a list is not to be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationListError {
    /// Name or key identifier are another authority's.
    Issuer {
        /// Who was to have issued it.
        subject: String,
    },
    /// The issuer has no keyUsage cRLSign.
    KeyUsage {
        /// Who issued it.
        subject: String,
    },
    /// The signature is not the issuer's.
    Signature,
}

impl RevocationListError {
    /// Code, kind and sentences of this refusal.
    #[must_use]
    pub const fn reason(&self) -> &'static Reason {
        match self {
            Self::Issuer { .. } => reasons::CRL_ISSUER,
            Self::KeyUsage { .. } => reasons::CRL_KEY_USAGE,
            Self::Signature => reasons::CRL_SIGNATURE,
        }
    }

    fn facts(&self) -> Vec<String> {
        match self {
            Self::Issuer { subject } | Self::KeyUsage { subject } => vec![subject.clone()],
            Self::Signature => Vec::new(),
        }
    }
}

speak!(RevocationListError);

const PEM_LABEL: &str = "X509 CRL";

mod asn1;
mod build;
#[cfg(test)]
mod tests;

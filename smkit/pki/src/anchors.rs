//! The certificates a verifier trusts by itself.

use smkit::Sm3Digest;

use crate::{Certificate, CertificateError};

/// Trust anchors (信任锚): given by the verifier, never taken from what is verified.
#[derive(Clone, Debug, Default)]
pub struct TrustAnchors(Vec<Certificate>);

impl TrustAnchors {
    /// Reads every certificate of a PEM text.
    ///
    /// # Errors
    /// As [`Certificate::pem_many`].
    pub fn from_pem(pem: &str) -> Result<Self, CertificateError> {
        Certificate::pem_many(pem).map(Self::from_certificates)
    }

    /// Takes certificates; repetitions are dropped.
    #[must_use]
    pub fn from_certificates(certificates: Vec<Certificate>) -> Self {
        let mut anchors = Vec::with_capacity(certificates.len());
        for certificate in certificates {
            if !anchors.contains(&certificate) {
                anchors.push(certificate);
            }
        }
        Self(anchors)
    }

    /// The anchors in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &Certificate> {
        self.0.iter()
    }

    /// Whether a certificate with this fingerprint is an anchor.
    #[must_use]
    pub fn contains_sm3(&self, fingerprint: &Sm3Digest) -> bool {
        self.0.iter().any(|anchor| anchor.sm3() == *fingerprint)
    }

    /// Whether there is no anchor: every chain then fails.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of anchors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

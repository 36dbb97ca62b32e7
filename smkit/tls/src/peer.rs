//! Who the other side is: what a verifier is asked, and what it answers.

mod validators;

use std::fmt;

use smkit_pki::{Certificate, CertificateError};

pub use self::validators::PathVerifier;

/// Which side of a connection the certificates in question belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerRole<'a> {
    /// A server that was dialled under this name (DNS name or IP address in text form).
    Server {
        /// The name dialled.
        name: &'a str,
    },
    /// A client.
    Client,
}

/// Decides whether a peer's certificates admit it. One implementation serves RFC 8998 and TLCP alike, so that a peer
/// is refused for the same reason whatever it speaks.
pub trait PeerVerifier: Send + Sync + fmt::Debug {
    /// Judges `chain` (leaf first, as received) at one moment in Unix seconds.
    ///
    /// # Errors
    /// The first reason found, in the order of path validation.
    fn verify(
        &self,
        chain: &[Certificate],
        role: PeerRole<'_>,
        at_unix_seconds: i64,
    ) -> Result<(), PeerRefusal>;

    /// Judges a chain once more that this very verifier has accepted in the same role: a session is being resumed.
    ///
    /// Signatures cannot have changed since; validity, revocation and admission may have. The default judges everything.
    ///
    /// # Errors
    /// As [`PeerVerifier::verify`].
    fn verify_again(
        &self,
        chain: &[Certificate],
        role: PeerRole<'_>,
        at_unix_seconds: i64,
    ) -> Result<(), PeerRefusal> {
        self.verify(chain, role, at_unix_seconds)
    }

    /// Judges the encryption certificate (加密证书) of a TLCP pair, first in `chain`, after [`PeerVerifier::verify`] has
    /// admitted the signing certificate; both have one subject.
    ///
    /// # Errors
    /// As [`PeerVerifier::verify`], for a key that receives secrets instead of signing. A verifier that does not implement
    /// this refuses every pair.
    fn verify_encryption(
        &self,
        chain: &[Certificate],
        role: PeerRole<'_>,
        at_unix_seconds: i64,
    ) -> Result<(), PeerRefusal> {
        let _ = (chain, role, at_unix_seconds);
        Err(PeerRefusal {
            code: "PK-ENCRYPTION",
            reason: "encryption certificates are not accepted here".to_owned(),
            alert: PeerAlert::UnsupportedCertificate,
        })
    }
}

/// A peer whose certificates were accepted and who has proved to hold the key of the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerIdentity {
    leaf: Certificate,
    chain: Vec<Certificate>,
}

impl PeerIdentity {
    /// `None` for an empty chain: nobody.
    pub(crate) fn new(chain: Vec<Certificate>) -> Option<Self> {
        let leaf = chain.first()?.clone();
        Some(Self { leaf, chain })
    }

    /// The peer's own certificate.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// Everything the peer sent, its own certificate first (in TLCP the encryption certificate is the second).
    #[must_use]
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }
}

/// Why a peer was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {reason}")]
pub struct PeerRefusal {
    /// Stable code of the reason (`PK-…`).
    pub code: &'static str,
    /// The reason, for people.
    pub reason: String,
    /// Which alert of TLS tells the peer.
    pub alert: PeerAlert,
}

impl PeerRefusal {
    /// Bytes that are no certificate we work with.
    #[must_use]
    pub fn unreadable(error: &CertificateError) -> Self {
        error.into()
    }

    /// The peer had to show a certificate and showed none.
    #[must_use]
    pub fn no_certificate() -> Self {
        Self {
            code: "PK-1106",
            reason: "the peer sent no certificate".into(),
            alert: PeerAlert::BadCertificate,
        }
    }

    /// More certificates than any path has.
    #[must_use]
    pub fn too_many_certificates(count: usize) -> Self {
        Self {
            code: "PK-1104",
            reason: format!("the peer sent {count} certificates"),
            alert: PeerAlert::BadCertificate,
        }
    }
}

/// The alerts that a refusal of certificates can end in (RFC 8446 §6.2, GB/T 38636 §6.4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerAlert {
    /// 42: malformed, wrong algorithm, bad signature.
    BadCertificate,
    /// 43: not of a kind that may do this.
    UnsupportedCertificate,
    /// 44: revoked.
    CertificateRevoked,
    /// 45: expired, or not yet valid.
    CertificateExpired,
    /// 46: any other reason.
    CertificateUnknown,
    /// 48: no path to a trusted authority.
    UnknownCa,
    /// 49: a valid certificate whose subject may not come in.
    AccessDenied,
}

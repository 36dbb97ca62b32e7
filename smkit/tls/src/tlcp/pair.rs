//! The peer's certificates: read, told apart, and put before the verifier.

use smkit_pki::Certificate;

use super::{
    credentials::{may_encrypt, may_sign},
    error::TlcpError,
    limits::CHAIN_CERTIFICATES_MAX,
    messages::{Message, certificate_list},
};
use crate::peer::{PeerRole, PeerVerifier};

/// What the peer sent: the signing certificate, its encryption certificate if there is one, authorities.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    certificates: Vec<Certificate>,
    has_encryption: bool,
}

impl Pair {
    /// Reads a Certificate message; `None` when it is empty, as a client without certificates sends it.
    ///
    /// # Errors
    /// Malformed, too many, or a certificate that is no SM2 certificate.
    pub(crate) fn read(message: &Message) -> Result<Option<Self>, TlcpError> {
        let list = message.parse(certificate_list)?;
        if list.len() > CHAIN_CERTIFICATES_MAX {
            return Err(TlcpError::TooManyCertificates { count: list.len() });
        }
        let parse = |(index, der): (usize, &&[u8])| {
            Certificate::from_der(der).map_err(|source| TlcpError::Certificate { index, source })
        };
        let certificates: Vec<_> = list.iter().enumerate().map(parse).collect::<Result<_, _>>()?;
        // A client under ECC may leave its encryption certificate out; an authority then comes second.
        let has_encryption = certificates.get(1).is_some_and(|second| !second.is_ca());
        Ok((!certificates.is_empty()).then_some(Self { certificates, has_encryption }))
    }

    /// Whether the certificates fit together, and whether the verifier admits their holder.
    ///
    /// # Errors
    /// The first reason found; see [`TlcpError`].
    pub(crate) fn verify(
        &self,
        verifier: &dyn PeerVerifier,
        role: PeerRole<'_>,
        needs_encryption: bool,
        at_unix_seconds: i64,
    ) -> Result<(), TlcpError> {
        let signing = self.signing().ok_or(TlcpError::NoCertificate)?;
        if !may_sign(signing) {
            return Err(TlcpError::CertificateUsage { half: "signing" });
        }
        match self.encryption() {
            None if needs_encryption => return Err(TlcpError::NoEncryptionCertificate),
            Some(second) if second.subject() != signing.subject() => {
                return Err(TlcpError::SubjectsDiffer);
            }
            Some(second) if !may_encrypt(second) => {
                return Err(TlcpError::CertificateUsage { half: "encryption" });
            }
            _ => {}
        }
        verifier.verify(&self.chain_of(signing), role, at_unix_seconds)?;
        if let Some(second) = self.encryption() {
            verifier.verify_encryption(&self.chain_of(second), role, at_unix_seconds)?;
        }
        Ok(())
    }

    /// Whether the verifier would still admit the holder of a pair it has admitted.
    pub(crate) fn verify_again(
        &self,
        verifier: &dyn PeerVerifier,
        role: PeerRole<'_>,
        at_unix_seconds: i64,
    ) -> bool {
        self.signing().is_some_and(|signing| {
            verifier.verify_again(&self.chain_of(signing), role, at_unix_seconds).is_ok()
        })
    }

    pub(crate) fn signing(&self) -> Option<&Certificate> {
        self.certificates.first()
    }

    pub(crate) fn encryption(&self) -> Option<&Certificate> {
        self.certificates.get(1).filter(|_| self.has_encryption)
    }

    pub(crate) fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The last second at which all of it is valid.
    pub(crate) fn not_after(&self) -> i64 {
        self.certificates.iter().map(Certificate::not_after).min().unwrap_or(i64::MAX)
    }

    fn chain_of(&self, leaf: &Certificate) -> Vec<Certificate> {
        let authorities = self.certificates.iter().skip(1 + usize::from(self.has_encryption));
        std::iter::once(leaf).chain(authorities).cloned().collect()
    }
}

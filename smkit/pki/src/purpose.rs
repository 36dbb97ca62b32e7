//! What a certificate is presented for, and what its extensions must say then.

use crate::{Certificate, ExtendedKeyUsage, KeyUsage, key_usage::KeyPurpose, path::PathError};

/// What the leaf's key was used for.
///
/// Extended key usage is optional in certificates of the national suite; one that has it is confined to it. Absent, it
/// allows everything except [`Purpose::TimeStamping`] and [`Purpose::OcspSigning`], which must be granted by name. On an
/// authority it confines every certificate below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// It signed data: keyUsage digitalSignature; not confined to time stamps and OCSP.
    Signing,
    /// It signs certificates: keyUsage keyCertSign, and the leaf must be a CA.
    CertificateSign,
    /// It authenticated a server: keyUsage digitalSignature; `serverAuth`.
    TlsServer,
    /// It authenticated a client: keyUsage digitalSignature; `clientAuth`.
    TlsClient,
    /// The encryption half of a pair in TLCP: keyUsage keyEncipherment or keyAgreement; `serverAuth` or `clientAuth`.
    TlcpEncryption,
    /// Keys are encrypted to it in an envelope: keyUsage keyEncipherment.
    KeyEncipherment,
    /// It signed an electronic seal (电子签章): keyUsage digitalSignature and nonRepudiation; as
    /// [`Purpose::Signing`] otherwise.
    Seal,
    /// It signed a time stamp (RFC 3161 §2.3): keyUsage digitalSignature; critical and `timeStamping` alone.
    TimeStamping,
    /// It signed OCSP responses for its issuer (RFC 6960 §4.2.2.2): keyUsage digitalSignature; `OCSPSigning`.
    OcspSigning,
}

impl Purpose {
    /// Whether the leaf must be a CA.
    pub(crate) const fn is_for_authorities(self) -> bool {
        matches!(self, Self::CertificateSign)
    }

    pub(crate) fn check_key_usage(self, leaf: &Certificate) -> Result<(), PathError> {
        let alternatives: &[KeyUsage] = match self {
            Self::CertificateSign => &[KeyUsage::KEY_CERT_SIGN],
            Self::TlcpEncryption => &[KeyUsage::KEY_ENCIPHERMENT, KeyUsage::KEY_AGREEMENT],
            Self::KeyEncipherment => &[KeyUsage::KEY_ENCIPHERMENT],
            Self::Seal => &[KeyUsage::DIGITAL_SIGNATURE.union(KeyUsage::NON_REPUDIATION)],
            Self::Signing
            | Self::TlsServer
            | Self::TlsClient
            | Self::TimeStamping
            | Self::OcspSigning => &[KeyUsage::DIGITAL_SIGNATURE],
        };
        let found = leaf.key_usage();
        if alternatives.iter().any(|required| found.contains(*required)) {
            return Ok(());
        }
        let required = alternatives.iter().copied().next().unwrap_or_default();
        Err(PathError::KeyUsage { subject: leaf.subject(), required })
    }

    /// The leaf's extended key usage must grant the purpose or, where that suffices, be absent.
    pub(crate) fn check_extended_key_usage(self, leaf: &Certificate) -> Result<(), PathError> {
        self.check_confinement(leaf)?;
        let (subject, found) = (|| leaf.subject(), leaf.extended_key_usage());
        match self {
            Self::TimeStamping | Self::OcspSigning => {}
            _ => return Ok(()),
        }
        let required = self.granted_by().iter().copied().next().unwrap_or(KeyPurpose::Any);
        match found {
            Some(found) if found.names(required) => {
                // RFC 3161 §2.3: critical, and the only purpose.
                if self == Self::TimeStamping && !(found.critical && found.oids.len() == 1) {
                    return Err(PathError::ExtendedKeyUsageForm { subject: subject(), required });
                }
                Ok(())
            }
            _ => Err(PathError::ExtendedKeyUsage { subject: subject(), required }),
        }
    }

    /// What has an extended key usage, an authority above the leaf included, is confined to it.
    pub(crate) fn check_confinement(self, certificate: &Certificate) -> Result<(), PathError> {
        let found = certificate.extended_key_usage();
        let granted_by = self.granted_by();
        let allowed = if granted_by.is_empty() {
            self.is_for_authorities() || !is_dedicated(found)
        } else {
            absent_or(found, granted_by)
        };
        if allowed {
            return Ok(());
        }
        let required = granted_by.iter().copied().next().unwrap_or(KeyPurpose::Any);
        Err(PathError::ExtendedKeyUsage { subject: certificate.subject(), required })
    }

    /// The extended key usages that stand for this purpose, any of them; none stands for a signature over data.
    const fn granted_by(self) -> &'static [KeyPurpose] {
        match self {
            Self::Signing | Self::Seal | Self::KeyEncipherment | Self::CertificateSign => &[],
            Self::TlsServer => &[KeyPurpose::ServerAuth],
            Self::TlsClient => &[KeyPurpose::ClientAuth],
            Self::TlcpEncryption => &[KeyPurpose::ServerAuth, KeyPurpose::ClientAuth],
            Self::TimeStamping => &[KeyPurpose::TimeStamping],
            Self::OcspSigning => &[KeyPurpose::OcspSigning],
        }
    }
}

fn absent_or(found: Option<&ExtendedKeyUsage>, wanted: &[KeyPurpose]) -> bool {
    found.is_none_or(|found| {
        found.names(KeyPurpose::Any) || wanted.iter().any(|purpose| found.names(*purpose))
    })
}

/// A certificate for time stamps or OCSP alone signs nothing else: whoever holds such a key is not the one who acts.
fn is_dedicated(found: Option<&ExtendedKeyUsage>) -> bool {
    const DEDICATED: [KeyPurpose; 2] = [KeyPurpose::TimeStamping, KeyPurpose::OcspSigning];
    found.is_some_and(|found| {
        found.oids.iter().all(|oid| DEDICATED.iter().any(|purpose| purpose.oid() == *oid))
    })
}

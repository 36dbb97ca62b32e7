//! `smkit-pki`'s path validation as a [`PeerVerifier`].

use smkit_pki::{
    Certificate, CertificateError, PathError, Purpose, RefusalKind, Validator, VerifiedPath,
};

use super::{PeerAlert, PeerRefusal, PeerRole, PeerVerifier};

/// Judges servers by one [`Validator`] and clients by another: whoever may be dialled need not be let in.
#[derive(Clone, Debug)]
pub struct PathVerifier {
    servers: Validator,
    clients: Validator,
}

impl PathVerifier {
    /// Takes the two validators.
    #[must_use]
    pub const fn new(servers: Validator, clients: Validator) -> Self {
        Self { servers, clients }
    }

    /// For a side that only dials, or where the same rules hold for both.
    #[must_use]
    pub fn of(validator: Validator) -> Self {
        Self::new(validator.clone(), validator)
    }

    /// Judges a chain as [`PeerVerifier::verify`] does, and tells the path: for verifiers that ask for more.
    ///
    /// # Errors
    /// As [`PeerVerifier::verify`].
    pub fn path(
        &self,
        chain: &[Certificate],
        role: PeerRole<'_>,
        at_unix_seconds: i64,
    ) -> Result<VerifiedPath, PeerRefusal> {
        let (purpose, host) = match role {
            PeerRole::Server { name } => (Purpose::TlsServer, Some(name)),
            PeerRole::Client => (Purpose::TlsClient, None),
        };
        Ok(self.validator(role).verify(chain, purpose, at_unix_seconds, host)?)
    }

    const fn validator(&self, role: PeerRole<'_>) -> &Validator {
        match role {
            PeerRole::Server { .. } => &self.servers,
            PeerRole::Client => &self.clients,
        }
    }
}

impl PeerVerifier for PathVerifier {
    fn verify(
        &self,
        chain: &[Certificate],
        role: PeerRole<'_>,
        at_unix_seconds: i64,
    ) -> Result<(), PeerRefusal> {
        self.path(chain, role, at_unix_seconds).map(drop)
    }

    fn verify_encryption(
        &self,
        chain: &[Certificate],
        role: PeerRole<'_>,
        at_unix_seconds: i64,
    ) -> Result<(), PeerRefusal> {
        let host = match role {
            PeerRole::Server { name } => Some(name),
            PeerRole::Client => None,
        };
        self.validator(role).verify(chain, Purpose::TlcpEncryption, at_unix_seconds, host)?;
        Ok(())
    }
}

impl From<PathError> for PeerRefusal {
    fn from(error: PathError) -> Self {
        Self { code: error.code(), reason: error.to_string(), alert: alert(error.kind()) }
    }
}

impl From<&CertificateError> for PeerRefusal {
    fn from(error: &CertificateError) -> Self {
        Self { code: error.code(), reason: error.to_string(), alert: alert(error.kind()) }
    }
}

const fn alert(kind: RefusalKind) -> PeerAlert {
    match kind {
        RefusalKind::Malformed | RefusalKind::Signature | RefusalKind::Limit => {
            PeerAlert::BadCertificate
        }
        RefusalKind::Algorithm | RefusalKind::Purpose => PeerAlert::UnsupportedCertificate,
        RefusalKind::UnknownAuthority => PeerAlert::UnknownCa,
        RefusalKind::Validity => PeerAlert::CertificateExpired,
        RefusalKind::Revoked => PeerAlert::CertificateRevoked,
        RefusalKind::NotAdmitted => PeerAlert::AccessDenied,
        _ => PeerAlert::CertificateUnknown,
    }
}

//! What both verifiers share: reading certificates, asking the [`PeerVerifier`], checking handshake signatures.

mod known;
mod refusals;

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, PeerIncompatible, PeerMisbehaved,
    client::danger::HandshakeSignatureValid,
    pki_types::{CertificateDer, UnixTime},
};
use smkit::sm2::Signature;
use smkit_pki::INTERMEDIATES_MAX;

use self::{
    known::{Entry, Known},
    refusals::Refusals,
};
use super::SM2SIG_SM3;
use crate::peer::{PeerAlert, PeerIdentity, PeerRefusal, PeerRole, PeerVerifier};

/// A [`PeerVerifier`] with what makes asking it cheap: certificates that it has accepted are not parsed again, so that
/// their keys keep their tables.
#[derive(Debug)]
pub(crate) struct Judge {
    verifier: Arc<dyn PeerVerifier>,
    known: Known,
    refusals: Refusals,
}

impl Judge {
    pub(crate) fn new(verifier: Arc<dyn PeerVerifier>) -> Self {
        Self { verifier, known: Known::default(), refusals: Refusals::default() }
    }

    /// The whole question of a full handshake; the refusal waits for [`Judge::take_refusal`] on this thread.
    pub(crate) fn admit(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        role: PeerRole<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        self.refusals.forget();
        let received = std::iter::once(end_entity).chain(intermediates);
        let judged = self.read(received).and_then(|entries| {
            let chain: Vec<_> = entries.iter().map(|entry| entry.certificate.clone()).collect();
            self.verifier.verify(&chain, role, unix_seconds(now))?;
            self.known.remember(entries);
            Ok(())
        });
        judged.map_err(|refusal| {
            let error = as_error(&refusal);
            self.refusals.keep(refusal);
            error
        })
    }

    /// The question of a resumed session: `received` is what rustls kept of the full handshake.
    pub(crate) fn admit_again(
        &self,
        received: &[CertificateDer<'_>],
        role: PeerRole<'_>,
        now: UnixTime,
    ) -> Result<PeerIdentity, PeerRefusal> {
        let identity = self.identity(received)?;
        self.verifier.verify_again(identity.chain(), role, unix_seconds(now))?;
        Ok(identity)
    }

    /// Who was accepted in a full handshake.
    pub(crate) fn identity(
        &self,
        received: &[CertificateDer<'_>],
    ) -> Result<PeerIdentity, PeerRefusal> {
        let entries = self.read(received.iter())?;
        let chain = entries.iter().map(|entry| entry.certificate.clone()).collect();
        PeerIdentity::new(chain).ok_or_else(PeerRefusal::no_certificate)
    }

    /// RFC 8446 §4.4.3 with the signer ID of RFC 8998 §3.2.1.
    pub(crate) fn check_handshake(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if signed.scheme != SM2SIG_SM3 {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        }
        let entry = self.entry(certificate).map_err(|refusal| as_error(&refusal))?;
        let valid = Signature::from_der(signed.signature())
            .is_ok_and(|signature| entry.handshake_key.verify(message, &signature).is_ok());
        if valid {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }

    /// The refusal that made rustls fail on this thread just now.
    pub(crate) fn take_refusal(&self) -> Option<PeerRefusal> {
        self.refusals.take()
    }

    fn read<'a>(
        &self,
        received: impl Iterator<Item = &'a CertificateDer<'a>>,
    ) -> Result<Vec<Arc<Entry>>, PeerRefusal> {
        let received: Vec<_> = received.collect();
        // Parsing costs more than receiving: bound it before the first one.
        if received.len() > INTERMEDIATES_MAX.saturating_add(1) {
            return Err(PeerRefusal::too_many_certificates(received.len()));
        }
        received.into_iter().map(|der| self.entry(der)).collect()
    }

    fn entry(&self, der: &CertificateDer<'_>) -> Result<Arc<Entry>, PeerRefusal> {
        match self.known.find(der) {
            Some(entry) => Ok(entry),
            None => Entry::parse(der).map(Arc::new),
        }
    }
}

/// There is no TLS 1.2 in these suites.
pub(super) fn no_tls12() -> Error {
    PeerIncompatible::Tls12NotOffered.into()
}

/// The error from which rustls derives the alert that `refusal` names.
fn as_error(refusal: &PeerRefusal) -> Error {
    let error = match refusal.alert {
        PeerAlert::BadCertificate => CertificateError::BadEncoding,
        PeerAlert::UnsupportedCertificate => CertificateError::InvalidPurpose,
        PeerAlert::CertificateRevoked => CertificateError::Revoked,
        PeerAlert::CertificateExpired => CertificateError::Expired,
        PeerAlert::UnknownCa => CertificateError::UnknownIssuer,
        PeerAlert::AccessDenied => CertificateError::ApplicationVerificationFailure,
        PeerAlert::CertificateUnknown => {
            CertificateError::Other(OtherError(Arc::new(refusal.clone())))
        }
    };
    Error::InvalidCertificate(error)
}

fn unix_seconds(now: UnixTime) -> i64 {
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

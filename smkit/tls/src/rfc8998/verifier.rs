//! A [`PeerVerifier`] behind rustls's two verifier traits.

use std::sync::Arc;

use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};

use super::{
    SM2SIG_SM3,
    judge::{Judge, no_tls12},
};
use crate::peer::{PeerIdentity, PeerRefusal, PeerRole, PeerVerifier};

/// Judges servers for a rustls client.
///
/// rustls makes the alert from the error's kind (`CertificateError::Expired`, `Revoked`, `UnknownIssuer` …); the exact
/// reason is [`ServerVerifier::take_refusal`]'s. rustls does not ask again when a session is resumed:
/// [`ServerVerifier::identity_again`] does.
#[derive(Debug)]
pub struct ServerVerifier(Judge);

impl ServerVerifier {
    /// Asks `verifier` about every server.
    #[must_use]
    pub fn new(verifier: Arc<dyn PeerVerifier>) -> Self {
        Self(Judge::new(verifier))
    }

    /// Why the connection that this thread drove has just failed with `Error::InvalidCertificate`; given once.
    #[must_use]
    pub fn take_refusal(&self) -> Option<PeerRefusal> {
        self.0.take_refusal()
    }

    /// Who the server of a finished full handshake is: `chain` is the connection's `peer_certificates`.
    ///
    /// # Errors
    /// The chain was not accepted by this verifier.
    pub fn identity(&self, chain: &[CertificateDer<'_>]) -> Result<PeerIdentity, PeerRefusal> {
        self.0.identity(chain)
    }

    /// The same for a resumed session, whose server has shown its certificates before: judges them again.
    ///
    /// # Errors
    /// The verifier's reason.
    pub fn identity_again(
        &self,
        chain: &[CertificateDer<'_>],
        server_name: &str,
        now: UnixTime,
    ) -> Result<PeerIdentity, PeerRefusal> {
        self.0.admit_again(chain, PeerRole::Server { name: server_name }, now)
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let name = server_name.to_str();
        let role = PeerRole::Server { name: &name };
        self.0.admit(end_entity, intermediates, role, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.check_handshake(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SM2SIG_SM3]
    }
}

/// Judges clients for a rustls server.
///
/// As for [`ServerVerifier`]: the alert comes from the error's kind, the exact reason from
/// [`ClientVerifier::take_refusal`], and for a resumed session ask [`ClientVerifier::identity_again`].
#[derive(Debug)]
pub struct ClientVerifier {
    judge: Judge,
    mandatory: bool,
}

impl ClientVerifier {
    /// Asks `verifier` about every client that shows a certificate; with `mandatory`, one that shows none is refused.
    #[must_use]
    pub fn new(verifier: Arc<dyn PeerVerifier>, mandatory: bool) -> Self {
        Self { judge: Judge::new(verifier), mandatory }
    }

    /// Why the connection that this thread drove has just failed with `Error::InvalidCertificate`; given once.
    #[must_use]
    pub fn take_refusal(&self) -> Option<PeerRefusal> {
        self.judge.take_refusal()
    }

    /// Who the client of a finished full handshake is: `chain` is the connection's `peer_certificates`.
    ///
    /// # Errors
    /// The chain was not accepted by this verifier.
    pub fn identity(&self, chain: &[CertificateDer<'_>]) -> Result<PeerIdentity, PeerRefusal> {
        self.judge.identity(chain)
    }

    /// The same for a resumed session, whose client has shown its certificates before: judges them again.
    ///
    /// # Errors
    /// The verifier's reason.
    pub fn identity_again(
        &self,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<PeerIdentity, PeerRefusal> {
        self.judge.admit_again(chain, PeerRole::Client, now)
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // No hint: clients here have one certificate, and a list would tell strangers whom we trust.
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.judge.admit(end_entity, intermediates, PeerRole::Client, now)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge.check_handshake(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SM2SIG_SM3]
    }
}

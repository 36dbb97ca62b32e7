//! Who this node is on connections, and whom it lets in.

use std::sync::Arc;
use std::time::Duration;

use changbai_msp::ChannelConfig;
use changbai_wire::time::Clock;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use smkit_pki::{Admission, Certificate, TrustAnchors, Validator};
use smkit_tls::link::{Acceptor, ClientAuth, Credentials, Limits};
use smkit_tls::peer::PathVerifier;

use crate::config::TlsSettings;
use crate::start::StartError;
use crate::tls_files::TlsIdentity;

/// Half-open handshakes at a time; below the bound of connections, so that those who stall make room for the others.
const HALF_OPEN_MAX: usize = 512;

/// The node's side of GM TLS: one acceptor for every listener, replaced credentials for every new connection.
#[derive(Debug)]
pub(crate) struct NodeTransport {
    acceptor: Arc<Acceptor>,
    verifier: Arc<PathVerifier>,
    clients: ClientAuth,
}

impl NodeTransport {
    /// Clients are let in below an authority that an organisation of the channel lists, or below the authority of this
    /// node's own TLS certificates; what they may do then is decided by their roles.
    pub(crate) fn new(
        identity: &TlsIdentity,
        settings: &TlsSettings,
        channel: &ChannelConfig,
        tls_root: &Certificate,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let own = TrustAnchors::from_certificates(vec![tls_root.clone()]);
        let members = channel.orgs.iter().flat_map(|org| org.roots.iter().cloned());
        let roots: Vec<_> = members.chain([tls_root.clone()]).collect();
        let admissions = roots.iter().map(|root| Admission::under(root.sm3())).collect();
        let known = channel.orgs.iter().flat_map(|org| org.intermediates.iter().cloned());
        let clients = Validator::new(TrustAnchors::from_certificates(roots), admissions)
            .with_intermediates(known.collect());
        let verifier = Arc::new(PathVerifier::new(Validator::admitting_all(own), clients));
        let clients =
            if settings.client_auth_required { ClientAuth::Required } else { ClientAuth::Optional };
        let limits = Limits { half_open_max: HALF_OPEN_MAX, ..Limits::default() };
        let credentials = credentials(identity, &verifier, clients);
        let acceptor = Acceptor::new(&credentials, limits, Arc::new(NodeTime(clock)))
            .map_err(|e| StartError::Wiring(e.to_string()))?;
        Ok(Self { acceptor: Arc::new(acceptor), verifier, clients })
    }

    pub(crate) fn acceptor(&self) -> Arc<Acceptor> {
        Arc::clone(&self.acceptor)
    }

    /// New connections show these certificates from now on.
    pub(crate) fn reload(&self, identity: &TlsIdentity) -> Result<(), StartError> {
        self.acceptor
            .reload(&credentials(identity, &self.verifier, self.clients))
            .map_err(|e| StartError::Wiring(e.to_string()))
    }
}

fn credentials(
    identity: &TlsIdentity,
    verifier: &Arc<PathVerifier>,
    clients: ClientAuth,
) -> Credentials {
    Credentials {
        signing: Some(identity.signing.clone()),
        encryption: identity.encryption.clone(),
        verifier: Arc::clone(verifier) as _,
        clients,
        alpn: vec![b"http/1.1".to_vec()],
    }
}

/// The node's clock as rustls asks for it.
pub(crate) struct NodeTime(pub(crate) Arc<dyn Clock>);

impl std::fmt::Debug for NodeTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeTime").finish_non_exhaustive()
    }
}

impl TimeProvider for NodeTime {
    fn current_time(&self) -> Option<UnixTime> {
        let since_epoch = Duration::from_millis(self.0.now().at.0);
        Some(UnixTime::since_unix_epoch(since_epoch))
    }
}

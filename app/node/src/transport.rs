//! Who this node is on connections, and whom it lets in.

use std::sync::Arc;
use std::time::Duration;

use changbai_msp::{ChannelConfig, IdentityError, Organisation};
use changbai_wire::time::Clock;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use smkit::Sm3Digest;
use smkit_pki::{Certificate, TrustAnchors, Validator};
use smkit_tls::link::{Acceptor, ClientAuth, Credentials, Limits};
use smkit_tls::peer::{PathVerifier, PeerAlert, PeerRefusal, PeerRole, PeerVerifier};

use crate::config::TlsSettings;
use crate::error::StartError;
use crate::tls_files::TlsIdentity;

/// Half-open handshakes at a time; below the bound of connections, so that those who stall make room for the others.
const HALF_OPEN_MAX: usize = 512;

/// The node's side of GM TLS: one acceptor for every listener, replaced credentials for every new connection.
#[derive(Debug)]
pub(crate) struct NodeTransport {
    acceptor: Arc<Acceptor>,
    verifier: Arc<Members>,
    clients: ClientAuth,
}

impl NodeTransport {
    /// Clients are let in as members of an organisation of the channel, or below the authority of this node's own TLS
    /// certificates; what they may do then is decided by their roles.
    pub(crate) fn new(
        identity: &TlsIdentity,
        settings: &TlsSettings,
        channel: &ChannelConfig,
        tls_roots: &[Certificate],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let verifier = Arc::new(Members::new(channel, tls_roots));
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
    verifier: &Arc<Members>,
    clients: ClientAuth,
) -> Credentials {
    Credentials {
        signing: Some(identity.signing.clone()),
        encryption: identity.encryption.clone(),
        verifier: Arc::clone(verifier) as _,
        clients,
        alpn: vec![b"http/1.1".to_vec()],
        tlcp_quirks: Vec::new(),
    }
}

/// Path validation, and then the rules of the organisation that a client claims to be of.
#[derive(Debug)]
struct Members {
    paths: PathVerifier,
    organisations: Vec<Organisation>,
    tls_roots: Vec<Sm3Digest>,
}

impl Members {
    fn new(channel: &ChannelConfig, tls_roots: &[Certificate]) -> Self {
        let own = TrustAnchors::from_certificates(tls_roots.to_vec());
        let members = channel.orgs.iter().flat_map(|org| org.roots.iter().cloned());
        let roots =
            TrustAnchors::from_certificates(members.chain(tls_roots.iter().cloned()).collect());
        let known = channel.orgs.iter().flat_map(|org| org.intermediates.iter().cloned());
        let clients = Validator::admitting_all(roots).with_intermediates(known.collect());
        Self {
            paths: PathVerifier::new(Validator::admitting_all(own), clients),
            organisations: channel.orgs.clone(),
            tls_roots: tls_roots.iter().map(Certificate::sm3).collect(),
        }
    }

    /// A root alone admits nobody: the certificate must be what one of the organisations asks for.
    fn admit(&self, chain: &[Certificate], at_unix_seconds: i64) -> Result<(), PeerRefusal> {
        let Some((leaf, sent_along)) = chain.split_first() else {
            return Err(PeerRefusal::no_certificate());
        };
        let mut refusal: Option<IdentityError> = None;
        for organisation in &self.organisations {
            match organisation.admit(leaf, sent_along, at_unix_seconds) {
                Ok(_) => return Ok(()),
                // "Not one of ours" must not hide the reason of the organisation whose authority issued it.
                Err(error) => {
                    if refusal.as_ref().is_none_or(|known| known.check() < error.check()) {
                        refusal = Some(error);
                    }
                }
            }
        }
        let code = refusal.as_ref().map_or("MS-1101", IdentityError::code);
        let reason = refusal.map_or_else(String::new, |error| error.to_string());
        Err(PeerRefusal { code, reason, alert: PeerAlert::AccessDenied })
    }
}

impl PeerVerifier for Members {
    fn verify(
        &self,
        chain: &[Certificate],
        role: PeerRole<'_>,
        at_unix_seconds: i64,
    ) -> Result<(), PeerRefusal> {
        let path = self.paths.path(chain, role, at_unix_seconds)?;
        let is_node = path.anchor().is_some_and(|anchor| self.tls_roots.contains(&anchor.sm3()));
        match role {
            PeerRole::Client if !is_node => self.admit(chain, at_unix_seconds),
            _ => Ok(()),
        }
    }

    fn verify_encryption(
        &self,
        chain: &[Certificate],
        role: PeerRole<'_>,
        at_unix_seconds: i64,
    ) -> Result<(), PeerRefusal> {
        self.paths.verify_encryption(chain, role, at_unix_seconds)
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

//! The node's listeners and what protects them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use changbai_api::Listener;
use changbai_api::authority::AuthorityService;
use changbai_api::enrolment_client::EnrolmentClient;
use changbai_authority::AuthorityStore;
use changbai_msp::ChannelConfig;
use changbai_network::Hub;
use changbai_wire::time::Clock;
use smkit_pki::{Certificate, TrustAnchors, Validator};
use smkit_tls::link::Acceptor;
use smkit_tls::peer::PathVerifier;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::{Endpoint, Scheme, ValidConfig};
use crate::directory::Directory;
use crate::error::StartError;
use crate::identity::further_tls_roots;
use crate::renewal::{Authority, Renewal, RenewalStatus};
use crate::tls_files::{TlsFiles, TlsIdentity};
use crate::transport::{NodeTime, NodeTransport};

/// GM TLS at this node: the certificates, who issues them, and the acceptor that shows them.
pub(crate) struct Protection {
    files: TlsFiles,
    identity: TlsIdentity,
    pub(crate) transport: Arc<NodeTransport>,
    store: Option<Arc<Mutex<AuthorityStore>>>,
    remote: Option<EnrolmentClient>,
    lifetime_s: i64,
    clock: Arc<dyn Clock>,
    pub(crate) status: Arc<RenewalStatus>,
}

impl Protection {
    pub(crate) fn new(
        directory: &Directory,
        config: &ValidConfig,
        store: Option<AuthorityStore>,
        channel: &ChannelConfig,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let files = TlsFiles::below(&directory.identity());
        let identity = files.read()?;
        let tls = &config.settings.tls;
        // Below whose authority this node's own certificates on connections are.
        let msp_id = &config.settings.agency.msp_id;
        let roots = match (&store, channel.org(msp_id)) {
            (Some(store), _) => vec![store.certificate().clone()],
            (None, Some(org)) => org.tls_roots.iter().cloned().collect(),
            (None, None) => Vec::new(),
        };
        let transport = NodeTransport::new(&identity, tls, channel, &roots, Arc::clone(clock))?;
        let remote = remote_authority(directory, &tls.enrolment, roots, clock)?;
        let status = Arc::new(RenewalStatus::of(&identity));
        Ok(Self {
            files,
            identity,
            transport: Arc::new(transport),
            store: store.map(|store| Arc::new(Mutex::new(store))),
            remote,
            lifetime_s: i64::from(tls.certificate_hours).saturating_mul(3_600),
            clock: Arc::clone(clock),
            status,
        })
    }

    /// The authority's services, for those whose TLS certificates this node's authority issued.
    pub(crate) fn authority(&self) -> Option<AuthorityService> {
        let store = Arc::clone(self.store.as_ref()?);
        Some(AuthorityService::new(store, Arc::clone(&self.clock), self.lifetime_s))
    }

    /// Starts to keep the certificates fresh.
    pub(crate) fn renew(self, hub: Option<Hub>, stopped: watch::Receiver<bool>) -> JoinHandle<()> {
        let authority = match (self.remote, self.store) {
            (Some(client), _) => Authority::Remote(client),
            (None, Some(store)) => Authority::Own(store, self.lifetime_s),
            (None, None) => Authority::Nobody,
        };
        let renewal = Renewal {
            files: self.files,
            identity: self.identity,
            authority,
            transport: self.transport,
            hub,
            clock: self.clock,
            status: self.status,
        };
        #[expect(clippy::disallowed_methods, reason = "the node's task; shutdown joins it")]
        tokio::spawn(renewal.run(stopped))
    }
}

/// The enrolment service elsewhere, if one is set; its certificate must be below this node's TLS root or one of
/// `identity/tls-trust.pem`.
fn remote_authority(
    directory: &Directory,
    url: &str,
    mut roots: Vec<Certificate>,
    clock: &Arc<dyn Clock>,
) -> Result<Option<EnrolmentClient>, StartError> {
    if url.is_empty() {
        return Ok(None);
    }
    roots.extend(further_tls_roots(&directory.identity())?);
    let anchors = TrustAnchors::from_certificates(roots);
    let verifier = Arc::new(PathVerifier::of(Validator::admitting_all(anchors)));
    let time = Arc::new(NodeTime(Arc::clone(clock)));
    EnrolmentClient::new(url, verifier, time)
        .map(Some)
        .map_err(|e| StartError::Wiring(format!("tls.enrolment: {e}")))
}

/// Opens every listener; gives the addresses that the system chose. `gmtls://` needs an acceptor.
pub(crate) async fn bind(
    endpoints: &[Endpoint],
    acceptor: Option<&Arc<Acceptor>>,
) -> Result<(Vec<Listener>, Vec<Endpoint>), StartError> {
    let (mut listeners, mut bound) = (Vec::new(), Vec::new());
    for endpoint in endpoints {
        let (socket, address) = listen(endpoint.address).await?;
        if endpoint.is_exposed() {
            tracing::warn!(%endpoint, "node::listens_without_protection");
        }
        listeners.push(match (endpoint.scheme, acceptor) {
            (Scheme::Http, _) => Listener::plain(socket),
            (Scheme::GmTls, Some(acceptor)) => Listener::gm_tls(socket, Arc::clone(acceptor)),
            (Scheme::GmTls, None) => {
                let reason = format!("{endpoint} needs TLS certificates, and there are none");
                return Err(StartError::Wiring(reason));
            }
        });
        bound.push(Endpoint { address, ..*endpoint });
    }
    Ok((listeners, bound))
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let refuse = |source| StartError::Listen { address, source };
    let socket = TcpListener::bind(address).await.map_err(refuse)?;
    let bound = socket.local_addr().map_err(refuse)?;
    Ok((socket, bound))
}

//! GM TLS to a remote store.

use std::io;
use std::sync::Arc;

use changbai_custody::{Secure, Securing, Stream};
use changbai_wire::time::Clock;
use smkit_pki::{Certificate, TrustAnchors, Validator};
use smkit_tls::link::{ClientAuth, Connector, Credentials, Limits, Protocol};
use smkit_tls::peer::PathVerifier;
use tokio::net::TcpStream;

use crate::directory::{Directory, read_small};
use crate::error::StartError;
use crate::identity::{self, wrong};
use crate::transport::NodeTime;

/// TLS 1.3 with the national suites. The server must be below this node's own TLS root or one of
/// `identity/tls-trust.pem`; who we are it learns from the signature of each request.
#[derive(Debug)]
pub(super) struct StoreTls(Connector);

impl StoreTls {
    pub(super) fn new(directory: &Directory, clock: &Arc<dyn Clock>) -> Result<Self, StartError> {
        let dir = directory.identity();
        let mut roots: Vec<Certificate> =
            identity::roots(&dir).map(|(_, tls)| tls).into_iter().collect();
        let file = dir.join("tls-trust.pem");
        if let Some(bytes) = read_small(&file)? {
            let text = String::from_utf8_lossy(&bytes);
            roots.extend(Certificate::pem_many(&text).map_err(|e| wrong(&file, &e))?);
        }
        let validator = Validator::admitting_all(TrustAnchors::from_certificates(roots));
        let credentials = Credentials {
            signing: None,
            encryption: None,
            verifier: Arc::new(PathVerifier::of(validator)),
            clients: ClientAuth::Optional,
            alpn: vec![b"http/1.1".to_vec()],
            tlcp_quirks: Vec::new(),
        };
        let time = Arc::new(NodeTime(Arc::clone(clock)));
        Connector::new(&credentials, Limits::default(), time)
            .map(Self)
            .map_err(|e| StartError::Wiring(e.to_string()))
    }
}

impl Secure for StoreTls {
    fn secure<'a>(&'a self, stream: TcpStream, host: &'a str) -> Securing<'a> {
        Box::pin(async move {
            let link = self.0.connect(stream, host, Protocol::Tls13).await;
            link.map(|link| Box::new(link) as Box<dyn Stream>).map_err(io::Error::other)
        })
    }
}

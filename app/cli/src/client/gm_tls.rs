//! GM TLS below the HTTP client: TLS 1.3 with the national suites, mutual where we have a certificate.
//!
//! The server is judged by `smkit-pki` like every peer of this house, so that a refusal has its code and its reason; a
//! refusal of *our* certificate arrives as an alert in the first answer.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use smkit::sm2::PrivateKey;
use smkit_pki::{Certificate, TrustAnchors, Validator};
use smkit_tls::link::alert_received;
use smkit_tls::peer::{PathVerifier, PeerRefusal};
use smkit_tls::rfc8998::{ServerVerifier, client_config};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

use crate::time;

/// Why there is no connection, or no longer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GmTlsError {
    /// We refuse the server.
    #[error("{0}")]
    Server(PeerRefusal),
    /// The handshake failed otherwise.
    #[error("{0}")]
    Handshake(String),
}

/// Wraps connections for `https://` in GM TLS.
pub(super) struct GmTls {
    config: Arc<ClientConfig>,
    verifier: Arc<ServerVerifier>,
}

impl GmTls {
    /// Trusts servers below `roots`; shows `own` when asked for a certificate.
    pub(super) fn new(
        roots: Vec<Certificate>,
        own: Option<(&[Certificate], &PrivateKey)>,
    ) -> Result<Self, String> {
        let validator = Validator::admitting_all(TrustAnchors::from_certificates(roots));
        let verifier = Arc::new(ServerVerifier::new(Arc::new(PathVerifier::of(validator))));
        let servers = Arc::clone(&verifier);
        let config = client_config(own, servers, Arc::new(Now)).map_err(|e| e.to_string())?;
        Ok(Self { config: Arc::new(config), verifier })
    }

    fn handshake(
        &self,
        details: &ConnectionDetails<'_>,
        transport: Box<dyn Transport>,
    ) -> Result<GmTlsTransport, ureq::Error> {
        let failed = |reason: String| ureq::Error::Other(Box::new(GmTlsError::Handshake(reason)));
        let host = details.uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|e| failed(e.to_string()))?;
        let mut connection = ClientConnection::new(Arc::clone(&self.config), name)
            .map_err(|e| failed(e.to_string()))?;
        let mut socket = TransportAdapter::new(transport, details.current_time.clone());
        socket.set_timeout(details.timeout);
        if let Err(error) = connection.complete_io(&mut socket) {
            return Err(match self.verifier.take_refusal() {
                Some(refusal) => ureq::Error::Other(Box::new(GmTlsError::Server(refusal))),
                None => ureq::Error::Io(error),
            });
        }
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Ok(GmTlsTransport { buffers, stream: StreamOwned::new(connection, socket) })
    }
}

impl fmt::Debug for GmTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GmTls").finish_non_exhaustive()
    }
}

impl<In: Transport> Connector<In> for GmTls {
    type Out = Either<In, GmTlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        match chained {
            Some(transport) if details.needs_tls() => {
                self.handshake(details, transport.boxed()).map(|one| Some(Either::B(one)))
            }
            other => Ok(other.map(Either::A)),
        }
    }
}

/// An HTTP connection inside GM TLS.
pub(crate) struct GmTlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for GmTlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GmTlsTransport").finish_non_exhaustive()
    }
}

impl Transport for GmTlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        Ok(self.stream.write_all(output).and_then(|()| self.stream.flush())?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        let input = self.buffers.input_append_buf();
        let amount = self.stream.read(input)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// What a failed exchange says about certificates: we refused the server's, or it refused ours with this alert.
pub(super) fn refusal(error: &ureq::Error) -> Option<Refusal<'_>> {
    match error {
        ureq::Error::Other(inner) => match inner.downcast_ref::<GmTlsError>()? {
            GmTlsError::Server(refusal) => Some(Refusal::Theirs(refusal)),
            GmTlsError::Handshake(_) => None,
        },
        ureq::Error::Io(error) => alert_of(error).map(Refusal::Ours),
        _ => None,
    }
}

/// See [`refusal`].
pub(super) enum Refusal<'a> {
    /// Their certificate, refused by us.
    Theirs(&'a PeerRefusal),
    /// Our certificate (or its absence), refused by them with this alert of TLS.
    Ours(u8),
}

/// Alerts 42 to 49 and 116 speak of the certificate that was shown (RFC 8446 §6.2).
fn alert_of(error: &io::Error) -> Option<u8> {
    alert_received(error).filter(|number| matches!(number, 42..=46 | 48 | 49 | 116))
}

/// The system's clock, for certificates.
#[derive(Debug)]
struct Now;

impl TimeProvider for Now {
    fn current_time(&self) -> Option<UnixTime> {
        let since_epoch = std::time::Duration::from_millis(time::unix_ms());
        Some(UnixTime::since_unix_epoch(since_epoch))
    }
}

//! Both ends of a TLS 1.3 handshake on a stream.

use std::{future::poll_fn, pin::Pin, sync::Arc};

use rustls::{
    ClientConfig, CommonState, HandshakeKind, ServerConfig,
    pki_types::{ServerName, UnixTime},
    time_provider::TimeProvider,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::{
    ClientAuth, ConfigError, Credentials, Link, LinkError, LinkInfo, Protocol, metered::Metered,
    stream::Channel,
};
use crate::{
    peer::{PeerIdentity, PeerRefusal},
    rfc8998::{ClientVerifier, ServerVerifier, client_config, server_config},
};

/// The server's side of one set of credentials.
#[derive(Debug)]
pub(super) struct Server {
    config: Arc<ServerConfig>,
    clients: Arc<ClientVerifier>,
}

impl Server {
    pub(super) fn new(
        credentials: &Credentials,
        time: Arc<dyn TimeProvider>,
    ) -> Result<Self, ConfigError> {
        let own = credentials.signing.as_ref().ok_or(ConfigError::NoCertificate)?;
        let mandatory = credentials.clients == ClientAuth::Required;
        let clients = Arc::new(ClientVerifier::new(Arc::clone(&credentials.verifier), mandatory));
        let asked = (credentials.clients != ClientAuth::None).then(|| Arc::clone(&clients) as _);
        let mut config = server_config(&own.chain, &own.key, asked, time)?;
        config.alpn_protocols.clone_from(&credentials.alpn);
        Ok(Self { config: Arc::new(config), clients })
    }

    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: Metered<S>,
        bytes_max: usize,
    ) -> Result<Link<S>, LinkError> {
        let mut accepting = TlsAcceptor::from(Arc::clone(&self.config)).accept(stream);
        let mut stream = poll_fn(|context| {
            Pin::new(&mut accepting).poll(context).map_err(|error| {
                // In the same call on the same thread as the verifier: here its reason can be had.
                LinkError::from_handshake(error, self.clients.take_refusal(), bytes_max)
            })
        })
        .await?;
        let (metered, connection) = stream.get_mut();
        metered.open();
        let peer =
            identity(connection, self.config.time_provider.as_ref(), |chain, again| match again {
                Some(now) => self.clients.identity_again(chain, now),
                None => self.clients.identity(chain),
            })?;
        let server_name = connection.server_name().map(str::to_owned);
        let info = info(connection, peer, server_name);
        Ok(Link::new(Channel::Tls13(Box::new(TlsStream::Server(stream))), info))
    }
}

/// The client's side of one set of credentials.
#[derive(Debug)]
pub(super) struct Client {
    config: Arc<ClientConfig>,
    servers: Arc<ServerVerifier>,
}

impl Client {
    pub(super) fn new(
        credentials: &Credentials,
        time: Arc<dyn TimeProvider>,
    ) -> Result<Self, ConfigError> {
        let servers = Arc::new(ServerVerifier::new(Arc::clone(&credentials.verifier)));
        let own = credentials.signing.as_ref().map(|own| (own.chain.as_slice(), &own.key));
        let mut config = client_config(own, Arc::clone(&servers) as _, time)?;
        config.alpn_protocols.clone_from(&credentials.alpn);
        Ok(Self { config: Arc::new(config), servers })
    }

    pub(super) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: Metered<S>,
        name: &str,
        bytes_max: usize,
    ) -> Result<Link<S>, LinkError> {
        let server_name = ServerName::try_from(name.to_owned())
            .map_err(|_| LinkError::Name { name: name.to_owned() })?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let mut connecting = connector.connect(server_name, stream);
        let mut stream = poll_fn(|context| {
            Pin::new(&mut connecting).poll(context).map_err(|error| {
                LinkError::from_handshake(error, self.servers.take_refusal(), bytes_max)
            })
        })
        .await?;
        let (metered, connection) = stream.get_mut();
        metered.open();
        let peer =
            identity(connection, self.config.time_provider.as_ref(), |chain, again| match again {
                Some(now) => self.servers.identity_again(chain, name, now),
                None => self.servers.identity(chain),
            })?;
        let info = info(connection, peer, Some(name.to_owned()));
        Ok(Link::new(Channel::Tls13(Box::new(TlsStream::Client(stream))), info))
    }
}

/// Who the peer is; `who` is told the time when the session was resumed and the peer must be judged again.
fn identity(
    connection: &CommonState,
    time: &dyn TimeProvider,
    who: impl FnOnce(
        &[rustls::pki_types::CertificateDer<'_>],
        Option<UnixTime>,
    ) -> Result<PeerIdentity, PeerRefusal>,
) -> Result<Option<PeerIdentity>, LinkError> {
    let Some(chain) = connection.peer_certificates().filter(|chain| !chain.is_empty()) else {
        return Ok(None);
    };
    let again = if connection.handshake_kind() == Some(HandshakeKind::Resumed) {
        Some(time.current_time().ok_or(LinkError::Tls(rustls::Error::FailedToGetCurrentTime))?)
    } else {
        None
    };
    who(chain, again).map(Some).map_err(LinkError::Refused)
}

fn info(
    connection: &CommonState,
    peer: Option<PeerIdentity>,
    server_name: Option<String>,
) -> LinkInfo {
    LinkInfo {
        peer,
        protocol: Protocol::Tls13,
        suite: connection.negotiated_cipher_suite().map_or(0, |suite| suite.suite().into()),
        alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
        server_name,
        resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
    }
}

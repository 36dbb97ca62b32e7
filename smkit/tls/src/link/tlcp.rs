//! Both ends of a TLCP handshake on a stream.

use std::{io, sync::Arc};

use rustls::time_provider::TimeProvider;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    ClientAuth, ConfigError, Credentials, KeyPair, Link, LinkError, LinkInfo, Protocol,
    metered::Metered, stream::Channel,
};
use crate::{
    peer::PeerIdentity,
    tlcp::{
        self, ClientAuthentication, ClientConfig, ClientConnection, ClientStartError, Clock,
        ServerConfig, ServerConnection, stream::TlcpStream,
    },
};

/// The server's side of one set of credentials.
#[derive(Debug)]
pub(super) struct Server(Arc<ServerConfig>);

impl Server {
    /// `None` without an encryption pair: TLCP is not enabled then.
    pub(super) fn new(
        credentials: &Credentials,
        time: &Arc<dyn TimeProvider>,
    ) -> Result<Option<Self>, ConfigError> {
        let Some(own) = pair(credentials)? else { return Ok(None) };
        let verifier = Arc::clone(&credentials.verifier);
        let clients = match credentials.clients {
            ClientAuth::Required => ClientAuthentication::Required(verifier),
            ClientAuth::Optional => ClientAuthentication::Optional(verifier),
            ClientAuth::None => ClientAuthentication::None,
        };
        let config = ServerConfig::new(own, clients)
            .with_clock(Arc::new(ProvidedTime(Arc::clone(time))))
            .with_alpn(&names(credentials))?;
        let quirks = credentials.tlcp_quirks.iter().copied();
        Ok(Some(Self(Arc::new(quirks.fold(config, ServerConfig::with_quirk)))))
    }

    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: Metered<S>,
        bytes_max: usize,
    ) -> Result<Link<S>, LinkError> {
        let connection = ServerConnection::new(Arc::clone(&self.0));
        let stream = TlcpStream::handshake(connection, stream).await;
        let stream = stream.map_err(|error| LinkError::from_handshake(error, None, bytes_max))?;
        let server_name = stream.connection().server_name().map(str::to_owned);
        link(stream, server_name)
    }
}

/// The client's side of one set of credentials.
#[derive(Debug)]
pub(super) struct Client(Arc<ClientConfig>);

impl Client {
    /// A client can do without certificates where the server does not ask for them.
    pub(super) fn new(
        credentials: &Credentials,
        time: &Arc<dyn TimeProvider>,
    ) -> Result<Self, ConfigError> {
        let mut config = ClientConfig::new(Arc::clone(&credentials.verifier))
            .with_clock(Arc::new(ProvidedTime(Arc::clone(time))))
            .with_alpn(&names(credentials))?;
        if let Some(own) = pair(credentials)? {
            config = config.with_credentials(own);
        }
        let quirks = credentials.tlcp_quirks.iter().copied();
        Ok(Self(Arc::new(quirks.fold(config, ClientConfig::with_quirk))))
    }

    pub(super) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: Metered<S>,
        name: &str,
        bytes_max: usize,
    ) -> Result<Link<S>, LinkError> {
        let connection = ClientConnection::new(Arc::clone(&self.0), name);
        let connection = connection.map_err(|error| match error {
            ClientStartError::Config(tlcp::ConfigError::ServerName) => {
                LinkError::Name { name: name.to_owned() }
            }
            ClientStartError::Config(error) => LinkError::Config(error.into()),
            ClientStartError::Tlcp(error) => LinkError::Tlcp(error),
        })?;
        let stream = TlcpStream::handshake(connection, stream).await;
        let stream = stream.map_err(|error| LinkError::from_handshake(error, None, bytes_max))?;
        link(stream, Some(name.to_owned()))
    }
}

fn link<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: TlcpStream<Metered<S>>,
    server_name: Option<String>,
) -> Result<Link<S>, LinkError> {
    stream.transport_mut().open();
    let connection = stream.connection();
    let suite = connection
        .negotiated_suite()
        .ok_or_else(|| io::Error::other("a handshake without a suite"))?;
    let info = LinkInfo {
        // A resumed session was judged again by TLCP's own handshake, which may still fall back to a full one.
        peer: PeerIdentity::new(connection.peer_certificates().to_vec()),
        protocol: Protocol::Tlcp,
        suite: suite.id(),
        alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
        server_name,
        resumed: connection.is_resumed(),
    };
    Ok(Link::new(Channel::Tlcp(Box::new(stream)), info))
}

/// Both certificates, when there are both.
fn pair(credentials: &Credentials) -> Result<Option<tlcp::Credentials>, ConfigError> {
    let (Some(signing), Some(encryption)) = (&credentials.signing, &credentials.encryption) else {
        return Ok(None);
    };
    let half = |pair: &KeyPair| {
        let certificate = pair.chain.first().ok_or(ConfigError::NoCertificate)?;
        Ok::<_, ConfigError>((certificate.clone(), pair.key.clone()))
    };
    let authorities = signing.chain.iter().skip(1).cloned().collect();
    Ok(Some(tlcp::Credentials::new(half(signing)?, half(encryption)?, authorities)?))
}

fn names(credentials: &Credentials) -> Vec<&[u8]> {
    credentials.alpn.iter().map(Vec::as_slice).collect()
}

/// rustls's time for TLCP.
#[derive(Debug)]
struct ProvidedTime(Arc<dyn TimeProvider>);

impl Clock for ProvidedTime {
    fn unix_seconds(&self) -> i64 {
        // Without a time every certificate is not yet valid, which is the safe answer.
        let now = self.0.current_time().map_or(0, |now| now.as_secs());
        i64::try_from(now).unwrap_or(i64::MAX)
    }
}

//! The server's end.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::time_provider::TimeProvider;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};

use super::{
    ConfigError, Credentials, Limits, Link, LinkError, Protocol, half_open::HalfOpen,
    metered::Metered, tlcp, tls13,
};

/// Makes links of the connections that a listener accepts. One serves all listeners with the same rules; share it in an
/// `Arc`.
#[derive(Debug)]
pub struct Acceptor {
    current: RwLock<Arc<Generation>>,
    half_open: HalfOpen,
    limits: Limits,
    time: Arc<dyn TimeProvider>,
}

impl Acceptor {
    /// Takes the first credentials.
    ///
    /// # Errors
    /// No certificate, or a key that is not its own.
    pub fn new(
        credentials: &Credentials,
        limits: Limits,
        time: Arc<dyn TimeProvider>,
    ) -> Result<Self, ConfigError> {
        let current = Generation::new(credentials, &time)?;
        Ok(Self {
            current: RwLock::new(Arc::new(current)),
            half_open: HalfOpen::new(limits.half_open_max),
            limits,
            time,
        })
    }

    /// New handshakes use these credentials from now on; running ones and links keep theirs.
    ///
    /// # Errors
    /// As [`Acceptor::new`]; the old credentials stay then.
    pub fn reload(&self, credentials: &Credentials) -> Result<(), ConfigError> {
        let next = Arc::new(Generation::new(credentials, &self.time)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// Finishes a client's handshake. Dropping the future drops the connection.
    ///
    /// # Errors
    /// See [`LinkError`]; unless the stream itself failed or had to make room, the peer has been sent an alert.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<Link<S>, LinkError> {
        let place = self.half_open.enter();
        let handshake = timeout(self.limits.handshake_deadline, self.handshake(stream));
        tokio::select! {
            finished = handshake => finished.unwrap_or_else(|_| {
                let deadline_ms = self.limits.handshake_deadline.as_millis();
                Err(LinkError::Deadline { deadline_ms })
            }),
            () = place.evicted() => Err(LinkError::Evicted),
        }
    }

    /// Handshakes under way, never more than [`Limits::half_open_max`]: a figure for metrics.
    #[must_use]
    pub fn half_open(&self) -> usize {
        self.half_open.count()
    }

    async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<Link<S>, LinkError> {
        let bytes_max = self.limits.handshake_bytes_max;
        let mut stream = Metered::new(stream, bytes_max);
        let protocol = stream.protocol().await?;
        // As late as possible: a connection that waited in silence gets what is current now.
        let current = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        match protocol {
            Protocol::Tls13 => current.tls13.accept(stream, bytes_max).await,
            Protocol::Tlcp => match &current.tlcp {
                Some(tlcp) => tlcp.accept(stream, bytes_max).await,
                None => Err(LinkError::Disabled { protocol }),
            },
        }
    }
}

/// What one set of credentials serves.
#[derive(Debug)]
struct Generation {
    tls13: tls13::Server,
    tlcp: Option<tlcp::Server>,
}

impl Generation {
    fn new(credentials: &Credentials, time: &Arc<dyn TimeProvider>) -> Result<Self, ConfigError> {
        Ok(Self {
            tls13: tls13::Server::new(credentials, Arc::clone(time))?,
            tlcp: tlcp::Server::new(credentials, time)?,
        })
    }
}

//! The client's end.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::time_provider::TimeProvider;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};

use super::{
    ConfigError, Credentials, Limits, Link, LinkError, Protocol, metered::Metered, tlcp, tls13,
};

/// Makes links of connections that somebody dialled. Share one in an `Arc`: it remembers tickets, so that a second
/// connection to a server costs neither side a signature.
#[derive(Debug)]
pub struct Connector {
    current: RwLock<Arc<Generation>>,
    limits: Limits,
    time: Arc<dyn TimeProvider>,
}

impl Connector {
    /// Takes the first credentials; without a signing pair the client stays anonymous.
    ///
    /// # Errors
    /// A key that is not its certificate's.
    pub fn new(
        credentials: &Credentials,
        limits: Limits,
        time: Arc<dyn TimeProvider>,
    ) -> Result<Self, ConfigError> {
        let current = Generation::new(credentials, &time)?;
        Ok(Self { current: RwLock::new(Arc::new(current)), limits, time })
    }

    /// New handshakes use these credentials from now on; running ones and links keep theirs.
    ///
    /// # Errors
    /// As [`Connector::new`]; the old credentials stay then.
    pub fn reload(&self, credentials: &Credentials) -> Result<(), ConfigError> {
        let next = Arc::new(Generation::new(credentials, &self.time)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// Does the handshake with the server dialled as `name`, a DNS name or an IP address.
    ///
    /// In TLS 1.3 a server that refuses *our* certificate says so only after this has returned: the first read of the link
    /// fails then, and [`alert_received`](super::alert_received) reads the alert out of the error.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        name: &str,
        protocol: Protocol,
    ) -> Result<Link<S>, LinkError> {
        let bytes_max = self.limits.handshake_bytes_max;
        let current = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        let stream = Metered::new(stream, bytes_max);
        let handshake = async {
            match protocol {
                Protocol::Tls13 => current.tls13.connect(stream, name, bytes_max).await,
                Protocol::Tlcp => current.tlcp.connect(stream, name, bytes_max).await,
            }
        };
        let finished = timeout(self.limits.handshake_deadline, handshake).await;
        finished.unwrap_or_else(|_| {
            let deadline_ms = self.limits.handshake_deadline.as_millis();
            Err(LinkError::Deadline { deadline_ms })
        })
    }
}

/// What one set of credentials dials with.
#[derive(Debug)]
struct Generation {
    tls13: tls13::Client,
    tlcp: tlcp::Client,
}

impl Generation {
    fn new(credentials: &Credentials, time: &Arc<dyn TimeProvider>) -> Result<Self, ConfigError> {
        Ok(Self {
            tls13: tls13::Client::new(credentials, Arc::clone(time))?,
            tlcp: tlcp::Client::new(credentials, time)?,
        })
    }
}

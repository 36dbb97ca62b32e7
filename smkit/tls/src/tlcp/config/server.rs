//! A server's configuration.

use std::{fmt, sync::Arc};

use smkit::Random;
use smkit_pki::Certificate;

use super::{Clock, Common, PeerQuirk, SessionLimits};
use crate::{
    peer::PeerVerifier,
    tlcp::{
        credentials::Credentials,
        error::ConfigError,
        limits::{SERVER_SESSIONS, SESSION_SECONDS},
        messages::SessionId,
        session::Sessions,
        suite::{CipherSuite, KeyExchange},
    },
};

/// Whether clients show certificates.
#[derive(Clone, Debug)]
pub enum ClientAuthentication {
    /// They are not asked; ECDHE suites, which need the client's certificates, are then not used.
    None,
    /// They are asked and may decline; those who answer are verified. ECC suites come first, since a client without
    /// certificates cannot use the others, whatever it offers.
    Optional(Arc<dyn PeerVerifier>),
    /// Without a verified certificate there is no connection.
    Required(Arc<dyn PeerVerifier>),
}

impl ClientAuthentication {
    pub(crate) fn verifier(&self) -> Option<&dyn PeerVerifier> {
        match self {
            Self::None => None,
            Self::Optional(verifier) | Self::Required(verifier) => Some(&**verifier),
        }
    }
}

/// What a server offers and demands. Its sessions live in it: to end all of them, as after a change of trust, make a new
/// configuration.
pub struct ServerConfig {
    common: Common,
    pub(crate) credentials: Credentials,
    pub(crate) clients: ClientAuthentication,
    pub(crate) authorities: Vec<Vec<u8>>,
    pub(crate) sessions: Sessions<SessionId>,
}

impl ServerConfig {
    /// A server with every suite, no application protocols, no quirks, the system's clock and randomness, and the default
    /// number of sessions.
    #[must_use]
    pub fn new(credentials: Credentials, clients: ClientAuthentication) -> Self {
        Self {
            common: Common::new(),
            credentials,
            clients,
            authorities: Vec::new(),
            sessions: Sessions::new(SERVER_SESSIONS, SESSION_SECONDS),
        }
    }

    /// Enables exactly these suites, in this order of preference: the server's order decides.
    ///
    /// # Errors
    /// None of them, or none that works without client certificates where none are asked for.
    pub fn with_suites(mut self, suites: &[CipherSuite]) -> Result<Self, ConfigError> {
        self.common.set_suites(suites)?;
        let ecdhe = |suite: &CipherSuite| suite.key_exchange() == KeyExchange::Ecdhe;
        if self.clients.verifier().is_none() && self.common.suites.iter().all(ecdhe) {
            return Err(ConfigError::EcdheWithoutClients);
        }
        Ok(self)
    }

    /// Application protocols in order of preference (RFC 7301). A client that names others only is refused, one that
    /// names none is not.
    ///
    /// # Errors
    /// A name is empty or too long, or there are too many.
    pub fn with_alpn(mut self, protocols: &[&[u8]]) -> Result<Self, ConfigError> {
        self.common.set_alpn(protocols)?;
        Ok(self)
    }

    /// Names these authorities to clients, for those that choose a certificate by them (browsers do).
    ///
    /// # Errors
    /// Too many for one message.
    pub fn with_client_authorities(
        mut self,
        authorities: &[Certificate],
    ) -> Result<Self, ConfigError> {
        self.authorities = authorities.iter().map(Certificate::subject_der).collect();
        let total: usize = self.authorities.iter().map(|name| name.len() + 2).sum();
        if total > AUTHORITIES_BYTES_MAX { Err(ConfigError::ChainTooLong) } else { Ok(self) }
    }

    /// Meets a deviation of some peers.
    #[must_use]
    pub fn with_quirk(mut self, quirk: PeerQuirk) -> Self {
        self.common.quirks.push(quirk);
        self
    }

    /// Changes how many sessions are remembered, and how long.
    ///
    /// # Errors
    /// A life of 0 seconds or more than a day.
    pub fn with_sessions(mut self, limits: SessionLimits) -> Result<Self, ConfigError> {
        let SessionLimits { entries, lifetime_seconds } = limits.check()?;
        self.sessions = Sessions::new(entries, lifetime_seconds);
        Ok(self)
    }

    /// Takes the time from elsewhere.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.common.clock = clock;
        self
    }

    /// Takes randomness from elsewhere: `random` makes one source for each connection.
    #[must_use]
    pub fn with_random(
        mut self,
        random: impl Fn() -> Box<dyn Random + Send> + Send + Sync + 'static,
    ) -> Self {
        self.common.random = Arc::new(random);
        self
    }

    /// Sessions remembered at the moment.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// The certificates it shows.
    #[must_use]
    pub const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    pub(crate) fn now(&self) -> i64 {
        self.common.clock.unix_seconds()
    }

    pub(crate) fn random(&self) -> Box<dyn Random + Send> {
        (self.common.random)()
    }

    pub(crate) fn alpn(&self) -> &[Vec<u8>] {
        &self.common.alpn
    }

    pub(crate) fn has_quirk(&self, quirk: PeerQuirk) -> bool {
        self.common.has_quirk(quirk)
    }

    /// The suites in the order in which they are tried for one client.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = CipherSuite> {
        let (ecdhe, ecc): (Vec<_>, Vec<_>) = (self.common.suites.iter().copied())
            .partition(|suite| suite.key_exchange() == KeyExchange::Ecdhe);
        let (first, second) = match self.clients {
            ClientAuthentication::None => (ecc, Vec::new()),
            ClientAuthentication::Optional(_) => (ecc, ecdhe),
            ClientAuthentication::Required(_) => (self.common.suites.clone(), Vec::new()),
        };
        first.into_iter().chain(second)
    }
}

impl fmt::Debug for ServerConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ServerConfig")
            .field("common", &self.common)
            .field("credentials", &self.credentials)
            .field("clients", &self.clients)
            .field("sessions", &self.sessions)
            .finish_non_exhaustive()
    }
}

/// All names of authorities together.
const AUTHORITIES_BYTES_MAX: usize = 12 * 1024;

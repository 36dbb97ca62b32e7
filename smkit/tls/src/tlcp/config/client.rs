//! A client's configuration.

use std::{fmt, sync::Arc};

use smkit::Random;

use super::{Clock, Common, PeerQuirk, SessionLimits};
use crate::{
    peer::PeerVerifier,
    tlcp::{
        credentials::Credentials,
        error::ConfigError,
        limits::{CLIENT_SESSIONS, SESSION_SECONDS},
        session::Sessions,
        suite::{CipherSuite, KeyExchange},
    },
};

/// What a client offers and demands. Its sessions live in it: to end all of them, as after a change of trust, make a new
/// configuration.
pub struct ClientConfig {
    common: Common,
    pub(crate) verifier: Arc<dyn PeerVerifier>,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) sessions: Sessions<String>,
}

impl ClientConfig {
    /// A client without certificates, with every suite that works so, no application protocols, no quirks, the system's
    /// clock and randomness, and the default number of sessions. `verifier` judges servers.
    #[must_use]
    pub fn new(verifier: Arc<dyn PeerVerifier>) -> Self {
        Self {
            common: Common::new(),
            verifier,
            credentials: None,
            sessions: Sessions::new(CLIENT_SESSIONS, SESSION_SECONDS),
        }
    }

    /// Shows these certificates to servers that ask.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Offers exactly these suites, in this order. Those with ECDHE are offered only with credentials.
    ///
    /// # Errors
    /// None of them.
    pub fn with_suites(mut self, suites: &[CipherSuite]) -> Result<Self, ConfigError> {
        self.common.set_suites(suites)?;
        Ok(self)
    }

    /// Application protocols in order of preference (RFC 7301).
    ///
    /// # Errors
    /// A name is empty or too long, or there are too many.
    pub fn with_alpn(mut self, protocols: &[&[u8]]) -> Result<Self, ConfigError> {
        self.common.set_alpn(protocols)?;
        Ok(self)
    }

    /// Meets a deviation of some peers.
    #[must_use]
    pub fn with_quirk(mut self, quirk: PeerQuirk) -> Self {
        self.common.quirks.push(quirk);
        self
    }

    /// Changes how many sessions are remembered, one for each server name, and how long.
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

    /// The suites that are offered; empty when only ECDHE is enabled and there are no credentials.
    pub(crate) fn offered(&self) -> Vec<CipherSuite> {
        let usable = |suite: &CipherSuite| {
            self.credentials.is_some() || suite.key_exchange() == KeyExchange::Ecc
        };
        self.common.suites.iter().copied().filter(usable).collect()
    }
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ClientConfig")
            .field("common", &self.common)
            .field("credentials", &self.credentials)
            .field("verifier", &self.verifier)
            .field("sessions", &self.sessions)
            .finish_non_exhaustive()
    }
}

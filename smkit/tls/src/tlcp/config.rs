//! What a side offers and demands; made once, shared by its connections.

mod client;
mod server;

use std::{fmt, sync::Arc, time::SystemTime};

use smkit::{OsRandom, Random};

pub use client::ClientConfig;
pub use server::{ClientAuthentication, ServerConfig};

use super::{
    error::ConfigError,
    limits::{ALPN_BYTES_MAX, SESSION_SECONDS_MAX},
    suite::CipherSuite,
};

/// Tells the time at which certificates and sessions are judged.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Seconds since 1970 (UTC).
    fn unix_seconds(&self) -> i64;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others take")]
    fn unix_seconds(&self) -> i64 {
        // A clock before 1970 makes every certificate “not yet valid”, which is the safe answer.
        let since_1970 =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX)
    }
}

/// A deviation of some peers from the standard that is met only when it is named; none is met by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PeerQuirk {
    /// GmSSL (to 3.3) signs the handshake messages themselves in `CertificateVerify` instead of their SM3 digest
    /// (GB/T 38636-2020 §6.4.5.10). A server with this quirk accepts either form, a client signs the messages.
    RawTranscriptSignature,
    /// GmSSL servers (3.1) take a client's second certificate for the issuer of the first. A client with this quirk leaves its
    /// encryption certificate out, which under ECC nobody uses; under ECDHE it is sent all the same.
    SingleClientCertificate,
    /// Gateways that know only the original standard end a connection when `ClientHello` has extensions or signalling
    /// suites. A client with this quirk sends none, so neither server name nor application protocols.
    NoExtensions,
}

/// How many sessions are remembered, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Most sessions kept; 0 turns resumption off. One takes about 300 bytes and the peer's certificates.
    pub entries: usize,
    /// Life of a session in seconds, from its full handshake.
    pub lifetime_seconds: u32,
}

impl SessionLimits {
    fn check(self) -> Result<Self, ConfigError> {
        if (1..=SESSION_SECONDS_MAX).contains(&self.lifetime_seconds) {
            Ok(self)
        } else {
            Err(ConfigError::SessionLifetime)
        }
    }
}

/// What both kinds of configuration have.
#[derive(Clone)]
struct Common {
    suites: Vec<CipherSuite>,
    alpn: Vec<Vec<u8>>,
    quirks: Vec<PeerQuirk>,
    clock: Arc<dyn Clock>,
    random: RandomFactory,
}

type RandomFactory = Arc<dyn Fn() -> Box<dyn Random + Send> + Send + Sync>;

impl Common {
    fn new() -> Self {
        Self {
            suites: CipherSuite::ALL.to_vec(),
            alpn: Vec::new(),
            quirks: Vec::new(),
            clock: Arc::new(SystemClock),
            random: Arc::new(|| Box::new(OsRandom)),
        }
    }

    fn set_suites(&mut self, suites: &[CipherSuite]) -> Result<(), ConfigError> {
        self.suites.clear();
        for suite in suites {
            if !self.suites.contains(suite) {
                self.suites.push(*suite);
            }
        }
        if self.suites.is_empty() { Err(ConfigError::NoSuite) } else { Ok(()) }
    }

    fn set_alpn(&mut self, protocols: &[&[u8]]) -> Result<(), ConfigError> {
        let fits = |name: &&[u8]| (1..=ALPN_BYTES_MAX).contains(&name.len());
        let total: usize = protocols.iter().map(|name| name.len() + 1).sum();
        if !protocols.iter().all(fits) || total > ALPN_LIST_BYTES_MAX {
            return Err(ConfigError::Alpn);
        }
        self.alpn = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(())
    }

    fn has_quirk(&self, quirk: PeerQuirk) -> bool {
        self.quirks.contains(&quirk)
    }
}

impl fmt::Debug for Common {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Common")
            .field("suites", &self.suites)
            .field("quirks", &self.quirks)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

/// All names together, so that a hello stays far below its bound.
const ALPN_LIST_BYTES_MAX: usize = 4 * 1024;

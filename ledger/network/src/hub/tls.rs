//! The hub's GM TLS: what it shows, and whom it lets speak.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use changbai_wire::time::Clock;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use smkit::Sm3Digest;
use smkit_pki::{Certificate, Purpose};
use smkit_tls::link::{Acceptor, ClientAuth, ConfigError, Connector, Credentials, KeyPair};
use smkit_tls::peer::{PeerRefusal, PeerRole, PeerVerifier};

use super::Rooms;
use crate::limits::{HANDSHAKES_MAX, Limits};
use crate::room::Room;
use crate::rules::Rules;

/// The application protocol of links (ALPN): a web client that dials the port by mistake is told.
const ALPN: &[u8] = b"changbai-link/1";

/// One certificate of connections and what shows it.
pub(super) struct Tls {
    pair: KeyPair,
    pub(super) leaf: Sm3Digest,
    pub(super) acceptor: Arc<Acceptor>,
    /// By channel: each knows its own members only.
    connectors: Mutex<BTreeMap<String, Arc<Connector>>>,
}

impl Tls {
    pub(super) fn new(
        pair: KeyPair,
        rooms: &Rooms,
        clock: &Arc<dyn Clock>,
        limits: Limits,
    ) -> Result<Self, ConfigError> {
        let leaf = pair.chain.first().ok_or(ConfigError::NoCertificate)?.sm3();
        let verifier = Arc::new(MembersOfAny(Arc::clone(rooms)));
        let credentials = credentials(&pair, verifier);
        let acceptor = Arc::new(Acceptor::new(&credentials, tls_limits(limits), time(clock))?);
        Ok(Self { pair, leaf, acceptor, connectors: Mutex::default() })
    }

    /// What dials for a channel: it trusts that channel's members alone.
    pub(super) fn connector(
        &self,
        room: &Room,
        clock: &Arc<dyn Clock>,
        limits: Limits,
    ) -> Result<Arc<Connector>, ConfigError> {
        let mut connectors = self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connector) = connectors.get(&room.id) {
            return Ok(Arc::clone(connector));
        }
        let verifier = Arc::new(MembersOf(Arc::clone(&room.rules)));
        let credentials = credentials(&self.pair, verifier);
        let connector = Arc::new(Connector::new(&credentials, tls_limits(limits), time(clock))?);
        connectors.insert(room.id.clone(), Arc::clone(&connector));
        Ok(connector)
    }

    /// The channel was left.
    pub(super) fn forget(&self, channel: &str) {
        self.connectors.lock().unwrap_or_else(PoisonError::into_inner).remove(channel);
    }
}

fn credentials(pair: &KeyPair, verifier: Arc<dyn PeerVerifier>) -> Credentials {
    Credentials {
        signing: Some(pair.clone()),
        encryption: None,
        verifier,
        clients: ClientAuth::Required,
        alpn: vec![ALPN.to_vec()],
        tlcp_quirks: Vec::new(),
    }
}

fn tls_limits(limits: Limits) -> smkit_tls::link::Limits {
    smkit_tls::link::Limits {
        handshake_deadline: limits.handshake_deadline,
        half_open_max: HANDSHAKES_MAX,
        ..smkit_tls::link::Limits::default()
    }
}

/// Members of one channel: whom this node dials for it.
struct MembersOf(Arc<RwLock<Arc<Rules>>>);

impl PeerVerifier for MembersOf {
    fn verify(
        &self,
        chain: &[Certificate],
        role: PeerRole<'_>,
        at_unix_seconds: i64,
    ) -> Result<(), PeerRefusal> {
        let rules = Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner));
        rules.admits_connection(chain, purpose(role), at_unix_seconds)
    }
}

/// Members of any channel of this node: who may come so far as to say which channel it means.
struct MembersOfAny(Rooms);

impl PeerVerifier for MembersOfAny {
    fn verify(
        &self,
        chain: &[Certificate],
        role: PeerRole<'_>,
        at_unix_seconds: i64,
    ) -> Result<(), PeerRefusal> {
        let rooms: Vec<_> =
            self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        let mut result = Err(PeerRefusal::no_certificate());
        for room in rooms {
            result = room.rules().admits_connection(chain, purpose(role), at_unix_seconds);
            if result.is_ok() {
                break;
            }
        }
        result
    }
}

const fn purpose(role: PeerRole<'_>) -> Purpose {
    match role {
        PeerRole::Server { .. } => Purpose::TlsServer,
        PeerRole::Client => Purpose::TlsClient,
    }
}

/// The node's clock as rustls asks for it.
struct WallTime(Arc<dyn Clock>);

impl TimeProvider for WallTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_millis(self.0.now().at.0)))
    }
}

fn time(clock: &Arc<dyn Clock>) -> Arc<dyn TimeProvider> {
    Arc::new(WallTime(Arc::clone(clock)))
}

impl fmt::Debug for MembersOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MembersOf").finish_non_exhaustive()
    }
}

impl fmt::Debug for MembersOfAny {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MembersOfAny").finish_non_exhaustive()
    }
}

impl fmt::Debug for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WallTime").finish_non_exhaustive()
    }
}

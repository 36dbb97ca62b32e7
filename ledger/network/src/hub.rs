//! A node's side of all links: one identity, one port, many channels.

mod tls;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use changbai_channel::{Channel, Orderer, PeerId, SigningIdentity};
use changbai_msp::Identity;
use changbai_wire::time::Clock;
use smkit::{Random, RandomError, Sm3Digest};
use smkit_tls::link::{Acceptor, ConfigError, Connector, KeyPair};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::calls::CallHandler;
use crate::codes::{Reason, Refusal};
use crate::dial;
use crate::driver::{ChannelDriver, DriverError, DriverParts};
use crate::event::{LinkEvent, Observer, log};
use crate::hello::{Opening, Proof, Side};
use crate::inbound::Inbound;
use crate::limits::{Limits, OPENINGS_MAX};
use crate::opening;
use crate::room::{Room, RoomParts};
use crate::rules::peer_id;
use crate::run;
use crate::traffic::Counter;
use tls::Tls;

/// After the machine could not give a connection, its next try.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);
/// A reason to refuse strangers is logged this often.
const LOG_AGAIN: Duration = Duration::from_secs(5);

/// What a hub is made with.
pub struct HubParts {
    /// Who this node is on the ledger: the same for all its channels.
    pub identity: SigningIdentity,
    /// What it shows on connections: a chain below a TLS root of its organisation, for servers and
    /// clients alike.
    pub tls: KeyPair,
    /// Where certificates' moments come from.
    pub clock: Arc<dyn Clock>,
    /// Nonces come from here.
    pub random: Box<dyn Random + Send>,
    /// How patient links are.
    pub limits: Limits,
    /// Hears of links.
    pub observer: Arc<dyn Observer>,
}

/// Why there is no hub.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The node's own identity is not one.
    #[error("the node's identity is not usable: {0}")]
    Identity(#[from] changbai_msp::IdentityError),
    /// The certificate of connections does not fit its key.
    #[error("the certificate of connections is not usable: {0}")]
    Tls(#[from] ConfigError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Links of a node to the other nodes of its channels. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Hub {
    inner: Arc<Inner>,
}

/// What a channel is joined with.
pub struct JoinParts {
    /// Hears of the channel's orderer and links.
    pub observer: Arc<dyn Observer>,
    /// Answers calls of peers; without one they are refused.
    pub handler: Option<Arc<dyn CallHandler>>,
    /// What the orderer's clock shows now, in milliseconds: what [`Channel::open`] was given.
    pub now_ms: u64,
}

pub(crate) struct Inner {
    pub(crate) id: PeerId,
    pub(crate) limits: Limits,
    /// Places for openings that wait for the peer's hello.
    pub(crate) openings: Semaphore,
    identity: SigningIdentity,
    /// Random; tells links of this process from those of the one before.
    incarnation: u64,
    clock: Arc<dyn Clock>,
    random: Mutex<Box<dyn Random + Send>>,
    rooms: Rooms,
    tls: RwLock<Arc<Tls>>,
    observer: Arc<dyn Observer>,
    refusals: Counter,
    /// When a reason was last logged, and how often not since.
    logged: Mutex<BTreeMap<Reason, (Option<Instant>, u64)>>,
}

type Rooms = Arc<RwLock<BTreeMap<String, Arc<Room>>>>;

impl Hub {
    /// A hub without channels.
    ///
    /// # Errors
    /// [`HubError`].
    pub fn new(parts: HubParts) -> Result<Self, HubError> {
        let HubParts { identity, tls, clock, mut random, limits, observer } = parts;
        let id = peer_id(&Identity::parse(&identity.serialized)?);
        let mut incarnation = [0; 8];
        random.fill(&mut incarnation)?;
        let rooms = Rooms::default();
        let tls = Tls::new(tls, &rooms, &clock, limits)?;
        Ok(Self {
            inner: Arc::new(Inner {
                id,
                limits,
                openings: Semaphore::new(OPENINGS_MAX),
                identity,
                incarnation: u64::from_be_bytes(incarnation),
                clock,
                random: Mutex::new(random),
                rooms,
                tls: RwLock::new(Arc::new(tls)),
                observer,
                refusals: Counter::default(),
                logged: Mutex::default(),
            }),
        })
    }

    /// This node's id.
    #[must_use]
    pub fn id(&self) -> PeerId {
        self.inner.id
    }

    /// Connections taken in that did not become links.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.inner.refusals.value()
    }

    /// New connections show this certificate from now on; links stay.
    ///
    /// # Errors
    /// [`ConfigError`]; the old certificate stays then.
    pub fn reload(&self, tls: KeyPair) -> Result<(), ConfigError> {
        let inner = &self.inner;
        let next = Arc::new(Tls::new(tls, &inner.rooms, &inner.clock, inner.limits)?);
        *inner.tls.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// Runs the orderer of a channel on a thread of its own, and links it to the channel's other
    /// nodes. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`DriverError`].
    pub fn join(
        &self,
        channel: Channel,
        orderer: Orderer,
        parts: JoinParts,
    ) -> Result<ChannelDriver, DriverError> {
        let JoinParts { observer, handler, now_ms } = parts;
        let genesis = channel.block(0)?.ok_or(DriverError::NoGenesis)?.header.hash();
        let room = Arc::new(Room::new(RoomParts {
            id: channel.status().channel_id,
            genesis,
            own: self.inner.id,
            limits: self.inner.limits,
            clock: Arc::clone(&self.inner.clock),
            observer: Arc::clone(&observer),
            handler,
            inbound: Inbound::new(orderer.waker()),
            config: channel.config(),
        }));
        let mut rooms = self.inner.rooms.write().unwrap_or_else(PoisonError::into_inner);
        if rooms.contains_key(&room.id) {
            return Err(DriverError::Joined { channel: room.id.clone() });
        }
        let parts = DriverParts { observer, now_ms };
        let leave = Leave { hub: Arc::clone(&self.inner), room: Arc::clone(&room) };
        let driver = ChannelDriver::start(channel, orderer, parts, Some(leave))?;
        rooms.insert(room.id.clone(), Arc::clone(&room));
        drop(rooms);
        room.spawn(dial::tend(Arc::clone(&self.inner), Arc::clone(&room)));
        Ok(driver)
    }

    /// Takes links in until `stop` is ready. Links stay up: they end with their channels. Dropping the
    /// future ends openings under way.
    pub async fn serve(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let mut openings = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = listener.accept() => accepted,
            };
            while openings.try_join_next().is_some() {}
            let Ok((tcp, address)) = accepted else {
                sleep(ACCEPT_AGAIN).await;
                continue;
            };
            let inner = Arc::clone(&self.inner);
            openings.spawn(async move {
                match Box::pin(opening::accept(&inner, tcp)).await {
                    Ok(opened) => run::start(opened),
                    Err(refusal) => inner.refused(address.to_string(), refusal),
                }
            });
        }
        openings.shutdown().await;
    }
}

/// A channel's membership in the hub.
#[derive(Debug)]
pub(crate) struct Leave {
    hub: Arc<Inner>,
    pub(crate) room: Arc<Room>,
}

impl Leave {
    /// No new links of the channel, and the end of those there are.
    pub(crate) async fn leave(&self) {
        self.forget();
        self.room.close().await;
    }

    fn forget(&self) {
        let mut rooms = self.hub.rooms.write().unwrap_or_else(PoisonError::into_inner);
        if rooms.get(&self.room.id).is_some_and(|room| Arc::ptr_eq(room, &self.room)) {
            rooms.remove(&self.room.id);
            self.hub.tls().forget(&self.room.id);
        }
    }
}

impl Drop for Leave {
    /// Tasks end by themselves where nobody joins them.
    fn drop(&mut self) {
        self.forget();
        self.room.shut();
    }
}

impl Inner {
    pub(crate) fn room(&self, channel: &str) -> Option<Arc<Room>> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner).get(channel).cloned()
    }

    pub(crate) fn acceptor(&self) -> (Arc<Acceptor>, Sm3Digest) {
        let tls = self.tls();
        (Arc::clone(&tls.acceptor), tls.leaf)
    }

    /// What dials for a channel, and the digest of the certificate that it shows.
    pub(crate) fn connector(&self, room: &Room) -> Result<(Arc<Connector>, Sm3Digest), Refusal> {
        let tls = self.tls();
        let connector = tls
            .connector(room, &self.clock, self.limits)
            .map_err(|error| Refusal::new(Reason::TlsHandshake, error.to_string()))?;
        Ok((connector, tls.leaf))
    }

    pub(crate) fn proof(&self, opening: &Opening<'_>, side: Side) -> Proof {
        let identity = self.identity.serialized.clone();
        let incarnation = self.incarnation;
        let signature = self.identity.key.sign(&opening.message(side, incarnation, &identity));
        Proof { incarnation, identity, signature }
    }

    pub(crate) fn nonce(&self) -> Result<[u8; 32], Refusal> {
        let mut nonce = [0; 32];
        let filled = self.random.lock().unwrap_or_else(PoisonError::into_inner).fill(&mut nonce);
        filled.map_err(|error| Refusal::new(Reason::Closed, error.to_string()))?;
        Ok(nonce)
    }

    /// A number between 0 and 1.
    pub(crate) fn jitter(&self) -> f64 {
        let mut bytes = [0; 2];
        let filled = self.random.lock().unwrap_or_else(PoisonError::into_inner).fill(&mut bytes);
        filled.map_or(0.5, |()| f64::from(u16::from_be_bytes(bytes)) / f64::from(u16::MAX))
    }

    /// This node's serialized identity.
    pub(crate) fn identity(&self) -> &[u8] {
        &self.identity.serialized
    }

    fn tls(&self) -> Arc<Tls> {
        Arc::clone(&self.tls.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn refused(&self, address: String, refusal: Refusal) {
        // Two nodes that dial each other at once are nothing to talk about.
        if refusal.reason == Reason::Duplicate {
            return;
        }
        self.refusals.add(1);
        let reason = refusal.reason;
        let event = LinkEvent::Refused { channel: None, address, dialled: false, refusal };
        self.observer.link(&event);
        // Strangers decide how often this happens, but not how much is logged.
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, unsaid) = logged.entry(reason).or_insert((None, 0));
        if at.is_some_and(|at: Instant| at.elapsed() < LOG_AGAIN) {
            *unsaid = unsaid.saturating_add(1);
            return;
        }
        let unsaid = std::mem::take(unsaid);
        *at = Some(Instant::now());
        drop(logged);
        log(&event);
        if unsaid > 0 {
            tracing::warn!(code = reason.code(), count = unsaid, "network::more_refused");
        }
    }
}

macro_rules! opaque {
    ($($name:ident)*) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })*
    };
}

opaque!(HubParts JoinParts Inner);

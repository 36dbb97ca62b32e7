//! The thread that orders one channel, and its owner's handle.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use changbai_channel::{Channel, Delivery, Halted, Orderer, PeerId};
use changbai_msp::{ChannelConfig, Identity};
use changbai_storage::StorageError;
use changbai_wire::PeerClass;
use tokio::sync::oneshot;

use crate::calls::{self, CallError};
use crate::event::Observer;
use crate::hub::Leave;
use crate::inbound::{Arrived, Change};
use crate::room::{PeerInfo, Room};
use crate::traffic::Traffic;

/// The ordering thread looks up at least this often.
const IDLE: Duration = Duration::from_secs(1);

/// Why a channel is not driven.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriverError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The ledger has no block 0.
    #[error("the channel has no genesis block")]
    NoGenesis,
    /// The hub has this channel already.
    #[error("the channel {channel} is joined already")]
    Joined {
        /// Which.
        channel: String,
    },
    /// No thread.
    #[error("no thread for the channel: {0}")]
    Thread(#[source] std::io::Error),
}

/// What a channel is driven with.
pub struct DriverParts {
    /// Hears the orderer's events.
    pub observer: Arc<dyn Observer>,
    /// What the orderer's clock shows now, in milliseconds: what [`Channel::open`] was given.
    pub now_ms: u64,
}

impl std::fmt::Debug for DriverParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DriverParts").finish_non_exhaustive()
    }
}

/// A channel at work. Its thread ends once [`Channel::stop`] was called and everything taken is
/// answered, or when ordering halts; [`join`](Self::join) waits for that.
#[derive(Debug)]
pub struct ChannelDriver {
    links: Option<Leave>,
    ended: oneshot::Receiver<Result<Orderer, Halted>>,
}

impl ChannelDriver {
    /// Drives a channel of which this node is the only one: no links, no runtime, no cost.
    ///
    /// # Errors
    /// [`DriverError::Thread`].
    pub fn alone(
        channel: Channel,
        orderer: Orderer,
        parts: DriverParts,
    ) -> Result<Self, DriverError> {
        Self::start(channel, orderer, parts, None)
    }

    pub(crate) fn start(
        channel: Channel,
        orderer: Orderer,
        parts: DriverParts,
        links: Option<Leave>,
    ) -> Result<Self, DriverError> {
        let (sender, ended) = oneshot::channel();
        let id = channel.status().channel_id;
        let name = format!("order-{id}");
        let room = links.as_ref().map(|links| Arc::clone(&links.room));
        let thread = Thread { id, config: channel.config(), channel, room, parts };
        std::thread::Builder::new()
            .name(name)
            .spawn(move || drop(sender.send(thread.run_to_end(orderer))))
            .map_err(DriverError::Thread)?;
        Ok(Self { links, ended })
    }

    /// The nodes linked to this one.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.room().map(Room::peers).unwrap_or_default()
    }

    /// Counters of the channel's links.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.room().map(|room| room.counters.snapshot()).unwrap_or_default()
    }

    /// A handle for questions to peers; it may outlive the driver and finds nobody then.
    #[must_use]
    pub fn caller(&self) -> Caller {
        Caller { room: self.links.as_ref().map(|links| Arc::clone(&links.room)) }
    }

    /// Asks a peer; see [`Caller::call`].
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call(
        &self,
        peer: PeerId,
        method: u8,
        request: Bytes,
        deadline: Duration,
    ) -> Result<Bytes, CallError> {
        self.caller().call(peer, method, request, deadline).await
    }

    /// Waits until the ordering thread has ended, ends the channel's links and gives the orderer back.
    ///
    /// # Errors
    /// [`Halted`], when ordering has halted.
    pub async fn join(self) -> Result<Orderer, Halted> {
        let ended = self.ended.await;
        if let Some(links) = &self.links {
            links.leave().await;
        }
        ended.unwrap_or_else(|_| Err(Halted("the ordering thread panicked".to_owned())))
    }

    fn room(&self) -> Option<&Room> {
        self.links.as_ref().map(|links| links.room.as_ref())
    }
}

/// Asks peers of one channel. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller {
    room: Option<Arc<Room>>,
}

impl Caller {
    /// Asks a peer, and waits at most `deadline` for its answer. Dropping the future forgets the call.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call(
        &self,
        peer: PeerId,
        method: u8,
        request: Bytes,
        deadline: Duration,
    ) -> Result<Bytes, CallError> {
        let stream = self.room.as_ref().and_then(|room| room.calls(peer));
        let stream = stream.ok_or(CallError::Disconnected)?;
        calls::ask(&stream, method, request, deadline).await
    }

    /// The nodes that can be asked now, in order of their ids, each with its identity when the link came up.
    #[must_use]
    pub fn callable(&self) -> Vec<(PeerId, Arc<Identity>)> {
        self.room.as_ref().map(|room| room.callable()).unwrap_or_default()
    }

    /// The nodes linked to this one.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.room.as_ref().map(|room| room.peers()).unwrap_or_default()
    }

    /// Counters of the channel's links.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.room.as_ref().map(|room| room.counters.snapshot()).unwrap_or_default()
    }
}

/// What the ordering thread owns beside the orderer.
struct Thread {
    id: String,
    channel: Channel,
    config: Arc<ChannelConfig>,
    room: Option<Arc<Room>>,
    parts: DriverParts,
}

impl Thread {
    fn run_to_end(self, orderer: Orderer) -> Result<Orderer, Halted> {
        // However this ends, a panic included: nobody may believe that this node still orders.
        let _shut = Shut(self.room.clone());
        let (id, observer) = (self.id.clone(), Arc::clone(&self.parts.observer));
        self.run(orderer).inspect_err(|halted| observer.halted(&id, halted))
    }

    fn run(mut self, mut orderer: Orderer) -> Result<Orderer, Halted> {
        #[expect(
            clippy::disallowed_methods,
            reason = "timeouts need a monotonic clock, read only here"
        )]
        let started = std::time::Instant::now();
        let base_ms = self.parts.now_ms;
        let now_ms = || {
            let elapsed = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            base_ms.saturating_add(elapsed)
        };
        let mut held = Held::default();
        loop {
            let began = started.elapsed();
            self.feed(&mut orderer, &mut held, now_ms());
            let turn = orderer.turn(now_ms());
            if let Some(room) = self.room.as_ref().filter(|_| turn.is_ok()) {
                room.send(orderer.take_outbox());
            }
            for event in orderer.take_events() {
                self.parts.observer.order(&self.id, &event);
            }
            self.parts.observer.turned(&self.id, started.elapsed().saturating_sub(began));
            let turn = turn?;
            self.follow();
            if orderer.is_drained() {
                return Ok(orderer);
            }
            if held.is_empty() {
                let until_deadline = turn.deadline_ms.map(|at| at.saturating_sub(now_ms()));
                orderer.wait(until_deadline.map_or(IDLE, Duration::from_millis).min(IDLE));
            }
        }
    }

    /// Hands the orderer what arrived, as far as it takes it.
    fn feed(&self, orderer: &mut Orderer, held: &mut Held, now_ms: u64) {
        let Some(room) = &self.room else { return };
        for (peer, change) in room.inbound.take_changes() {
            if change != Change::Connected {
                orderer.disconnect(peer);
                held.present.remove(&peer);
            }
            if change != Change::Disconnected {
                orderer.connect(peer);
                held.present.insert(peer);
            }
        }
        for (waiting, mut arrived) in held.waiting.iter_mut().zip(room.inbound.take()) {
            waiting.append(&mut arrived);
            while let Some(arrived) = waiting.pop_front() {
                // What a peer sent before it went is of no use.
                if !held.present.contains(&arrived.from) {
                    continue;
                }
                match orderer.deliver(arrived.from, &arrived.bytes, now_ms) {
                    Delivery::Taken | Delivery::Refused => {}
                    Delivery::Full(PeerClass::Consensus) => {
                        room.counters.of(PeerClass::Consensus.into()).dropped_in.add(1);
                    }
                    Delivery::Full(_) => {
                        waiting.push_front(arrived);
                        break;
                    }
                }
                // The reader of the link goes on.
                drop(arrived.room);
            }
        }
    }

    /// Makes links follow the configuration.
    fn follow(&mut self) {
        let Some(room) = &self.room else { return };
        let config = self.channel.config();
        if !Arc::ptr_eq(&config, &self.config) {
            room.follow(Arc::clone(&config));
            self.config = config;
        }
    }
}

/// Ends the links of the channel with its thread.
struct Shut(Option<Arc<Room>>);

impl Drop for Shut {
    fn drop(&mut self) {
        if let Some(room) = &self.0 {
            room.shut();
        }
    }
}

/// What waits for the next turn because the orderer is full.
#[derive(Default)]
struct Held {
    present: BTreeSet<PeerId>,
    waiting: [VecDeque<Arrived>; PeerClass::ALL.len()],
}

impl Held {
    fn is_empty(&self) -> bool {
        self.waiting.iter().all(VecDeque::is_empty)
    }
}

//! One channel's side of the hub: its rules, its peers and their links.

mod peer;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use bytes::Bytes;
use changbai_channel::{Destination, Outgoing, PeerId};
use changbai_msp::{ChannelConfig, Identity};
use changbai_wire::time::Clock;
use smkit::Sm3Digest;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::calls::{CallHandler, Calls};
use crate::codes::{Reason, Refusal};
use crate::event::{LinkEvent, Observer, log};
use crate::inbound::Inbound;
use crate::kind::StreamKind;
use crate::limits::{Limits, PEERS_MAX};
use crate::rules::Rules;
use crate::stream::{Remote, Stream};
use crate::traffic::Counters;
use peer::{NEEDED, Peer};

pub use peer::PeerInfo;

pub(crate) struct Room {
    pub(crate) id: String,
    pub(crate) genesis: Sm3Digest,
    pub(crate) own: PeerId,
    pub(crate) limits: Limits,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Counters,
    pub(crate) inbound: Inbound,
    pub(crate) rules: Arc<RwLock<Arc<Rules>>>,
    observer: Arc<dyn Observer>,
    handler: Option<Arc<dyn CallHandler>>,
    peers: Mutex<BTreeMap<PeerId, Peer>>,
    /// Counts changes of peers and rules.
    changes: watch::Sender<u64>,
    closing: watch::Sender<bool>,
    tasks: Mutex<JoinSet<()>>,
}

/// What a room is made with.
pub(crate) struct RoomParts {
    pub(crate) id: String,
    pub(crate) genesis: Sm3Digest,
    pub(crate) own: PeerId,
    pub(crate) limits: Limits,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) handler: Option<Arc<dyn CallHandler>>,
    pub(crate) inbound: Inbound,
    pub(crate) config: Arc<ChannelConfig>,
}

impl Room {
    pub(crate) fn new(parts: RoomParts) -> Self {
        let RoomParts { id, genesis, own, limits, clock, observer, handler, inbound, config } =
            parts;
        Self {
            id,
            genesis,
            own,
            limits,
            clock,
            counters: Counters::default(),
            inbound,
            rules: Arc::new(RwLock::new(Arc::new(Rules::new(config)))),
            observer,
            handler,
            peers: Mutex::default(),
            changes: watch::Sender::new(0),
            closing: watch::Sender::new(false),
            tasks: Mutex::default(),
        }
    }

    pub(crate) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.clock.now().at.seconds()
    }

    /// Another configuration is in force; links are judged by it soon, by the room's task.
    pub(crate) fn follow(&self, config: Arc<ChannelConfig>) {
        let rules = Arc::new(Rules::new(config));
        for (id, peer) in self.lock().iter_mut() {
            peer.validator = rules.validators.contains(id);
        }
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
        self.changed();
    }

    /// Ends every link whose peer may no longer have one.
    pub(crate) fn judge(&self) {
        let (rules, now_s) = (self.rules(), self.now_s());
        for stream in self.streams() {
            let Remote { identity, chain, .. } = &stream.remote;
            if let Err(refusal) = rules.admit(identity.as_bytes(), chain, stream.purpose(), now_s) {
                stream.end(refusal);
            }
        }
    }

    /// The earliest moment at which a certificate of a link expires, Unix seconds.
    pub(crate) fn valid_until(&self) -> i64 {
        self.streams().iter().map(|stream| stream.valid_until()).min().unwrap_or(i64::MAX)
    }

    /// Takes a link in that has just been opened; the one that it replaces ends.
    pub(crate) fn install(
        self: &Arc<Self>,
        kind: StreamKind,
        remote: Remote,
    ) -> Result<Installed, Refusal> {
        let calls = (kind == StreamKind::Calls).then(|| {
            let handler = self.handler.clone();
            Arc::new(Calls::new(self.id.clone(), handler, Arc::clone(&remote.identity)))
        });
        let stream = Arc::new(Stream::new(kind, remote, calls));
        let remote = &stream.remote;
        let id = remote.peer;
        let mut peers = self.lock();
        // Under the lock: whoever shuts the room finds this link, or this finds the room shut.
        if *self.closing.borrow() {
            return Err(Reason::Stopping.into());
        }
        if peers.len() >= PEERS_MAX && !peers.contains_key(&id) {
            return Err(Reason::TooMany.into());
        }
        let validator = self.rules().validators.contains(&id);
        let peer = peers.entry(id).or_insert_with(|| Peer::new(remote, validator));
        peer.check(self, kind, remote)?;
        let lost = peer.take_dead(kind, remote.incarnation);
        let was_connected = *peer.connected.borrow();
        peer.incarnation = remote.incarnation;
        peer.identity = Arc::clone(&remote.identity);
        if let Some(place) = peer.streams.get_mut(kind.index()) {
            *place = Some(Arc::clone(&stream));
        }
        let is_connected = peer.is_complete();
        let broken = was_connected && lost.iter().any(|lost| NEEDED.contains(&lost.kind));
        if broken {
            self.inbound.disconnected(id);
        }
        if is_connected && (broken || !was_connected) {
            self.inbound.connected(id);
            peer.since = Some(Instant::now());
            self.counters.connects.add(1);
        }
        peer.connected.send_replace(is_connected);
        let connected = peer.connected.subscribe();
        drop(peers);
        for lost in lost {
            lost.end(Reason::Replaced.into());
        }
        self.counters.of(kind).links.add(1);
        let channel = self.id.clone();
        let (address, dialled) = (stream.remote.address, stream.remote.dialled);
        self.report(&LinkEvent::Up { channel, peer: id, kind, address, dialled });
        if was_connected && (broken || !is_connected) {
            self.report(&LinkEvent::Disconnected { channel: self.id.clone(), peer: id });
        }
        if is_connected && (broken || !was_connected) {
            self.report(&LinkEvent::Connected { channel: self.id.clone(), peer: id });
        }
        self.changed();
        Ok(Installed { room: Arc::clone(self), stream, connected, refusal: None })
    }

    /// Whether [`install`](Self::install) would take such a link now.
    pub(crate) fn check(&self, kind: StreamKind, remote: &Remote) -> Result<(), Refusal> {
        match self.lock().get(&remote.peer) {
            Some(peer) => peer.check(self, kind, remote),
            None => Ok(()),
        }
    }

    /// The link has ended.
    fn remove(&self, stream: &Arc<Stream>, refusal: Refusal) {
        let (id, kind) = (stream.remote.peer, stream.kind);
        let mut disconnected = false;
        let mut peers = self.lock();
        if let Some(peer) = peers.get_mut(&id) {
            let place = peer.streams.get_mut(kind.index());
            let place =
                place.filter(|place| place.as_ref().is_some_and(|at| Arc::ptr_eq(at, stream)));
            if let Some(place) = place {
                *place = None;
                if *peer.connected.borrow() && !peer.is_complete() {
                    disconnected = true;
                    peer.since = None;
                    peer.connected.send_replace(false);
                    self.inbound.disconnected(id);
                }
            }
            if peer.streams.iter().all(Option::is_none) {
                peers.remove(&id);
            }
        }
        drop(peers);
        self.report(&LinkEvent::Down { channel: self.id.clone(), peer: id, kind, refusal });
        if disconnected {
            self.report(&LinkEvent::Disconnected { channel: self.id.clone(), peer: id });
        }
        self.changed();
    }

    /// Streams that are missing to that node.
    pub(crate) fn missing(&self, peer: PeerId) -> Vec<StreamKind> {
        let peers = self.lock();
        let peer = peers.get(&peer);
        let is_up = |kind: &StreamKind| {
            peer.and_then(|peer| peer.stream(*kind))
                .is_some_and(|s| s.silence() < self.limits.stale)
        };
        StreamKind::ALL.into_iter().filter(|kind| !is_up(kind)).collect()
    }

    /// Passes on what the orderer sends; never waits.
    pub(crate) fn send(&self, outbox: Vec<Outgoing>) {
        let peers = self.lock();
        for Outgoing { to, class, bytes } in outbox {
            let kind = StreamKind::from(class);
            match to {
                Destination::Peer(id) => {
                    if let Some(peer) = peers.get(&id) {
                        self.push(peer, kind, bytes);
                    }
                }
                to => {
                    let wanted = |peer: &&Peer| match to {
                        Destination::Validators => peer.validator,
                        Destination::Followers => !peer.validator,
                        Destination::All | Destination::Peer(_) => true,
                    };
                    for peer in peers.values().filter(wanted) {
                        self.push(peer, kind, bytes.clone());
                    }
                }
            }
        }
    }

    pub(crate) fn calls(&self, peer: PeerId) -> Option<Arc<Stream>> {
        self.lock().get(&peer)?.stream(StreamKind::Calls).cloned()
    }

    /// Peers that can be called, with who they are.
    pub(crate) fn callable(&self) -> Vec<(PeerId, Arc<Identity>)> {
        let peers = self.lock();
        let callable = peers.iter().filter(|(_, peer)| peer.stream(StreamKind::Calls).is_some());
        callable.map(|(id, peer)| (*id, Arc::clone(&peer.identity))).collect()
    }

    pub(crate) fn peers(&self) -> Vec<PeerInfo> {
        self.lock().iter().map(|(id, peer)| peer.info(*id)).collect()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Returns when the channel is left.
    pub(crate) async fn closed(&self) {
        // The sender lives as long as this room: there is no error to meet.
        drop(self.closing.subscribe().wait_for(|closing| *closing).await);
    }

    /// Runs a task of the room; [`close`](Self::close) joins it.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Ends all links, without waiting for it.
    pub(crate) fn shut(&self) {
        self.closing.send_replace(true);
        for stream in self.streams() {
            stream.end(Reason::Stopping.into());
        }
    }

    /// Ends all links and waits for their tasks.
    pub(crate) async fn close(&self) {
        self.shut();
        loop {
            // A link that was being installed meanwhile is among them.
            let mut tasks =
                std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
            if tasks.is_empty() {
                return;
            }
            while tasks.join_next().await.is_some() {}
        }
    }

    pub(crate) fn report(&self, event: &LinkEvent) {
        if matches!(event, LinkEvent::Refused { .. }) {
            self.counters.refused.add(1);
        }
        log(event);
        self.observer.link(event);
    }

    fn push(&self, peer: &Peer, kind: StreamKind, bytes: Bytes) {
        let Some(stream) = peer.stream(kind).filter(|_| *peer.connected.borrow()) else { return };
        let dropped = stream.queue.push(bytes).dropped;
        if dropped > 0 {
            self.counters.of(kind).dropped_out.add(dropped);
        }
    }

    fn streams(&self) -> Vec<Arc<Stream>> {
        self.lock().values().flat_map(|peer| peer.streams.iter().flatten().cloned()).collect()
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PeerId, Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A link in its place; dropping this takes it out again.
#[derive(Debug)]
pub(crate) struct Installed {
    pub(crate) room: Arc<Room>,
    pub(crate) stream: Arc<Stream>,
    /// Whether all streams that the orderer needs are up.
    pub(crate) connected: watch::Receiver<bool>,
    /// Why it ended, once it has.
    pub(crate) refusal: Option<Refusal>,
}

impl Drop for Installed {
    fn drop(&mut self) {
        // Without a reason its task was given up.
        let refusal = self.refusal.take().unwrap_or_else(|| Reason::Closed.into());
        if let Some(calls) = &self.stream.calls {
            calls.close();
        }
        self.room.remove(&self.stream, refusal);
    }
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room").field("id", &self.id).finish_non_exhaustive()
    }
}

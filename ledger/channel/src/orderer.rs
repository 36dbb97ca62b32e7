//! Ordering: the single-threaded loop around Malachite's core, and a node's side of the protocol
//! between the nodes of a channel.
//!
//! The owner hands in what arrives ([`Orderer::deliver`]), calls [`Orderer::turn`] whenever
//! something arrived or a deadline passed, and sends what [`Orderer::take_outbox`] gives. Nothing
//! here reads a clock, sleeps, spawns or opens a socket.
//!
//! A height starts only when there is work: transactions wait, results are not yet committed to by
//! a header, or a validator of it has spoken. An idle channel makes no blocks. A node whose key is
//! not among the validators of a height follows: it takes decided blocks under their certificates.
//! So does, for a while, a validator that has lost its consensus log (`newcomer`).
//!
//! The safety contract of the core is kept by order: its actions are performed one after the
//! other, a `Flush` before every message and decision; a body lies in the same flush as the first
//! statement of this node that depends on it. A write that a full disk refuses stops the list
//! where it is, until the disk takes it: nothing behind it happens meanwhile, and nothing new is
//! signed. After any other failure to write the orderer halts for good: it never signs again in
//! this process.

mod bodies;
mod commit;
mod event;
mod inbox;
mod judge;
mod newcomer;
mod peers;
mod perform;
mod propose;
mod receive;
mod sync;
mod transactions;
mod watch;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use changbai_consensus::{Action, Engine, EngineError, Event, TimeoutToken, WalRecord};
use changbai_storage::{ConsensusWal, Entry, StorageError};
use changbai_wire::{PeerMessage, ValidatorAddress};

pub use event::{Delivery, Destination, Fault, OrderEvent, Outgoing, PeerId, Tally};

use crate::block::Block;
use crate::body::Body;
use crate::channel::Shared;
use crate::limits::EVENTS_MAX;
use crate::tuning::Tuning;
use bodies::{Bodies, Known, Standing};
use inbox::Inbox;
pub(crate) use newcomer::Newcomer;
use peers::Peers;
use sync::Sync;
use watch::Watch;

/// Kinds of the consensus log's records that hold a body: round u32 ‖ `common.Block`. The core's
/// own records use the kinds below them.
const WAL_OWN_BODY: u8 = 0xF0;
const WAL_BODY: u8 = 0xF1;

/// The channel stopped ordering, and will not start again in this process.
#[derive(Debug, Clone, thiserror::Error)]
#[error("ordering has halted: {0}")]
pub struct Halted(pub String);

/// What a turn left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// When the next turn is due at the latest, in the caller's monotonic milliseconds; `None`:
    /// sleep until something arrives.
    pub deadline_ms: Option<u64>,
}

/// Drives consensus and synchronisation of one channel. Owned by one thread.
#[derive(Debug)]
pub struct Orderer {
    shared: Arc<Shared>,
    engine: Engine,
    /// This node as a validator, if it has a key.
    own: Option<ValidatorAddress>,
    wal: ConsensusWal,
    tuning: Tuning,
    now_ms: u64,
    /// What the core wants to be told.
    events: VecDeque<Event>,
    /// What the core wants to be done, in order.
    actions: VecDeque<Action>,
    timers: BTreeMap<TimeoutToken, u64>,
    /// The height that the core works on; `None` while this node is idle or follows.
    running: Option<u64>,
    /// A validator has spoken of this height: it may start without work.
    roused: u64,
    /// The core waits for a block of ours.
    wanted: Option<Wanted>,
    bodies: Bodies,
    /// Own proposal of the round under way, to be repeated with the votes.
    proposal: Option<(u64, u32, Bytes)>,
    /// Own statements of the round under way, for validators that are linked late.
    said: Vec<Bytes>,
    /// Who sent what the core is working on.
    sender: Option<PeerId>,
    inbox: Inbox,
    outbox: Vec<Outgoing>,
    reports: VecDeque<OrderEvent>,
    peers: Peers,
    sync: Sync,
    watch: Watch,
    /// When own transactions were last passed on again.
    forwarded_ms: u64,
    /// Records of the consensus log for a height whose predecessors were lost with a damaged block
    /// log. Until those are here again this node does not vote.
    held: Option<Held>,
    /// The consensus log is new; until that is made up for this node does not vote.
    newcomer: Option<Newcomer>,
}

/// Own votes of a height that this node cannot reach yet.
#[derive(Debug)]
struct Held {
    entries: Vec<Entry>,
    /// The block before that height.
    until: u64,
}

/// A request of the core for a block.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    height: u64,
    round: u32,
    since_ms: u64,
}

/// Why work stops.
#[derive(Debug)]
enum Stop {
    /// For good.
    Halt(String),
    /// Until the disk has space; what was refused is still to be done.
    Full(String),
}

impl Orderer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        engine: Engine,
        own: Option<ValidatorAddress>,
        wal: ConsensusWal,
        tuning: Tuning,
        now_ms: u64,
        newcomer: Option<Newcomer>,
    ) -> Self {
        Self {
            shared,
            engine,
            own,
            wal,
            tuning,
            now_ms,
            events: VecDeque::new(),
            actions: VecDeque::new(),
            timers: BTreeMap::new(),
            running: None,
            roused: 0,
            wanted: None,
            bodies: Bodies::default(),
            proposal: None,
            said: Vec::new(),
            sender: None,
            inbox: Inbox::default(),
            outbox: Vec::new(),
            reports: VecDeque::new(),
            peers: Peers::default(),
            sync: Sync::default(),
            watch: Watch::new(now_ms),
            forwarded_ms: now_ms,
            held: None,
            newcomer,
        }
    }

    /// Feeds the consensus log of an unfinished height back into the core, before anything else.
    /// With `repair`, blocks that the log knows to be decided may be missing: until they are here
    /// again this node does not vote.
    ///
    /// # Errors
    ///
    /// [`Halted`] when the log contradicts itself; the node must not vote then.
    pub(crate) fn recover(&mut self, entries: Vec<Entry>, repair: bool) -> Result<(), Halted> {
        let reached = entries.iter().map(|entry| entry.height.saturating_sub(1)).max();
        let reached = if repair { reached.max(self.wal.floor()) } else { self.wal.floor() };
        if let Some(until) = reached.filter(|until| *until > self.shared.ledger.height()) {
            self.held = Some(Held { entries, until });
            self.look_around();
            return Ok(());
        }
        if self.replay(entries)? {
            return self.turn(self.now_ms).map(drop);
        }
        self.look_around();
        Ok(())
    }

    /// True when there was anything to replay.
    fn replay(&mut self, entries: Vec<Entry>) -> Result<bool, Halted> {
        let height = self.next_height();
        let mut records = Vec::new();
        let mut restored = false;
        for entry in entries.into_iter().filter(|entry| entry.height >= height) {
            match entry.kind {
                WAL_OWN_BODY | WAL_BODY if entry.height == height => {
                    self.restore_body(entry.kind == WAL_OWN_BODY, &entry.bytes)?;
                    restored = true;
                }
                WAL_OWN_BODY | WAL_BODY => {}
                kind => {
                    records.push(WalRecord { height: entry.height, kind, bytes: entry.bytes });
                }
            }
        }
        if (records.is_empty() && !restored) || !self.votes() {
            return Ok(false);
        }
        self.running = Some(height);
        let set = self.shared.epoch().validators.clone();
        let actions = self
            .engine
            .recover(height, set, &records)
            .map_err(|error| Halted(error.to_string()))?;
        self.actions.extend(actions);
        Ok(true)
    }

    /// Takes up the own votes again once the blocks before them are here.
    fn release(&mut self) -> Result<(), Stop> {
        let height = self.shared.ledger.height();
        let Some(Held { entries, until }) = self.held.take_if(|held| height >= held.until) else {
            return Ok(());
        };
        if height > until {
            // The height of those votes is decided.
            return Ok(());
        }
        self.replay(entries).map(drop).map_err(|halted| Stop::Halt(halted.0))
    }

    /// A link to a node of the channel is up; whoever it is has authenticated.
    pub fn connect(&mut self, peer: PeerId) {
        if !self.peers.connect(peer) {
            self.report(OrderEvent::Refused { peer, fault: Fault::NotConnected });
            return;
        }
        self.tell(peer);
        self.say_again(peer);
        self.shared.mempool.forward_again(u64::MAX);
    }

    /// The link is down.
    pub fn disconnect(&mut self, peer: PeerId) {
        self.peers.disconnect(&peer);
        self.sync.disconnect(&peer);
        self.give_up_on(peer);
    }

    /// Takes a message that arrived; it is worked on in the next turn.
    pub fn deliver(&mut self, from: PeerId, bytes: &[u8], now_ms: u64) -> Delivery {
        self.now_ms = self.now_ms.max(now_ms);
        let now_ms = self.now_ms;
        let Some(peer) = self.peers.get_mut(&from) else {
            self.refuse(from, Fault::NotConnected);
            return Delivery::Refused;
        };
        let message = match PeerMessage::decode(bytes) {
            Ok(message) => message,
            Err(error) => {
                self.refuse(from, error.into());
                return Delivery::Refused;
            }
        };
        peer.heard_ms = Some(now_ms);
        let class = message.class();
        if self.inbox.push(from, message, bytes.len()) {
            Delivery::Taken
        } else {
            Delivery::Full(class)
        }
    }

    /// Does everything that can be done now.
    ///
    /// # Errors
    ///
    /// [`Halted`]; the caller stops calling and raises an alarm.
    pub fn turn(&mut self, now_ms: u64) -> Result<Turn, Halted> {
        self.now_ms = self.now_ms.max(now_ms);
        self.peers.begin_turn();
        match self.work() {
            Ok(()) => self.resume(),
            Err(Stop::Full(reason)) => self.suspend(reason),
            Err(Stop::Halt(reason)) => {
                self.shared.halt(&reason);
                return Err(Halted(reason));
            }
        }
        self.look_around();
        Ok(Turn { deadline_ms: self.deadline() })
    }

    /// Takes what is to be sent, in order.
    #[must_use]
    pub fn take_outbox(&mut self) -> Vec<Outgoing> {
        std::mem::take(&mut self.outbox)
    }

    /// Takes what happened, oldest first.
    #[must_use]
    pub fn take_events(&mut self) -> Vec<OrderEvent> {
        self.reports.drain(..).collect()
    }

    /// Sleeps until a transaction arrives, a [`Waker`] is used, or `at_most` is over; for the
    /// owner's loop.
    pub fn wait(&self, at_most: std::time::Duration) {
        self.shared.mempool.wait(at_most);
    }

    /// Wakes the owner's loop from another thread, such as one that reads from a link.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.shared))
    }

    /// Ends ordering in order: the consensus log states its floor durably.
    pub(crate) fn close(self) -> Result<(), StorageError> {
        self.wal.close()
    }

    /// Whether the channel takes no more transactions and every one taken has been answered.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        let mempool = &self.shared.mempool;
        if !mempool.is_closed() {
            return false;
        }
        // Among several validators the others go on with what is left, and so does whoever has the key
        // of the only one.
        if self.shared.epoch().validators.len() > 1 || !self.votes() {
            return !mempool.has_callers();
        }
        mempool.is_empty() && self.running.is_none() && !self.shared.ledger.has_unproven_results()
    }

    /// One thing after the other until nothing is left.
    fn work(&mut self) -> Result<(), Stop> {
        if self.watch.is_resting(self.now_ms) {
            // The disk is full: nothing may be signed, but peers that are late are still served.
            while self.receive_resting() {}
            return Ok(());
        }
        loop {
            self.release()?;
            self.join_in()?;
            self.perform()?;
            let progress = self.start_height()?
                || self.answer_wanted()?
                || self.feed()?
                || self.receive()?
                || self.fire_timers()
                || self.apply_synced()?
                || self.verify_own();
            if !progress {
                break;
            }
        }
        self.ask_for_bodies();
        self.ask_for_blocks();
        self.pass_on();
        Ok(())
    }

    /// Starts the next height if there is reason to.
    fn start_height(&mut self) -> Result<bool, Stop> {
        let height = self.next_height();
        if self.running.is_some() || !(self.has_work() || self.roused >= height) || !self.votes() {
            return Ok(false);
        }
        if self.engine.is_decided() && self.engine.height() >= height {
            // Decided here, but its body is missing: peers have the block.
            return Ok(false);
        }
        self.check_space()?;
        self.running = Some(height);
        let set = self.shared.epoch().validators.clone();
        let actions = self.engine.start(height, set)?;
        self.actions.extend(actions);
        self.perform()?;
        for early in self.bodies.take_early(height) {
            self.take_body(early.from, early.round, early.hash, early.block)?;
        }
        Ok(true)
    }

    /// Gives the core its next event.
    fn feed(&mut self) -> Result<bool, Stop> {
        let Some(event) = self.events.pop_front() else { return Ok(false) };
        self.step(event)?;
        Ok(true)
    }

    fn step(&mut self, event: Event) -> Result<(), Stop> {
        let actions = self.engine.step(event)?;
        self.actions.extend(actions);
        self.perform()
    }

    fn has_work(&self) -> bool {
        !self.shared.mempool.is_empty() || self.shared.ledger.has_unproven_results()
    }

    /// Whether this node is a validator of the next height.
    fn votes(&self) -> bool {
        let epoch = self.shared.epoch();
        let remembers = self.held.is_none() && self.newcomer.is_none();
        remembers && self.own.is_some_and(|own| epoch.validators.position(&own).is_some())
    }

    /// Whether it is the only one.
    fn is_alone(&self) -> bool {
        self.shared.epoch().validators.len() == 1 && self.votes()
    }

    fn next_height(&self) -> u64 {
        self.shared.ledger.height().saturating_add(1)
    }

    fn fire_timers(&mut self) -> bool {
        let due = |(token, at): (&TimeoutToken, &u64)| (*at <= self.now_ms).then_some(*token);
        let due: Vec<TimeoutToken> = self.timers.iter().filter_map(due).collect();
        for token in &due {
            self.timers.remove(token);
            self.events.push_back(Event::Timeout(*token));
            if token.kind == changbai_consensus::TimeoutKind::Rebroadcast {
                self.repeat_proposal(token.height, token.round);
            }
        }
        !due.is_empty()
    }

    fn restore_body(&mut self, own: bool, record: &[u8]) -> Result<(), Halted> {
        let broken = |reason: String| {
            Halted(format!("a block in the consensus log does not decode: {reason}"))
        };
        let (round, bytes) =
            record.split_first_chunk::<4>().ok_or_else(|| broken("too short".to_owned()))?;
        let round = u32::from_be_bytes(*round);
        let block = Block::from_bytes(bytes).map_err(broken)?;
        let body =
            Body::open(block, &self.shared.mempool).map_err(|fault| broken(fault.to_string()))?;
        if own {
            self.bodies.own = Some((round, body.hash));
        }
        self.bodies.insert(Known { body, standing: Standing::Good, round }, None);
        Ok(())
    }

    fn report(&mut self, event: OrderEvent) {
        if self.reports.len() >= EVENTS_MAX {
            self.reports.pop_front();
        }
        self.reports.push_back(event);
    }

    fn refuse(&mut self, peer: PeerId, fault: Fault) {
        self.report(OrderEvent::Refused { peer, fault });
    }

    /// Puts a message into the outbox. What has no encoding is larger than any peer would take.
    fn send(&mut self, to: Destination, message: &PeerMessage) -> Option<Bytes> {
        let bytes = Bytes::from(message.encode().ok()?);
        if !self.peers.is_empty() {
            self.outbox.push(Outgoing { to, class: message.class(), bytes: bytes.clone() });
        }
        Some(bytes)
    }
}

/// Wakes the loop of an [`Orderer`]'s owner.
#[derive(Debug, Clone)]
pub struct Waker(Arc<Shared>);

impl Waker {
    /// Ends a running or the next [`Orderer::wait`].
    pub fn wake(&self) {
        self.0.mempool.signal();
    }
}

impl From<StorageError> for Stop {
    fn from(error: StorageError) -> Self {
        if error.is_full() { Self::Full(error.to_string()) } else { Self::Halt(error.to_string()) }
    }
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        Self::Halt(error.to_string())
    }
}

//! An in-memory network of engines in virtual time: one heap of events, no clock, no threads.
//!
//! Each node has a disk (durable and unflushed log records, built blocks, decided blocks) that
//! outlives its engine. The network checks on the fly that nothing signed leaves before a flush,
//! that no key signs two statements for one place, and that nobody decides differently.

use std::collections::{BTreeMap, BTreeSet};

use changbai_consensus::{
    Action, CommitCertificate, Engine, Equivocation, Event, Origin, TimeoutToken, ValidatorSet,
    WalRecord,
};
use changbai_wire::ValidatorAddress;
use smkit::{Sm3Digest, sm2::SigningKey};

use crate::support::{CHANNEL, Place, address, block, set, statement};

/// What survives a crash, and what does not: the unflushed tail of the log.
#[derive(Debug, Default)]
pub struct Disk {
    pub durable: Vec<WalRecord>,
    pub buffered: Vec<WalRecord>,
    pub built: BTreeMap<(u64, u32), Sm3Digest>,
    pub chain: Vec<CommitCertificate>,
}

/// When a node crashes: before its n-th action; what it loses.
#[derive(Clone, Copy, Debug)]
pub struct Crash {
    pub before_action: usize,
    /// How many unflushed records survive.
    pub surviving: usize,
    /// Whether the flushed records and the built blocks are lost as well: a fault that no honest
    /// disk has, to see the checks of this network fail.
    pub amnesia: bool,
}

pub struct Node {
    pub key: SigningKey,
    pub engine: Engine,
    pub disk: Disk,
    pub misbehaviour: Vec<Equivocation>,
    pub performed: usize,
    pub crashes: Vec<Crash>,
    pub up: bool,
    timers: BTreeMap<TimeoutToken, u64>,
}

#[derive(Clone, Debug)]
enum Arrival {
    Message(Vec<u8>),
    Body { height: u64, round: u32, proposer: ValidatorAddress, block: Sm3Digest },
    Timer { token: TimeoutToken, at: u64 },
}

pub struct Network {
    pub nodes: Vec<Node>,
    pub set: ValidatorSet,
    pub target: u64,
    pub restarts: usize,
    heap: BTreeMap<(u64, u64), (usize, Arrival)>,
    bodies: BTreeSet<(u64, u32, ValidatorAddress, Sm3Digest)>,
    statements: BTreeMap<Place, Vec<u8>>,
    signatures: BTreeMap<Vec<u8>, Vec<u8>>,
    decided: BTreeMap<u64, Sm3Digest>,
    now: u64,
    sequence: u64,
}

impl Network {
    /// Nodes that will decide the heights up to `target`; not started yet.
    pub fn new(keys: &[SigningKey], target: u64) -> Self {
        let set = set(keys);
        let node = |key: &SigningKey| Node {
            key: key.clone(),
            engine: Engine::new(CHANNEL, Some(key.clone()), 1, set.clone()),
            disk: Disk::default(),
            misbehaviour: Vec::new(),
            performed: 0,
            crashes: Vec::new(),
            up: true,
            timers: BTreeMap::new(),
        };
        Self {
            nodes: keys.iter().map(node).collect(),
            set: set.clone(),
            target,
            restarts: 0,
            heap: BTreeMap::new(),
            bodies: BTreeSet::new(),
            statements: BTreeMap::new(),
            signatures: BTreeMap::new(),
            decided: BTreeMap::new(),
            now: 0,
            sequence: 0,
        }
    }

    pub fn start(&mut self) {
        for at in 0..self.nodes.len() {
            if self.nodes[at].up {
                self.restart(at);
            }
        }
    }

    /// Runs until every node that is up has decided the target; panics when it takes too long.
    pub fn run(&mut self) {
        for _ in 0..200_000 {
            if self.nodes.iter().all(|node| !node.up || node.height() >= self.target) {
                return;
            }
            let Some(((now, _), (to, arrival))) = self.heap.pop_first() else {
                panic!("nothing left to happen before the target was reached");
            };
            self.now = now;
            self.arrive(to, arrival);
        }
        panic!("no progress");
    }

    pub fn inject(&mut self, to: usize, message: Vec<u8>) {
        self.push(to, 1, Arrival::Message(message));
    }

    fn arrive(&mut self, to: usize, arrival: Arrival) {
        if !self.nodes[to].up {
            return;
        }
        let event = match arrival {
            Arrival::Message(bytes) => Event::Message(bytes),
            Arrival::Body { height, round, proposer, block } => {
                let origin = Origin::Consensus;
                Event::Validated { height, round, proposer, block, valid: true, origin }
            }
            Arrival::Timer { token, at } => {
                if self.nodes[to].timers.get(&token) != Some(&at) {
                    return;
                }
                self.nodes[to].timers.remove(&token);
                self.catch_up(to);
                Event::Timeout(token)
            }
        };
        self.step(to, event);
    }

    /// A late node asks whoever is ahead for the certificate of its height.
    fn catch_up(&mut self, at: usize) {
        let height = self.nodes[at].engine.height();
        let position = usize::try_from(height).unwrap() - 1;
        let ahead = self.nodes.iter().find_map(|node| node.disk.chain.get(position));
        if let (Some(certificate), false) = (ahead.cloned(), self.nodes[at].engine.is_decided()) {
            self.step(at, Event::Synced { certificate });
        }
    }

    fn step(&mut self, at: usize, event: Event) {
        let actions = self.nodes[at].engine.step(event).expect("no engine halts");
        self.perform(at, actions);
    }

    fn perform(&mut self, at: usize, actions: Vec<Action>) {
        let mut events = Vec::new();
        let mut finalized = None;
        for action in actions {
            let node = &mut self.nodes[at];
            if node.crashes.first().is_some_and(|crash| crash.before_action == node.performed) {
                let crash = node.crashes.remove(0);
                let surviving = crash.surviving.min(node.disk.buffered.len());
                let survivors: Vec<_> = node.disk.buffered.drain(..surviving).collect();
                node.disk.durable.extend(survivors);
                if crash.amnesia {
                    node.disk.durable.clear();
                    node.disk.built.clear();
                }
                return self.restart(at);
            }
            node.performed += 1;
            match action {
                Action::Wal(record) => node.disk.buffered.push(record),
                Action::Flush => node.disk.durable.append(&mut node.disk.buffered),
                Action::Broadcast(bytes) | Action::BroadcastBestEffort(bytes) => {
                    self.broadcast(at, bytes);
                }
                Action::Schedule { token, duration_ms } => {
                    let due = self.now + duration_ms;
                    node.timers.insert(token, due);
                    self.push(at, duration_ms, Arrival::Timer { token, at: due });
                }
                Action::Cancel(token) => drop(node.timers.remove(&token)),
                Action::CancelAll => node.timers.clear(),
                Action::NeedBlock { height, round } => {
                    let name = format!("{height}/{round}/{at}/{}", self.restarts);
                    let place = (height, round);
                    let chosen = *node.disk.built.entry(place).or_insert_with(|| block(&name));
                    self.send_body(at, height, round, chosen);
                    events.push(Event::Built { height, round, block: chosen });
                }
                Action::Restream { height, round, block } => {
                    self.send_body(at, height, round, block);
                }
                Action::Certified { height, round, proposer, block } => {
                    let origin = Origin::Sync;
                    let valid = true;
                    events.push(Event::Validated { height, round, proposer, block, valid, origin });
                }
                Action::Decided(certificate) => self.decide(at, certificate),
                Action::Finalized { height, misbehaviour } => {
                    node.misbehaviour.extend(misbehaviour);
                    finalized = Some(height);
                }
                Action::Proposed { .. } | Action::RoundStarted { .. } => {}
                Action::Refused(refusal) => panic!("node {at} refused: {refusal}"),
            }
        }
        for event in events {
            self.step(at, event);
        }
        if let Some(height) = finalized.filter(|height| *height < self.target) {
            self.nodes[at].disk.durable.clear();
            self.nodes[at].disk.buffered.clear();
            let actions = self.nodes[at].engine.start(height + 1, self.set.clone()).unwrap();
            self.perform(at, actions);
        }
    }

    /// A new engine on the same disk: at the first start nothing is logged.
    fn restart(&mut self, at: usize) {
        self.restarts += 1;
        let node = &mut self.nodes[at];
        node.timers.clear();
        node.disk.buffered.clear();
        let height = node.height() + 1;
        if height > self.target {
            return;
        }
        node.engine = Engine::new(CHANNEL, Some(node.key.clone()), height, self.set.clone());
        let log = node.disk.durable.clone();
        let actions = node.engine.recover(height, self.set.clone(), &log).expect("log replays");
        // Others still have the bodies of this height; a restarted node asks for them.
        for (height, round, proposer, block) in self.bodies.clone() {
            self.push(at, 5, Arrival::Body { height, round, proposer, block });
        }
        self.perform(at, actions);
    }

    fn broadcast(&mut self, from: usize, bytes: Vec<u8>) {
        assert!(self.nodes[from].disk.buffered.is_empty(), "sent before the log was flushed");
        if let Some((place, content)) = statement(&bytes) {
            assert_eq!(place.0, *address(&self.nodes[from].key).as_bytes(), "only own statements");
            let known = self.statements.entry(place).or_insert_with(|| content.clone());
            assert_eq!(*known, content, "a second statement for {place:?}");
            let known = self.signatures.entry(content).or_insert_with(|| bytes.clone());
            assert_eq!(*known, bytes, "a second signature for one statement");
        }
        for to in (0..self.nodes.len()).filter(|to| *to != from) {
            // Different, but fixed, delays for every pair of nodes.
            let delay = 1 + ((from * 7 + to * 3) % 5) as u64;
            self.push(to, delay, Arrival::Message(bytes.clone()));
        }
    }

    fn send_body(&mut self, from: usize, height: u64, round: u32, block: Sm3Digest) {
        let proposer = address(&self.nodes[from].key);
        self.bodies.insert((height, round, proposer, block));
        for to in (0..self.nodes.len()).filter(|to| *to != from) {
            self.push(to, 3, Arrival::Body { height, round, proposer, block });
        }
    }

    fn decide(&mut self, at: usize, certificate: CommitCertificate) {
        let node = &mut self.nodes[at];
        assert!(node.disk.buffered.is_empty(), "decided before the log was flushed");
        assert_eq!(certificate.height, node.height() + 1, "one decision for each height");
        certificate.verify(CHANNEL, &self.set).expect("a certificate that holds");
        let agreed = self.decided.entry(certificate.height).or_insert(certificate.block);
        assert_eq!(*agreed, certificate.block, "agreement");
        node.disk.chain.push(certificate);
    }

    fn push(&mut self, to: usize, delay: u64, arrival: Arrival) {
        self.sequence += 1;
        self.heap.insert((self.now + delay, self.sequence), (to, arrival));
    }
}

impl Node {
    /// Number of the last decided block.
    pub fn height(&self) -> u64 {
        self.disk.chain.len() as u64
    }
}

//! Several nodes in one thread and in virtual time: messages arrive at once and in order.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use changbai_channel::{
    Delivery, Destination, Endorsed, OpenError, OrderEvent, Outcome, PeerId, SigningIdentity,
};
use changbai_storage::MemoryIndex;
use changbai_storage::faulty::FaultyFiles;
use smkit::sm2::SigningKey;
use tokio::sync::oneshot::Receiver;

use crate::world::{NOW, Running, World};

pub(crate) struct Net<'w> {
    pub(crate) world: &'w World,
    pub(crate) nodes: Vec<Member>,
    pub(crate) now_ms: u64,
    /// Pairs that do not hear each other.
    pub(crate) cut: BTreeSet<(usize, usize)>,
    pub(crate) sent: usize,
}

pub(crate) struct Member {
    pub(crate) id: PeerId,
    pub(crate) files: FaultyFiles,
    index: MemoryIndex,
    pub(crate) running: Option<Running>,
    pub(crate) events: Vec<OrderEvent>,
    endorser: SigningIdentity,
    pub(crate) key: Option<SigningKey>,
    deadline_ms: Option<u64>,
}

impl<'w> Net<'w> {
    /// All validators of the world, and `followers` more nodes, connected to each other.
    pub(crate) fn new(world: &'w World, followers: usize) -> Self {
        let cut = BTreeSet::new();
        let mut net = Self { world, nodes: Vec::new(), now_ms: 1_000, cut, sent: 0 };
        for validator in &world.validators {
            net.add(validator.id(), validator.peer.clone(), Some(validator.key.clone()));
        }
        for _ in 0..followers {
            let (peer, _, key) = crate::world::member(&world.authority, &["peer"]);
            let public = key.verifying_key().public_key();
            let id = changbai_wire::ValidatorAddress::for_key(public).into();
            net.add(id, peer, None);
        }
        net
    }

    pub(crate) fn add(
        &mut self,
        id: PeerId,
        endorser: SigningIdentity,
        key: Option<SigningKey>,
    ) -> usize {
        self.nodes.push(Member {
            id,
            files: FaultyFiles::new(),
            index: MemoryIndex::new(),
            running: None,
            events: Vec::new(),
            endorser,
            key,
            deadline_ms: None,
        });
        let at = self.nodes.len() - 1;
        self.start(at);
        at
    }

    pub(crate) fn start(&mut self, at: usize) {
        self.try_start(at, false).unwrap();
    }

    pub(crate) fn try_start(&mut self, at: usize, repair: bool) -> Result<(), OpenError> {
        let node = &self.nodes[at];
        let files = Arc::new(node.files.clone());
        let index = Some(node.index.clone());
        let (endorser, key) = (node.endorser.clone(), node.key.clone());
        let dir = Path::new("/node");
        let opened = self.world.open_as(dir, files, index, endorser, key, self.now_ms, repair)?;
        self.nodes[at].running = Some(opened);
        for other in 0..self.nodes.len() {
            if other != at && self.nodes[other].running.is_some() {
                self.connect(at, other);
            }
        }
        Ok(())
    }

    /// The process dies; unsynced writes are lost, and the index with them.
    pub(crate) fn kill(&mut self, at: usize) {
        self.nodes[at].running = None;
        self.nodes[at].deadline_ms = None;
        let files = self.nodes[at].files.crash(changbai_storage::faulty::Survive::Nothing);
        self.nodes[at].files = files;
        self.nodes[at].index.clear();
        let id = self.nodes[at].id;
        for node in self.nodes.iter_mut().filter_map(|node| node.running.as_mut()) {
            node.orderer.disconnect(id);
        }
    }

    fn connect(&mut self, a: usize, b: usize) {
        let (id_a, id_b) = (self.nodes[a].id, self.nodes[b].id);
        self.node(a).orderer.connect(id_b);
        self.node(b).orderer.connect(id_a);
    }

    pub(crate) fn node(&mut self, at: usize) -> &mut Running {
        self.nodes[at].running.as_mut().unwrap()
    }

    /// Endorses at one node and hands the transaction in there.
    pub(crate) fn submit(&mut self, at: usize, words: &[&str]) -> (Endorsed, Receiver<Outcome>) {
        let world = self.world;
        let endorsed = self.node(at).endorse(world, words);
        let outcome = self.node(at).send(&endorsed.envelope);
        (endorsed, outcome)
    }

    /// Lets everything happen that happens within `millis` of virtual time.
    pub(crate) fn run(&mut self, millis: u64) {
        let end = self.now_ms + millis;
        loop {
            while self.round() {}
            let next = self.nodes.iter().filter_map(|node| node.deadline_ms).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now_ms = next.max(self.now_ms + 1);
            self.world.clock.set(changbai_wire::time::UnixMillis(NOW.0 + self.now_ms));
        }
        self.now_ms = end;
        self.world.clock.set(changbai_wire::time::UnixMillis(NOW.0 + self.now_ms));
    }

    /// One turn of every node; whether any message was on its way.
    fn round(&mut self) -> bool {
        let mut any = false;
        for at in 0..self.nodes.len() {
            let now_ms = self.now_ms;
            let Some(running) = self.nodes[at].running.as_mut() else { continue };
            let Ok(turn) = running.orderer.turn(now_ms) else {
                self.nodes[at].deadline_ms = None;
                continue;
            };
            let out = running.orderer.take_outbox();
            let events = running.orderer.take_events();
            let validators = running.channel.config().validators.clone();
            let validators: BTreeSet<PeerId> = validators
                .iter()
                .map(|v| changbai_wire::ValidatorAddress::for_key(v.certificate.public_key()))
                .map(PeerId::from)
                .collect();
            self.nodes[at].events.extend(events);
            self.nodes[at].deadline_ms = turn.deadline_ms;
            any |= turn.deadline_ms == Some(now_ms);
            let from = self.nodes[at].id;
            for message in out {
                for to in 0..self.nodes.len() {
                    let id = self.nodes[to].id;
                    let meant = match message.to {
                        Destination::All => true,
                        Destination::Peer(peer) => peer == id,
                        Destination::Validators => validators.contains(&id),
                        Destination::Followers => !validators.contains(&id),
                    };
                    if !meant || to == at || self.cut.contains(&(at, to)) {
                        continue;
                    }
                    let Some(node) = self.nodes[to].running.as_mut() else { continue };
                    self.sent += 1;
                    any = true;
                    let delivery = node.orderer.deliver(from, &message.bytes, now_ms);
                    assert_eq!(delivery, Delivery::Taken);
                }
            }
        }
        any
    }

    /// Heights of all nodes that are up: blocks, genesis included.
    pub(crate) fn heights(&self) -> Vec<u64> {
        let running = self.nodes.iter().filter_map(|node| node.running.as_ref());
        running.map(|node| node.channel.status().height).collect()
    }

    /// Asserts that all nodes that are up have the same blocks and the same state.
    pub(crate) fn assert_equal(&self) {
        let mut all = self.nodes.iter().filter_map(|node| node.running.as_ref());
        let first = &all.next().unwrap().channel;
        let height = first.status().height;
        for node in all {
            assert_eq!(node.channel.status().height, height);
            assert_eq!(node.channel.status().tip, first.status().tip);
            for number in 0..height {
                let [ours, theirs] = [first, &node.channel].map(|c| c.block(number).unwrap());
                let [ours, theirs] = [ours, theirs].map(Option::unwrap);
                assert_eq!((ours.header, ours.codes), (theirs.header, theirs.codes));
            }
        }
    }
}

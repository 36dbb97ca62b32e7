//! Catching up: decided blocks from peers that are ahead, under their certificates.

use std::collections::VecDeque;

use changbai_consensus::{Action, Event};
use changbai_wire::{PeerMessage, PeerStatus};
use smkit::sm3::Sm3Digest;

use super::bodies::{Known, Standing};
use super::event::{Destination, Fault, OrderEvent, PeerId};
use super::judge::diverged;
use super::{Orderer, Stop};
use crate::block::Block;
use crate::body::{self, Body};
use crate::limits::{SYNC_BLOCKS_MAX, SYNC_BYTES_MAX};

/// What is asked for and what has come.
#[derive(Debug, Default)]
pub(super) struct Sync {
    request: Option<Request>,
    /// Blocks that came, in order, the first for the next height; and from whom.
    ready: VecDeque<Vec<u8>>,
    source: Option<PeerId>,
    /// The block whose certificate the core is judging.
    offer: Option<(PeerId, Body)>,
    refused: bool,
    /// A block of a peer is being applied.
    pub(super) applying: bool,
    behind_since_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Request {
    peer: PeerId,
    from: u64,
    until_ms: u64,
}

impl Sync {
    pub(super) fn disconnect(&mut self, peer: &PeerId) {
        if self.request.is_some_and(|request| request.peer == *peer) {
            self.request = None;
        }
    }

    /// The body that came with a certificate, once the core has found that to hold.
    pub(super) fn take_offer(&mut self, hash: &Sm3Digest) -> Option<Body> {
        self.offer.take_if(|(_, body)| body.hash == *hash).map(|(_, body)| body)
    }

    /// The core refused the certificate on offer: who sent it.
    pub(super) fn drop_offer(&mut self) -> Option<PeerId> {
        let (peer, _) = self.offer.take()?;
        self.ready.clear();
        self.refused = true;
        Some(peer)
    }
}

impl Orderer {
    /// Tells a peer where this node stands, but not all the time.
    pub(super) fn tell(&mut self, to: PeerId) {
        let now_ms = self.now_ms;
        let pause_ms = self.tuning.heartbeat_ms / 4;
        let Some(peer) = self.peers.get_mut(&to) else { return };
        if peer.told_ms.is_some_and(|at| now_ms < at.saturating_add(pause_ms)) {
            return;
        }
        peer.told_ms = Some(now_ms);
        let status = PeerMessage::Status(self.status());
        self.send(Destination::Peer(to), &status);
    }

    pub(super) fn status(&self) -> PeerStatus {
        let tip = self.shared.ledger.tip();
        PeerStatus {
            genesis: self.shared.genesis,
            height: tip.header.number,
            tip: tip.hash,
            config_number: self.shared.epoch().config.sequence,
        }
    }

    pub(super) fn take_status(&mut self, from: PeerId, status: PeerStatus) {
        if status.genesis != self.shared.genesis {
            self.report(OrderEvent::ForeignGenesis { peer: from });
            return;
        }
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.status = Some(status);
            peer.height = status.height;
        }
        if let Some(newcomer) = &mut self.newcomer {
            newcomer.hear(from, status.height);
        }
    }

    /// Answers a peer that is late.
    pub(super) fn give_blocks(&mut self, to: PeerId, first: u64, count_max: u16) {
        if !self.may_answer(to) {
            return;
        }
        let mut blocks = Vec::new();
        let mut bytes = 0_usize;
        let last = first.saturating_add(u64::from(count_max.min(SYNC_BLOCKS_MAX)));
        for number in first..last.min(self.next_height()) {
            // What cannot be read is not served, nor is it denied; the peer asks somebody else.
            let Ok(Some(block)) = self.shared.ledger.block_bytes(number) else {
                if blocks.is_empty() {
                    return;
                }
                break;
            };
            bytes = bytes.saturating_add(block.len());
            if bytes > SYNC_BYTES_MAX && !blocks.is_empty() {
                break;
            }
            blocks.push(block);
        }
        self.send(Destination::Peer(to), &PeerMessage::Blocks { from: first, blocks });
    }

    /// Takes an answer, or a single block that a peer thinks this node is waiting for.
    pub(super) fn take_blocks(&mut self, peer: PeerId, first: u64, blocks: Vec<Vec<u8>>) {
        let asked = self.sync.request.take_if(|request| request.peer == peer);
        if let Some(request) = asked
            && request.from == first
            && blocks.is_empty()
        {
            self.disbelieve(peer, first);
            return;
        }
        let wanted = asked.is_some() || blocks.len() == 1;
        if wanted && first == self.next_height() && self.sync.ready.is_empty() {
            self.sync.ready = blocks.into();
            self.sync.source = Some(peer);
        }
    }

    /// Applies the next block that has come; false when there is none.
    pub(super) fn apply_synced(&mut self) -> Result<bool, Stop> {
        if self.sync.ready.is_empty() {
            return Ok(false);
        }
        self.check_space()?;
        let (Some(bytes), Some(peer)) = (self.sync.ready.pop_front(), self.sync.source) else {
            return Ok(false);
        };
        let next = self.next_height();
        match Block::from_bytes(&bytes) {
            // Decided here in the meantime.
            Ok(block) if block.header.number < next => {}
            Ok(block) if block.header.number == next => {
                self.sync.applying = true;
                let outcome = self.apply_block(peer, block);
                self.sync.applying = false;
                outcome?;
            }
            Ok(_) => self.sync.ready.clear(),
            Err(reason) => self.reject(peer, next, reason),
        }
        Ok(true)
    }

    fn apply_block(&mut self, peer: PeerId, block: Block) -> Result<(), Stop> {
        let number = block.header.number;
        let Some(certificate) = block.certificate.clone() else {
            self.reject(peer, number, "no certificate".to_owned());
            return Ok(());
        };
        // The codes in it are the peer's; this node finds its own.
        let block = Block { codes: Vec::new(), certificate: None, ..block };
        let body = match Body::open(block, &self.shared.mempool) {
            Ok(body) => body,
            Err(fault) => {
                self.reject(peer, number, fault.to_string());
                return Ok(());
            }
        };
        if self.running == Some(number) && !self.engine.is_decided() {
            self.sync.offer = Some((peer, body.clone()));
            self.sync.refused = false;
            self.step(Event::Synced { certificate: certificate.clone() })?;
            while self.feed()? {}
            self.sync.offer = None;
            if self.shared.ledger.height() >= number || self.sync.refused {
                return Ok(());
            }
        }
        let epoch = self.shared.epoch();
        if let Err(error) = certificate.verify(&epoch.config.channel_id, &epoch.validators) {
            self.reject(peer, number, error.to_string());
            return Ok(());
        }
        if let Err(fault) = body::check(&body, &self.shared.ledger.tip(), &epoch) {
            return Err(diverged(number, &fault));
        }
        let hash = body.hash;
        if !self.bodies.contains(&hash) {
            let known = Known { body, standing: Standing::Good, round: certificate.round };
            self.bodies.insert(known, Some(hash));
        }
        self.actions.clear();
        self.idle();
        // As if the core had decided: a full disk finds the same list to go on with.
        self.actions.push_back(Action::Decided(certificate));
        self.actions.push_back(Action::Finalized { height: number, misbehaviour: Vec::new() });
        self.perform()
    }

    fn reject(&mut self, peer: PeerId, number: u64, reason: String) {
        self.sync.ready.clear();
        self.rest(peer);
        self.refuse(peer, Fault::Block { number, reason });
    }

    /// A peer does not have what it claimed to have.
    fn disbelieve(&mut self, peer: PeerId, first: u64) {
        let height = self.peers.get_mut(&peer).map_or(0, |peer| {
            let claimed = peer.height;
            peer.height = claimed.min(first.saturating_sub(1));
            claimed
        });
        self.rest(peer);
        if height >= first {
            self.refuse(peer, Fault::Claim { height });
        }
    }

    /// Leaves a peer alone for a while.
    fn rest(&mut self, peer: PeerId) {
        let until = self.now_ms.saturating_add(self.tuning.answer_ms.saturating_mul(2));
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.rested_ms = until;
        }
    }

    /// Asks for the next blocks when a peer has them.
    pub(super) fn ask_for_blocks(&mut self) {
        if let Some(request) = self.sync.request.take_if(|r| r.until_ms <= self.now_ms) {
            self.rest(request.peer);
        }
        let tip = self.shared.ledger.height();
        let ahead = self.peers.height();
        if ahead <= tip {
            self.sync.behind_since_ms = None;
            return;
        }
        let since = *self.sync.behind_since_ms.get_or_insert(self.now_ms);
        // One block behind is what everybody is now and then; it usually comes by itself.
        let patient = self.votes() && ahead == tip.saturating_add(1);
        if patient && self.now_ms < since.saturating_add(self.tuning.behind_ms) {
            return;
        }
        if self.sync.request.is_some() || !self.sync.ready.is_empty() {
            return;
        }
        let now_ms = self.now_ms;
        let Some((id, peer)) = self.peers.ahead_of(tip, now_ms) else { return };
        peer.asked_ms = now_ms;
        let from = tip.saturating_add(1);
        let until_ms = now_ms.saturating_add(self.tuning.answer_ms);
        self.sync.request = Some(Request { peer: id, from, until_ms });
        let request = PeerMessage::BlocksRequest { from, count_max: SYNC_BLOCKS_MAX };
        self.send(Destination::Peer(id), &request);
    }

    /// When asking goes on.
    pub(super) fn ask_for_blocks_at(&self) -> Option<u64> {
        if let Some(request) = self.sync.request {
            return Some(request.until_ms);
        }
        let tip = self.shared.ledger.height();
        let since = self.sync.behind_since_ms?;
        let rested = self.peers.rested_at(tip)?;
        Some(rested.max(since.saturating_add(self.tuning.behind_ms)))
    }
}

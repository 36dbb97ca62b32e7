//! Messages from peers, one at a time, the most urgent class first.

use changbai_consensus::{Engine, Event, Peek};
use changbai_wire::{PeerClass, PeerMessage};
use smkit::sm3::Sm3Digest;

use super::event::{Destination, Fault, PeerId};
use super::{Orderer, Stop};
use crate::limits::ANSWERS_PER_TURN_MAX;

/// Heights after the next one whose votes are kept.
const HEIGHTS_AHEAD: u64 = 2;

impl Orderer {
    /// Works on one message; false when there is none.
    pub(super) fn receive(&mut self) -> Result<bool, Stop> {
        let next = PeerClass::ALL.into_iter().find_map(|class| self.inbox.pop(class));
        let Some((from, message)) = next else { return Ok(false) };
        match message {
            PeerMessage::Consensus(bytes) => self.hear(from, bytes)?,
            PeerMessage::Body { height, round, hash, block } => {
                self.receive_body(from, height, round, hash, block)?;
            }
            PeerMessage::BodyRequest { height, hash } => self.give_body(from, height, hash),
            PeerMessage::Status(status) => self.take_status(from, status),
            PeerMessage::BlocksRequest { from: first, count_max } => {
                self.give_blocks(from, first, count_max);
            }
            PeerMessage::Blocks { from: first, blocks } => self.take_blocks(from, first, blocks),
            PeerMessage::Transactions(envelopes) => self.take_transactions(from, envelopes),
        }
        Ok(true)
    }

    /// Works on one message while nothing can be written: peers that are late are served, the rest
    /// will come again or be made up for.
    pub(super) fn receive_resting(&mut self) -> bool {
        let next = PeerClass::ALL.into_iter().find_map(|class| self.inbox.pop(class));
        let Some((from, message)) = next else { return false };
        match message {
            PeerMessage::Status(status) => self.take_status(from, status),
            PeerMessage::BodyRequest { height, hash } => self.give_body(from, height, hash),
            PeerMessage::BlocksRequest { from: first, count_max } => {
                self.give_blocks(from, first, count_max);
            }
            PeerMessage::Consensus(_)
            | PeerMessage::Body { .. }
            | PeerMessage::Blocks { .. }
            | PeerMessage::Transactions(_) => {}
        }
        true
    }

    /// A message of consensus.
    fn hear(&mut self, from: PeerId, bytes: Vec<u8>) -> Result<(), Stop> {
        let Some(Peek { height, statement }) = Engine::peek(&bytes) else {
            self.refuse(from, Fault::Consensus("malformed message".to_owned()));
            return Ok(());
        };
        let next = self.next_height();
        if height < next {
            // Somebody is late.
            self.tell(from);
            return Ok(());
        }
        let votes = self.votes();
        let Some(peer) = self.peers.get_mut(&from) else { return Ok(()) };
        peer.height = peer.height.max(height.saturating_sub(1));
        if !votes {
            return Ok(());
        }
        if self.running.is_none() && height == next {
            let set = self.shared.epoch().validators.clone();
            if !self.engine.is_authentic(&bytes, height, &set) {
                return Ok(());
            }
            self.roused = height;
            self.start_height()?;
        } else if self.running != Some(height) {
            // The core keeps what is for later unverified: little of it, and nothing large.
            let early = statement && height <= next.saturating_add(HEIGHTS_AHEAD);
            if !early || !peer.keep_for_later(height) {
                return Ok(());
            }
        }
        self.sender = Some(from);
        let outcome = self.step(Event::Message(bytes));
        self.sender = None;
        outcome
    }

    /// A peer lacks the body of a block.
    fn give_body(&mut self, to: PeerId, height: u64, hash: Sm3Digest) {
        if !self.may_answer(to) {
            return;
        }
        if self.running == Some(height)
            && let Some(known) = self.bodies.get(&hash)
        {
            let block = known.body.block.to_bytes();
            let message = PeerMessage::Body { height, round: known.round, hash, block };
            self.send(Destination::Peer(to), &message);
        } else if height < self.next_height() {
            self.give_blocks(to, height, 1);
        }
    }

    /// Whether a peer gets another large answer in this turn.
    pub(super) fn may_answer(&mut self, to: PeerId) -> bool {
        let Some(peer) = self.peers.get_mut(&to) else { return false };
        peer.answers = peer.answers.saturating_add(1);
        peer.answers <= ANSWERS_PER_TURN_MAX
    }
}

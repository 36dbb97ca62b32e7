//! Judging bodies before this node votes on them.

use changbai_consensus::{Event, Origin};
use changbai_wire::{PeerMessage, ValidatorAddress};
use smkit::sm3::Sm3Digest;

use super::bodies::{Early, Known, Proposed, Raw, Standing};
use super::event::{Destination, Fault, PeerId};
use super::{Orderer, Stop, WAL_BODY};
use crate::block::Block;
use crate::body::{self, Body, BodyFault};
use crate::signatures;

/// Rounds ahead of the current one whose bodies are kept: as far as the core looks ahead.
const ROUNDS_AHEAD: u32 = 10;

impl Orderer {
    /// A body arrived.
    pub(super) fn receive_body(
        &mut self,
        from: PeerId,
        height: u64,
        round: u32,
        hash: Sm3Digest,
        block: Vec<u8>,
    ) -> Result<(), Stop> {
        if self.running == Some(height) {
            return self.take_body(from, round, hash, block);
        }
        // The proposer may be a block ahead: its next body is kept until this node is there.
        let next = self.next_height();
        let known = self
            .shared
            .epoch()
            .validators
            .members()
            .iter()
            .any(|member| PeerId::from(member.address) == from);
        if known && self.votes() && (next..=next.saturating_add(1)).contains(&height) {
            self.bodies.insert_early(Early { from, height, round, hash, block });
        }
        Ok(())
    }

    /// A body of the height under way: judged if its proposal is known, kept for a while if it may
    /// be on its way.
    pub(super) fn take_body(
        &mut self,
        from: PeerId,
        round: u32,
        hash: Sm3Digest,
        block: Vec<u8>,
    ) -> Result<(), Stop> {
        let Some(height) = self.running.filter(|_| !self.bodies.contains(&hash)) else {
            return Ok(());
        };
        if let Some(proposed) = self.bodies.proposed(&hash).cloned() {
            return self.open_body(from, hash, &block, &proposed);
        }
        let current = self.engine.round();
        let proposer = self.shared.epoch().validators.proposer(height, round).address;
        let timely = (current..=current.saturating_add(ROUNDS_AHEAD)).contains(&round);
        if timely && PeerId::from(proposer) == from {
            self.bodies.insert_raw(hash, Raw { from, round, block });
        }
        Ok(())
    }

    /// A proposer has signed for a block.
    pub(super) fn proposed(&mut self, hash: Sm3Digest, proposed: Proposed) -> Result<(), Stop> {
        let Some(proposed) = self.bodies.propose(hash, proposed).cloned() else { return Ok(()) };
        if self.bodies.contains(&hash) {
            return self.judge(&hash, &proposed);
        }
        if let Some(Raw { from, block, .. }) = self.bodies.take_raw(&hash) {
            return self.open_body(from, hash, &block, &proposed);
        }
        Ok(())
    }

    fn open_body(
        &mut self,
        from: PeerId,
        hash: Sm3Digest,
        bytes: &[u8],
        proposed: &Proposed,
    ) -> Result<(), Stop> {
        let height = self.next_height();
        let opened = Block::from_bytes(bytes).map_err(|_| BodyFault::Malformed).and_then(|block| {
            // Nothing that the header's hash does not cover is taken over.
            let block = Block { codes: Vec::new(), certificate: None, ..block };
            if block.header.hash() == hash { Ok(block) } else { Err(BodyFault::Malformed) }
        });
        let block = match opened {
            Ok(block) => block,
            Err(fault) => {
                // Not the proposed body at all: somebody else may have it.
                self.refuse(from, Fault::Body { height, fault });
                return Ok(());
            }
        };
        match Body::open(block, &self.shared.mempool) {
            Ok(body) => {
                let known = Known { body, standing: Standing::Open, round: proposed.round };
                let keep = self.engine.valid_block();
                self.bodies.insert(known, keep);
                self.judge(&hash, proposed)
            }
            Err(fault) => {
                self.refuse(PeerId::from(proposed.proposer), Fault::Body { height, fault });
                self.tell_core(proposed.round, proposed.proposer, hash, false, Origin::Consensus);
                Ok(())
            }
        }
    }

    /// Says whether a body that is here may be voted for.
    fn judge(&mut self, hash: &Sm3Digest, proposed: &Proposed) -> Result<(), Stop> {
        let Some(known) = self.bodies.get(hash) else { return Ok(()) };
        if !matches!(known.standing, Standing::Open | Standing::Untimely) {
            return Ok(());
        }
        let height = known.body.block.header.number;
        let tip = self.shared.ledger.tip();
        let now = self.shared.clock.now();
        let header = &known.body.block.header;
        let (standing, fault) = match body::check(&known.body, &tip, &self.shared.epoch()) {
            Err(fault) => (Standing::Bad, Some(fault)),
            Ok(()) if !self.tuning.skew.accepts(header, &tip.header, now, proposed.again) => {
                (Standing::Untimely, Some(BodyFault::Time))
            }
            Ok(()) => (Standing::Good, None),
        };
        if let Some(fault) = fault {
            self.refuse(PeerId::from(proposed.proposer), Fault::Body { height, fault });
        }
        self.settle(hash, standing, proposed, Origin::Consensus)
    }

    /// Notes the verdict and tells the core. What may be voted for is in the consensus log first.
    fn settle(
        &mut self,
        hash: &Sm3Digest,
        standing: Standing,
        proposed: &Proposed,
        origin: Origin,
    ) -> Result<(), Stop> {
        let good = standing == Standing::Good;
        if good {
            self.verify_signatures(hash, true);
            self.log_body(hash, proposed.round)?;
        }
        if let Some(known) = self.bodies.get_mut(hash) {
            known.standing = standing;
        }
        self.tell_core(proposed.round, proposed.proposer, *hash, good, origin);
        Ok(())
    }

    /// A certificate of the current height holds: its body counts as good, its time included.
    pub(super) fn certified(
        &mut self,
        round: u32,
        proposer: ValidatorAddress,
        hash: Sm3Digest,
    ) -> Result<(), Stop> {
        if !self.bodies.contains(&hash) {
            let Some(body) = self.sync.take_offer(&hash) else { return Ok(()) };
            let known = Known { body, standing: Standing::Open, round };
            self.bodies.insert(known, Some(hash));
        }
        let Some(known) = self.bodies.get(&hash) else { return Ok(()) };
        if known.standing == Standing::Good {
            self.tell_core(round, proposer, hash, true, Origin::Sync);
            return Ok(());
        }
        let tip = self.shared.ledger.tip();
        if let Err(fault) = body::check(&known.body, &tip, &self.shared.epoch()) {
            return Err(diverged(tip.header.number.saturating_add(1), &fault));
        }
        let proposed = Proposed { round, proposer, again: true, asked: 0, ask_at_ms: 0 };
        self.settle(&hash, Standing::Good, &proposed, Origin::Sync)
    }

    /// Verifies the signatures of a body unless that is done; all of them as one batch.
    pub(super) fn verify_signatures(&mut self, hash: &Sm3Digest, remember: bool) -> bool {
        let Some(known) = self.bodies.get_mut(hash) else { return false };
        if known.body.signatures.is_some() {
            return false;
        }
        let epoch = self.shared.epoch();
        let time_ms = known.body.block.header.time_ms;
        known.body.signatures = Some(signatures::check(
            &self.shared.rules(&epoch),
            &self.shared.verdicts,
            remember,
            time_ms,
            &known.body.transactions,
        ));
        true
    }

    /// Asks for bodies that were proposed and have not come.
    pub(super) fn ask_for_bodies(&mut self) {
        let Some(height) = self.running else { return };
        let epoch = self.shared.epoch();
        let now_ms = self.now_ms;
        let retry_ms = self.tuning.pull_after_ms.saturating_mul(4).max(100);
        let mut requests = Vec::new();
        for (hash, proposed) in self.bodies.missing() {
            if proposed.ask_at_ms > now_ms {
                continue;
            }
            // The proposer first, then every other validator in turn.
            let proposer = PeerId::from(proposed.proposer);
            let others = epoch.validators.members().iter().map(|m| PeerId::from(m.address));
            let own = self.own.map(PeerId::from);
            let all: Vec<PeerId> = std::iter::once(proposer)
                .chain(others.filter(|other| *other != proposer))
                .filter(|peer| Some(*peer) != own && self.peers.contains(peer))
                .collect();
            proposed.ask_at_ms = now_ms.saturating_add(retry_ms);
            if let Some(peer) = proposed.asked.checked_rem(all.len()).and_then(|at| all.get(at)) {
                requests.push((*peer, *hash));
            }
            proposed.asked = proposed.asked.saturating_add(1);
        }
        for (peer, hash) in requests {
            self.send(Destination::Peer(peer), &PeerMessage::BodyRequest { height, hash });
        }
    }

    /// When the next body is asked for.
    pub(super) fn ask_for_bodies_at(&mut self) -> Option<u64> {
        self.running?;
        self.bodies.missing().map(|(_, proposed)| proposed.ask_at_ms).min()
    }

    fn log_body(&mut self, hash: &Sm3Digest, round: u32) -> Result<(), Stop> {
        let Some(known) = self.bodies.get(hash) else { return Ok(()) };
        let mut record = round.to_be_bytes().to_vec();
        record.extend(known.body.block.to_bytes());
        self.wal.append(known.body.block.header.number, WAL_BODY, &record)?;
        Ok(())
    }

    fn tell_core(
        &mut self,
        round: u32,
        proposer: ValidatorAddress,
        block: Sm3Digest,
        valid: bool,
        origin: Origin,
    ) {
        let Some(height) = self.running else { return };
        let event = Event::Validated { height, round, proposer, block, valid, origin };
        self.events.push_back(event);
    }
}

/// A quorum has decided a block that this node's rules refuse. Either more validators than
/// tolerated are faulty, or this node's ledger is not the channel's: it must not go on.
pub(super) fn diverged(number: u64, fault: &BodyFault) -> Stop {
    Stop::Halt(format!("block {number} carries a quorum's certificate, but {fault}"))
}

//! Performs the core's actions in order.

use bytes::Bytes;
use changbai_consensus::{Action, Engine, Refusal, TimeoutKind, TimeoutToken};
use changbai_wire::PeerMessage;

use super::bodies::Proposed;
use super::event::{Destination, Fault, OrderEvent, PeerId};
use super::{Orderer, Outgoing, Stop, Wanted};

impl Orderer {
    /// Performs what is to be done; a failed write ends it before anything behind it happens, and
    /// leaves what a full disk has refused at the front.
    pub(super) fn perform(&mut self) -> Result<(), Stop> {
        while let Some(action) = self.actions.pop_front() {
            if let Err(stop) = self.act(&action) {
                self.actions.push_front(action);
                return Err(stop);
            }
        }
        Ok(())
    }

    fn act(&mut self, action: &Action) -> Result<(), Stop> {
        match action {
            // The core may finish what it began after it has decided: of a block that is durable
            // nothing needs to be remembered, since this node never votes there again.
            Action::Wal(record) if record.height <= self.shared.ledger.height() => {}
            Action::Wal(record) => {
                self.wal.append(record.height, record.kind, &record.bytes)?;
            }
            Action::Flush => self.wal.flush()?,
            Action::Schedule { token, duration_ms } => {
                let duration_ms = self.patience(*token, *duration_ms);
                self.timers.insert(*token, self.now_ms.saturating_add(duration_ms));
            }
            Action::Cancel(token) => drop(self.timers.remove(token)),
            Action::CancelAll => self.timers.clear(),
            Action::NeedBlock { height, round } => {
                let (height, round) = (*height, *round);
                self.wanted = Some(Wanted { height, round, since_ms: self.now_ms });
            }
            Action::Broadcast(bytes) | Action::BroadcastBestEffort(bytes) => self.broadcast(bytes),
            Action::RoundStarted { height, round, proposer } => {
                self.wanted = None;
                self.proposal = None;
                self.said.clear();
                self.watch.round = *round;
                if *round > 0 {
                    let (height, round, proposer) = (*height, *round, *proposer);
                    self.report(OrderEvent::Round { height, round, proposer });
                }
            }
            Action::Proposed { height, round, pol_round, proposer, block } => {
                let proposed = Proposed {
                    round: *round,
                    proposer: *proposer,
                    again: pol_round.is_some(),
                    asked: 0,
                    ask_at_ms: self.now_ms.saturating_add(self.tuning.pull_after_ms),
                };
                if self.running == Some(*height) {
                    self.proposed(*block, proposed)?;
                }
            }
            // The proposal itself names the block, and whoever lacks the body asks for it.
            Action::Restream { .. } => {}
            Action::Certified { round, proposer, block, .. } => {
                self.certified(*round, *proposer, *block)?;
            }
            Action::Decided(certificate) => self.decided(certificate)?,
            Action::Finalized { height, misbehaviour } => {
                self.end_height(*height)?;
                for case in misbehaviour {
                    self.accuse(case);
                }
            }
            Action::Refused(refusal) => self.refused(refusal),
        }
        Ok(())
    }

    /// Ends the height that is durable now: the consensus log forgets it.
    fn end_height(&mut self, height: u64) -> Result<(), Stop> {
        if height > self.shared.ledger.height() {
            // Decided without its body: the log must keep what was promised until it is here.
            return Ok(());
        }
        if self.wal.floor().is_none_or(|floor| floor < height) {
            self.wal.reset(height.saturating_add(1))?;
        }
        self.idle();
        Ok(())
    }

    /// Nothing is under way any more.
    pub(super) fn idle(&mut self) {
        self.running = None;
        self.wanted = None;
        self.proposal = None;
        self.said.clear();
        self.events.clear();
        // What is left are reminders to peers that are late; those are told where this node stands.
        self.timers.clear();
        self.watch.round = 0;
    }

    fn broadcast(&mut self, bytes: &[u8]) {
        if self.is_alone() {
            return;
        }
        let message = PeerMessage::Consensus(bytes.to_vec());
        let Some(sent) = self.send(Destination::Validators, &message) else { return };
        if self.said.len() < SAID_MAX && !self.said.contains(&sent) {
            self.said.push(sent.clone());
        }
        if let (Some(height), Some(round)) = (self.running, Engine::proposal_round(bytes)) {
            self.proposal = Some((height, round, sent));
        }
    }

    /// Tells a validator that has just been linked what it has missed of this round, so that nodes that start
    /// together do not wait for a timeout.
    pub(super) fn say_again(&mut self, peer: PeerId) {
        let to = Destination::Peer(peer);
        let class = changbai_wire::PeerClass::Consensus;
        let again = self.said.iter().map(|bytes| Outgoing { to, class, bytes: bytes.clone() });
        self.outbox.extend(again);
    }

    /// Sends the own proposal again, beside the votes that the core repeats.
    pub(super) fn repeat_proposal(&mut self, height: u64, round: u32) {
        if let Some((at, of_round, bytes)) = &self.proposal
            && (*at, *of_round) == (height, round)
        {
            let class = changbai_wire::PeerClass::Consensus;
            let bytes = Bytes::clone(bytes);
            self.outbox.push(Outgoing { to: Destination::Validators, class, bytes });
        }
    }

    /// How long to wait: an absent proposer's turn is cut short, later rounds being more patient.
    fn patience(&self, token: TimeoutToken, duration_ms: u64) -> u64 {
        if token.kind != TimeoutKind::Propose {
            return duration_ms;
        }
        let epoch = self.shared.epoch();
        let proposer = epoch.validators.proposer(token.height, token.round).address;
        if Some(proposer) == self.own || self.is_heard(PeerId::from(proposer)) {
            return duration_ms;
        }
        let short = self.tuning.absent_propose_ms.saturating_mul(1 << token.round.min(10));
        duration_ms.min(short)
    }

    fn refused(&mut self, refusal: &Refusal) {
        if let Refusal::Certificate { height, reason } = refusal
            && let Some(peer) = self.sync.drop_offer()
        {
            let fault = Fault::Block { number: *height, reason: reason.clone() };
            self.refuse(peer, fault);
        } else if let Some(peer) = self.sender {
            self.refuse(peer, Fault::Consensus(refusal.to_string()));
        }
    }
}

/// Statements of a round that are kept: a proposal, two votes, and certificates beside them.
const SAID_MAX: usize = 8;

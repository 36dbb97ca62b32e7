//! Looking around: heartbeats, who is absent, whether the disk takes writes, and what the status
//! says of all that.

use changbai_consensus::Equivocation;
use changbai_wire::{PeerMessage, quorum};

use super::event::{Destination, OrderEvent, PeerId};
use super::{Orderer, Stop};
use crate::channel::Condition;

/// What a node knows about its own condition.
#[derive(Debug)]
pub(super) struct Watch {
    started_ms: u64,
    heartbeat_ms: u64,
    /// The disk was full: until when nothing is tried.
    resting_until_ms: Option<u64>,
    suspended: Option<String>,
    no_quorum_since_ms: Option<u64>,
    /// Round of the height under way.
    pub(super) round: u32,
}

impl Watch {
    pub(super) fn new(now_ms: u64) -> Self {
        Self {
            started_ms: now_ms,
            heartbeat_ms: now_ms,
            resting_until_ms: None,
            suspended: None,
            no_quorum_since_ms: None,
            round: 0,
        }
    }

    pub(super) fn is_resting(&self, now_ms: u64) -> bool {
        self.resting_until_ms.is_some_and(|until| now_ms < until)
    }
}

impl Orderer {
    /// The disk refused a write for want of space: nothing is signed until it takes it.
    pub(super) fn suspend(&mut self, reason: String) {
        let until = self.now_ms.saturating_add(self.tuning.full_retry_ms.max(1));
        self.watch.resting_until_ms = Some(until);
        if self.watch.suspended.is_none() {
            self.watch.suspended = Some(reason.clone());
            self.report(OrderEvent::Suspended { reason });
        }
    }

    /// Whether the disk has room for what is to be signed next.
    pub(super) fn check_space(&self) -> Result<(), Stop> {
        self.shared.check_space().map_err(Stop::Full)
    }

    /// A turn went through: whatever was refused has been written.
    pub(super) fn resume(&mut self) {
        if self.watch.is_resting(self.now_ms) {
            return;
        }
        self.watch.resting_until_ms = None;
        if self.watch.suspended.take().is_some() {
            self.report(OrderEvent::Resumed);
        }
    }

    /// Whether a validator counts as present. At first everybody does.
    pub(super) fn is_heard(&self, peer: PeerId) -> bool {
        let within_ms = self.tuning.absent_after_ms;
        self.now_ms < self.watch.started_ms.saturating_add(within_ms)
            || self.peers.is_present(&peer, self.now_ms, within_ms)
    }

    /// A validator is proven to have signed two statements in one place.
    pub(super) fn accuse(&mut self, case: &Equivocation) {
        if self.shared.accuse(case) {
            self.report(OrderEvent::Misbehaviour(case.clone()));
        }
    }

    /// The end of every turn.
    pub(super) fn look_around(&mut self) {
        if !self.peers.is_empty()
            && self.now_ms >= self.watch.heartbeat_ms.saturating_add(self.tuning.heartbeat_ms)
        {
            self.watch.heartbeat_ms = self.now_ms;
            let status = PeerMessage::Status(self.status());
            self.send(Destination::All, &status);
        }
        self.count_present();
        self.shared.set_condition(Condition {
            suspended: self.watch.suspended.clone(),
            no_quorum_since_ms: self.watch.no_quorum_since_ms,
            round: self.watch.round,
            validator: self.votes(),
            peers: self.peers.len(),
            peers_height: self.peers.height().saturating_add(1),
            waiting: self.shared.mempool.len(),
        });
    }

    fn count_present(&mut self) {
        let epoch = self.shared.epoch();
        let needed = quorum(epoch.validators.len());
        let members = epoch.validators.members().iter().map(|member| member.address);
        let present = members
            .filter(|address| Some(*address) == self.own || self.is_heard(PeerId::from(*address)))
            .count();
        if present >= needed {
            if self.watch.no_quorum_since_ms.take().is_some() {
                self.report(OrderEvent::QuorumBack);
            }
        } else if self.watch.no_quorum_since_ms.is_none() {
            self.watch.no_quorum_since_ms = Some(self.now_ms);
            self.report(OrderEvent::QuorumLost { present, needed });
        }
    }

    /// When the next turn is due.
    pub(super) fn deadline(&mut self) -> Option<u64> {
        if let Some(until) = self.watch.resting_until_ms {
            return Some(until);
        }
        if self.has_own_to_verify() {
            return Some(self.now_ms);
        }
        let heartbeat = self.watch.heartbeat_ms.saturating_add(self.tuning.heartbeat_ms);
        let heartbeat = (!self.peers.is_empty()).then_some(heartbeat);
        let timer = self.timers.values().min().copied();
        let moments = [
            timer,
            heartbeat,
            self.wanted_by(),
            self.ask_for_bodies_at(),
            self.ask_for_blocks_at(),
        ];
        moments.into_iter().flatten().min()
    }
}

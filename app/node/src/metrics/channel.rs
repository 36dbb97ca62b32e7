//! What is counted of one channel while it works.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use changbai_channel::{BroadcastError, Fault, OrderEvent};

use super::series::{Counter, Labelled, Timing};
use crate::clock_watch::Uptime;

/// Counters and distributions of one channel. Every method may be called from any thread and does not block.
#[derive(Debug)]
pub(crate) struct ChannelMetrics {
    uptime: Uptime,
    pub(super) transactions: Labelled<3, Counter>,
    pub(super) broadcasts: Labelled<1, Timing>,
    pub(super) proposals: Counter,
    pub(super) endorsed: Counter,
    pub(super) endorsements: Labelled<2, Timing>,
    pub(super) decided: Counter,
    pub(super) synced: Counter,
    pub(super) submissions: Labelled<1, Timing>,
    pub(super) turns: Timing,
    pub(super) rounds: Counter,
    pub(super) faults: Labelled<1, Counter>,
    /// When a peer of another genesis block was last met, in milliseconds of uptime plus one; 0 for never.
    foreign_genesis: AtomicU64,
}

impl ChannelMetrics {
    pub(super) fn new(uptime: Uptime) -> Self {
        Self {
            uptime,
            transactions: Labelled::default(),
            broadcasts: Labelled::default(),
            proposals: Counter::default(),
            endorsed: Counter::default(),
            endorsements: Labelled::default(),
            decided: Counter::default(),
            synced: Counter::default(),
            submissions: Labelled::default(),
            turns: Timing::default(),
            rounds: Counter::default(),
            faults: Labelled::default(),
            foreign_genesis: AtomicU64::new(0),
        }
    }

    /// Something happened in the ordering thread.
    pub(crate) fn observe(&self, event: &OrderEvent) {
        match event {
            OrderEvent::Committed { synced, tally, .. } => {
                if *synced { &self.synced } else { &self.decided }.add(1);
                for part in tally {
                    let (kind, contract) = match &part.contract {
                        Some(contract) => (TRANSACTION, contract.as_str()),
                        None => (CONFIGURATION, ""),
                    };
                    let labels = [kind, contract, part.code.name()];
                    self.transactions.of(labels).add(part.count as u64);
                }
            }
            OrderEvent::Round { .. } => self.rounds.add(1),
            OrderEvent::Refused { fault, .. } => self.faults.of([fault_word(fault)]).add(1),
            OrderEvent::ForeignGenesis { .. } => {
                let at_ms = self.uptime.ms().saturating_add(1);
                self.foreign_genesis.store(at_ms, Ordering::Relaxed);
            }
            // Conditions, not counts: the status shows them.
            _ => {}
        }
    }

    /// The ordering thread worked so long before it slept again.
    pub(crate) fn turned(&self, elapsed: Duration) {
        self.turns.observe(elapsed);
    }

    /// A transaction was handed in for ordering; `elapsed` until it was queued or refused.
    pub(crate) fn broadcast<T>(&self, result: &Result<T, BroadcastError>, elapsed: Duration) {
        self.broadcasts.of([broadcast_status(result.as_ref().err())]).observe(elapsed);
    }

    /// A proposal for this contract was simulated, and endorsed if that succeeded.
    pub(crate) fn endorsed(&self, contract: &str, success: bool, elapsed: Duration) {
        self.proposals.add(1);
        if success {
            self.endorsed.add(1);
        }
        let success = if success { "true" } else { "false" };
        self.endorsements.of([contract, success]).observe(elapsed);
    }

    /// A submission came to its end after so long. `outcome` is one of few words: a validation code's name, `refused`,
    /// `unknown`.
    pub(crate) fn submitted(&self, outcome: &str, elapsed: Duration) {
        self.submissions.of([outcome]).observe(elapsed);
    }

    /// Milliseconds since a peer of another genesis block was last met.
    pub(crate) fn foreign_genesis_ago_ms(&self) -> Option<u64> {
        let at_ms = self.foreign_genesis.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.uptime.ms().saturating_sub(at_ms))
    }
}

/// Fabric's `common.HeaderType` of a transaction, as a label.
pub(super) const TRANSACTION: &str = "ENDORSER_TRANSACTION";
/// The same of a configuration.
pub(super) const CONFIGURATION: &str = "CONFIG";

const fn fault_word(fault: &Fault) -> &'static str {
    match fault {
        Fault::Message(_) => "message",
        Fault::Consensus(_) => "consensus",
        Fault::Body { .. } => "body",
        Fault::Block { .. } => "block",
        Fault::Claim { .. } => "claim",
        Fault::Transaction(_) => "transaction",
        Fault::NotConnected => "not_connected",
        _ => "other",
    }
}

/// Fabric answers a broadcast with a `common.Status`; these are its names.
const fn broadcast_status(error: Option<&BroadcastError>) -> &'static str {
    match error {
        None => "SUCCESS",
        Some(
            BroadcastError::Full
            | BroadcastError::Stopping
            | BroadcastError::Suspended { .. }
            | BroadcastError::Halted { .. },
        ) => "SERVICE_UNAVAILABLE",
        Some(BroadcastError::TooLarge { .. }) => "REQUEST_ENTITY_TOO_LARGE",
        Some(BroadcastError::Forbidden | BroadcastError::Identity(_)) => "FORBIDDEN",
        Some(BroadcastError::Storage(_)) => "INTERNAL_SERVER_ERROR",
        Some(_) => "BAD_REQUEST",
    }
}

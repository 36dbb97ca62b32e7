//! Durations that the owner of a channel may choose. None of them is part of the ledger's rules:
//! nodes with different ones agree all the same.

use changbai_consensus::Timeouts;

use crate::body::Skew;

/// How patient a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuning {
    /// Waits of consensus.
    pub timeouts: Timeouts,
    /// How far clocks may be apart.
    pub skew: Skew,
    /// A proposer without anything to propose waits this long for it, in milliseconds, before it
    /// ends the round with an empty block.
    pub empty_after_ms: u64,
    /// How long a proposal's body may be on its way before it is asked for, in milliseconds.
    pub pull_after_ms: u64,
    /// How long a peer has to answer a request, in milliseconds.
    pub answer_ms: u64,
    /// One block behind a peer for so long, in milliseconds: ask for it.
    pub behind_ms: u64,
    /// Every so often a node tells its peers where it stands, in milliseconds.
    pub heartbeat_ms: u64,
    /// A validator not heard for so long, in milliseconds, counts as absent: its turn is cut short
    /// to [`absent_propose_ms`](Self::absent_propose_ms), and without a quorum of the present the
    /// status says so.
    pub absent_after_ms: u64,
    /// Wait for the proposal of an absent validator, in milliseconds.
    pub absent_propose_ms: u64,
    /// With less space on its disk, in bytes, a node begins nothing new that it would have to write.
    pub disk_reserve_bytes: u64,
    /// Waits this long, in milliseconds, before a write to a full disk is tried again.
    pub full_retry_ms: u64,
}

impl Default for Tuning {
    /// For machines of one city: a dead proposer costs 0.6 s once, then 60 ms each turn.
    fn default() -> Self {
        Self {
            timeouts: Timeouts {
                propose_ms: 600,
                propose_delta_ms: 300,
                prevote_ms: 300,
                prevote_delta_ms: 150,
                precommit_ms: 300,
                precommit_delta_ms: 150,
                rebroadcast_ms: 1_000,
                max_ms: 30_000,
            },
            skew: Skew { ahead_ms: 5_000, behind_ms: 30_000 },
            empty_after_ms: 200,
            pull_after_ms: 50,
            answer_ms: 1_000,
            behind_ms: 250,
            heartbeat_ms: 1_000,
            absent_after_ms: 3_000,
            absent_propose_ms: 60,
            disk_reserve_bytes: 256 << 20,
            full_retry_ms: 1_000,
        }
    }
}

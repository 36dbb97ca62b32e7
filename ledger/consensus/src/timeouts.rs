//! How long the engine waits.

use crate::{TimeoutKind, TimeoutToken};

/// Durations in milliseconds; each grows by its `…_delta_ms` per round up to `max_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the proposal and its body.
    pub propose_ms: u64,
    /// Growth of `propose_ms` per round.
    pub propose_delta_ms: u64,
    /// For more prevotes once a quorum disagrees.
    pub prevote_ms: u64,
    /// Growth of `prevote_ms` per round.
    pub prevote_delta_ms: u64,
    /// For more precommits once a quorum disagrees.
    pub precommit_ms: u64,
    /// Growth of `precommit_ms` per round.
    pub precommit_delta_ms: u64,
    /// For progress before the last votes are repeated; grows by the three deltas together.
    pub rebroadcast_ms: u64,
    /// Upper bound of every duration.
    pub max_ms: u64,
}

impl Default for Timeouts {
    /// Those of the core: 3 s, 1 s, 1 s, each half a second more per round; 5 s; at most 60 s.
    fn default() -> Self {
        Self {
            propose_ms: 3_000,
            propose_delta_ms: 500,
            prevote_ms: 1_000,
            prevote_delta_ms: 500,
            precommit_ms: 1_000,
            precommit_delta_ms: 500,
            rebroadcast_ms: 5_000,
            max_ms: 60_000,
        }
    }
}

impl Timeouts {
    /// Duration of the timer `token`, in milliseconds.
    #[must_use]
    pub fn duration_ms(&self, token: TimeoutToken) -> u64 {
        let (base, delta) = match token.kind {
            TimeoutKind::Propose => (self.propose_ms, self.propose_delta_ms),
            TimeoutKind::Prevote => (self.prevote_ms, self.prevote_delta_ms),
            TimeoutKind::Precommit => (self.precommit_ms, self.precommit_delta_ms),
            TimeoutKind::Rebroadcast => {
                let delta = self
                    .propose_delta_ms
                    .saturating_add(self.prevote_delta_ms)
                    .saturating_add(self.precommit_delta_ms);
                (self.rebroadcast_ms, delta)
            }
        };
        base.saturating_add(delta.saturating_mul(token.round.into())).min(self.max_ms)
    }
}

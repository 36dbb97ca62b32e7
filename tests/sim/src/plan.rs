//! What a seed stands for: sizes, how bad the network is, what breaks, who lies.

use crate::rng::Rng;

/// One network and its misfortunes.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Validators.
    pub validators: usize,
    /// Nodes that follow.
    pub followers: usize,
    /// Validators that lie, and how: see [`Vice`].
    pub traitors: usize,
    /// Their ways.
    pub vices: Vec<Vice>,
    /// Messages lost, in a thousand.
    pub loss: u64,
    /// Messages that arrive twice, in a thousand.
    pub twice: u64,
    /// Longest delay of a message, in milliseconds.
    pub delay_ms: u64,
    /// Crashes a node and tick, in a thousand.
    pub crash: u64,
    /// Failures of all machines at once, a tick, in a thousand.
    pub blackout: u64,
    /// Partitions a tick, in a thousand.
    pub partition: u64,
    /// Disk faults a node and tick, in a thousand.
    pub disk: u64,
    /// Flipped bits on a disk of a machine that is down, in a thousand crashes.
    pub flip: u64,
    /// Slow nodes and jumping clocks, a tick, in a thousand.
    pub disturbance: u64,
    /// Transactions handed in.
    pub operations: usize,
    /// Changes of the configuration: validators come, go and get new keys, certificates are revoked.
    pub changes: usize,
    /// How long things break, in milliseconds.
    pub faulty_ms: u64,
}

/// A way of lying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vice {
    /// Proposes two blocks in one round, to different halves.
    Equivocate,
    /// Votes for two blocks.
    DoubleVote,
    /// Keeps bodies to itself.
    Withhold,
    /// Proposes blocks that break rules.
    Invalid,
    /// Speaks of rounds and heights to come.
    Future,
    /// Passes on transactions that nobody signed.
    Forge,
    /// Claims heights that it does not have, and gives blocks that are none.
    Claim,
    /// Votes in the name of others.
    Impersonate,
    /// Sends noise.
    Noise,
}

/// All of them.
pub(crate) const VICES: [Vice; 9] = [
    Vice::Equivocate,
    Vice::DoubleVote,
    Vice::Withhold,
    Vice::Invalid,
    Vice::Future,
    Vice::Forge,
    Vice::Claim,
    Vice::Impersonate,
    Vice::Noise,
];

impl Plan {
    /// The plan of a seed; `validators` overrides its size.
    #[must_use]
    pub(crate) fn new(rng: &mut Rng, validators: Option<usize>) -> Self {
        let chosen = rng.pick(&[1, 4, 4, 4, 4, 4, 4, 4, 4, 7], 4);
        let validators = validators.unwrap_or(chosen);
        let tolerated = validators.saturating_sub(1) / 3;
        let traitors = if rng.chance(600) { rng.place(tolerated + 1) } else { 0 };
        let vices = VICES.into_iter().filter(|_| rng.chance(350)).collect();
        let changes = if rng.chance(500) { 1 + rng.place(3) } else { 0 };
        Self {
            validators,
            followers: usize::from(rng.chance(if changes > 0 { 700 } else { 300 })),
            traitors,
            vices,
            loss: rng.pick(&[0, 0, 10, 50, 150], 0),
            twice: rng.pick(&[0, 0, 20], 0),
            delay_ms: rng.pick(&[4, 40, 40, 150], 40),
            crash: rng.pick(&[0, 20, 40], 0),
            blackout: rng.pick(&[0, 0, 30], 0),
            partition: rng.pick(&[0, 60, 120], 0),
            disk: rng.pick(&[0, 0, 30], 0),
            flip: rng.pick(&[0, 0, 0, 300], 0),
            disturbance: rng.pick(&[0, 0, 60], 0),
            operations: 4 + rng.place(8),
            changes,
            faulty_ms: rng.within(3_000, 7_000),
        }
    }

    /// How many validators may be faulty for good; no change makes them fewer.
    #[must_use]
    pub(crate) fn tolerated(&self) -> usize {
        self.validators.saturating_sub(1) / 3
    }
}

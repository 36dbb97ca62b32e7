//! What goes into the engine and what comes out of it.

use changbai_wire::ValidatorAddress;
use smkit::Sm3Digest;

use crate::{CodecError, CommitCertificate};

/// Something that happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An encoded message of a peer. Malformed ones and those with a wrong signature are
    /// reported as [`Action::Refused`] and change nothing.
    Message(Vec<u8>),
    /// A timer of [`Action::Schedule`] ran out. Tokens of other heights and rounds are ignored.
    Timeout(TimeoutToken),
    /// Answer to [`Action::NeedBlock`]: the block with this header hash is built and durable. After
    /// a restart it must be the block already stored for this height and round.
    Built {
        /// Number of the block.
        height: u64,
        /// The round it was asked for.
        round: u32,
        /// Hash of its header.
        block: Sm3Digest,
    },
    /// A body was validated. A body from a proposer (origin consensus) should be announced only
    /// when it is whole and hashes to `block`.
    Validated {
        /// Number of the block.
        height: u64,
        /// The round it was proposed in.
        round: u32,
        /// Who proposed it.
        proposer: ValidatorAddress,
        /// Hash of its header.
        block: Sm3Digest,
        /// Whether every node that follows the rules would accept it.
        valid: bool,
        /// How the body arrived.
        origin: Origin,
    },
    /// A peer sent block and certificate of the current height. If the certificate holds, the
    /// answer is [`Action::Certified`]: validate the body and report it as [`Event::Validated`]
    /// with [`Origin::Sync`]. Certificates of other heights are ignored.
    Synced {
        /// The peer's claim; nothing in it is trusted.
        certificate: CommitCertificate,
    },
}

/// How a body arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// From the proposer, or a peer that passed it on, in the current height.
    Consensus,
    /// Together with a certificate, from a peer that is ahead.
    Sync,
}

/// Something the caller has to do. The actions of a list are performed in its order; when one
/// of them fails, the caller halts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Append a record to the write-ahead log; need not be durable before the next `Flush`.
    Wal(WalRecord),
    /// Make every record appended so far durable. Comes before anything that carries an own
    /// signature leaves the node.
    Flush,
    /// Send to every other validator.
    Broadcast(Vec<u8>),
    /// Send to every other validator; may be dropped under pressure.
    BroadcastBestEffort(Vec<u8>),
    /// Start a timer that reports [`Event::Timeout`]; replaces a running one with the same token.
    Schedule {
        /// What the timer reports.
        token: TimeoutToken,
        /// After how many milliseconds.
        duration_ms: u64,
    },
    /// Stop this timer, if it runs.
    Cancel(TimeoutToken),
    /// Stop every timer.
    CancelAll,
    /// A round began; its proposer sends a body. For display and for choosing whom to pull from.
    RoundStarted {
        /// The height.
        height: u64,
        /// The round.
        round: u32,
        /// Whose turn it is.
        proposer: ValidatorAddress,
    },
    /// Build a block, store it durably, send its body to the others, then report
    /// [`Event::Built`]. If one is stored for this height and round already, report that one.
    NeedBlock {
        /// Number of the block.
        height: u64,
        /// The round it is for.
        round: u32,
    },
    /// The proposer of this round has signed a proposal: without its body, fetch it; with it,
    /// judge it and report [`Event::Validated`]. Comes again when the proposal does.
    Proposed {
        /// Number of the block.
        height: u64,
        /// The round it is proposed in.
        round: u32,
        /// The earlier round whose prevotes justify proposing it again; `None` for a new block.
        pol_round: Option<u32>,
        /// Who proposes.
        proposer: ValidatorAddress,
        /// Hash of its header.
        block: Sm3Digest,
    },
    /// Send the stored body of this block to the others once more.
    Restream {
        /// Number of the block.
        height: u64,
        /// The round it is proposed in now.
        round: u32,
        /// Hash of its header.
        block: Sm3Digest,
    },
    /// A certificate of [`Event::Synced`] holds: validate the body that came with it.
    Certified {
        /// Number of the block.
        height: u64,
        /// The round it was decided in.
        round: u32,
        /// Who proposed in that round.
        proposer: ValidatorAddress,
        /// Hash of its header.
        block: Sm3Digest,
    },
    /// A block is decided: make it durable together with the certificate. It may be one whose
    /// body only arrived by sync.
    Decided(CommitCertificate),
    /// The height is over. Once the block is durable and the rest of the list is performed:
    /// reset the write-ahead log and start the next height.
    Finalized {
        /// The height.
        height: u64,
        /// Validators caught signing two statements for one place.
        misbehaviour: Vec<Equivocation>,
    },
    /// An input was refused; it changed nothing. Whoever sent it misbehaves or is out of date.
    Refused(Refusal),
}

/// Why an input was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Bytes that are not a message.
    #[error("malformed message: {0}")]
    Malformed(CodecError),
    /// A vote or proposal with a wrong signature.
    #[error("wrong signature in the name of {validator} at height {height}")]
    Signature {
        /// In whose name.
        validator: ValidatorAddress,
        /// At which height.
        height: u64,
    },
    /// A certificate that does not hold.
    #[error("certificate of height {height} does not hold: {reason}")]
    Certificate {
        /// At which height.
        height: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// A record of the write-ahead log (预写日志).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalRecord {
    /// The height it belongs to.
    pub height: u64,
    /// What it holds: 1 vote, 2 proposal, 3 polka certificate, 4 timeout, 5 validated value.
    pub kind: u8,
    /// Its encoding; opaque outside this crate, at most [`crate::limits::MESSAGE_BYTES_MAX`] bytes.
    pub bytes: Vec<u8>,
}

/// A record as read back from the log.
pub type WalEntry = WalRecord;

/// Names a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeoutToken {
    /// The height it belongs to.
    pub height: u64,
    /// The round it belongs to.
    pub round: u32,
    /// What it waits for.
    pub kind: TimeoutKind,
}

/// What a timer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeoutKind {
    /// A proposal; then prevote nil.
    Propose,
    /// More prevotes after a quorum that disagrees; then precommit nil.
    Prevote,
    /// More precommits after a quorum that disagrees; then the next round.
    Precommit,
    /// Progress; then repeat the last votes.
    Rebroadcast,
}

/// The three messages a validator signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageKind {
    /// A proposal of a block.
    Proposal,
    /// A first vote.
    Prevote,
    /// A second vote.
    Precommit,
}

impl std::fmt::Display for MessageKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Proposal => "proposal",
            Self::Prevote => "prevote",
            Self::Precommit => "precommit",
        })
    }
}

/// Two different statements of one validator for one place: proof of misbehaviour (双签).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equivocation {
    /// Who signed both.
    pub validator: ValidatorAddress,
    /// What was signed twice.
    pub kind: MessageKind,
    /// At which height.
    pub height: u64,
    /// In which round.
    pub round: u32,
    /// The message seen first, encoded as on the network.
    pub first: Vec<u8>,
    /// The message that contradicts it.
    pub second: Vec<u8>,
}

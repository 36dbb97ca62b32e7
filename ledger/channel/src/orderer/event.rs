//! What the orderer gives its owner besides blocks: messages to send and things to report.

use bytes::Bytes;
use changbai_consensus::Equivocation;
use changbai_wire::{PeerClass, PeerError, ValidationCode, ValidatorAddress};
use smkit::sm3::Sm3Digest;

use crate::body::BodyFault;

/// Names a node of the channel: SM3 over the 65-byte public key that it authenticates with on the
/// link. For a validator that is its [`ValidatorAddress`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub Sm3Digest);

impl From<ValidatorAddress> for PeerId {
    fn from(address: ValidatorAddress) -> Self {
        Self(*address.digest())
    }
}

impl std::fmt::Display for PeerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// To whom a message goes. Whoever is not connected misses it: the protocol makes up for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// Every other validator of the height under way.
    Validators,
    /// This node.
    Peer(PeerId),
    /// Every connected node that is no validator of the height under way.
    Followers,
    /// Every connected node.
    All,
}

/// A message to be sent, in the order of the outbox within its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// To whom.
    pub to: Destination,
    /// On which stream.
    pub class: PeerClass,
    /// An encoded [`changbai_wire::PeerMessage`]; clones share it.
    pub bytes: Bytes,
}

/// What became of a message handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Delivery {
    /// It waits for the next turn.
    Taken,
    /// Its class is full: a link stops reading bodies and sync, and drops consensus messages.
    Full(PeerClass),
    /// It is no message, or the sender is not connected. Reported as [`OrderEvent::Refused`].
    Refused,
}

/// Something the owner may want to log, count or raise an alarm about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrderEvent {
    /// A block is durable and applied.
    Committed {
        /// Its number.
        number: u64,
        /// Transactions in it.
        transactions: usize,
        /// How many of them took effect.
        valid: usize,
        /// The round it was decided in.
        round: u32,
        /// It came with its certificate from a peer that was ahead.
        synced: bool,
        /// The transactions by contract and code, for whoever counts them.
        tally: Vec<Tally>,
    },
    /// A height needed another round.
    Round {
        /// The height.
        height: u64,
        /// The round, from 1.
        round: u32,
        /// Whose turn it is now.
        proposer: ValidatorAddress,
    },
    /// A peer sent what an honest one would not.
    Refused {
        /// Who sent it.
        peer: PeerId,
        /// What is wrong.
        fault: Fault,
    },
    /// A validator signed two statements in one place. **Alarm.**
    Misbehaviour(Equivocation),
    /// A peer belongs to a channel with another genesis block.
    ForeignGenesis {
        /// Who.
        peer: PeerId,
    },
    /// The configuration changed.
    Configured {
        /// Its sequence.
        sequence: u64,
        /// First height it is in force.
        height: u64,
        /// Validators in it.
        validators: usize,
    },
    /// The disk is full: the node does not vote until there is space. **Alarm.**
    Suspended {
        /// Why.
        reason: String,
    },
    /// The node votes again.
    Resumed,
    /// Too few validators are heard to decide anything. **Alarm.**
    QuorumLost {
        /// Validators heard of late, this one included.
        present: usize,
        /// How many decide.
        needed: usize,
    },
    /// Enough of them are heard again.
    QuorumBack,
}

/// Transactions of one block that called the same contract and ended the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The contract as the transactions name it: any member may have made a name up. None for
    /// configurations.
    pub contract: Option<String>,
    /// What became of them.
    pub code: ValidationCode,
    /// How many.
    pub count: usize,
}

/// What is wrong with something a peer sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Not a message.
    #[error(transparent)]
    Message(#[from] PeerError),
    /// A message of consensus that is malformed or carries a wrong signature.
    #[error("consensus: {0}")]
    Consensus(String),
    /// A block that breaks a rule.
    #[error("block {height}: {fault}")]
    Body {
        /// Number of the block.
        height: u64,
        /// The rule.
        fault: BodyFault,
    },
    /// A decided block that is none: it does not decode, or its certificate does not hold.
    #[error("block {number} of a range: {reason}")]
    Block {
        /// Number of the block.
        number: u64,
        /// What is wrong.
        reason: String,
    },
    /// A peer claimed blocks that it does not give.
    #[error("the peer claims height {height} and does not show it")]
    Claim {
        /// The height claimed.
        height: u64,
    },
    /// A transaction that an honest node would not pass on.
    #[error("a transaction passed on: {0}")]
    Transaction(&'static str),
    /// A message on a link that was not announced, or more links than [`crate::limits::PEERS_MAX`].
    #[error("the peer is not connected")]
    NotConnected,
}

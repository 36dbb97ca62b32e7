//! Why the engine stops.

use changbai_wire::ValidatorAddress;

use crate::{CodecError, MessageKind};

/// A reason to halt: after any of these the engine refuses every further call, and the caller
/// must not vote with this key at this height again before an operator has looked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// An earlier error halted the engine.
    #[error("the consensus engine has halted")]
    Halted,
    /// Heights only grow: the one asked for was already started.
    #[error("height {asked} cannot start after height {current}")]
    Height {
        /// The height the engine is at.
        current: u64,
        /// The height asked for.
        asked: u64,
    },
    /// Recovery after the engine has started.
    #[error("recovery comes before anything else, but height {current} is running")]
    AlreadyStarted {
        /// The height the engine is at.
        current: u64,
    },
    /// A record of the write-ahead log does not decode.
    #[error("write-ahead record {index} is not readable")]
    WalRecord {
        /// Position among the entries given.
        index: usize,
        /// What is wrong with it.
        #[source]
        source: CodecError,
    },
    /// A record of the write-ahead log carries a signature that does not hold in the set.
    #[error("write-ahead record {index} carries a signature that the validator set refutes")]
    WalSignature {
        /// Position among the entries given.
        index: usize,
    },
    /// The write-ahead log is ahead of the block log: a decided block was lost.
    #[error("the write-ahead log has height {found}, but block {height} is missing")]
    WalAhead {
        /// The height to recover.
        height: u64,
        /// A later height in the log.
        found: u64,
    },
    /// Replay derived another statement than the log recorded.
    #[error("replay at height {height}, round {round} derived another {kind} than recorded")]
    Diverged {
        /// What differs.
        kind: MessageKind,
        /// At which height.
        height: u64,
        /// In which round.
        round: u32,
    },
    /// The core asked for a second, different statement in one place. Nothing was signed.
    #[error("refused to sign a second {kind} at height {height}, round {round}")]
    DoubleSign {
        /// What was asked for.
        kind: MessageKind,
        /// At which height.
        height: u64,
        /// In which round.
        round: u32,
    },
    /// The own key has validly signed two statements in one place: it is in use twice, or its
    /// write-ahead log was lost.
    #[error("key of {validator} signed two {kind}s at height {height}, round {round}")]
    KeyUsedTwice {
        /// The own address.
        validator: ValidatorAddress,
        /// What was signed twice.
        kind: MessageKind,
        /// At which height.
        height: u64,
        /// In which round.
        round: u32,
    },
    /// The core asked an observer to sign.
    #[error("this node has no key to sign with")]
    NoKey,
    /// A message of the core has no encoding.
    #[error("a message of the consensus core cannot be encoded")]
    Encoding(#[source] CodecError),
    /// The core failed.
    #[error("the consensus core failed: {reason}")]
    Core {
        /// What it says.
        reason: String,
    },
}

//! What callers are told: outcomes of a broadcast transaction and the reasons for refusals.

use changbai_contract::ContractError;
use changbai_msp::{ConfigUpdateError, Missing};
use changbai_storage::StorageError;
use changbai_wire::{TxId, ValidationCode};

use crate::gateway::EndorserFault;

/// The fate of a transaction, sent once its block is durable.
///
/// A change of the configuration that another one has overtaken is in no block. Its code is
/// [`ValidationCode::InvalidConfigTransaction`], the rest is of the block that was in its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Number of the block that carries the transaction.
    pub block_number: u64,
    /// Place of the transaction within the block, from 0.
    pub index: u32,
    /// [`ValidationCode::Valid`], or why its writes were not applied.
    pub code: ValidationCode,
    /// The block's time: the proposer's clock in Unix milliseconds.
    pub time_ms: u64,
}

/// Why a transaction was not taken for ordering. Nothing changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BroadcastError {
    /// The queue is at its bound; retry after [`crate::limits::RETRY_AFTER_MS`].
    #[error("the queue of waiting transactions is full")]
    Full,
    /// The node is shutting down.
    #[error("the channel is shutting down")]
    Stopping,
    /// The node's disk is full; it goes on once there is space.
    #[error("the channel is suspended: {reason}")]
    Suspended {
        /// What is full.
        reason: String,
    },
    /// The channel halted after a failure that makes signing unsafe.
    #[error("the channel has halted: {reason}")]
    Halted {
        /// What failed.
        reason: String,
    },
    /// The envelope is larger than [`crate::limits::ENVELOPE_BYTES_MAX`].
    #[error("the transaction has {bytes} bytes, more than allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The envelope's structure is wrong.
    #[error("the transaction is malformed ({code:?}): {reason}")]
    Malformed {
        /// The code it would get in a block.
        code: ValidationCode,
        /// What is wrong.
        reason: &'static str,
    },
    /// The transaction names another channel.
    #[error("the transaction is for channel {0}")]
    WrongChannel(String),
    /// The creator is not known to the channel.
    #[error("the creator's identity is not accepted: {0}")]
    Identity(#[from] changbai_msp::IdentityError),
    /// The creator may not write to this channel.
    #[error("the creator may not write to this channel")]
    Forbidden,
    /// The same transaction waits already or is in the ledger.
    #[error("transaction {tx_id} is known already")]
    Duplicate {
        /// Its id.
        tx_id: TxId,
    },
    /// The configuration does not change so; [`ConfigUpdateError::code`] says why.
    #[error("the configuration does not change so ({code}): {0}", code = .0.code())]
    Config(#[from] ConfigUpdateError),
    /// The ledger could not be read.
    #[error("the ledger cannot be read")]
    Storage(#[from] StorageError),
}

/// Whether a transaction with this code keeps its id for itself. A second copy does not. Nor does what
/// its creator did not sign, or a configuration that does not follow: else anybody could use up the
/// id of somebody's transaction, or of an update in a wrapping of his own.
pub(crate) const fn uses_up_id(code: ValidationCode) -> bool {
    !matches!(
        code,
        ValidationCode::DuplicateTxid
            | ValidationCode::BadCreatorSignature
            | ValidationCode::InvalidConfigTransaction
    )
}

/// Why an invocation gave no result. Nothing changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvokeError {
    /// No contract of that name is installed.
    #[error("no contract named {0:?} is defined on this channel")]
    UnknownContract(String),
    /// The contract refused the invocation, or its state could not be read.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The caller is not a member of the channel.
    #[error("the caller's identity is not accepted: {0}")]
    Identity(#[from] changbai_msp::IdentityError),
    /// The proposal's bytes do not form a proposal.
    #[error("the proposal is malformed: {0}")]
    Proposal(String),
    /// The ledger could not be read.
    #[error("the ledger cannot be read")]
    Storage(#[from] StorageError),
    /// The endorsers available do not satisfy the channel's endorsement policy.
    #[error("{missing}{}", listed(faults))]
    NotEndorsed {
        /// Whom it would take.
        missing: Missing,
        /// Who was asked, or had answered, in vain.
        faults: Vec<EndorserFault>,
    },
    /// Endorsers came to another result than this node, also after they were asked again.
    #[error("endorsers came to different results{}", listed(faults))]
    Diverged {
        /// Who did; and who failed otherwise.
        faults: Vec<EndorserFault>,
    },
}

fn listed(faults: &[EndorserFault]) -> String {
    faults.iter().map(|fault| format!("; {fault}")).collect()
}

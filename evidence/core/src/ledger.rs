//! The one door to a ledger.

use std::{future::Future, pin::Pin};

use changbai_merkle::InclusionProof;
use changbai_wire::{Header, TransactionLeaf, ValidationCode, ValidatorAddress};
use smkit::sm3::Sm3Digest;

/// A boxed future, so that [`LedgerClient`] can be a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the evidence domain asks of a ledger. The embedded node is one implementation; a remote gateway another.
///
/// Every method may be cancelled by dropping its future; a cancelled [`submit`](Self::submit) may still be recorded.
pub trait LedgerClient: Send + Sync {
    /// Runs a contract function against committed state and throws its writes away.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] if the contract says no; otherwise the ledger's own trouble.
    fn evaluate(
        &self,
        contract: &str,
        function: &str,
        args: Vec<Vec<u8>>,
    ) -> BoxFuture<'_, Result<Vec<u8>, LedgerError>>;

    /// Endorses, orders and commits one invocation. Resolves when the transaction is durable on a quorum and VALID.
    ///
    /// # Errors
    /// [`LedgerError::Refused`], [`LedgerError::Conflict`], [`LedgerError::Invalid`], [`LedgerError::Busy`] and
    /// [`LedgerError::Unavailable`] promise that nothing was and nothing will be recorded. After
    /// [`LedgerError::Halted`] and [`LedgerError::OutcomeUnknown`] (and any error added later) it may have been.
    fn submit(
        &self,
        contract: &str,
        function: &str,
        args: Vec<Vec<u8>>,
    ) -> BoxFuture<'_, Result<Committed, LedgerError>>;

    /// Everything a receipt needs about one committed transaction.
    ///
    /// # Errors
    /// [`LedgerError::NotYetProven`] until a later header commits to the transaction's block; [`LedgerError::NotFound`].
    fn proof(&self, tx_id: &str) -> BoxFuture<'_, Result<LedgerProof, LedgerError>>;

    /// Where the ledger stands, without waiting.
    fn status(&self) -> LedgerStatus;

    /// One block.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] above the last block.
    fn block(&self, number: u64) -> BoxFuture<'_, Result<BlockView, LedgerError>>;

    /// At most `limit` blocks, downwards from `from` (`None`: from the last one), newest first.
    ///
    /// # Errors
    /// [`LedgerError::Invalid`] for a limit outside the ledger's bounds.
    fn blocks(
        &self,
        from: Option<u64>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<BlockView>, LedgerError>>;

    /// One committed transaction, valid or not.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`].
    fn transaction(&self, tx_id: &str) -> BoxFuture<'_, Result<TransactionView, LedgerError>>;
}

/// Where a transaction was committed as valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Transaction id, 64 lower-case hexadecimal digits.
    pub tx_id: String,
    /// Number of its block.
    pub block_number: u64,
    /// Position in the block, from 0.
    pub index: u32,
    /// The block's time, unix milliseconds.
    pub time_ms: u64,
}

/// The parts of a receipt, as the ledger holds them.
#[derive(Clone, Debug)]
pub struct LedgerProof {
    /// The serialized `common.Envelope` as committed.
    pub envelope: Vec<u8>,
    /// The leaf of the transaction log: block, index, validation code, envelope digest.
    pub leaf: TransactionLeaf,
    /// The path from the leaf to `header.log_root`.
    pub inclusion: InclusionProof,
    /// The later header whose log root covers the leaf.
    pub header: Header,
    /// The consensus round that decided `header`.
    pub round: u32,
    /// Precommits over `header`: validator and strict DER signature.
    pub signatures: Vec<(ValidatorAddress, Vec<u8>)>,
    /// The validators' certificates, DER, in consenter order.
    pub validators: Vec<Vec<u8>>,
    /// Intermediate certificates between them and the anchors, DER.
    pub intermediates: Vec<Vec<u8>>,
    /// SM3 of the roots' DER; the roots themselves must come from the verifier.
    pub anchors: Vec<Sm3Digest>,
    /// The blocks that put a configuration in force, block 0 first, all below `header`. Empty: the ledger does not
    /// say how its validators came about.
    pub configurations: Vec<ConfigurationProof>,
}

/// A block that put a configuration of the channel in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationProof {
    /// Its header.
    pub header: Header,
    /// The consensus round that decided it; 0 for block 0.
    pub round: u32,
    /// Precommits over `header`, as in [`LedgerProof::signatures`]; none for block 0.
    pub signatures: Vec<(ValidatorAddress, Vec<u8>)>,
    /// Its only transaction: the serialized `common.Envelope` of type CONFIG.
    pub envelope: Vec<u8>,
}

/// Where a ledger stands.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LedgerStatus {
    /// The channel's name.
    pub channel: String,
    /// Number of blocks; the last one has the number `height - 1`.
    pub height: u64,
    /// Committed transactions, valid or not.
    pub transactions: u64,
    /// Validators in the current set.
    pub validators: u32,
    /// Why the ledger stopped for good, if it did; it accepts nothing until it is restarted.
    pub halted: Option<String>,
}

/// One block for a reader.
#[derive(Clone, Debug)]
pub struct BlockView {
    /// The header.
    pub header: Header,
    /// SM3 hash of the header.
    pub hash: Sm3Digest,
    /// Serialized size.
    pub size_bytes: u64,
    /// The transactions, in order.
    pub transactions: Vec<TransactionSummary>,
}

/// One line of a [`BlockView`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionSummary {
    /// Transaction id, 64 lower-case hexadecimal digits; empty if the envelope was too broken to have one.
    pub tx_id: String,
    /// What validation said.
    pub code: ValidationCode,
}

/// One transaction for a reader.
#[derive(Clone, Debug)]
pub struct TransactionView {
    /// Transaction id, 64 lower-case hexadecimal digits.
    pub tx_id: String,
    /// Number of its block.
    pub block_number: u64,
    /// Position in the block, from 0.
    pub index: u32,
    /// What validation said.
    pub code: ValidationCode,
    /// The block's time, unix milliseconds.
    pub time_ms: u64,
    /// Organisation of the creator.
    pub creator_msp_id: String,
    /// Subject of the creator's certificate.
    pub creator_subject: String,
    /// Contract called; empty for configuration.
    pub contract: String,
    /// Function called; empty for configuration.
    pub function: String,
    /// Organisations that endorsed, in order.
    pub endorsers: Vec<String>,
    /// SM3 of the serialized envelope.
    pub envelope_sm3: Sm3Digest,
    /// Size of the serialized envelope.
    pub size_bytes: u64,
}

/// Why the ledger did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The contract refused; nothing is recorded.
    #[error("the contract refused ({code}): {message}")]
    Refused {
        /// Stable code of the contract.
        code: String,
        /// What it said.
        message: String,
        /// Data that goes with the code.
        payload: Vec<u8>,
    },
    /// Committed as invalid: something it read had changed meanwhile (MVCC). Retrying may help.
    #[error("another transaction was faster")]
    Conflict,
    /// Full; nothing was accepted.
    #[error("the ledger is busy; try again in {retry_after_ms} ms")]
    Busy {
        /// When to come back.
        retry_after_ms: u64,
    },
    /// No such block or transaction.
    #[error("the ledger has no such block or transaction")]
    NotFound,
    /// Committed, but no later header covers it yet. Ask again.
    #[error("no header commits to this transaction yet")]
    NotYetProven,
    /// The request is wrong, or the transaction was committed as invalid for a reason other than MVCC.
    #[error("the ledger does not accept this: {reason}")]
    Invalid {
        /// Why.
        reason: String,
    },
    /// Cannot be reached or is not ready yet; nothing was accepted.
    #[error("the ledger is not available: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
    /// Stopped for good after a failure that it must not hide (such as a failed fsync). A submission under way may
    /// or may not have been recorded.
    #[error("the ledger has stopped: {reason}")]
    Halted {
        /// Why.
        reason: String,
    },
    /// The transaction was handed over, and whether it was or will be committed is not known.
    #[error("the outcome of transaction {tx_id} is not known: {reason}")]
    OutcomeUnknown {
        /// Id by which it can be looked up later.
        tx_id: String,
        /// Why.
        reason: String,
    },
    /// Stored data are damaged.
    #[error("the ledger's data are damaged: {reason}")]
    Damaged {
        /// File, offset and what is wrong there.
        reason: String,
    },
}

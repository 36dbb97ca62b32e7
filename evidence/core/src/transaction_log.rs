//! A channel's transaction log as a transparency log (透明日志).

use changbai_merkle::{ConsistencyProof, InclusionProof, NodeId};
use changbai_wire::TransactionLeaf;
use smkit::Sm3Digest;

use crate::ledger::LedgerError;

/// Reads one channel's transaction log up to the last header that a quorum decided. Calls read local files and block
/// their thread for a short while.
pub trait TransactionLog: Send + Sync {
    /// The log as the last header has it.
    fn head(&self) -> LogHead;

    /// Nodes of the tree.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] if one of them is not complete yet.
    fn nodes(&self, ids: &[NodeId]) -> Result<Vec<Sm3Digest>, LedgerError>;

    /// Data of the `count` leaves from `first` on.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] beyond the head.
    fn entries(
        &self,
        first: u64,
        count: u16,
    ) -> Result<Vec<[u8; TransactionLeaf::BYTES]>, LedgerError>;

    /// That leaf `index` is in the log of `size` leaves.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] beyond the head.
    fn inclusion(&self, index: u64, size: u64) -> Result<InclusionProof, LedgerError>;

    /// That the log of `old` leaves is a prefix of that of `new`.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] beyond the head, or if `old` is the larger.
    fn consistency(&self, old: u64, new: u64) -> Result<ConsistencyProof, LedgerError>;

    /// The root of the log of `size` leaves.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] beyond the head.
    fn root(&self, size: u64) -> Result<Sm3Digest, LedgerError>;

    /// The place of a transaction in the log, from 0.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`].
    fn leaf_of(&self, tx_id: &str) -> Result<u64, LedgerError>;
}

/// A log at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogHead {
    /// Number of leaves.
    pub size: u64,
    /// RFC 6962 root over SM3.
    pub root: Sm3Digest,
    /// The header that commits to it.
    pub header_number: u64,
    /// That header's time, Unix milliseconds.
    pub header_time_ms: u64,
}

/// The origin of a channel's log: its id, and the hash of its genesis header, which tells it from another channel of
/// the same id. Also the name of the log's keys.
#[must_use]
pub fn log_origin(channel: &str, genesis: &Sm3Digest) -> String {
    format!("{ORIGIN}/{channel}/{genesis}")
}

const ORIGIN: &str = "changbai/log";

//! The channel's transaction log as a transparency log: its head, its nodes, its entries.

use changbai_merkle::{
    ConsistencyProof, InclusionProof, NodeId, NodeSource, ProveError, leaf_hash, prove_consistency,
    prove_inclusion, tree_root,
};
use changbai_storage::StorageError;
use changbai_wire::{Header, TransactionLeaf, TxId};
use smkit::Sm3Digest;

use crate::channel::Channel;
use crate::ledger::{Tip, leaves};
use crate::state::Nodes;

/// Why a question about the transaction log has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// It is about leaves beyond the log that the last header commits to.
    #[error("the log has {size} leaves, not {asked}")]
    Beyond {
        /// The leaf or the size that was asked for.
        asked: u64,
        /// Leaves that the last header commits to.
        size: u64,
    },
    /// The ledger is damaged there.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Channel {
    /// The last header: `log_size` and `log_root` are the log as a quorum has decided it. What later blocks will
    /// commit to is not in it.
    #[must_use]
    pub fn log_head(&self) -> Header {
        let Tip { header, .. } = self.shared.ledger.tip();
        header
    }

    /// Data of the `count` leaves from `first` on, at most a tile's worth; each was compared with its node in the tree.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn log_entries(
        &self,
        first: u64,
        count: u16,
    ) -> Result<Vec<[u8; TransactionLeaf::BYTES]>, LogError> {
        let end = first.saturating_add(count.into());
        let head = self.log_covers(end)?;
        let mut entries = Vec::with_capacity(count.into());
        let (mut number, mut at) = (self.block_of_leaf(first, &head)?, first);
        while at < end {
            let block = self.shared.ledger.block(number)?.ok_or_else(|| lost(at))?;
            let skipped = at.checked_sub(block.header.log_size).ok_or_else(|| lost(at))?;
            let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
            for entry in leaves(&block).into_iter().skip(skipped) {
                if at == end {
                    break;
                }
                let node = self.log_node(NodeId { level: 0, index: at })?;
                if node != Some(leaf_hash(&entry)) {
                    return Err(lost(at).into());
                }
                entries.push(entry);
                at += 1;
            }
            number += 1;
        }
        Ok(entries)
    }

    /// The proof that leaf `index` is in the log of `size` leaves.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn log_inclusion(&self, index: u64, size: u64) -> Result<InclusionProof, LogError> {
        self.log_covers(size)?;
        prove_inclusion(&Nodes(self.shared.ledger.index()), index, size).map_err(proving)
    }

    /// The proof that the log of `old` leaves is a prefix of that of `new`.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn log_consistency(&self, old: u64, new: u64) -> Result<ConsistencyProof, LogError> {
        self.log_covers(new)?;
        prove_consistency(&Nodes(self.shared.ledger.index()), old, new).map_err(proving)
    }

    /// The root of the log of `size` leaves.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn log_root(&self, size: u64) -> Result<Sm3Digest, LogError> {
        self.log_covers(size)?;
        tree_root(&Nodes(self.shared.ledger.index()), size).map_err(proving)
    }

    /// A node of the tree, `None` where there is none (yet).
    ///
    /// # Errors
    /// [`StorageError`] when the index cannot be read.
    pub fn log_node(&self, id: NodeId) -> Result<Option<Sm3Digest>, StorageError> {
        Nodes(self.shared.ledger.index()).node(id)
    }

    /// The leaf of a transaction, from 0; `None` if there is no such transaction.
    ///
    /// # Errors
    /// [`StorageError`] when the index is damaged.
    pub fn log_leaf(&self, tx_id: &TxId) -> Result<Option<u64>, StorageError> {
        Ok(self.shared.ledger.location(tx_id)?.map(|at| at.leaf))
    }

    fn log_covers(&self, size: u64) -> Result<Header, LogError> {
        let head = self.log_head();
        if size <= head.log_size {
            return Ok(head);
        }
        Err(LogError::Beyond { asked: size, size: head.log_size })
    }

    /// The last block whose transactions begin at or before `leaf`: headers' log sizes never fall.
    fn block_of_leaf(&self, leaf: u64, head: &Header) -> Result<u64, LogError> {
        let (mut low, mut high) = (0, head.number);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let block = self.shared.ledger.block(middle)?.ok_or_else(|| lost(leaf))?;
            if block.header.log_size <= leaf { low = middle } else { high = middle - 1 }
        }
        Ok(low)
    }
}

fn proving(error: ProveError<StorageError>) -> LogError {
    match error {
        ProveError::OutOfRange { index, size } => LogError::Beyond { asked: index, size },
        ProveError::Source(error) => LogError::Storage(error),
        missing => LogError::Storage(StorageError::index_damaged(missing.to_string())),
    }
}

fn lost(leaf: u64) -> StorageError {
    StorageError::index_damaged(format!("leaf {leaf} of the transaction log is not in its block"))
}

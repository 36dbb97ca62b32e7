//! A channel's transaction log behind `TransactionLog`.

use changbai_channel::{Channel, LogError};
use changbai_core::{LedgerError, LogHead, TransactionLog};
use changbai_merkle::{ConsistencyProof, InclusionProof, NodeId};
use changbai_wire::{TransactionLeaf, TxId};
use smkit::Sm3Digest;

pub(crate) struct ChannelLog(pub(crate) Channel);

impl TransactionLog for ChannelLog {
    fn head(&self) -> LogHead {
        let header = self.0.log_head();
        LogHead {
            size: header.log_size,
            root: header.log_root,
            header_number: header.number,
            header_time_ms: header.time_ms,
        }
    }

    fn nodes(&self, ids: &[NodeId]) -> Result<Vec<Sm3Digest>, LedgerError> {
        let read = |id: &NodeId| {
            let node = self.0.log_node(*id).map_err(|e| of(e.into()))?;
            node.ok_or(LedgerError::NotFound)
        };
        ids.iter().map(read).collect()
    }

    fn entries(
        &self,
        first: u64,
        count: u16,
    ) -> Result<Vec<[u8; TransactionLeaf::BYTES]>, LedgerError> {
        self.0.log_entries(first, count).map_err(of)
    }

    fn inclusion(&self, index: u64, size: u64) -> Result<InclusionProof, LedgerError> {
        self.0.log_inclusion(index, size).map_err(of)
    }

    fn consistency(&self, old: u64, new: u64) -> Result<ConsistencyProof, LedgerError> {
        self.0.log_consistency(old, new).map_err(of)
    }

    fn root(&self, size: u64) -> Result<Sm3Digest, LedgerError> {
        self.0.log_root(size).map_err(of)
    }

    fn leaf_of(&self, tx_id: &str) -> Result<u64, LedgerError> {
        let id: TxId = tx_id.parse().map_err(|_| LedgerError::NotFound)?;
        let leaf = self.0.log_leaf(&id).map_err(|e| of(e.into()))?;
        leaf.ok_or(LedgerError::NotFound)
    }
}

fn of(error: LogError) -> LedgerError {
    match error {
        LogError::Beyond { .. } => LedgerError::NotFound,
        other => LedgerError::Unavailable { reason: other.to_string() },
    }
}

//! Reading the index.

use std::sync::Arc;

use lsm_tree::{AbstractTree, Guard};

use super::Shared;
use crate::error::StorageError;

/// A key with its value.
pub type KeyValue = (Vec<u8>, Vec<u8>);

/// The index at one moment. Reads of one snapshot agree with each other.
#[derive(Debug)]
pub struct IndexSnapshot {
    source: Result<(Arc<Shared>, u64), String>,
}

impl IndexSnapshot {
    pub(super) fn of(shared: &Arc<Shared>) -> Self {
        Self { source: Ok((Arc::clone(shared), shared.tracker.acquire())) }
    }

    pub(super) fn damaged(reason: &str) -> Self {
        Self { source: Err(reason.to_owned()) }
    }

    /// The value of `key`.
    ///
    /// # Errors
    ///
    /// [`StorageError::IndexDamaged`].
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        let (shared, seen) = self.source()?;
        let value = shared.tree.get(key, *seen).map_err(|e| damage(&e))?;
        Ok(value.map(|value| value.to_vec()))
    }

    /// Entries with `start <= key < end` in key order, or from the end on when `reverse`; at most
    /// `limit`. An empty `end` means no bound.
    ///
    /// # Errors
    ///
    /// [`StorageError::IndexDamaged`].
    pub fn range(
        &self,
        start: &[u8],
        end: &[u8],
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<KeyValue>, StorageError> {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let (shared, seen) = self.source()?;
        if !end.is_empty() && start >= end {
            return Ok(Vec::new());
        }
        let end = if end.is_empty() { Unbounded } else { Excluded(end) };
        let entries = shared.tree.range::<&[u8], _>((Included(start), end), *seen, None);
        if reverse { collect(entries.rev(), limit) } else { collect(entries, limit) }
    }

    /// Entries whose key begins with `prefix`, in key order, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`StorageError::IndexDamaged`].
    pub fn prefix(&self, prefix: &[u8], limit: usize) -> Result<Vec<KeyValue>, StorageError> {
        let (shared, seen) = self.source()?;
        collect(shared.tree.prefix(prefix, *seen, None), limit)
    }

    fn source(&self) -> Result<&(Arc<Shared>, u64), StorageError> {
        self.source.as_ref().map_err(|reason| StorageError::index_damaged(reason.clone()))
    }
}

impl Drop for IndexSnapshot {
    fn drop(&mut self) {
        if let Ok((shared, seen)) = &self.source {
            shared.tracker.release(*seen);
        }
    }
}

fn collect(
    entries: impl Iterator<Item = impl Guard>,
    limit: usize,
) -> Result<Vec<KeyValue>, StorageError> {
    entries
        .take(limit)
        .map(|entry| {
            let (key, value) = entry.into_inner().map_err(|e| damage(&e))?;
            Ok((key.to_vec(), value.to_vec()))
        })
        .collect()
}

pub(super) fn damage(error: &lsm_tree::Error) -> StorageError {
    StorageError::index_damaged(format!("the engine reports {error}"))
}

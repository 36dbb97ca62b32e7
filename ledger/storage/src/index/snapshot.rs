//! Reading the index.

use std::sync::Arc;

use lsm_tree::{AbstractTree, Guard};

use super::Shared;
use super::memory::{self, Map};
use crate::error::StorageError;

/// A key with its value.
pub type KeyValue = (Vec<u8>, Vec<u8>);

/// The index at one moment. Reads of one snapshot agree with each other.
#[derive(Debug)]
pub struct IndexSnapshot {
    source: Source,
}

#[derive(Debug)]
enum Source {
    Engine(Arc<Shared>, u64),
    Memory(Arc<Map>),
    Damaged(String),
}

impl IndexSnapshot {
    pub(super) fn of(shared: &Arc<Shared>) -> Self {
        Self { source: Source::Engine(Arc::clone(shared), shared.tracker.acquire()) }
    }

    pub(super) fn damaged(reason: &str) -> Self {
        Self { source: Source::Damaged(reason.to_owned()) }
    }

    pub(super) fn in_memory(map: Arc<Map>) -> Self {
        Self { source: Source::Memory(map) }
    }

    /// The value of `key`.
    ///
    /// # Errors
    ///
    /// [`StorageError::IndexDamaged`].
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        match &self.source {
            Source::Engine(shared, seen) => {
                let value = shared.tree.get(key, *seen).map_err(|e| damage(&e))?;
                Ok(value.map(|value| value.to_vec()))
            }
            Source::Memory(map) => Ok(map.get(key).cloned()),
            Source::Damaged(reason) => Err(StorageError::index_damaged(reason.clone())),
        }
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
        let (shared, seen) = match &self.source {
            Source::Engine(shared, seen) => (shared, seen),
            Source::Memory(map) => return Ok(memory::range(map, start, end, limit, reverse)),
            Source::Damaged(reason) => return Err(StorageError::index_damaged(reason.clone())),
        };
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
        match &self.source {
            Source::Engine(shared, seen) => collect(shared.tree.prefix(prefix, *seen, None), limit),
            Source::Memory(map) => Ok(memory::prefix(map, prefix, limit)),
            Source::Damaged(reason) => Err(StorageError::index_damaged(reason.clone())),
        }
    }
}

impl Drop for IndexSnapshot {
    fn drop(&mut self) {
        if let Source::Engine(shared, seen) = &self.source {
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

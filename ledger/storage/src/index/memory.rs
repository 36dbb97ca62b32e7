//! An index in memory: the model that the engine is compared with, and what simulations run on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::IndexBatch;
use super::snapshot::KeyValue;

/// Entries in key order.
pub(super) type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// Where an index in memory lives while no [`Index`](super::Index) is open on it. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryIndex(Arc<Mutex<Arc<Map>>>);

impl MemoryIndex {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What it holds now, for a home of its own: what a crash may leave behind.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.now())))
    }

    /// Empties it.
    pub fn clear(&self) {
        *self.lock() = Arc::default();
    }

    pub(super) fn now(&self) -> Arc<Map> {
        Arc::clone(&self.lock())
    }

    pub(super) fn apply(&self, batch: IndexBatch) {
        let mut map = self.lock();
        let map = Arc::make_mut(&mut map);
        for (key, value) in batch.writes {
            match value {
                Some(value) => drop(map.insert(key, value)),
                None => drop(map.remove(&key)),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Map>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn range(
    map: &Map,
    start: &[u8],
    end: &[u8],
    limit: usize,
    reverse: bool,
) -> Vec<KeyValue> {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    if !end.is_empty() && start >= end {
        return Vec::new();
    }
    let end = if end.is_empty() { Unbounded } else { Excluded(end) };
    let entries = map.range::<[u8], _>((Included(start), end));
    let owned = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
    if reverse {
        entries.rev().take(limit).map(owned).collect()
    } else {
        entries.take(limit).map(owned).collect()
    }
}

pub(super) fn prefix(map: &Map, prefix: &[u8], limit: usize) -> Vec<KeyValue> {
    map.range(prefix.to_vec()..)
        .take_while(|(key, _)| key.starts_with(prefix))
        .take(limit)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

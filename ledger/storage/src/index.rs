//! The derived index: everything that can be rebuilt from the block log.
//!
//! An LSM tree (`lsm-tree`, the engine below fjall) **without a journal**: the block log is its
//! journal. Commits go to a memory table; once that is full, a thread of the index writes it out as
//! an immutable table and merges tables now and then. After a crash the index is therefore as it
//! was after some earlier commit, whole, and the caller applies the blocks behind it again.

mod maintenance;
mod memory;
mod snapshot;
mod tracker;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use lsm_tree::compaction::Leveled;
use lsm_tree::config::{BlockSizePolicy, CompressionPolicy};
use lsm_tree::{
    AbstractTree, AnyTree, Cache, CompressionType, Config, DescriptorTable, SequenceNumberCounter,
};

pub use memory::MemoryIndex;
pub use snapshot::{IndexSnapshot, KeyValue};

use crate::error::StorageError;
use crate::limits::{
    INDEX_CACHE_BYTES, INDEX_KEY_BYTES_MAX, INDEX_MEMTABLE_BYTES, INDEX_OPEN_FILES_MAX,
    INDEX_TABLE_BYTES,
};
use maintenance::Maintenance;
use tracker::Tracker;

const DATA_BLOCK_BYTES: u32 = 8 << 10;

/// In which state [`Index::open`] found the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexState {
    /// There was none: it is empty.
    Fresh,
    /// It is intact, as of some commit; the last ones may be missing.
    Recovered,
    /// It is not intact. Every operation is refused: [`Index::destroy`] it and open anew.
    Damaged,
}

/// Writes to be committed together.
#[derive(Debug, Clone, Default)]
pub struct IndexBatch {
    writes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl IndexBatch {
    /// Sets `key`, of at most [`INDEX_KEY_BYTES_MAX`] bytes, to `value`.
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.writes.push((key.to_vec(), Some(value.to_vec())));
    }

    /// Removes `key`.
    pub fn delete(&mut self, key: &[u8]) {
        self.writes.push((key.to_vec(), None));
    }

    /// Number of writes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}

/// The derived index of one channel: an ordered map of byte strings with atomic batches and
/// snapshots.
#[derive(Debug)]
pub struct Index {
    /// Why the index cannot be used, or what it works with.
    inner: Result<Inner, String>,
}

#[derive(Debug)]
enum Inner {
    Engine { shared: Arc<Shared>, maintenance: Maintenance },
    Memory(MemoryIndex),
}

/// What the index, its snapshots and its maintenance share.
struct Shared {
    tree: AnyTree,
    /// Numbers given to batches and to versions of the tree.
    seqno: SequenceNumberCounter,
    tracker: Tracker,
    /// Held while a batch is applied: batches are numbered, seen and written out whole.
    commit: Mutex<()>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("tracker", &self.tracker).finish_non_exhaustive()
    }
}

impl Index {
    /// Opens or creates the index in `dir`, which it has to itself. All its files are checked
    /// against their checksums first, while they are below
    /// [`crate::limits::INDEX_CHECK_BYTES_MAX`]; the engine checks each block it reads besides.
    ///
    /// # Errors
    ///
    /// [`StorageError::Io`]. Damage is not an error but [`IndexState::Damaged`].
    pub fn open(dir: &Path) -> Result<(Self, IndexState), StorageError> {
        match verify::verify(dir)? {
            verify::Finding::Damaged(reason) => Ok(Self::damaged(reason)),
            verify::Finding::Absent => Self::start(dir, IndexState::Fresh),
            verify::Finding::Intact => Self::start(dir, IndexState::Recovered),
        }
    }

    /// Opens an index that lives in memory.
    #[must_use]
    pub fn in_memory(home: &MemoryIndex) -> (Self, IndexState) {
        let fresh = home.now().is_empty();
        let state = if fresh { IndexState::Fresh } else { IndexState::Recovered };
        (Self { inner: Ok(Inner::Memory(home.clone())) }, state)
    }

    /// Deletes an index, which is not open, so that it can be rebuilt. Durable when this returns.
    ///
    /// # Errors
    ///
    /// [`StorageError::Io`].
    pub fn destroy(dir: &Path) -> Result<(), StorageError> {
        match std::fs::remove_dir_all(dir) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            removed => removed.map_err(StorageError::io(dir, "remove"))?,
        }
        // It must not come back with a crash: a repaired block log has other positions.
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or_else(|| Path::new("."));
        std::fs::File::open(parent)
            .and_then(|parent| parent.sync_all())
            .map_err(StorageError::io(parent, "sync"))
    }

    /// An empty batch.
    #[must_use]
    pub fn batch(&self) -> IndexBatch {
        IndexBatch::default()
    }

    /// Applies a batch: all of it is seen by later reads, and none of it by open snapshots. It is
    /// not durable when this returns, but batches survive a crash in order and whole.
    ///
    /// Waits while memory tables queue to be written out.
    ///
    /// # Errors
    ///
    /// [`StorageError::IndexDamaged`] when writing tables out failed; [`StorageError::TooLarge`]
    /// for a key beyond its bound.
    pub fn commit(&self, batch: IndexBatch) -> Result<(), StorageError> {
        let inner = self.inner()?;
        let bytes_max = INDEX_KEY_BYTES_MAX;
        if let Some((key, _)) = batch.writes.iter().find(|(key, _)| key.len() > bytes_max) {
            return Err(StorageError::TooLarge { bytes: key.len(), bytes_max });
        }
        if batch.is_empty() {
            return Ok(());
        }
        match inner {
            Inner::Memory(home) => home.apply(batch),
            Inner::Engine { shared, maintenance } => {
                maintenance.wait_for_room()?;
                if shared.apply(batch) > INDEX_MEMTABLE_BYTES {
                    maintenance.wake();
                }
            }
        }
        Ok(())
    }

    /// The value of `key` after the last commit.
    ///
    /// # Errors
    ///
    /// [`StorageError::IndexDamaged`].
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        self.snapshot().get(key)
    }

    /// Values of several keys at one moment, in the order asked for.
    ///
    /// # Errors
    ///
    /// [`StorageError::IndexDamaged`].
    pub fn get_many(&self, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StorageError> {
        let snapshot = self.snapshot();
        keys.iter().map(|key| snapshot.get(key)).collect()
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
        self.snapshot().range(start, end, limit, reverse)
    }

    /// Entries whose key begins with `prefix`, in key order, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`StorageError::IndexDamaged`].
    pub fn prefix(&self, prefix: &[u8], limit: usize) -> Result<Vec<KeyValue>, StorageError> {
        self.snapshot().prefix(prefix, limit)
    }

    /// The index as it is now, unmoved by later commits. Keep it briefly: what it sees cannot be
    /// cleaned up.
    #[must_use]
    pub fn snapshot(&self) -> IndexSnapshot {
        match &self.inner {
            Ok(Inner::Engine { shared, .. }) => IndexSnapshot::of(shared),
            Ok(Inner::Memory(home)) => IndexSnapshot::in_memory(home.now()),
            Err(reason) => IndexSnapshot::damaged(reason),
        }
    }

    /// Writes the memory table out. Durable when this returns.
    ///
    /// # Errors
    ///
    /// [`StorageError::IndexDamaged`] when that failed.
    pub fn persist(&self) -> Result<(), StorageError> {
        match self.inner()? {
            Inner::Engine { maintenance, .. } => maintenance.persist(),
            Inner::Memory(_) => Ok(()),
        }
    }

    /// Writes the memory table out and ends the index's thread: the next start finds every commit.
    /// Without it the next start applies the last blocks again.
    ///
    /// # Errors
    ///
    /// [`StorageError::IndexDamaged`] when writing failed.
    pub fn close_clean(self) -> Result<(), StorageError> {
        self.persist()
    }

    /// Why the index is damaged; `None` while it can be used.
    #[must_use]
    pub fn damage(&self) -> Option<String> {
        match &self.inner {
            Ok(Inner::Engine { maintenance, .. }) => maintenance.failure(),
            Ok(Inner::Memory(_)) => None,
            Err(reason) => Some(reason.clone()),
        }
    }

    fn damaged(reason: String) -> (Self, IndexState) {
        (Self { inner: Err(reason) }, IndexState::Damaged)
    }

    fn start(dir: &Path, state: IndexState) -> Result<(Self, IndexState), StorageError> {
        let seqno = SequenceNumberCounter::default();
        let tree = match config(dir, &seqno).open() {
            Ok(tree) => tree,
            Err(lsm_tree::Error::Io(source)) if state == IndexState::Fresh => {
                return Err(StorageError::io(dir, "create")(source));
            }
            Err(e) => return Ok(Self::damaged(format!("the engine does not open it: {e}"))),
        };
        // Numbers go on behind those in the tables; 0 would mean "before everything".
        seqno.fetch_max(tree.get_highest_seqno().map_or(1, |n| n.saturating_add(1)));
        let tracker = Tracker::new(seqno.get());
        let shared = Arc::new(Shared { tree, seqno, tracker, commit: Mutex::default() });
        let strategy = Leveled::default().with_table_target_size(INDEX_TABLE_BYTES);
        let maintenance = Maintenance::start(Arc::clone(&shared), Arc::new(strategy))
            .map_err(StorageError::io(dir, "start the thread of"))?;
        Ok((Self { inner: Ok(Inner::Engine { shared, maintenance }) }, state))
    }

    fn inner(&self) -> Result<&Inner, StorageError> {
        self.inner.as_ref().map_err(|reason| StorageError::index_damaged(reason.clone()))
    }
}

impl Shared {
    /// Applies a batch; returns the size of the memory table.
    fn apply(&self, batch: IndexBatch) -> u64 {
        let _whole = self.commit.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.seqno.next();
        let mut size = 0;
        // Entries of one number are told apart by key alone: the last write of a key wins.
        let writes: std::collections::BTreeMap<_, _> = batch.writes.into_iter().collect();
        for (key, value) in writes {
            (_, size) = match value {
                Some(value) => self.tree.insert(key, value, number),
                None => self.tree.remove(key, number),
            };
        }
        self.tracker.publish(number.saturating_add(1));
        size
    }

    /// Sets the memory table aside for writing, between two batches.
    fn rotate(&self) {
        let _whole = self.commit.lock().unwrap_or_else(PoisonError::into_inner);
        self.tree.rotate_memtable();
    }

    /// Lets readers see what maintenance did: numbers it took are behind all batches now.
    fn catch_up(&self) {
        let _whole = self.commit.lock().unwrap_or_else(PoisonError::into_inner);
        self.tracker.publish(self.seqno.get());
    }
}

fn config(dir: &Path, seqno: &SequenceNumberCounter) -> Config {
    // The tree's own idea of what is visible would show half a batch while a table is registered:
    // the tracker's is used instead.
    let path: PathBuf = dir.to_owned();
    Config::new(path, seqno.clone(), SequenceNumberCounter::default())
        .use_cache(Arc::new(Cache::with_capacity_bytes(INDEX_CACHE_BYTES)))
        .use_descriptor_table(Some(Arc::new(DescriptorTable::new(INDEX_OPEN_FILES_MAX))))
        .data_block_size_policy(BlockSizePolicy::all(DATA_BLOCK_BYTES))
        .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4))
}

#[cfg(test)]
mod tests;

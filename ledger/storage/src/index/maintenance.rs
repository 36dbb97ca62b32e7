//! The index's one thread: writes memory tables out, merges tables.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use lsm_tree::AbstractTree;
use lsm_tree::compaction::CompactionStrategy;

use super::Shared;
use super::snapshot::damage;
use crate::error::StorageError;
use crate::limits::{INDEX_MEMTABLE_BYTES, INDEX_SEALED_MEMTABLES_MAX};

/// Merges per round, so that writing out never waits long.
const MERGES_PER_ROUND: usize = 4;

type Strategy = Arc<dyn CompactionStrategy + Send + Sync>;

/// Owner of the thread; joins it when dropped.
#[derive(Debug)]
pub(super) struct Maintenance {
    desk: Arc<Desk>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Where the thread and its customers meet.
#[derive(Debug, Default)]
struct Desk {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// There may be something to write out.
    wanted: bool,
    /// Write out whatever there is, however little.
    persist: bool,
    stop: bool,
    failure: Option<String>,
}

impl Maintenance {
    pub(super) fn start(shared: Arc<Shared>, strategy: Strategy) -> io::Result<Self> {
        let desk = Arc::<Desk>::default();
        let thread = std::thread::Builder::new().name("index".to_owned()).spawn({
            let (desk, shared) = (Arc::clone(&desk), Arc::clone(&shared));
            move || desk.serve(&shared, &strategy)
        })?;
        Ok(Self { desk, shared, thread: Some(thread) })
    }

    /// Asks for a look at the memory table's size.
    pub(super) fn wake(&self) {
        self.desk.lock().wanted = true;
        self.desk.changed.notify_all();
    }

    /// Waits while too many memory tables queue.
    pub(super) fn wait_for_room(&self) -> Result<(), StorageError> {
        let mut state = self.desk.lock();
        loop {
            if let Some(failure) = &state.failure {
                return Err(StorageError::index_damaged(failure.clone()));
            }
            let full = self.shared.tree.active_memtable().size() > 2 * INDEX_MEMTABLE_BYTES;
            if !full && self.shared.tree.sealed_memtable_count() < INDEX_SEALED_MEMTABLES_MAX {
                return Ok(());
            }
            state.wanted = true;
            self.desk.changed.notify_all();
            state = self.desk.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Writes the memory table out and waits for it.
    pub(super) fn persist(&self) -> Result<(), StorageError> {
        let mut state = self.desk.lock();
        state.persist = true;
        self.desk.changed.notify_all();
        while state.persist && state.failure.is_none() {
            state = self.desk.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        match &state.failure {
            Some(failure) => Err(StorageError::index_damaged(failure.clone())),
            None => Ok(()),
        }
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.desk.lock().failure.clone()
    }
}

impl Drop for Maintenance {
    fn drop(&mut self) {
        self.desk.lock().stop = true;
        self.desk.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic in the thread has left its failure on the desk.
            drop(thread.join());
        }
    }
}

impl Desk {
    fn serve(&self, shared: &Shared, strategy: &Strategy) {
        let _left = Left(self);
        loop {
            let mut state = self.lock();
            while !(state.wanted || state.persist || state.stop) {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.stop {
                return;
            }
            let persist = state.persist;
            state.wanted = false;
            drop(state);
            let done = write_out(shared, persist);
            let mut state = self.lock();
            state.persist &= !persist;
            if let Err(e) = done {
                state.failure = Some(e.to_string());
                return;
            }
            drop(state);
            self.changed.notify_all();
            if let Err(e) = self.merge(shared, strategy) {
                self.lock().failure = Some(e.to_string());
                return;
            }
        }
    }

    /// Merges tables until nothing changes, somebody waits, or the round is over.
    fn merge(&self, shared: &Shared, strategy: &Strategy) -> Result<(), StorageError> {
        for _ in 0..MERGES_PER_ROUND {
            let before = shape(shared);
            shared
                .tree
                .compact(
                    Arc::clone(strategy) as Arc<dyn CompactionStrategy>,
                    shared.tracker.watermark(),
                )
                .map_err(|e| damage(&e))?;
            shared.catch_up();
            let state = self.lock();
            if shape(shared) == before || state.persist || state.stop {
                return Ok(());
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves word when the thread ends without having been asked to, so that nobody waits for it.
struct Left<'a>(&'a Desk);

impl Drop for Left<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if !state.stop && state.failure.is_none() {
            state.failure = Some("the index's thread ended".to_owned());
        }
        drop(state);
        self.0.changed.notify_all();
    }
}

fn write_out(shared: &Shared, persist: bool) -> Result<(), StorageError> {
    if persist || shared.tree.active_memtable().size() > INDEX_MEMTABLE_BYTES {
        shared.rotate();
    }
    let lock = shared.tree.get_flush_lock();
    shared.tree.flush(&lock, shared.tracker.watermark()).map_err(|e| damage(&e))?;
    shared.catch_up();
    Ok(())
}

/// Tells whether a merge changed anything.
fn shape(shared: &Shared) -> (usize, usize, u64, Vec<Option<usize>>) {
    let tree = &shared.tree;
    let levels = (0..7).map(|level| tree.level_table_count(level)).collect();
    (tree.table_count(), tree.l0_run_count(), tree.disk_space(), levels)
}

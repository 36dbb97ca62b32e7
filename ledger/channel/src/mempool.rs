//! Transactions that wait for a block: bounded in count and bytes, first in first out.

use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use changbai_wire::{DecodedTransaction, TxId};
use smkit::sm3::Sm3Digest;
use tokio::sync::oneshot;

use crate::limits::{MEMPOOL_BYTES_MAX, MEMPOOL_TRANSACTIONS_MAX};
use crate::outcome::{BroadcastError, Outcome};

/// A transaction on its way into a block, with the caller that waits for its fate.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) envelope: Vec<u8>,
    pub(crate) digest: Sm3Digest,
    pub(crate) transaction: DecodedTransaction,
    pub(crate) reply: oneshot::Sender<Outcome>,
}

/// The queue between the callers' threads and the ordering thread.
#[derive(Debug, Default)]
pub(crate) struct Mempool {
    inner: Mutex<Inner>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    queue: VecDeque<Waiting>,
    /// Ids in the queue and in the block under way: a second copy is refused at the door.
    known: HashSet<TxId>,
    bytes: usize,
    closed: bool,
}

impl Mempool {
    /// Takes a transaction in, or says why not. Never blocks on the ordering thread.
    pub(crate) fn push(&self, waiting: Waiting) -> Result<(), BroadcastError> {
        let mut inner = self.lock();
        if inner.closed {
            return Err(BroadcastError::Stopping);
        }
        let bytes = waiting.envelope.len();
        if inner.queue.len() >= MEMPOOL_TRANSACTIONS_MAX
            || inner.bytes.saturating_add(bytes) > MEMPOOL_BYTES_MAX
        {
            return Err(BroadcastError::Full);
        }
        if !inner.known.insert(waiting.transaction.tx_id) {
            return Err(BroadcastError::Duplicate { tx_id: waiting.transaction.tx_id });
        }
        inner.bytes += bytes;
        inner.queue.push_back(waiting);
        drop(inner);
        self.wake.notify_one();
        Ok(())
    }

    /// The next block's transactions, oldest first: at most `count_max` and, but for a single
    /// one, `bytes_max`.
    pub(crate) fn take_block(&self, count_max: usize, bytes_max: usize) -> Vec<Waiting> {
        let mut inner = self.lock();
        let mut taken = Vec::new();
        let mut bytes = 0_usize;
        while let Some(next) = inner.queue.front() {
            let size = next.envelope.len();
            if taken.len() >= count_max || (!taken.is_empty() && bytes + size > bytes_max) {
                break;
            }
            bytes += size;
            inner.bytes = inner.bytes.saturating_sub(size);
            taken.extend(inner.queue.pop_front());
        }
        taken
    }

    /// Forgets ids whose transactions are in the ledger now.
    pub(crate) fn forget<'a>(&self, ids: impl Iterator<Item = &'a TxId>) {
        let mut inner = self.lock();
        for id in ids {
            inner.known.remove(id);
        }
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().queue.is_empty()
    }

    /// Refuses everything from now on and wakes the ordering thread.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_all();
    }

    /// Whether [`close`](Self::close) was called.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Drops everything that waits; the callers see their channel close.
    pub(crate) fn clear(&self) {
        let mut inner = self.lock();
        inner.queue.clear();
        inner.known.clear();
        inner.bytes = 0;
    }

    /// Sleeps until a transaction arrives, the queue is closed, or the time is over.
    pub(crate) fn wait(&self, at_most: Duration) {
        let inner = self.lock();
        if inner.queue.is_empty() && !inner.closed {
            drop(self.wake.wait_timeout(inner, at_most));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Transactions that wait for a block: bounded in count and bytes, first in first out.
//!
//! A transaction stays here until a block that holds it is durable: until then any validator's
//! block may be the one, and a block that is proposed may not be decided.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use changbai_wire::{Content, TxId, ValidationCode, envelope_digest};
use smkit::sm3::Sm3Digest;
use tokio::sync::oneshot;

use crate::limits::{
    CONFIGURATIONS_WAITING_MAX, FORWARDED_AGAIN_MAX, FORWARDED_BYTES_MAX,
    FORWARDED_TRANSACTIONS_MAX, MEMPOOL_BYTES_MAX, MEMPOOL_TRANSACTIONS_MAX,
};
use crate::outcome::{BroadcastError, Outcome, uses_up_id};

/// A transaction, decoded, with the digest of its envelope.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) digest: Sm3Digest,
    pub(crate) content: Content,
}

/// A transaction on its way into a block.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) envelope: Arc<Vec<u8>>,
    pub(crate) decoded: Arc<Decoded>,
}

impl Waiting {
    pub(crate) fn new(envelope: Vec<u8>, content: Content) -> Self {
        let decoded = Arc::new(Decoded { digest: envelope_digest(&envelope), content });
        Self { envelope: Arc::new(envelope), decoded }
    }

    pub(crate) fn tx_id(&self) -> TxId {
        self.decoded.content.tx_id()
    }

    pub(crate) fn is_config(&self) -> bool {
        self.decoded.content.is_config()
    }
}

/// What became of a transaction now that a block is durable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settled {
    pub(crate) tx_id: TxId,
    pub(crate) digest: Sm3Digest,
    pub(crate) outcome: Outcome,
}

/// The queue between the callers' threads and the ordering thread.
#[derive(Debug, Default)]
pub(crate) struct Mempool {
    inner: Mutex<Inner>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<TxId, Entry>,
    order: BTreeMap<u64, TxId>,
    digests: HashMap<Sm3Digest, TxId>,
    next: u64,
    mark: u64,
    bytes: usize,
    /// Configurations among them.
    configs: usize,
    forwarded: Share,
    /// Own transactions that no other node was told of yet.
    unforwarded: VecDeque<TxId>,
    /// Something happened since the ordering thread last slept.
    signalled: bool,
    closed: bool,
}

#[derive(Debug)]
struct Entry {
    waiting: Waiting,
    place: u64,
    /// Callers of this node; none for a transaction that a peer passed on.
    replies: Vec<oneshot::Sender<Outcome>>,
    /// Counted against the share of forwarded transactions.
    foreign: bool,
}

/// How much of the queue is taken by what peers passed on.
#[derive(Debug, Default)]
struct Share {
    count: usize,
    bytes: usize,
}

impl Mempool {
    /// Takes a transaction of a caller in, or says why not. Never blocks on the ordering thread.
    pub(crate) fn push(
        &self,
        waiting: Waiting,
        reply: oneshot::Sender<Outcome>,
    ) -> Result<(), BroadcastError> {
        let mut inner = self.lock();
        if inner.closed {
            return Err(BroadcastError::Stopping);
        }
        let tx_id = waiting.tx_id();
        if let Some(entry) = inner.entries.get_mut(&tx_id) {
            // A peer was faster to pass it on than its submitter to come here, or here again.
            if entry.waiting.decoded.digest != waiting.decoded.digest || !entry.foreign {
                return Err(BroadcastError::Duplicate { tx_id });
            }
            entry.foreign = false;
            entry.replies.push(reply);
            let bytes = entry.waiting.envelope.len();
            inner.forwarded.remove(bytes);
            return Ok(());
        }
        let bytes = waiting.envelope.len();
        if inner.entries.len() >= MEMPOOL_TRANSACTIONS_MAX
            || inner.bytes.saturating_add(bytes) > MEMPOOL_BYTES_MAX
            || !inner.takes(&waiting)
        {
            return Err(BroadcastError::Full);
        }
        inner.unforwarded.push_back(tx_id);
        inner.insert(waiting, vec![reply], false);
        inner.signalled = true;
        drop(inner);
        self.wake.notify_one();
        Ok(())
    }

    /// Takes in what a peer passed on, its creator's signature verified; false when there is no
    /// room for it, or another transaction has its id.
    pub(crate) fn push_forwarded(&self, waiting: Waiting) -> bool {
        let mut inner = self.lock();
        let bytes = waiting.envelope.len();
        let full = inner.entries.len() >= MEMPOOL_TRANSACTIONS_MAX
            || inner.bytes.saturating_add(bytes) > MEMPOOL_BYTES_MAX
            || inner.forwarded.count >= FORWARDED_TRANSACTIONS_MAX
            || inner.forwarded.bytes.saturating_add(bytes) > FORWARDED_BYTES_MAX
            || !inner.takes(&waiting);
        if full || inner.closed || inner.entries.contains_key(&waiting.tx_id()) {
            return false;
        }
        inner.forwarded.count += 1;
        inner.forwarded.bytes += bytes;
        inner.insert(waiting, Vec::new(), true);
        true
    }

    /// Whether an envelope with this digest waits.
    pub(crate) fn knows(&self, digest: &Sm3Digest) -> bool {
        self.lock().digests.contains_key(digest)
    }

    /// Decoded forms of envelopes with these digests, where they wait here.
    pub(crate) fn decoded(&self, digests: &[Sm3Digest]) -> Vec<Option<Arc<Decoded>>> {
        let inner = self.lock();
        let find = |digest: &Sm3Digest| {
            let entry = inner.entries.get(inner.digests.get(digest)?)?;
            Some(Arc::clone(&entry.waiting.decoded))
        };
        digests.iter().map(find).collect()
    }

    /// The next block's transactions, oldest first: a configuration alone, or else at most
    /// `count_max` and, but for a single one, `bytes_max`. Those in `skipped` are not for it. They
    /// keep waiting until [`settle`](Self::settle).
    pub(crate) fn next_block(
        &self,
        count_max: usize,
        bytes_max: usize,
        skipped: &BTreeSet<TxId>,
    ) -> Vec<Waiting> {
        let inner = self.lock();
        let mut taken = Vec::new();
        let mut bytes = 0_usize;
        let waiting = inner.order.values().filter(|tx_id| !skipped.contains(*tx_id));
        for entry in waiting.filter_map(|tx_id| inner.entries.get(tx_id)) {
            let size = entry.waiting.envelope.len();
            if entry.waiting.is_config() {
                if taken.is_empty() {
                    taken.push(entry.waiting.clone());
                }
                break;
            }
            if taken.len() >= count_max || (!taken.is_empty() && bytes + size > bytes_max) {
                break;
            }
            bytes += size;
            taken.push(entry.waiting.clone());
        }
        taken
    }

    /// Configurations that wait, oldest first.
    pub(crate) fn configs(&self) -> Vec<Waiting> {
        let inner = self.lock();
        if inner.configs == 0 {
            return Vec::new();
        }
        let waiting = inner.order.values().filter_map(|tx_id| inner.entries.get(tx_id));
        waiting.map(|entry| &entry.waiting).filter(|waiting| waiting.is_config()).cloned().collect()
    }

    /// Removes what a durable block has settled, or made impossible, and answers its callers.
    pub(crate) fn settle(&self, settled: &[Settled]) {
        let mut inner = self.lock();
        let mut answers = Vec::new();
        for Settled { tx_id, digest, outcome } in settled {
            let same = inner.entries.get(tx_id).map(|e| e.waiting.decoded.digest == *digest);
            // Somebody else's forgery of this transaction has not used its id up.
            let forged = !uses_up_id(outcome.code);
            let code = match same {
                None => continue,
                Some(true) => outcome.code,
                Some(false) if forged => continue,
                Some(false) => ValidationCode::DuplicateTxid,
            };
            let replies = inner.remove(tx_id);
            answers.extend(replies.into_iter().map(|reply| (reply, Outcome { code, ..*outcome })));
        }
        drop(inner);
        for (reply, outcome) in answers {
            // A caller that has gone away misses nothing: the ledger keeps the answer.
            let _ = reply.send(outcome);
        }
    }

    /// Takes own transactions that are to be passed on, at most `count_max`.
    pub(crate) fn take_unforwarded(&self, count_max: usize) -> Vec<Waiting> {
        let mut inner = self.lock();
        let count = inner.unforwarded.len().min(count_max);
        let ids: Vec<TxId> = inner.unforwarded.drain(..count).collect();
        ids.iter().filter_map(|id| inner.entries.get(id)).map(|e| e.waiting.clone()).collect()
    }

    /// Forgets that anything is to be passed on: there is nobody to pass it on to.
    pub(crate) fn keep_all(&self) {
        self.lock().unforwarded.clear();
    }

    /// Puts own transactions that came before `mark` up for passing on again: a peer may have missed
    /// them. At most [`FORWARDED_AGAIN_MAX`], the oldest.
    pub(crate) fn forward_again(&self, mark: u64) {
        let mut inner = self.lock();
        let own = |tx_id: &&TxId| inner.entries.get(*tx_id).is_some_and(|e| !e.foreign);
        let again: Vec<TxId> = inner
            .order
            .range(..mark)
            .map(|(_, tx_id)| tx_id)
            .filter(own)
            .take(FORWARDED_AGAIN_MAX)
            .copied()
            .collect();
        let known: HashSet<TxId> = again.iter().copied().collect();
        let new = inner.unforwarded.iter().filter(|tx_id| !known.contains(tx_id)).copied();
        inner.unforwarded = again.into_iter().chain(new.collect::<Vec<_>>()).collect();
    }

    /// Separates what waits now from what comes later; gives the mark set before this one.
    pub(crate) fn mark(&self) -> u64 {
        let mut inner = self.lock();
        let next = inner.next;
        std::mem::replace(&mut inner.mark, next)
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().entries.is_empty()
    }

    /// Whether a caller of this node waits for an answer.
    pub(crate) fn has_callers(&self) -> bool {
        self.lock().entries.values().any(|entry| !entry.replies.is_empty())
    }

    /// Transactions waiting.
    pub(crate) fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Refuses everything from now on and wakes the ordering thread.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.signal();
    }

    /// Whether [`close`](Self::close) was called.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Drops everything that waits; the callers see their channel close.
    pub(crate) fn clear(&self) {
        let mut inner = self.lock();
        let (closed, next, mark) = (inner.closed, inner.next, inner.mark);
        *inner = Inner { closed, next, mark, ..Inner::default() };
    }

    /// Wakes the ordering thread.
    pub(crate) fn signal(&self) {
        self.lock().signalled = true;
        self.wake.notify_all();
    }

    /// Sleeps until a transaction arrives, somebody calls [`signal`](Self::signal), or the time is
    /// over.
    pub(crate) fn wait(&self, at_most: Duration) {
        let mut inner = self.lock();
        if !inner.signalled {
            inner = match self.wake.wait_timeout(inner, at_most) {
                Ok((inner, _)) => inner,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        inner.signalled = false;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Whether there is room for it as far as configurations go.
    fn takes(&self, waiting: &Waiting) -> bool {
        !waiting.is_config() || self.configs < CONFIGURATIONS_WAITING_MAX
    }

    fn insert(&mut self, waiting: Waiting, replies: Vec<oneshot::Sender<Outcome>>, foreign: bool) {
        let (place, tx_id) = (self.next, waiting.tx_id());
        self.next += 1;
        self.bytes += waiting.envelope.len();
        self.configs += usize::from(waiting.is_config());
        self.digests.insert(waiting.decoded.digest, tx_id);
        self.order.insert(place, tx_id);
        self.entries.insert(tx_id, Entry { waiting, place, replies, foreign });
    }

    fn remove(&mut self, tx_id: &TxId) -> Vec<oneshot::Sender<Outcome>> {
        let Some(entry) = self.entries.remove(tx_id) else { return Vec::new() };
        let bytes = entry.waiting.envelope.len();
        self.order.remove(&entry.place);
        self.digests.remove(&entry.waiting.decoded.digest);
        self.bytes = self.bytes.saturating_sub(bytes);
        self.configs = self.configs.saturating_sub(usize::from(entry.waiting.is_config()));
        if entry.foreign {
            self.forwarded.remove(bytes);
        }
        entry.replies
    }
}

impl Share {
    fn remove(&mut self, bytes: usize) {
        self.count = self.count.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

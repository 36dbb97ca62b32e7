//! The handshakes under way: so many, and the oldest goes first.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

#[derive(Debug)]
pub(super) struct HalfOpen {
    max: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    /// Oldest first.
    places: BTreeMap<u64, Arc<Notify>>,
}

impl HalfOpen {
    /// At least one place: an acceptor without any would be none.
    pub(super) fn new(max: usize) -> Self {
        Self { max: max.max(1), waiting: Mutex::default() }
    }

    /// Takes a place, at the price of the oldest when all are taken.
    pub(super) fn enter(&self) -> Place<'_> {
        let mut waiting = self.lock();
        while waiting.places.len() >= self.max {
            if let Some((_, oldest)) = waiting.places.pop_first() {
                oldest.notify_one();
            }
        }
        let number = waiting.next;
        waiting.next = waiting.next.wrapping_add(1);
        let evicted = Arc::new(Notify::new());
        waiting.places.insert(number, Arc::clone(&evicted));
        Place { all: self, number, evicted }
    }

    pub(super) fn count(&self) -> usize {
        self.lock().places.len()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to be half open; given back when dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    all: &'a HalfOpen,
    number: u64,
    evicted: Arc<Notify>,
}

impl Place<'_> {
    /// Returns when somebody newer needs the place. Cancellation safe.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.all.lock().places.remove(&self.number);
    }
}

//! `Idempotency-Key`: the same signed request again gives the same answer again.
//!
//! The key is `SM3(subject‖key)`, so that clients cannot meet in one key. Only successful answers are
//! kept; a failed request frees its key at once. Losing this store costs nothing but convenience: the
//! domain's own duplicate key still gives one record for one submission.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use smkit::sm3::{Sm3Digest, sm3_parts};

pub use self::log::AnswerLog;

mod log;
#[cfg(test)]
mod tests;

/// An answer as it was given the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// SM3 of the request body that was answered.
    pub request: Sm3Digest,
    /// Kept until then, Unix milliseconds.
    pub expires_ms: u64,
    /// The HTTP status.
    pub status: u16,
    /// The `Location`, empty when there was none.
    pub location: String,
    /// The response body, JSON.
    pub body: Vec<u8>,
}

/// Where answers are kept. Failures are logged by the implementation and look like an empty store: the
/// service must never stop because its convenience is damaged.
pub trait AnswerStore: Send + Sync + std::fmt::Debug {
    /// The answer under a key, unless it has expired.
    fn get(&self, key: &Sm3Digest, now_ms: u64) -> Option<StoredAnswer>;
    /// Keeps an answer; the oldest go when the bound is reached.
    fn put(&self, key: &Sm3Digest, answer: &StoredAnswer);
}

/// The bounded gate in front of an [`AnswerStore`].
#[derive(Debug)]
pub struct Idempotency {
    store: Arc<dyn AnswerStore>,
    in_flight: Arc<Mutex<HashMap<Sm3Digest, Sm3Digest>>>,
}

/// What to do with a request that carries an idempotency key.
#[derive(Debug)]
pub enum Begin {
    /// First time: work, then [`Ticket::finish`]. Dropping the ticket frees the key.
    Fresh(Ticket),
    /// Answered before: give this.
    Replay(StoredAnswer),
    /// The same request is being answered now.
    InFlight,
    /// The key belongs to another body.
    OtherBody,
}

/// The right to answer one key; freed on drop, whatever happens to the request.
#[derive(Debug)]
pub struct Ticket {
    key: Sm3Digest,
    request: Sm3Digest,
    store: Arc<dyn AnswerStore>,
    in_flight: Arc<Mutex<HashMap<Sm3Digest, Sm3Digest>>>,
}

impl Idempotency {
    /// A gate over a store. What is in flight is bounded by the requests being answered.
    #[must_use]
    pub fn new(store: Arc<dyn AnswerStore>) -> Self {
        Self { store, in_flight: Arc::default() }
    }

    /// Opens a key for a request body of the given digest.
    #[must_use]
    pub fn begin(&self, key: Sm3Digest, request: Sm3Digest, now_ms: u64) -> Begin {
        let mut in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        match in_flight.get(&key) {
            Some(first) if *first == request => return Begin::InFlight,
            Some(_) => return Begin::OtherBody,
            None => {}
        }
        match self.store.get(&key, now_ms) {
            Some(answer) if answer.request == request => Begin::Replay(answer),
            Some(_) => Begin::OtherBody,
            None => {
                in_flight.insert(key, request);
                let (store, in_flight) = (Arc::clone(&self.store), Arc::clone(&self.in_flight));
                Begin::Fresh(Ticket { key, request, store, in_flight })
            }
        }
    }
}

impl Ticket {
    /// Keeps the answer and frees the key.
    pub fn finish(self, answer: &StoredAnswer) {
        debug_assert_eq!(answer.request, self.request, "the answer to another request");
        self.store.put(&self.key, answer);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// The store's key of a client's key.
#[must_use]
pub fn storage_key(subject: &str, key: &str) -> Sm3Digest {
    let length = u32::try_from(subject.len()).unwrap_or(u32::MAX).to_be_bytes();
    sm3_parts(&[b"changbai/api/idempotency/v1", &length, subject.as_bytes(), key.as_bytes()])
}

//! Equal submissions that are under way in this process: one leads, the others wait for its outcome.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use smkit::sm3::Sm3Digest;
use tokio::sync::watch;

use super::{SubmitError, Submitted};
use crate::limits::SUBMISSIONS_IN_FLIGHT_MAX;

type Outcome = Result<Submitted, SubmitError>;

/// The submissions under way, by duplicate key.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<Sm3Digest, watch::Receiver<Option<Outcome>>>>);

/// Who a submission is among its equals.
pub(super) enum Role<'a> {
    /// The first: it must submit and [`Leader::land`] the outcome.
    Leader(Leader<'a>),
    /// A later one: it waits.
    Follower(Follower),
}

/// Dropping it without landing (a cancelled request) lets a follower take over.
pub(super) struct Leader<'a> {
    flights: &'a Flights,
    key: Sm3Digest,
    outcome: watch::Sender<Option<Outcome>>,
}

pub(super) struct Follower(watch::Receiver<Option<Outcome>>);

impl Flights {
    pub(super) fn join(&self, key: Sm3Digest) -> Result<Role<'_>, SubmitError> {
        let mut flights = self.lock();
        if let Some(outcome) = flights.get(&key) {
            return Ok(Role::Follower(Follower(outcome.clone())));
        }
        if flights.len() >= SUBMISSIONS_IN_FLIGHT_MAX {
            return Err(SubmitError::Busy { retry_after_ms: RETRY_AFTER_MS });
        }
        let (outcome, receiver) = watch::channel(None);
        flights.insert(key, receiver);
        Ok(Role::Leader(Leader { flights: self, key, outcome }))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Sm3Digest, watch::Receiver<Option<Outcome>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leader<'_> {
    /// Tells every follower the outcome.
    pub(super) fn land(self, outcome: &Outcome) {
        self.outcome.send_replace(Some(outcome.clone()));
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        self.flights.lock().remove(&self.key);
    }
}

impl Follower {
    /// The leader's outcome; `None` if it gave up without one.
    pub(super) async fn outcome(mut self) -> Option<Outcome> {
        self.0.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone())
    }
}

const RETRY_AFTER_MS: u64 = 1_000;

//! Submissions that are answered later: what is under way, how far it is, and how it ended.
//!
//! A job runs on a task of its own, so that a client that goes away takes nothing with it. Its id is random and not a
//! secret worth much: it shows ids and counts, never contents. What a finished job answered is kept in the
//! [`AnswerStore`] as well and outlives the node; a job that the node's end cut short is told apart from one that
//! never was, and its outcome is asked for by the same submission again.

mod job;
mod store;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smkit::sm3::Sm3Digest;
use smkit::{OsRandom, Random as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

pub(crate) use self::job::{Job, Kind, Outcome};
pub(crate) use self::store::Past;
use crate::idempotency::AnswerStore;
use crate::problem::{Code, Problem};

/// The jobs of one node.
#[derive(Debug)]
pub(crate) struct Jobs {
    store: Arc<dyn AnswerStore>,
    known: Mutex<Known>,
    running: Arc<Semaphore>,
    tasks: Mutex<JoinSet<()>>,
    kept_max: usize,
}

/// By id, and by idempotency key while they run.
#[derive(Debug, Default)]
struct Known {
    by_id: HashMap<String, Arc<Job>>,
    by_key: HashMap<Sm3Digest, (Sm3Digest, Arc<Job>)>,
    order: VecDeque<String>,
}

/// The right to start one more job.
#[derive(Debug)]
pub(crate) struct Place(#[expect(dead_code, reason = "held for its place")] OwnedSemaphorePermit);

impl Jobs {
    /// At most `running_max` jobs at a time; the answers of as many more stay in memory.
    pub(crate) fn new(store: Arc<dyn AnswerStore>, running_max: usize) -> Self {
        Self {
            store,
            known: Mutex::default(),
            running: Arc::new(Semaphore::new(running_max)),
            tasks: Mutex::default(),
            kept_max: running_max.saturating_mul(2),
        }
    }

    /// A place for a job; full is a refusal that says when to come back.
    pub(crate) fn place(&self) -> Result<Place, Problem> {
        let permit = Arc::clone(&self.running).try_acquire_owned();
        permit.map(Place).map_err(|_| Problem::new(Code::Busy))
    }

    /// Starts `work` on a task of its own. `key` is the idempotency key with the digest of its request.
    pub(crate) fn start<W: Future<Output = Outcome> + Send + 'static>(
        self: &Arc<Self>,
        place: Place,
        kind: Kind,
        key: Option<(Sm3Digest, Sm3Digest)>,
        now_ms: u64,
        work: impl FnOnce(Arc<Job>) -> W,
    ) -> Result<Arc<Job>, Problem> {
        let mut id = [0; 16];
        OsRandom.fill(&mut id).map_err(|_| Problem::new(Code::Internal))?;
        let job = Arc::new(Job::new(hex(&id), kind));
        store::accepted(self.store.as_ref(), &job, now_ms);
        self.register(&job, key);
        let (jobs, working) = (Arc::clone(self), work(Arc::clone(&job)));
        let ended = Arc::clone(&job);
        let run = async move {
            let outcome = working.await;
            if let Ok(answer) = &outcome {
                store::ended(jobs.store.as_ref(), &ended, answer);
            }
            if let Some((key, _)) = key {
                jobs.known().by_key.remove(&key);
            }
            ended.end(outcome);
            drop(place);
        };
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(run);
        Ok(job)
    }

    /// The job that answers an idempotency key now, if its request has this digest.
    pub(crate) fn under_way(&self, key: &Sm3Digest, request: &Sm3Digest) -> Option<Arc<Job>> {
        let known = self.known();
        let (asked, job) = known.by_key.get(key)?;
        (asked == request).then(|| Arc::clone(job))
    }

    /// A job that is under way or ended a short while ago.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Job>> {
        self.known().by_id.get(id).cloned()
    }

    /// What is known of a job that is no longer in memory.
    pub(crate) fn past(&self, id: &str, now_ms: u64) -> Option<Past> {
        store::past(self.store.as_ref(), id, now_ms)
    }

    /// Waits for what is under way, but not for ever. Nothing may be started any more.
    pub(crate) async fn end(&self, grace: Duration) {
        let mut tasks =
            std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, all).await.is_err() {
            tracing::warn!("api::jobs breaks off submissions that did not end in time");
        }
        tasks.shutdown().await;
    }

    fn register(&self, job: &Arc<Job>, key: Option<(Sm3Digest, Sm3Digest)>) {
        let mut known = self.known();
        known.by_id.insert(job.id.clone(), Arc::clone(job));
        known.order.push_back(job.id.clone());
        if let Some((key, request)) = key {
            known.by_key.insert(key, (request, Arc::clone(job)));
        }
        // The oldest goes first, and stays findable in the store; one under way is never dropped.
        for _ in 0..known.order.len().saturating_sub(self.kept_max) {
            let Some(oldest) = known.order.pop_front() else { break };
            match known.by_id.get(&oldest) {
                Some(job) if !job.has_ended() => known.order.push_back(oldest),
                _ => drop(known.by_id.remove(&oldest)),
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

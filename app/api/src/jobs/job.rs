//! One job: its events so far, and its end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::idempotency::StoredAnswer;
use crate::problem::Problem;

/// What a job is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One submission.
    Evidence,
    /// A batch of digests.
    Batch,
}

/// How a job ended: the answer that the synchronous form would have given.
pub(crate) type Outcome = Result<StoredAnswer, Problem>;

/// A submission under way or ended.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    state: watch::Sender<State>,
}

#[derive(Debug, Clone, Default)]
struct State {
    events: Arc<Vec<Event>>,
    outcome: Option<Arc<Outcome>>,
}

/// A step of a job. Its number is its place, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// `accepted`, `submitted`, `recorded`, `failed`.
    pub(crate) name: &'static str,
    /// What goes with it: counts and ids, as JSON.
    pub(crate) data: serde_json::Value,
}

impl Kind {
    /// `evidence` or `batch`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::Batch => "batch",
        }
    }
}

impl Job {
    pub(super) fn new(id: String, kind: Kind) -> Self {
        Self { id, kind, state: watch::Sender::default() }
    }

    /// Where a client finds it.
    pub(crate) fn location(&self) -> String {
        format!("/api/v1/operations/{}", self.id)
    }

    /// Adds a step.
    pub(crate) fn step(&self, name: &'static str, data: serde_json::Value) {
        self.state.send_modify(|state| {
            let events = Arc::make_mut(&mut state.events);
            if events.len() < EVENTS_MAX {
                events.push(Event { name, data });
            }
        });
    }

    pub(super) fn end(&self, outcome: Outcome) {
        let last = match &outcome {
            Ok(answer) => Event {
                name: "recorded",
                data: serde_json::json!({"status": answer.status, "location": answer.location}),
            },
            Err(problem) => {
                Event { name: "failed", data: serde_json::json!({"code": problem.code()}) }
            }
        };
        self.state.send_modify(|state| {
            Arc::make_mut(&mut state.events).push(last);
            state.outcome = Some(Arc::new(outcome));
        });
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.state.borrow().outcome.is_some()
    }

    /// The steps so far, and how it ended if it has.
    pub(crate) fn now(&self) -> (Arc<Vec<Event>>, Option<Arc<Outcome>>) {
        let state = self.state.borrow();
        (Arc::clone(&state.events), state.outcome.clone())
    }

    /// Waits for its end.
    pub(crate) async fn outcome(&self) -> Arc<Outcome> {
        let mut changes = self.state.subscribe();
        loop {
            if let Some(outcome) = &changes.borrow_and_update().outcome {
                return Arc::clone(outcome);
            }
            if changes.changed().await.is_err() {
                // The sender is ours: it cannot be gone while `self` is here.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Waits for its end, but no longer than `wait`.
    pub(crate) async fn ended_within(&self, wait: Duration) {
        drop(tokio::time::timeout(wait, self.outcome()).await);
    }

    /// Waits until there are more than `seen` steps, or it has ended.
    pub(crate) async fn more_than(&self, seen: usize) {
        let mut changes = self.state.subscribe();
        let more = |state: &State| state.events.len() > seen || state.outcome.is_some();
        drop(changes.wait_for(more).await);
    }
}

/// More than any job has.
const EVENTS_MAX: usize = 63;

//! What outlives the node of a job: that it was accepted, and what it answered.

use smkit::sm3::{Sm3Digest, sm3_parts};

use super::Job;
use crate::idempotency::{AnswerStore, StoredAnswer};
use crate::limits::IDEMPOTENCY_KEPT_MS;

/// A job of which only the store knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Past {
    /// It ended so.
    Ended(StoredAnswer),
    /// It was accepted, and the node ended before it did: nobody knows whether it was recorded.
    CutShort,
}

pub(super) fn accepted(store: &dyn AnswerStore, job: &Job, now_ms: u64) {
    let answer = StoredAnswer {
        request: place(&job.id),
        expires_ms: now_ms.saturating_add(IDEMPOTENCY_KEPT_MS),
        status: ACCEPTED,
        location: String::new(),
        body: Vec::new(),
    };
    store.put(&place(&job.id), &answer);
}

pub(super) fn ended(store: &dyn AnswerStore, job: &Job, answer: &StoredAnswer) {
    store.put(&place(&job.id), answer);
}

pub(super) fn past(store: &dyn AnswerStore, id: &str, now_ms: u64) -> Option<Past> {
    let answer = store.get(&place(id), now_ms)?;
    Some(if answer.status == ACCEPTED { Past::CutShort } else { Past::Ended(answer) })
}

fn place(id: &str) -> Sm3Digest {
    sm3_parts(&[b"changbai/api/operation/v1", id.as_bytes()])
}

const ACCEPTED: u16 = 202;

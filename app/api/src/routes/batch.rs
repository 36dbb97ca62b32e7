//! `POST /evidence:batch` and what is read of a batch.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use changbai_core::{BatchEntry, BatchRoot, Record, Submission, codes};
use smkit::sm3::Sm3Digest;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::evidence::{blocking, stored};
use super::operations::{accepted, awaited, wants_async};
use super::submit::{Entry, begin, check_digest, recorded};
use crate::batch::{BatchError, parse_batch};
use crate::body::{FeedReader, Incoming, feed};
use crate::domain::{of_code, of_failure, of_submit};
use crate::dto::BatchAnswer;
use crate::identity::authenticate;
use crate::jobs::{Job, Kind};
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::{ApiState, Shared};
use crate::submission::{Metadata, digest};

/// Submits up to 100,000 digests as one record: newline-delimited JSON, a line `{"sm3": …}` each with, if wanted,
/// `size_bytes`, `media_type` and `ref`. The first line may be `{"batch": {…}}` with business type, fields, previous
/// and collection. All or nothing: faulty lines are listed and nothing is recorded.
///
/// With an `Idempotency-Key` a client that lost its connection, or the node, sends the same again and gets the same
/// batch. `Prefer: respond-async` answers 202 once the digests are kept.
#[utoipa::path(post, path = "/api/v1/evidence:batch", tag = "evidence",
    request_body(content = String, content_type = "application/x-ndjson"),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes the request repeatable for 24 hours 幂等键"),
           ("Prefer" = Option<String>, Header, description = "`respond-async` for a 202 异步受理")),
    security(("sm2" = [])),
    responses(
        (status = 201, description = "Recorded 已存证", body = BatchAnswer),
        (status = 200, description = "Recorded before 此前已存证", body = BatchAnswer),
        (status = 202, description = "Accepted 已受理", body = crate::dto::OperationAnswer),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 408, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 413, body = ProblemBody),
        (status = 415, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn submit(
    State(ApiState(state)): State<ApiState>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let mut incoming = Incoming::new(body, &head.headers, state.limits());
    let job = admit(&state, &head, &mut incoming).await;
    match job {
        Ok(Admitted::Job(job)) if wants_async(&head.headers) => Ok(accepted(&job)),
        Ok(Admitted::Job(job)) => awaited(&job).await,
        Ok(Admitted::Answer(answer)) => Ok(answer),
        Err(problem) => {
            incoming.drain().await;
            Err(problem)
        }
    }
}

enum Admitted {
    Job(Arc<Job>),
    /// Given before.
    Answer(Response),
}

/// Nothing of the body is read before it is known who sends it and that there is room.
async fn admit(
    state: &Arc<Shared>,
    head: &Parts,
    incoming: &mut Incoming,
) -> Result<Admitted, Problem> {
    let caller = authenticate(state, head)?;
    caller.may_write(state)?;
    let expected = caller.content_digest.ok_or_else(|| Problem::new(caller.undigested()))?;
    let media_type = head.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let essence = media_type.unwrap_or("").split(';').next().unwrap_or("").trim();
    if !essence.eq_ignore_ascii_case("application/x-ndjson") {
        return Err(Problem::new(Code::MediaType).technical("application/x-ndjson"));
    }
    incoming.limit(state.limits().batch_bytes_max)?;
    let (ticket, key) = match begin(state, &caller, expected)? {
        Entry::Fresh { ticket, key } => (ticket, key),
        Entry::Known(answer) => {
            incoming.drain().await;
            return Ok(Admitted::Answer(answer));
        }
        Entry::UnderWay(job) => {
            incoming.drain().await;
            return Ok(Admitted::Job(job));
        }
    };
    state.parts.evidence.check_time().map_err(|error| of_submit(&error))?;
    let permit = state.batch_permit()?;
    let place = state.jobs.place()?;
    let (metadata, batch) = receive(state, expected, incoming, permit).await?;
    let submission = submission(metadata, batch);
    let (shared, submitter, role) = (Arc::clone(state), caller.submitter(), caller.role());
    let work = move |job: Arc<Job>| async move {
        job.step(
            "accepted",
            serde_json::json!({"digests": batch.size, "root": batch.root.to_string()}),
        );
        job.step("submitted", serde_json::json!({"digests": batch.size}));
        recorded(&shared, &submitter, expected, submission, ticket, role).await
    };
    let key = key.map(|key| (key, expected));
    Ok(Admitted::Job(state.jobs.start(place, Kind::Batch, key, state.now_ms(), work)?))
}

/// The digests on the node's disk, durable under their root.
async fn receive(
    state: &Arc<Shared>,
    expected: Sm3Digest,
    incoming: &mut Incoming,
    permit: OwnedSemaphorePermit,
) -> Result<(Metadata, BatchRoot), Problem> {
    let (feed, reader) = feed();
    let (go, wait) = oneshot::channel();
    let shared = Arc::clone(state);
    let worker = blocking(move || {
        // The slot is free when the thread is, not when the client is.
        let _permit = permit;
        keep(&shared, reader, wait)
    });
    let received = incoming.pump(&feed).await;
    drop(feed);
    match received {
        Err(problem) => return Err(problem),
        Ok(Some(received)) => {
            check_digest(&received, expected)?;
            // A worker that is gone has its own reason, below.
            let _ = go.send(());
        }
        Ok(None) => drop(go),
    }
    worker.await?
}

/// The blocking half: lines into a file that becomes a batch only after `go`.
fn keep(
    state: &Shared,
    reader: FeedReader,
    go: oneshot::Receiver<()>,
) -> Result<(Metadata, BatchRoot), Problem> {
    let store = |error: std::io::Error| of_failure(&codes::STORE, &error);
    let mut batch = state.parts.batches.begin().map_err(store)?;
    let lines = parse_batch(reader, &mut |leaf| batch.push(leaf))?;
    if go.blocking_recv().is_err() {
        return Err(Problem::new(Code::Malformed).detail("正文传输中断", "the body broke off"));
    }
    if let Some(problem) = lines.problem() {
        return Err(problem);
    }
    let root = batch.finish().map_err(store)?.ok_or_else(|| of_code(&codes::BATCH_EMPTY))?;
    Ok((lines.metadata, root))
}

fn submission(metadata: Metadata, batch: BatchRoot) -> Submission {
    Submission {
        business_type: metadata.business_type,
        fields: metadata.fields,
        batch: Some(batch),
        originals: Vec::new(),
        previous: metadata.previous,
        collection: metadata.collection,
    }
}

/// One digest's place in a batch, as canonical JSON: with the record's receipt it proves the digest. `which` is its
/// number from 0 or its SM3. The node that took the batch keeps its digests; other nodes have the root only.
#[utoipa::path(get, path = "/api/v1/evidence/{id}/batch/{which}", tag = "evidence",
    params(("id" = String, Path, description = "Evidence id 存证编号"),
           ("which" = String, Path, description = "Number from 0, or SM3 序号或摘要")),
    responses((status = 200, description = "batch.json", content_type = "application/json"),
              (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn place(
    State(ApiState(state)): State<ApiState>,
    Path((id, which)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let stored = stored(&state, &id).await?;
    let bytes = place_bytes(&state, &stored.record, &which).await?;
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

/// `batch.json` of one digest, by number or SM3.
pub(super) async fn place_bytes(
    state: &Arc<Shared>,
    record: &Record,
    which: &str,
) -> Result<Vec<u8>, Problem> {
    let entry = entry(state, record, which).await?;
    entry.to_bytes().map_err(|error| of_failure(&codes::INTERNAL, &error))
}

async fn entry(state: &Arc<Shared>, record: &Record, which: &str) -> Result<BatchEntry, Problem> {
    let root = *record.batch().ok_or_else(|| of_code(&codes::BATCH_NOT_HELD))?;
    let wanted = match which.parse::<u64>() {
        Ok(index) if which.len() < 20 => Wanted::Index(index),
        _ => Wanted::Digest(digest(which, "")?),
    };
    let permit = state.download_permit()?;
    let shared = Arc::clone(state);
    let entry = blocking(move || {
        let _permit = permit;
        let batch = shared.parts.batches.read(&root)?;
        let index = match wanted {
            Wanted::Index(index) => Some(index),
            Wanted::Digest(sm3) => batch.index_of(&sm3),
        };
        Ok(index.and_then(|index| batch.entry(index)))
    });
    let entry = entry.await?.map_err(|error: BatchError| match error {
        BatchError::NotHeld(_) => of_code(&codes::BATCH_NOT_HELD),
        BatchError::Damaged(_) => of_failure(&codes::DAMAGED, &error),
        BatchError::Io(_) => of_failure(&codes::STORE, &error),
    })?;
    entry.ok_or_else(|| of_code(&codes::BATCH_NO_DIGEST))
}

enum Wanted {
    Index(u64),
    Digest(Sm3Digest),
}

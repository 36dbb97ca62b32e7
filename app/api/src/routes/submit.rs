//! `POST /evidence`: from a signed request to a record on the ledger.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use changbai_core::process::ActorRole;
use changbai_core::{Handed, Submission, Submitter, codes};
use smkit::sm3::Sm3Digest;
use tokio::sync::oneshot;

use super::evidence::blocking;
use super::operations::{accepted, awaited, wants_async};
use crate::body::{Incoming, Received, feed};
use crate::domain::{of_code, of_submit};
use crate::dto::{BatchAnswer, SubmissionAnswer};
use crate::idempotency::{Begin, StoredAnswer, Ticket, storage_key};
use crate::identity::{Caller, authenticate};
use crate::jobs::{Job, Kind};
use crate::limits::{IDEMPOTENCY_KEPT_MS, IDEMPOTENCY_KEY_CHARS_MAX};
use crate::multipart::boundary;
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::{ApiState, Shared};
use crate::submission::{MetadataBody, SubmissionBody, parse_submission};
use crate::upload;

/// Submits evidence: by digest as JSON, or with the originals as `multipart/form-data` whose first part
/// `metadata` holds [`MetadataBody`] and whose further parts are named `original`.
#[utoipa::path(post, path = "/api/v1/evidence", tag = "evidence",
    request_body(content(
        (SubmissionBody = "application/json"),
        (MetadataBody = "multipart/form-data"),
    )),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes the request repeatable for 24 hours 幂等键"),
           ("Prefer" = Option<String>, Header, description = "`respond-async` for a 202 异步受理")),
    security(("sm2" = [])),
    responses(
        (status = 201, description = "Recorded 已存证", body = SubmissionAnswer),
        (status = 200, description = "Recorded before 此前已存证", body = SubmissionAnswer),
        (status = 202, description = "Accepted 已受理", body = crate::dto::OperationAnswer),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 408, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 413, body = ProblemBody),
        (status = 415, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 429, body = ProblemBody), (status = 503, body = ProblemBody),
        (status = 504, body = ProblemBody)))]
pub(crate) async fn submit(
    State(ApiState(state)): State<ApiState>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let mut incoming = Incoming::new(body, &head.headers, state.limits());
    let answer = admit(&state, &head, &mut incoming).await;
    if answer.is_err() {
        incoming.drain().await;
    }
    answer
}

/// Nothing of the body is read before it is known who sends it.
async fn admit(
    state: &Arc<Shared>,
    head: &Parts,
    incoming: &mut Incoming,
) -> Result<Response, Problem> {
    let caller = authenticate(state, head)?;
    caller.may_write(state)?;
    let expected = caller.content_digest.ok_or_else(|| Problem::new(caller.undigested()))?;
    let kind = Form::of(head)?;
    incoming.limit(match kind {
        Form::Json => state.limits().json_bytes_max,
        Form::Multipart(_) => state.limits().upload_bytes_max,
    })?;
    let later = wants_async(&head.headers);
    answer(state, &caller, expected, kind, later, incoming).await
}

enum Form {
    Json,
    Multipart(String),
}

impl Form {
    fn of(head: &Parts) -> Result<Self, Problem> {
        let text =
            head.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
        let essence = text.split(';').next().unwrap_or("").trim();
        if essence.eq_ignore_ascii_case("application/json") {
            return Ok(Self::Json);
        }
        if let Some(boundary) = boundary(text) {
            return Ok(Self::Multipart(boundary.to_owned()));
        }
        Err(Problem::new(Code::MediaType)
            .technical("application/json or multipart/form-data with a boundary"))
    }
}

async fn answer(
    state: &Arc<Shared>,
    caller: &Caller,
    expected: Sm3Digest,
    kind: Form,
    later: bool,
    incoming: &mut Incoming,
) -> Result<Response, Problem> {
    let (ticket, key) = match begin(state, caller, expected)? {
        Entry::Fresh { ticket, key } => (ticket, key),
        Entry::Known(answer) => {
            incoming.drain().await;
            return Ok(answer);
        }
        Entry::UnderWay(job) => {
            incoming.drain().await;
            return if later { Ok(accepted(&job)) } else { awaited(&job).await };
        }
    };
    let place = later.then(|| state.jobs.place()).transpose()?;
    // Before originals are taken in that nothing could be recorded of.
    state.parts.evidence.check_time().map_err(|error| of_submit(&error))?;
    let submission = match kind {
        Form::Json => from_json(expected, incoming).await?,
        Form::Multipart(boundary) => from_multipart(state, expected, boundary, incoming).await?,
    };
    let (submitter, role) = (caller.submitter(), caller.role());
    let Some(place) = place else {
        let answer = recorded(state, &submitter, expected, submission, ticket, role).await?;
        return Ok(answered(&answer));
    };
    let shared = Arc::clone(state);
    let work = move |job: Arc<Job>| async move {
        job.step("accepted", serde_json::json!({"originals": submission.originals.len()}));
        recorded(&shared, &submitter, expected, submission, ticket, role).await
    };
    let key = key.map(|key| (key, expected));
    let job = state.jobs.start(place, Kind::Evidence, key, state.now_ms(), work)?;
    Ok(accepted(&job))
}

/// What an idempotency key says about a request.
pub(super) enum Entry {
    /// Nothing: work.
    Fresh {
        /// The right to answer the key, if there is one.
        ticket: Option<Ticket>,
        /// The key in the store.
        key: Option<Sm3Digest>,
    },
    /// It was answered before, so.
    Known(Response),
    /// It is being answered.
    UnderWay(Arc<Job>),
}

pub(super) fn begin(
    state: &Shared,
    caller: &Caller,
    expected: Sm3Digest,
) -> Result<Entry, Problem> {
    let Some(key) = &caller.idempotency_key else {
        return Ok(Entry::Fresh { ticket: None, key: None });
    };
    if key.is_empty() || key.len() > IDEMPOTENCY_KEY_CHARS_MAX {
        return Err(Problem::new(Code::Malformed).technical(format!(
            "an idempotency key has 1 to {IDEMPOTENCY_KEY_CHARS_MAX} characters"
        )));
    }
    let key = storage_key(&caller.subject, key);
    match state.idempotency.begin(key, expected, state.now_ms()) {
        Begin::Fresh(ticket) => Ok(Entry::Fresh { ticket: Some(ticket), key: Some(key) }),
        Begin::Replay(answer) => Ok(Entry::Known(replayed(&answer))),
        Begin::OtherBody => Err(Problem::new(Code::IdempotencyMismatch)),
        Begin::InFlight => match state.jobs.under_way(&key, &expected) {
            Some(job) => Ok(Entry::UnderWay(job)),
            None => Err(Problem::new(Code::InFlight).retry_after_ms(1_000)),
        },
    }
}

async fn from_json(expected: Sm3Digest, incoming: &mut Incoming) -> Result<Submission, Problem> {
    let (bytes, received) = incoming.whole().await?;
    check_digest(&received, expected)?;
    let (metadata, originals) = parse_submission(&bytes)?;
    Ok(Submission {
        business_type: metadata.business_type,
        fields: metadata.fields,
        batch: None,
        originals,
        previous: metadata.previous,
        collection: metadata.collection,
    })
}

async fn from_multipart(
    state: &Arc<Shared>,
    expected: Sm3Digest,
    boundary: String,
    incoming: &mut Incoming,
) -> Result<Submission, Problem> {
    let permit = state.upload_permit()?;
    let (feed, reader) = feed();
    let (go, wait) = oneshot::channel();
    let shared = Arc::clone(state);
    let worker = blocking(move || {
        // The slot is free when the thread is, not when the client is.
        let _permit = permit;
        let bytes_max = shared.limits().upload_bytes_max;
        upload::receive(reader, &boundary, &shared.parts.custody, bytes_max, wait)
    });
    let received = incoming.pump(&feed).await;
    drop(feed);
    match received {
        // Dropping `go` makes the worker give its temporary files up.
        Err(problem) => return Err(problem),
        Ok(Some(received)) => {
            check_digest(&received, expected)?;
            // A worker that is gone has its own reason, below.
            let _ = go.send(());
        }
        Ok(None) => drop(go),
    }
    let uploaded = worker.await??;
    Ok(Submission {
        business_type: uploaded.metadata.business_type,
        fields: uploaded.metadata.fields,
        batch: None,
        originals: uploaded.originals,
        previous: uploaded.metadata.previous,
        collection: uploaded.metadata.collection,
    })
}

pub(super) fn check_digest(received: &Received, expected: Sm3Digest) -> Result<(), Problem> {
    if received.sm3 == expected {
        return Ok(());
    }
    Err(Problem::new(Code::ContentDigestMismatch))
}

/// Records a submission and says so, in the form that is kept for its key.
pub(super) async fn recorded(
    state: &Shared,
    submitter: &Submitter,
    request: Sm3Digest,
    submission: Submission,
    ticket: Option<Ticket>,
    role: ActorRole,
) -> Result<StoredAnswer, Problem> {
    let evidence = &state.parts.evidence;
    let handed = Handed { role, ..evidence.handed() };
    let submitted = state.in_time(evidence.submit_handed(submission, submitter, handed)).await;
    // Handed over, but not answered: it may still be recorded.
    let submitted = submitted.map_err(|_| of_code(&codes::OUTCOME_UNKNOWN))?;
    let submitted = submitted.map_err(|error| of_submit(&error))?;
    let status = if submitted.duplicate { StatusCode::OK } else { StatusCode::CREATED };
    let body = match submitted.record.batch() {
        Some(batch) => serde_json::to_vec(&BatchAnswer::new(&submitted, batch)),
        None => serde_json::to_vec(&SubmissionAnswer::from(&submitted)),
    };
    let answer = StoredAnswer {
        request,
        expires_ms: state.now_ms().saturating_add(IDEMPOTENCY_KEPT_MS),
        status: status.as_u16(),
        location: format!("/api/v1/evidence/{}", submitted.record.id()),
        body: body.map_err(|_| Problem::new(Code::Internal))?,
    };
    if let Some(ticket) = ticket {
        ticket.finish(&answer);
    }
    Ok(answer)
}

pub(super) fn answered(answer: &StoredAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    json_answer(status, &answer.location, answer.body.clone())
}

fn replayed(answer: &StoredAnswer) -> Response {
    let mut response = answered(answer);
    response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    response
}

fn json_answer(status: StatusCode, location: &str, body: Vec<u8>) -> Response {
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    if status == StatusCode::CREATED
        && let Ok(location) = HeaderValue::try_from(location)
    {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

//! Submissions that are answered later: `Prefer: respond-async` (RFC 7240), the operation's resource, and its steps as
//! server-sent events.
#![expect(unused_qualifications, reason = "in what utoipa generates for IntoParams")]

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use utoipa::IntoParams;

use super::evidence::malformed_query;
use super::submit::answered;
use crate::dto::{OperationAnswer, OperationFault};
use crate::jobs::{Job, Outcome, Past};
use crate::limits::{EVENTS_PAUSE_MAX, OPERATION_WAIT_S_MAX};
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::ApiState;

/// How long to wait for an operation.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaitParams {
    /// Seconds to wait for its end before answering, 0 to 60; 0 when absent.
    #[serde(default)]
    wait: u64,
}

/// How far an operation is: `running`, `succeeded` with the answer of the synchronous form, `failed` with its
/// problem, or `interrupted` by an end of the node: then the same submission again tells.
#[utoipa::path(get, path = "/api/v1/operations/{id}", tag = "evidence",
    params(("id" = String, Path, description = "From `Location` of the 202 回执编号"), WaitParams),
    responses((status = 200, body = OperationAnswer), (status = 404, body = ProblemBody)))]
pub(crate) async fn one(
    State(ApiState(state)): State<ApiState>,
    Path(id): Path<String>,
    query: Result<Query<WaitParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(WaitParams { wait }) = query.map_err(|_| malformed_query())?;
    if wait > OPERATION_WAIT_S_MAX {
        return Err(malformed_query());
    }
    let answer = match state.jobs.find(&id) {
        Some(job) => {
            job.ended_within(Duration::from_secs(wait)).await;
            of_job(&job)
        }
        None => match state.jobs.past(&id, state.now_ms()) {
            Some(past) => of_past(id, past),
            None => return Err(Problem::new(Code::NoSuchOperation)),
        },
    };
    let mut response = axum::Json(answer).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The operation's steps as server-sent events (`accepted`, `submitted`, `recorded`, `failed`), numbered from 1;
/// `Last-Event-ID` resumes behind a number. The stream ends with the operation.
#[utoipa::path(get, path = "/api/v1/operations/{id}/events", tag = "evidence",
    params(("id" = String, Path, description = "From `Location` of the 202 回执编号"),
           ("Last-Event-ID" = Option<u64>, Header, description = "The last event seen 断点续传")),
    responses((status = 200, description = "Events 进度", content_type = "text/event-stream"),
              (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn events(
    State(ApiState(state)): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seen = match headers.get("last-event-id") {
        None => 0,
        Some(value) => {
            value.to_str().ok().and_then(|text| text.parse::<usize>().ok()).ok_or_else(|| {
                Problem::new(Code::Malformed).technical("Last-Event-ID is a number")
            })?
        }
    };
    // One that is no longer in memory has ended: its resource says how.
    let job = state.jobs.find(&id).ok_or_else(|| Problem::new(Code::NoSuchOperation))?;
    let watching = Watching { job, seen, _permit: state.event_permit()? };
    let body = Body::from_stream(futures::stream::unfold(watching, Watching::next));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, body).into_response())
}

struct Watching {
    job: Arc<Job>,
    seen: usize,
    _permit: OwnedSemaphorePermit,
}

impl Watching {
    /// What happened since, or after a while without anything a comment that keeps the connection alive.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let waited = timeout(EVENTS_PAUSE_MAX, self.job.more_than(self.seen)).await;
        let (events, outcome) = self.job.now();
        let mut text = String::new();
        for (index, event) in events.iter().enumerate().skip(self.seen) {
            let number = index.saturating_add(1);
            text.push_str(&format!(
                "id: {number}\nevent: {}\ndata: {}\n\n",
                event.name, event.data
            ));
        }
        self.seen = self.seen.max(events.len());
        if text.is_empty() {
            if outcome.is_some() || waited.is_ok() {
                return None;
            }
            text.push_str(": \n\n");
        }
        Some((Ok(Bytes::from(text)), self))
    }
}

/// Whether a client wants to be answered at once (RFC 7240 §4.1).
pub(super) fn wants_async(headers: &HeaderMap) -> bool {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|preference| preference.trim().eq_ignore_ascii_case("respond-async"))
}

/// 202 with the place to ask at.
pub(super) fn accepted(job: &Job) -> Response {
    let mut response = (StatusCode::ACCEPTED, axum::Json(of_job(job))).into_response();
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::try_from(job.location()) {
        headers.insert(header::LOCATION, location);
    }
    headers.insert("preference-applied", HeaderValue::from_static("respond-async"));
    response
}

/// The answer of the synchronous form.
pub(super) async fn awaited(job: &Job) -> Result<Response, Problem> {
    match job.outcome().await.as_ref() {
        Ok(answer) => Ok(answered(answer)),
        Err(problem) => Err(problem.clone()),
    }
}

fn of_job(job: &Job) -> OperationAnswer {
    let (events, outcome) = job.now();
    let mut answer = OperationAnswer::new(job.id.clone(), Some(job.kind.name()));
    answer.step = events.last().map(|event| event.name.to_owned());
    match outcome.as_deref() {
        None => answer.state = "running".to_owned(),
        Some(outcome) => end(&mut answer, outcome),
    }
    answer
}

fn of_past(id: String, past: Past) -> OperationAnswer {
    let mut answer = OperationAnswer::new(id, None);
    match past {
        Past::Ended(ended) => end(&mut answer, &Ok(ended)),
        Past::CutShort => answer.state = "interrupted".to_owned(),
    }
    answer
}

fn end(answer: &mut OperationAnswer, outcome: &Outcome) {
    match outcome {
        Ok(ended) => {
            answer.state = "succeeded".to_owned();
            answer.status = Some(ended.status);
            answer.location = Some(ended.location.clone());
            answer.answer = serde_json::from_slice(&ended.body).ok();
        }
        Err(problem) => {
            answer.state = "failed".to_owned();
            answer.status = Some(problem.status().as_u16());
            let (title, title_en) = problem.titles();
            let code = problem.code().to_owned();
            answer.problem = Some(OperationFault { code, title, title_en });
        }
    }
}

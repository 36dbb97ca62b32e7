//! `GET /health`.
#![expect(unused_qualifications, reason = "in what utoipa generates for IntoParams")]

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::evidence::{blocking, malformed_query};
use crate::health::{Health, HealthStatus};
use crate::limits::SELFTEST_INTERVAL_MS;
use crate::problem::Problem;
use crate::state::{ApiState, Shared};

/// What to do before answering.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HealthParams {
    /// Run the known-answer tests again; at most every 5 seconds, the last results are given between.
    #[serde(default)]
    selftest: bool,
}

/// How the node is. 200 while it works, 503 once it refuses writes; the body has the same shape.
#[utoipa::path(get, path = "/api/v1/health", tag = "node", params(HealthParams),
    responses((status = 200, body = Health), (status = 503, body = Health)))]
pub(crate) async fn health(
    State(ApiState(state)): State<ApiState>,
    query: Result<Query<HealthParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(params) = query.map_err(|_| malformed_query())?;
    let selftest = params.selftest && may_test(&state);
    let shared = Arc::clone(&state);
    let health = if selftest {
        blocking(move || shared.parts.health.health(true)).await?
    } else {
        state.parts.health.health(false)
    };
    let status = match health.status {
        HealthStatus::Ok | HealthStatus::Degraded => StatusCode::OK,
        HealthStatus::Failed => StatusCode::SERVICE_UNAVAILABLE,
    };
    Ok((status, [(header::CACHE_CONTROL, "no-store")], Json(health)).into_response())
}

// The endpoint is open to everybody: one test in each interval, whoever asks.
fn may_test(state: &Shared) -> bool {
    let (now, last) = (state.now_ms(), state.selftested_ms.load(Ordering::Relaxed));
    let due = now.saturating_sub(last) >= SELFTEST_INTERVAL_MS || now < last;
    due && state
        .selftested_ms
        .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
        .is_ok()
}

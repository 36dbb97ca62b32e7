//! The operations endpoint: metrics, health, readiness, alarms, version and the log's filter, on a listener of its own.
//!
//! Paths and bodies of `/metrics`, `/healthz`, `/version` and `/logspec` are those of Fabric's operations service, so
//! that what watches a Fabric network can watch this one. Nothing here is for clients of the evidence API, and nothing
//! here shows evidence.
//!
//! | route | answer |
//! |---|---|
//! | `GET /metrics` | Prometheus text 0.0.4 |
//! | `GET /healthz` | 200, or 503 with `failed_checks` |
//! | `GET /readyz` | 200 when every channel is ready, else 503 with the reasons |
//! | `GET /readyz/{channel}` | the same for one channel; 404 for a channel that is not here |
//! | `GET /alarms` | what an operator should look at now |
//! | `GET /version` | the software's version |
//! | `GET`, `PUT /logspec` | the log's filter, where the process lets it be changed |

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http_body_util::{BodyExt as _, Limited};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::problem::{Code, Language, Problem};
use crate::request_id::RequestId;
use crate::routes::finished;
use crate::transport::Transport;

/// What the node tells its operator. Called for each request, on the runtime's threads: it must not wait.
pub trait OperationsSource: Send + Sync + 'static {
    /// Whether a request from there is answered at all.
    fn admits(&self, transport: &Transport) -> bool;
    /// Every metric as Prometheus text, version 0.0.4.
    fn metrics(&self) -> String;
    /// The state of the node's parts.
    fn health(&self) -> HealthCheck;
    /// Every channel of the node.
    fn readiness(&self) -> Vec<ChannelReadiness>;
    /// Alarms that are raised now.
    fn alarms(&self) -> Vec<AlarmView>;
    /// The software's version.
    fn version(&self) -> &'static str;
    /// The log's filter, where it can be changed while the process runs.
    fn log(&self) -> Option<&dyn LogControl>;
}

/// Shows and changes what is logged.
pub trait LogControl: std::fmt::Debug + Send + Sync {
    /// The filter in force, such as `warn,changbai=info`.
    fn spec(&self) -> String;
    /// Puts another filter in force, until the process ends.
    ///
    /// # Errors
    ///
    /// A sentence about what is wrong with it; the old one stays.
    fn set(&self, spec: &str) -> Result<(), String>;
}

/// Body of `/healthz`, as Fabric's health checker writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthCheck {
    /// `OK` or `Service Unavailable`.
    pub status: &'static str,
    /// When it was asked, RFC 3339 in UTC.
    pub time: String,
    /// Parts that do not work; empty with `OK`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_checks: Vec<FailedCheck>,
}

/// A part that does not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedCheck {
    /// Which, such as `channel/changchun`.
    pub component: String,
    /// Why.
    pub reason: String,
}

impl HealthCheck {
    /// The report over what failed.
    #[must_use]
    pub fn new(time: String, failed_checks: Vec<FailedCheck>) -> Self {
        let status = if failed_checks.is_empty() { "OK" } else { "Service Unavailable" };
        Self { status, time, failed_checks }
    }
}

/// Whether a channel of this node should be sent work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelReadiness {
    /// The channel.
    pub channel: String,
    /// True when there is no reason against it.
    pub ready: bool,
    /// Blocks in this node's ledger.
    pub height: u64,
    /// Blocks that the most advanced peer claims to have.
    pub peers_height: u64,
    /// Why not, in English; empty when ready.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

/// A raised alarm (告警).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlarmView {
    /// Stable code, `OP-…`; `docs/operations.md` has a section for each.
    pub code: &'static str,
    /// `critical` or `warning`.
    pub severity: &'static str,
    /// The channel that it is about; absent where it is about the node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// What it means.
    pub zh: &'static str,
    /// The same in English.
    pub en: &'static str,
    /// What to do first.
    pub action_zh: &'static str,
    /// The same in English.
    pub action_en: &'static str,
    /// This occurrence.
    pub detail: String,
    /// Since when, Unix milliseconds.
    pub since_ms: u64,
}

/// The routes over one node.
pub fn router(source: Arc<dyn OperationsSource>) -> Router {
    let around_state = Around { source: Arc::clone(&source), count: Arc::default() };
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/readyz/{channel}", get(channel_ready))
        .route("/alarms", get(alarms))
        .route("/version", get(version))
        .route("/logspec", get(log_spec).put(set_log_spec))
        .with_state(source)
        .fallback(|| async { Problem::new(Code::NoSuchPath) })
        .layer(from_fn_with_state(around_state, around))
}

#[derive(Clone)]
struct Around {
    source: Arc<dyn OperationsSource>,
    count: Arc<AtomicU64>,
}

async fn around(State(state): State<Around>, request: Request, next: Next) -> Response {
    let language = Language::of(request.headers());
    let make = || format!("operations-{}", state.count.fetch_add(1, Ordering::Relaxed));
    let id = RequestId::of(request.headers(), make);
    let admitted = request.extensions().get::<Transport>().is_some_and(|t| state.source.admits(t));
    let response = if admitted {
        next.run(request).await
    } else {
        Problem::new(Code::RoleRefused)
            .detail(
                "运维端点只对本机和本机构开放",
                "only this machine and this agency may ask here",
            )
            .into_response()
    };
    let mut response = finished(response, language, &id);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

type Source = State<Arc<dyn OperationsSource>>;

async fn metrics(State(source): Source) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], source.metrics())
}

async fn health(State(source): Source) -> impl IntoResponse {
    let health = source.health();
    (works(health.failed_checks.is_empty()), Json(health))
}

async fn ready(State(source): Source) -> impl IntoResponse {
    let channels = source.readiness();
    let ready = channels.iter().all(|channel| channel.ready);
    (works(ready), Json(Readiness { ready, channels }))
}

async fn channel_ready(
    State(source): Source,
    Path(channel): Path<String>,
) -> Result<Response, Problem> {
    let mut channels = source.readiness().into_iter();
    let found = channels.find(|c| c.channel == channel);
    let found = found.ok_or_else(|| Problem::new(Code::NoSuchPath))?;
    Ok((works(found.ready), Json(found)).into_response())
}

async fn alarms(State(source): Source) -> impl IntoResponse {
    Json(Alarms { alarms: source.alarms() })
}

async fn version(State(source): Source) -> impl IntoResponse {
    Json(Version { version: source.version() })
}

async fn log_spec(State(source): Source) -> Result<Response, Problem> {
    let log = source.log().ok_or_else(|| Problem::new(Code::NoSuchPath))?;
    Ok(Json(LogSpec { spec: log.spec() }).into_response())
}

async fn set_log_spec(State(source): Source, request: Request) -> Result<Response, Problem> {
    let log = source.log().ok_or_else(|| Problem::new(Code::NoSuchPath))?;
    let (head, body) = request.into_parts();
    // A page in a browser on this machine cannot send this type without being asked first.
    let kind = head.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if !kind.is_some_and(|kind| kind.starts_with(b"application/json")) {
        return Err(Problem::new(Code::MediaType).technical("application/json"));
    }
    let body = match timeout(BODY_WAIT_MAX, Limited::new(body, BODY_BYTES_MAX).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return Err(Problem::new(Code::TooLarge)),
        Err(_) => return Err(Problem::new(Code::BodyTooSlow)),
    };
    let wanted: LogSpec = serde_json::from_slice(&body)
        .map_err(|error| Problem::new(Code::Malformed).technical(error))?;
    log.set(&wanted.spec).map_err(|reason| Problem::new(Code::Malformed).technical(reason))?;
    tracing::warn!(spec = wanted.spec, "api::log_spec_changed");
    Ok(StatusCode::NO_CONTENT.into_response())
}

const fn works(works: bool) -> StatusCode {
    if works { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    channels: Vec<ChannelReadiness>,
}

#[derive(Serialize)]
struct Alarms {
    alarms: Vec<AlarmView>,
}

/// Fabric writes this member with a capital letter.
#[derive(Serialize)]
struct Version {
    #[serde(rename = "Version")]
    version: &'static str,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogSpec {
    spec: String,
}

const BODY_BYTES_MAX: usize = 4 << 10;
const BODY_WAIT_MAX: Duration = Duration::from_secs(5);

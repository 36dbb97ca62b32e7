//! `POST /tsa`: time stamps over HTTP (RFC 3161 §3.4), for everybody who reaches the listener.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use smkit_pki::TIME_STAMP_REQUEST_BYTES_MAX;

use crate::authority::small_body;
use crate::problem::{Code, Problem};
use crate::rate::{Rate, RateLimiter};
use crate::transport::Transport;

/// Path of the time-stamp authority.
pub const TSA_PATH: &str = "/tsa";
/// Media type of a request, DER `TimeStampReq`.
pub const QUERY_TYPE: &str = "application/timestamp-query";
/// Media type of an answer, DER `TimeStampResp`.
pub const REPLY_TYPE: &str = "application/timestamp-reply";

/// A time-stamp authority (时间戳服务机构).
pub trait TimeStamping: Send + Sync {
    /// The DER `TimeStampResp` for whatever was sent. Blocks for a signature, and now and then for a file.
    fn answer(&self, request: &[u8]) -> Vec<u8>;
}

/// The route. Whoever asks more often than `client` allows, or while everybody together asks more often than `all`
/// does, is told to come later.
pub(crate) fn router(authority: Arc<dyn TimeStamping>, client: Rate, all: Rate) -> Router {
    let limiter = Arc::new(RateLimiter::new(client, all));
    Router::new().route(TSA_PATH, post(stamp)).with_state(Service { authority, limiter })
}

#[derive(Clone)]
struct Service {
    authority: Arc<dyn TimeStamping>,
    limiter: Arc<RateLimiter>,
}

/// RFC 3161 §3.4: what is not granted is an answer as well, with status 200.
async fn stamp(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let Service { authority, limiter } = service;
    // Behind a gateway everybody has the gateway's address; what its header says would be the client's word.
    if let Some(transport) = request.extensions().get::<Transport>() {
        let admitted = limiter.admit(transport.remote.ip());
        admitted.map_err(|wait| {
            let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            Problem::new(Code::Busy).retry_after_ms(milliseconds)
        })?;
    }
    let body = small_body(request, QUERY_TYPE, TIME_STAMP_REQUEST_BYTES_MAX).await?;
    let answer = tokio::task::spawn_blocking(move || authority.answer(&body)).await;
    let answer = answer.map_err(|_| Problem::new(Code::Internal))?;
    Ok(([(header::CONTENT_TYPE, REPLY_TYPE)], answer).into_response())
}

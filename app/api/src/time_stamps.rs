//! `POST /tsa`: time stamps over HTTP (RFC 3161 §3.4), for everybody who reaches the listener.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use crate::authority::small_body;
use crate::problem::{Code, Problem};

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

/// The route.
pub(crate) fn router(authority: Arc<dyn TimeStamping>) -> Router {
    Router::new().route(TSA_PATH, post(stamp)).with_state(authority)
}

/// RFC 3161 §3.4: what is not granted is an answer as well, with status 200.
async fn stamp(
    State(authority): State<Arc<dyn TimeStamping>>,
    request: Request,
) -> Result<Response, Problem> {
    let body = small_body(request, QUERY_TYPE).await?;
    let answer = tokio::task::spawn_blocking(move || authority.answer(&body)).await;
    let answer = answer.map_err(|_| Problem::new(Code::Internal))?;
    Ok(([(header::CONTENT_TYPE, REPLY_TYPE)], answer).into_response())
}

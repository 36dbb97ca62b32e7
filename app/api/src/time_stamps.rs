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
use crate::rate::{Rate, RateLimiter, busy_for};
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
        limiter.admit(transport.remote.ip()).map_err(busy_for)?;
    }
    let body = small_body(request, QUERY_TYPE, TIME_STAMP_REQUEST_BYTES_MAX).await?;
    let answer = tokio::task::spawn_blocking(move || authority.answer(&body)).await;
    let answer = answer.map_err(|_| Problem::new(Code::Internal))?;
    Ok(([(header::CONTENT_TYPE, REPLY_TYPE)], answer).into_response())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{HeaderMap, StatusCode};
    use tower::ServiceExt as _;

    use super::*;
    use crate::problem::Language;
    use crate::request_id::RequestId;
    use crate::routes::finished;

    struct Echo;

    impl TimeStamping for Echo {
        fn answer(&self, request: &[u8]) -> Vec<u8> {
            request.to_vec()
        }
    }

    fn query(remote: &str, media_type: &str, bytes: usize) -> Request {
        let transport =
            Transport { remote: format!("{remote}:1").parse().unwrap(), certificates: Vec::new() };
        let request = axum::http::Request::post(TSA_PATH).header(header::CONTENT_TYPE, media_type);
        request.extension(transport).body(Body::from(vec![0x30; bytes])).unwrap()
    }

    fn router_of(client: Rate) -> Router {
        router(Arc::new(Echo), client, Rate { per_second: 1_000, burst: 1_000 })
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_asks_too_often_is_told_when_to_come_back() {
        let router = router_of(Rate { per_second: 1, burst: 2 });
        let ask = |remote| {
            let router = router.clone();
            async move {
                let answer = router.oneshot(query(remote, QUERY_TYPE, 100)).await.unwrap();
                // The outermost layer words it.
                let id = RequestId::of(&HeaderMap::new(), || "1".to_owned());
                let answer = finished(answer, Language::English, &id);
                let retry = answer.headers().get(header::RETRY_AFTER).cloned();
                (answer.status(), retry.map(|value| value.to_str().unwrap().to_owned()))
            }
        };
        for _ in 0..2 {
            assert_eq!(ask("10.0.0.1").await.0, StatusCode::OK);
        }
        let second = Some("1".to_owned());
        assert_eq!(ask("10.0.0.1").await, (StatusCode::TOO_MANY_REQUESTS, second));
        assert_eq!(ask("10.0.0.2").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn a_query_is_small_and_says_what_it_is() {
        let router = router_of(Rate { per_second: 100, burst: 100 });
        for (media_type, bytes, status) in [
            (QUERY_TYPE, TIME_STAMP_REQUEST_BYTES_MAX, StatusCode::OK),
            (QUERY_TYPE, TIME_STAMP_REQUEST_BYTES_MAX + 1, StatusCode::PAYLOAD_TOO_LARGE),
            ("application/json", 10, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ] {
            let answer = router.clone().oneshot(query("10.0.0.1", media_type, bytes)).await;
            assert_eq!(answer.unwrap().status(), status, "{media_type} {bytes}");
        }
    }
}

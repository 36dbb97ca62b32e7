//! The service of a witness (C2SP tlog-witness): `POST /add-checkpoint`, and what it cosigned last.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use changbai_merkle::REQUEST_BYTES_MAX;
use http_body_util::{BodyExt as _, Limited};
use tokio::time::timeout;

use crate::limits::Limits;

/// Path of the one call that changes anything.
pub const ADD_CHECKPOINT_PATH: &str = "/add-checkpoint";
/// Media type of the answer to a request with another old size.
pub const SIZE_TYPE: &str = "text/x.tlog.size";

/// A witness.
pub trait WitnessService: Send + Sync {
    /// Judges the body of a request. Blocks for a signature and a file.
    fn add_checkpoint(&self, body: &[u8]) -> WitnessAnswer;
    /// The witness's key, in the form `name+id+key`.
    fn key(&self) -> String;
    /// The last note that was cosigned of the log whose origin has this SM3 (64 hex digits), as the log signed it.
    fn last(&self, origin_sm3: &str) -> Option<String>;
}

/// What a witness answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WitnessAnswer {
    /// The cosignature, one line.
    Cosigned(String),
    /// Not a request, or an old size above the checkpoint's.
    Malformed(String),
    /// A log that it does not know.
    UnknownLog,
    /// Not signed by a key of the log.
    Signature,
    /// It cosigned another size last, or another root for this size.
    Stale(u64),
    /// The proof does not hold.
    Proof,
    /// It cannot keep its state.
    Failed,
}

/// The routes of a witness, for a program that serves nothing else.
pub fn router(witness: Arc<dyn WitnessService>) -> Router {
    Router::new()
        .route(ADD_CHECKPOINT_PATH, post(add))
        .route("/key", get(key))
        .route("/checkpoint/{origin_sm3}", get(last))
        .with_state(witness)
}

async fn add(State(witness): State<Arc<dyn WitnessService>>, body: Body) -> Response {
    let whole = Limited::new(body, REQUEST_BYTES_MAX).collect();
    let Ok(read) = timeout(Limits::default().body_idle_max, whole).await else {
        return StatusCode::REQUEST_TIMEOUT.into_response();
    };
    let Ok(body) = read else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let body = body.to_bytes();
    let answer = tokio::task::spawn_blocking(move || witness.add_checkpoint(&body)).await;
    match answer.unwrap_or(WitnessAnswer::Failed) {
        WitnessAnswer::Cosigned(line) => text(StatusCode::OK, format!("{line}\n")),
        WitnessAnswer::Malformed(reason) => text(StatusCode::BAD_REQUEST, format!("{reason}\n")),
        WitnessAnswer::UnknownLog => StatusCode::NOT_FOUND.into_response(),
        WitnessAnswer::Signature => StatusCode::FORBIDDEN.into_response(),
        WitnessAnswer::Stale(size) => {
            let head = [(header::CONTENT_TYPE, SIZE_TYPE)];
            (StatusCode::CONFLICT, head, format!("{size}\n")).into_response()
        }
        WitnessAnswer::Proof => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        WitnessAnswer::Failed => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn key(State(witness): State<Arc<dyn WitnessService>>) -> Response {
    text(StatusCode::OK, format!("{}\n", witness.key()))
}

async fn last(
    State(witness): State<Arc<dyn WitnessService>>,
    Path(origin_sm3): Path<String>,
) -> Response {
    match witness.last(&origin_sm3) {
        Some(note) => text(StatusCode::OK, note),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn text(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}

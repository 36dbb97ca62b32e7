//! The process log (全程留痕): what the routes write into it, and the route that shows it.

use axum::extract::{Path, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use changbai_core::{
    EvidenceId, Record, Stored, codes,
    process::{Actor, ProcessDocument, Step, detail},
};
use changbai_receipt::Bundle;
use smkit::sm3::{Sm3Digest, sm3};

use super::evidence::stored;
use crate::domain::{of_code, of_failure, of_query};
use crate::identity::actor;
use crate::problem::{Problem, ProblemBody};
use crate::state::{ApiState, Shared};

/// The process log of a record that this node submitted: canonical JSON that proves itself.
#[utoipa::path(get, path = "/api/v1/evidence/{id}/process", tag = "evidence",
    params(("id" = String, Path, description = "Evidence id 存证编号")),
    responses((status = 200, description = "Process log 全程留痕日志", content_type = "application/json"),
              (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn one(
    State(ApiState(state)): State<ApiState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, _) = request.into_parts();
    let stored = stored(&state, &id).await?;
    viewed(&state, &stored, actor(&state, &head));
    let document = state.in_time(state.parts.evidence.process(&stored)).await?;
    let document = document.map_err(|error| of_query(&error))?;
    let document = document.ok_or_else(|| of_code(&codes::PROCESS_LOG_ELSEWHERE))?;
    let bytes = document.to_bytes();
    let bytes = bytes.map_err(|error| of_failure(&codes::DAMAGED, &error))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

/// The record was looked at.
pub(super) fn viewed(state: &Shared, stored: &Stored, actor: Actor) {
    let record = &stored.record;
    log(state, record, Step::Viewed, actor, detail::submitted(record));
}

/// The record or an original of it was verified.
pub(super) fn verified(state: &Shared, stored: &Stored, actor: Actor) {
    let record = &stored.record;
    log(state, record, Step::Verified, actor, detail::submitted(record));
}

/// Something was handed out: the document of a certificate, or what proves the record by this receipt.
pub(super) fn exported(state: &Shared, stored: &Stored, actor: Actor, what: &[u8]) {
    log(state, &stored.record, Step::Exported, actor, sm3(what));
}

/// A bundle was verified; logged if its record is one of this ledger.
pub(super) async fn verified_bundle(state: &Shared, bundle: &Bundle, actor: Actor) {
    let Ok(record) = Record::from_bytes(&bundle.record) else { return };
    let id: EvidenceId = *record.id();
    if let Ok(Ok(Some(stored))) = state.in_time(state.parts.evidence.get(&id)).await
        && stored.record.as_bytes() == record.as_bytes()
    {
        verified(state, &stored, actor);
    }
}

/// `process.json` for a bundle, and the log up to the record's commitment for a certificate; nothing where another node
/// keeps the log. A bundle is not handed out without a log that it should hold.
pub(super) async fn logs(state: &Shared, stored: &Stored) -> Result<Logs, Problem> {
    let evidence = &state.parts.evidence;
    let whole = state.in_time(evidence.process(stored)).await?;
    let whole = whole.map_err(|error| of_query(&error))?;
    let recording = state.in_time(evidence.recording(stored)).await?;
    let recording = recording.map_err(|error| of_query(&error))?;
    let written = |document: &ProcessDocument| {
        document.to_bytes().map_err(|error| of_failure(&codes::DAMAGED, &error))
    };
    let recording = match recording {
        Some(document) => Some((written(&document)?, document)),
        None => None,
    };
    let whole = whole.as_ref().map(written).transpose()?;
    Ok((whole, recording.map(|(bytes, document)| (document, bytes))))
}

type Logs = (Option<Vec<u8>>, Option<(ProcessDocument, Vec<u8>)>);

/// Reads go on while the log cannot be written: the record and its proof matter more, and the operator is told.
fn log(state: &Shared, record: &Record, step: Step, actor: Actor, detail: Sm3Digest) {
    if let Err(error) = state.parts.evidence.log_step(record, step, actor, detail) {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, step = step.name(), "api::process_log not written");
    }
}

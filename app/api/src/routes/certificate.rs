//! The certificate of an evidence, in three formats.
#![expect(unused_qualifications, reason = "in what utoipa generates for IntoParams")]

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use changbai_certificate::{
    CertificateError, CertificateFacts, Format, Issuer, IssuerError, NotProven, Originals,
    ProcessLog, ProcessStep,
};
use changbai_core::process::{ProcessDocument, ProcessEntry};
use changbai_core::{Stored, codes};
use changbai_receipt::{Trust, Verdict};
use serde::Deserialize;
use tokio::time::timeout;
use utoipa::IntoParams;

use super::attached::Attached;
use super::batch::place_bytes;
use super::evidence::{blocking, malformed_query, stored};
use super::process::exported;
use crate::documents::DocumentError;
use crate::domain::{of_code, of_failure};
use crate::identity::actor;
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::{ApiState, Shared};

/// Which digest of a batch a certificate is about.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DigestParams {
    /// For a batch: one of its digests, by number from 0 or SM3.
    digest: Option<String>,
}

/// The certificate as PDF/A-3b, with record and receipt attached.
#[utoipa::path(get, path = "/api/v1/evidence/{id}/certificate.pdf", tag = "evidence",
    params(("id" = String, Path, description = "Evidence id 存证编号"), DigestParams),
    responses((status = 200, description = "Certificate 存证证书", content_type = "application/pdf"),
              (status = 404, body = ProblemBody), (status = 422, body = ProblemBody),
              (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn pdf(
    state: State<ApiState>,
    id: Path<String>,
    query: Result<Query<DigestParams>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    certificate(state, id, query, Format::Pdf, request).await
}

/// The certificate as OFD (GB/T 33190), with record and receipt attached.
#[utoipa::path(get, path = "/api/v1/evidence/{id}/certificate.ofd", tag = "evidence",
    params(("id" = String, Path, description = "Evidence id 存证编号"), DigestParams),
    responses((status = 200, description = "Certificate 存证证书", content_type = "application/ofd"),
              (status = 404, body = ProblemBody), (status = 422, body = ProblemBody),
              (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn ofd(
    state: State<ApiState>,
    id: Path<String>,
    query: Result<Query<DigestParams>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    certificate(state, id, query, Format::Ofd, request).await
}

/// The certificate as SVG, to look at.
#[utoipa::path(get, path = "/api/v1/evidence/{id}/certificate.svg", tag = "evidence",
    params(("id" = String, Path, description = "Evidence id 存证编号"), DigestParams),
    responses((status = 200, description = "Certificate 存证证书", content_type = "image/svg+xml"),
              (status = 404, body = ProblemBody), (status = 422, body = ProblemBody),
              (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn svg(
    state: State<ApiState>,
    id: Path<String>,
    query: Result<Query<DigestParams>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    certificate(state, id, query, Format::Svg, request).await
}

/// Open to everybody, as the bundle without originals is: it says nothing that the record does not.
async fn certificate(
    State(ApiState(state)): State<ApiState>,
    Path(id): Path<String>,
    query: Result<Query<DigestParams>, QueryRejection>,
    format: Format,
    request: Request,
) -> Result<Response, Problem> {
    let (head, _) = request.into_parts();
    let Query(params) = query.map_err(|_| malformed_query())?;
    let stored = stored(&state, &id).await?;
    let actor = actor(&state, &head);
    let batch = match &params.digest {
        Some(which) => Some(place_bytes(&state, &stored.record, which).await?),
        None if stored.record.batch().is_some() => return Err(of_code(&codes::BATCH_CERTIFICATE)),
        None => None,
    };
    let attached = Attached::gather(&state, &stored, None).await?.with_batch(batch);
    // As costly as judging a bundle: it shares those places.
    let turn = timeout(state.limits().ledger_wait_max, state.checks.acquire()).await;
    let Ok(Ok(_turn)) = turn else { return Err(Problem::new(Code::Busy)) };
    let name = format!("inline; filename=\"{}.{}\"", stored.record.id(), format.extension());
    let shared = Arc::clone(&state);
    let made = stored.clone();
    let bytes = blocking(move || make(&shared, &made, &attached, format)).await??;
    exported(&state, &stored, actor, &bytes);
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
        // An SVG opened by itself must not run or load anything.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

/// The certificate as PDF and OFD, for a bundle. A record with a character that the font has not goes without: its bundle
/// is worth no less.
pub(super) fn for_bundle(
    state: &Shared,
    stored: &Stored,
    attached: &Attached,
) -> Result<[Option<Vec<u8>>; 2], Problem> {
    let made = |format| match make(state, stored, attached, format) {
        Err(problem) if problem.code() == codes::CERTIFICATE_GLYPH.code => Ok(None),
        other => other.map(Some),
    };
    Ok([made(Format::Pdf)?, made(Format::Ofd)?])
}

/// The log's digest and steps as the certificate prints them.
fn printed(log: &ProcessDocument) -> Result<ProcessLog, IssuerError> {
    let step = |entry: &ProcessEntry| ProcessStep {
        name: entry.step.chinese().to_owned(),
        actor: entry.actor.role.chinese().to_owned(),
        at_ms: entry.at.at_ms,
    };
    ProcessLog::new(&log.head(), log.entries.iter().take(STEPS_MAX).map(step).collect())
}

/// Steps of a log that a certificate prints: those of the recording, and what may have come between.
const STEPS_MAX: usize = 64;

/// Originals are not read again: they may be of any size, and some are with their submitters. The certificate says so.
fn make(
    state: &Shared,
    stored: &Stored,
    attached: &Attached,
    format: Format,
) -> Result<Vec<u8>, Problem> {
    let trust: Arc<Trust> = state.parts.channel.trust();
    let establish = |all| {
        let bundle = attached.bundle(stored.record.to_bytes(), all);
        CertificateFacts::establish(&bundle, &[], &trust, Originals::MayBeAbsent)
    };
    let facts = match establish(true) {
        // A checkpoint whose witnesses this node's trust does not name: record and receipt stand without it.
        Err(NotProven::Verdict { report }) if report.verdict == Verdict::Unchecked => {
            establish(false)
        }
        other => other,
    };
    let facts = facts.map_err(|error| of_failure(&codes::DAMAGED, &error))?;
    let documents = &state.parts.documents;
    let issuer = match &documents.issuer {
        Some(issuer) => issuer.clone(),
        None => Issuer::new(&stored.record.parts().agency.name)
            .map_err(|error| of_failure(&codes::INTERNAL, &error))?,
    };
    let issuer = match attached.recording() {
        Some(log) => issuer
            .with_process_log(printed(log).map_err(|error| of_failure(&codes::INTERNAL, &error))?),
        None => issuer,
    };
    let made = documents
        .lay_out(facts, issuer)
        .map_err(DocumentError::from)
        .and_then(|certificate| documents.write(&certificate, format));
    made.map_err(|error| match error {
        DocumentError::Certificate(error @ CertificateError::MissingGlyph { .. }) => {
            of_code(&codes::CERTIFICATE_GLYPH).technical(&error)
        }
        other => of_failure(&codes::INTERNAL, &other),
    })
}

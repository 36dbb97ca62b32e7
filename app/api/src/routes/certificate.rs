//! The certificate of an evidence, in three formats.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use changbai_certificate::{
    Certificate, CertificateError, CertificateFacts, FontSource, Format, Issuer, Originals,
};
use changbai_core::{Stored, codes};
use changbai_receipt::{Bundle, Trust};
use tokio::time::timeout;

use super::evidence::{blocking, receipt_bytes, stored};
use super::process::exported;
use crate::documents::DocumentError;
use crate::domain::{of_code, of_failure};
use crate::identity::actor;
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::{ApiState, Shared};

/// The certificate as PDF/A-3b, with record and receipt attached.
#[utoipa::path(get, path = "/api/v1/evidence/{id}/certificate.pdf", tag = "evidence",
    params(("id" = String, Path, description = "Evidence id 存证编号")),
    responses((status = 200, description = "Certificate 存证证书", content_type = "application/pdf"),
              (status = 404, body = ProblemBody), (status = 422, body = ProblemBody),
              (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn pdf(
    state: State<ApiState>,
    id: Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    certificate(state, id, Format::Pdf, request).await
}

/// The certificate as OFD (GB/T 33190), with record and receipt attached.
#[utoipa::path(get, path = "/api/v1/evidence/{id}/certificate.ofd", tag = "evidence",
    params(("id" = String, Path, description = "Evidence id 存证编号")),
    responses((status = 200, description = "Certificate 存证证书", content_type = "application/ofd"),
              (status = 404, body = ProblemBody), (status = 422, body = ProblemBody),
              (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn ofd(
    state: State<ApiState>,
    id: Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    certificate(state, id, Format::Ofd, request).await
}

/// The certificate as SVG, to look at.
#[utoipa::path(get, path = "/api/v1/evidence/{id}/certificate.svg", tag = "evidence",
    params(("id" = String, Path, description = "Evidence id 存证编号")),
    responses((status = 200, description = "Certificate 存证证书", content_type = "image/svg+xml"),
              (status = 404, body = ProblemBody), (status = 422, body = ProblemBody),
              (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn svg(
    state: State<ApiState>,
    id: Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    certificate(state, id, Format::Svg, request).await
}

/// Open to everybody, as the bundle without originals is: it says nothing that the record does not.
async fn certificate(
    State(ApiState(state)): State<ApiState>,
    Path(id): Path<String>,
    format: Format,
    request: Request,
) -> Result<Response, Problem> {
    let (head, _) = request.into_parts();
    let stored = stored(&state, &id).await?;
    let receipt = receipt_bytes(&state, &stored.tx_id).await?;
    let actor = actor(&state, &head);
    // As costly as judging a bundle: it shares those places.
    let turn = timeout(state.limits().ledger_wait_max, state.checks.acquire()).await;
    let Ok(Ok(_turn)) = turn else { return Err(Problem::new(Code::Busy)) };
    let name = format!("inline; filename=\"{}.{}\"", stored.record.id(), format.extension());
    let shared = Arc::clone(&state);
    let made = stored.clone();
    let bytes = blocking(move || make(&shared, &made, receipt, format)).await??;
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

/// Originals are not read again: they may be of any size, and some are with their submitters. The certificate says so.
fn make(
    state: &Shared,
    stored: &Stored,
    receipt: Vec<u8>,
    format: Format,
) -> Result<Vec<u8>, Problem> {
    let bundle = Bundle::from_parts(stored.record.to_bytes(), receipt, None);
    let trust: Arc<Trust> = state.parts.channel.trust();
    let facts = CertificateFacts::establish(&bundle, &[], &trust, Originals::MayBeAbsent)
        .map_err(|error| of_failure(&codes::DAMAGED, &error))?;
    let documents = &state.parts.documents;
    let issuer = match &documents.issuer {
        Some(issuer) => issuer.clone(),
        None => Issuer::new(&stored.record.parts().agency.name)
            .map_err(|error| of_failure(&codes::INTERNAL, &error))?,
    };
    let made = FontSource::built_in()
        .map_err(CertificateError::from)
        .and_then(|font| Certificate::new(facts, issuer, font))
        .map_err(DocumentError::from)
        .and_then(|certificate| documents.write(&certificate, format));
    made.map_err(|error| match error {
        DocumentError::Certificate(error @ CertificateError::MissingGlyph { .. }) => {
            of_code(&codes::CERTIFICATE_GLYPH).technical(&error)
        }
        other => of_failure(&codes::INTERNAL, &other),
    })
}

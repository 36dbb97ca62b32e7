//! The judicial directory (跨链互认目录): admission through every gate, and what was admitted.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use changbai_core::directory::{Gate, is_filing_number};
use changbai_core::{Admission, Admitted, codes};
use serde::Deserialize;
use utoipa::ToSchema;

use super::court::{PageParams, page_params};
use super::evidence::stored;
use crate::body::Incoming;
use crate::domain::{of_code, of_query};
use crate::dto::{DirectoryAnswer, DirectoryLine};
use crate::identity::{Caller, authenticate};
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::{ApiState, Shared};
use crate::submission::{digest, evidence_id, json as parse_json};

/// Which record is to be admitted, and which certificate was made of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdmissionBody {
    /// The evidence id.
    evidence_id: String,
    /// SM3 of the certificate's document as this node handed it out, 64 lower-case hex digits.
    certificate_sm3: String,
}

/// Asks for a record's admission. To be signed by the record's submitter; every gate that refuses is named.
#[utoipa::path(post, path = "/api/v1/directory", tag = "directory", request_body = AdmissionBody,
    security(("sm2" = [])),
    responses((status = 201, body = DirectoryLine), (status = 401, body = ProblemBody),
              (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
              (status = 409, body = ProblemBody), (status = 422, body = ProblemBody),
              (status = 503, body = ProblemBody)))]
pub(crate) async fn admit(
    State(ApiState(state)): State<ApiState>,
    request: Request,
) -> Result<(StatusCode, Json<DirectoryLine>), Problem> {
    let (head, body) = request.into_parts();
    let mut incoming = Incoming::new(body, &head.headers, state.limits());
    let answer = receive(&state, &head, &mut incoming).await;
    if answer.is_err() {
        incoming.drain().await;
    }
    Ok((StatusCode::CREATED, Json(answer?)))
}

async fn receive(
    state: &Arc<Shared>,
    head: &Parts,
    incoming: &mut Incoming,
) -> Result<DirectoryLine, Problem> {
    let caller = authenticate(state, head)?;
    caller.may_write(state)?;
    let expected = caller.content_digest.ok_or_else(|| Problem::new(caller.undigested()))?;
    incoming.limit(state.limits().json_bytes_max)?;
    let (bytes, received) = incoming.whole().await?;
    if received.sm3 != expected {
        return Err(Problem::new(Code::ContentDigestMismatch));
    }
    let body: AdmissionBody = parse_json(&bytes)?;
    let certificate_sm3 = digest(&body.certificate_sm3, "/certificate_sm3")?;
    let id = evidence_id(&body.evidence_id, "/evidence_id")?;
    let stored = stored(state, id.as_str()).await?;

    let evidence = &state.parts.evidence;
    if let Some(number) = state.parts.health.health(false).filing_number
        && is_filing_number(&number)
    {
        let declared = state.in_time(evidence.declare_filing_number(&number)).await?;
        declared.map_err(|error| of_query(&error))?;
    }
    // What the log says of the certificate has to be on the ledger before the gates are asked. If that fails, they say
    // so.
    evidence.log_durable().await.map_err(|error| of_query(&error.into()))?;
    if let Some(anchoring) = &state.parts.anchoring
        && let Err(error) = state.in_time(anchoring.anchor_now()).await?
    {
        tracing::error!(error, "api::process_log not anchored");
    }
    let process = state.in_time(evidence.process(&stored)).await?;
    let process = process.map_err(|error| of_query(&error))?;
    let process = process.ok_or_else(|| of_code(&codes::PROCESS_LOG_ELSEWHERE))?;
    let admission = Admission {
        certificate_sm3,
        submitter: caller.certificate.der().to_vec(),
        authority: authority(state, &caller),
        process,
    };
    let admitted = state.in_time(evidence.admit(&id, &admission)).await?;
    if let Admitted::No(gates) = admitted.map_err(|error| of_query(&error))? {
        return Err(refused(&gates));
    }
    let entry = state.in_time(evidence.directory_entry(&id)).await?;
    let entry = entry.map_err(|error| of_query(&error))?;
    entry.map(DirectoryLine::from).ok_or_else(|| of_code(&codes::NOT_FOUND))
}

/// The certificate of the authority that issued the caller's, DER; empty if the agency has none that did, and then the
/// gates say so.
fn authority(state: &Shared, caller: &Caller) -> Vec<u8> {
    let membership = state.parts.channel.membership();
    let Some(agency) = membership.organisation(&caller.msp_id) else { return Vec::new() };
    let mut authorities = agency.roots.iter().chain(&agency.intermediates);
    let issuer = authorities.find(|ca| caller.certificate.verify_issued_by(ca).is_ok());
    issuer.map(|ca| ca.der().to_vec()).unwrap_or_default()
}

/// All gates that refused, in both languages.
fn refused(gates: &[Gate]) -> Problem {
    let list = |text: fn(&Gate) -> String| gates.iter().map(text).collect::<Vec<_>>();
    let zh = list(|gate| format!("{} {}", gate.code().code, gate.code().zh)).join("；");
    let en = list(|gate| format!("{} {}", gate.code().code, gate.code().en)).join("; ");
    of_code(&codes::DIRECTORY_REFUSED).detail(zh, en)
}

/// The directory, by rising id.
#[utoipa::path(get, path = "/api/v1/directory", tag = "directory", params(PageParams),
    responses((status = 200, body = DirectoryAnswer), (status = 422, body = ProblemBody)))]
pub(crate) async fn list(
    State(ApiState(state)): State<ApiState>,
    query: Result<Query<PageParams>, QueryRejection>,
) -> Result<Json<DirectoryAnswer>, Problem> {
    let params = page_params(query)?;
    let page = state.parts.evidence.directory(params.cursor.as_deref(), params.limit);
    let page = state.in_time(page).await?.map_err(|error| of_query(&error))?;
    Ok(Json(DirectoryAnswer::from(page)))
}

/// The entry of one record.
#[utoipa::path(get, path = "/api/v1/directory/{id}", tag = "directory",
    params(("id" = String, Path, description = "Evidence id 存证编号")),
    responses((status = 200, body = DirectoryLine), (status = 404, body = ProblemBody)))]
pub(crate) async fn one(
    State(ApiState(state)): State<ApiState>,
    Path(id): Path<String>,
) -> Result<Json<DirectoryLine>, Problem> {
    let id = evidence_id(&id, "")?;
    let entry = state.in_time(state.parts.evidence.directory_entry(&id)).await?;
    let entry = entry.map_err(|error| of_query(&error))?;
    entry.map(|entry| Json(entry.into())).ok_or_else(|| of_code(&codes::DIRECTORY_ABSENT))
}

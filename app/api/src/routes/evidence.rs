//! Reading evidence: one record, listings, versions, receipts and bundles.
#![expect(unused_qualifications, reason = "in what utoipa generates for IntoParams")]

use std::io::{self, Read};
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use changbai_core::{Query as ListQuery, Stored, codes};
use changbai_receipt::{
    BundleParts, PackedOriginal, Receipt, bundle_len, disclosures_to_bytes, write_bundle,
};
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};
use utoipa::IntoParams;

use super::attached::Attached;
use super::batch::place_bytes;
use super::process::{exported, viewed};
use crate::body::outgoing;
use crate::domain::{of_code, of_custody, of_failure, of_ledger, of_openings, of_query};
use crate::dto::{EvidenceAnswer, EvidenceLine, EvidencePage, HistoryAnswer, VersionLine};
use crate::identity::{actor, authenticate};
use crate::limits::{CURSOR_CHARS_MAX, PAGE_LIMIT_DEFAULT, PROOF_POLL, PROOF_WAIT_MAX};
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::{ApiState, Shared};
use crate::submission::{digest, evidence_id};

/// What a listing is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// SM3 of an original, 64 hex digits.
    sm3: Option<String>,
    /// Business type by code or Chinese name.
    business_type: Option<String>,
    /// Not before this time, Unix milliseconds.
    from: Option<u64>,
    /// Before this time, Unix milliseconds.
    to: Option<u64>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// Records a page, 1 to 200; 50 when absent.
    limit: Option<u32>,
}

/// How a bundle is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BundleParams {
    /// With originals and openings of personal fields; needs a signed request of the agency.
    #[serde(default)]
    originals: bool,
    /// For a batch: the bundle of one of its digests, by number from 0 or SM3.
    digest: Option<String>,
}

/// One record.
#[utoipa::path(get, path = "/api/v1/evidence/{id}", tag = "evidence",
    params(("id" = String, Path, description = "Evidence id 存证编号")),
    responses((status = 200, body = EvidenceAnswer), (status = 404, body = ProblemBody)))]
pub(crate) async fn one(
    State(ApiState(state)): State<ApiState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<EvidenceAnswer>, Problem> {
    let (head, _) = request.into_parts();
    let stored = stored(&state, &id).await?;
    viewed(&state, &stored, actor(&state, &head));
    Ok(Json(EvidenceAnswer::from(&stored)))
}

/// Records by digest, business type and time.
#[utoipa::path(get, path = "/api/v1/evidence", tag = "evidence", params(ListParams),
    responses((status = 200, body = EvidencePage), (status = 422, body = ProblemBody)))]
pub(crate) async fn list(
    State(ApiState(state)): State<ApiState>,
    query: Result<Query<ListParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(params) = query.map_err(|_| malformed_query())?;
    let query = params.checked()?;
    let page = state.in_time(state.parts.evidence.list(&query)).await?;
    let page = page.map_err(|error| of_query(&error))?;
    let items = page.items.iter().map(|item| EvidenceLine::new(&item.record, &item.tx_id));
    let link = page.cursor.as_deref().map(|cursor| params.next_link(cursor));
    let body = EvidencePage { items: items.collect(), cursor: page.cursor };
    let mut response = Json(body).into_response();
    if let Some(link) = link.and_then(|link| HeaderValue::try_from(link).ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// All versions of one evidence, oldest first.
#[utoipa::path(get, path = "/api/v1/evidence/{id}/history", tag = "evidence",
    params(("id" = String, Path, description = "Any version's id")),
    responses((status = 200, body = HistoryAnswer), (status = 404, body = ProblemBody)))]
pub(crate) async fn history(
    State(ApiState(state)): State<ApiState>,
    Path(id): Path<String>,
) -> Result<Json<HistoryAnswer>, Problem> {
    let id = evidence_id(&id, "")?;
    let versions = state.in_time(state.parts.evidence.history(&id)).await?;
    let versions = versions.map_err(|error| of_query(&error))?;
    if versions.is_empty() {
        return Err(of_code(&codes::NOT_FOUND));
    }
    let line = |version: changbai_core::contract::Version| VersionLine {
        evidence_id: version.id.to_string(),
        tx_id: version.tx_id.to_string(),
        at_ms: version.at_ms,
    };
    Ok(Json(HistoryAnswer { versions: versions.into_iter().map(line).collect() }))
}

/// The receipt: everything that proves the record, as canonical JSON.
#[utoipa::path(get, path = "/api/v1/evidence/{id}/receipt", tag = "evidence",
    params(("id" = String, Path, description = "Evidence id 存证编号")),
    responses((status = 200, description = "Receipt 凭据", content_type = "application/json"),
              (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn receipt(
    State(ApiState(state)): State<ApiState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, _) = request.into_parts();
    let stored = stored(&state, &id).await?;
    let bytes = receipt_bytes(&state, &stored.tx_id).await?;
    exported(&state, &stored, actor(&state, &head), &bytes);
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

/// The bundle: one ZIP that proves itself offline.
#[utoipa::path(get, path = "/api/v1/evidence/{id}/bundle", tag = "evidence",
    params(("id" = String, Path, description = "Evidence id 存证编号"), BundleParams),
    responses((status = 200, description = "Bundle 证据包", content_type = "application/zip"),
              (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
              (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn bundle(
    State(ApiState(state)): State<ApiState>,
    Path(id): Path<String>,
    query: Result<Query<BundleParams>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Query(params) = query.map_err(|_| malformed_query())?;
    let (head, _) = request.into_parts();
    let id = evidence_id(&id, "")?;
    let actor = if params.originals {
        let caller = authenticate(&state, &head)?;
        caller.is_of_agency(&state)?;
        caller.actor()
    } else {
        actor(&state, &head)
    };
    let stored = stored(&state, id.as_str()).await?;
    let batch = match &params.digest {
        Some(which) => Some(place_bytes(&state, &stored.record, which).await?),
        None => None,
    };
    let attached = Attached::gather(&state, &stored, Some(actor)).await?.with_batch(batch);
    let attached = attached.with_certificates(&state, &stored).await?;
    if params.originals {
        full_bundle(&state, &stored, attached).await
    } else {
        plain_bundle(&stored, &attached)
    }
}

/// No disclosures and no originals: small, and free of personal data.
fn plain_bundle(stored: &Stored, attached: &Attached) -> Result<Response, Problem> {
    let parts = attached.parts(stored.record.as_bytes());
    let mut bytes = Vec::new();
    write_bundle(&mut bytes, &parts, &mut |_| Err(io::ErrorKind::NotFound.into()))
        .map_err(|error| of_failure(&codes::INTERNAL, &error))?;
    Ok((zip_headers(stored), bytes).into_response())
}

/// With disclosures and originals, streamed from custody by a blocking thread.
async fn full_bundle(
    state: &Arc<Shared>,
    stored: &Stored,
    attached: Attached,
) -> Result<Response, Problem> {
    let permit = state.download_permit()?;
    let openings = state.parts.evidence.openings(&stored.record).await;
    let openings = openings.map_err(|error| of_openings(&error))?.filter(|list| !list.is_empty());
    let disclosures = openings.map(|list| disclosures_to_bytes(&list)).transpose();
    let disclosures = disclosures.map_err(|error| of_failure(&codes::DAMAGED, &error))?;
    let (shared, record) = (Arc::clone(state), stored.record.clone());
    let originals = blocking(move || packed(&shared, &record)).await??;
    let (mut writer, body) = outgoing(state.limits().body_idle_max);
    let (shared, record) = (Arc::clone(state), stored.record.clone());
    let parts = BundleParts {
        disclosures: disclosures.as_deref(),
        originals: originals.clone(),
        ..attached.parts(record.as_bytes())
    };
    let length = bundle_len(&parts).map_err(|error| of_failure(&codes::INTERNAL, &error))?;
    // The thread ends with the body: a client that goes away fails its next write.
    drop(tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let parts = BundleParts {
            disclosures: disclosures.as_deref(),
            originals,
            ..attached.parts(record.as_bytes())
        };
        let mut open = |original: &PackedOriginal| {
            let reader = shared.parts.custody.open_original(&original.sm3);
            reader.map(|reader| Box::new(reader) as Box<dyn Read>).map_err(io::Error::other)
        };
        let written = write_bundle(&mut writer, &parts, &mut open);
        if let Err(error) = &written {
            tracing::warn!(error = error as &dyn std::error::Error, "api::bundle broke off");
        }
        writer.end(written.map_err(io::Error::other));
    }));
    let mut response = (zip_headers(stored), body).into_response();
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    Ok(response)
}

/// The record's originals that are in custody, with what the container needs to know up front.
fn packed(state: &Shared, record: &changbai_core::Record) -> Result<Vec<PackedOriginal>, Problem> {
    let mut list = Vec::new();
    for (index, original) in record.originals().iter().enumerate() {
        if !state.parts.custody.has(&original.sm3) {
            continue;
        }
        let reader = state.parts.custody.open_original(&original.sm3);
        let reader = reader.map_err(|error| of_custody(&error))?;
        list.push(PackedOriginal {
            position: index + 1,
            media_type: original.media_type.clone(),
            size_bytes: reader.size_bytes(),
            crc32: reader.crc32(),
            sm3: original.sm3,
        });
    }
    Ok(list)
}

fn zip_headers(stored: &Stored) -> [(header::HeaderName, String); 3] {
    let name = format!("attachment; filename=\"{}.zip\"", stored.record.id());
    [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ]
}

/// The record under an id in a path.
pub(super) async fn stored(state: &Shared, id: &str) -> Result<Stored, Problem> {
    let id = evidence_id(id, "")?;
    let stored = state.in_time(state.parts.evidence.get(&id)).await?;
    stored.map_err(|error| of_query(&error))?.ok_or_else(|| of_code(&codes::NOT_FOUND))
}

/// The canonical receipt of a transaction. A fresh one is proven by the next header, which follows at
/// once: worth waiting for.
pub(super) async fn receipt_bytes(state: &Shared, tx_id: &str) -> Result<Vec<u8>, Problem> {
    let receipt = proven(state, tx_id).await?;
    receipt.to_bytes().map_err(|error| of_failure(&codes::DAMAGED, &error))
}

/// As [`receipt_bytes`], not written yet.
pub(super) async fn proven(state: &Shared, tx_id: &str) -> Result<Receipt, Problem> {
    let deadline = Instant::now() + PROOF_WAIT_MAX;
    let proof = loop {
        match state.in_time(state.parts.ledger.proof(tx_id)).await? {
            Err(changbai_core::LedgerError::NotYetProven) if Instant::now() < deadline => {
                sleep(PROOF_POLL).await;
            }
            other => break other.map_err(|error| of_ledger(&error))?,
        }
    };
    Receipt::from_proof(&proof).map_err(|error| of_failure(&codes::DAMAGED, &error))
}

/// Starts blocking work on a thread of its own, at once; the future waits for it.
pub(super) fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = Result<T, Problem>> {
    let handle = tokio::task::spawn_blocking(work);
    async move {
        handle.await.map_err(|error| {
            tracing::error!(%error, "api::blocking work ended early");
            Problem::new(Code::Internal)
        })
    }
}

pub(super) fn malformed_query() -> Problem {
    Problem::new(Code::Malformed).detail(
        "查询参数未知、重复或格式错误",
        "a query parameter is unknown, repeated or malformed",
    )
}

impl Shared {
    /// Waits for the ledger, but not for ever.
    pub(crate) async fn in_time<T>(&self, work: impl Future<Output = T>) -> Result<T, Problem> {
        let waited = timeout(self.limits().ledger_wait_max, work).await;
        waited.map_err(|_| Problem::new(Code::LedgerTimeout).retry_after_ms(1_000))
    }
}

impl ListParams {
    fn checked(&self) -> Result<ListQuery, Problem> {
        let business_type = self.business_type.as_deref().map(str::parse).transpose();
        let business_type = business_type.map_err(|_| of_code(&codes::BUSINESS_TYPE_UNKNOWN))?;
        if self.cursor.as_ref().is_some_and(|cursor| cursor.len() > CURSOR_CHARS_MAX) {
            return Err(of_code(&codes::CURSOR));
        }
        Ok(ListQuery {
            sm3: self.sm3.as_deref().map(|text| digest(text, "")).transpose()?,
            business_type,
            from_ms: self.from,
            to_ms: self.to,
            cursor: self.cursor.clone(),
            limit: Some(self.limit.unwrap_or(PAGE_LIMIT_DEFAULT)),
        })
    }

    fn next_link(&self, cursor: &str) -> String {
        let mut query = format!("limit={}", self.limit.unwrap_or(PAGE_LIMIT_DEFAULT));
        let texts = [("sm3", &self.sm3), ("business_type", &self.business_type)];
        for (name, value) in texts.into_iter().filter_map(|(n, v)| Some((n, v.as_ref()?))) {
            query.push_str(&format!("&{name}={}", escaped(value)));
        }
        for (name, value) in [("from", self.from), ("to", self.to)] {
            if let Some(value) = value {
                query.push_str(&format!("&{name}={value}"));
            }
        }
        format!("</api/v1/evidence?{query}&cursor={}>; rel=\"next\"", escaped(cursor))
    }
}

/// Percent-encodes all but unreserved characters (RFC 3986 §2.3).
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

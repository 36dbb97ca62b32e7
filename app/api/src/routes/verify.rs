//! `POST /verify`: open to everybody, changes nothing.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header;
use changbai_core::{EvidenceId, Query, Stored, codes, process::Actor};
use changbai_receipt::{Bundle, HashedOriginal, Report, unreadable, verify as judge};
use serde::Deserialize;
use serde_json::json;
use smkit::sm3::Sm3Digest;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::evidence::{blocking, receipt_bytes, stored};
use super::process::{verified, verified_bundle};
use crate::body::{Feed, FeedReader, Incoming, feed};
use crate::domain::of_query;
use crate::dto::{EvidenceLine, VerifyAnswer};
use crate::identity::actor;
use crate::limits::MATCHES_MAX;
use crate::multipart::boundary;
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::{ApiState, Shared};
use crate::submission::{digest, evidence_id, json as parse_json};
use crate::upload::{self, ToCheck};

/// A digest to be verified, with or without the evidence it is claimed to belong to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyBody {
    /// SM3 of the original, 64 lower-case hex digits.
    sm3: String,
    /// The evidence it is claimed to belong to.
    #[serde(default)]
    evidence_id: Option<String>,
}

/// Verifies a digest (JSON), an original (`application/octet-stream`), a bundle (`application/zip`), or parts
/// `original`, `bundle` and `evidence_id` (multipart). The node judges against its own channel;
/// the command `changbai verify` does the same offline.
#[utoipa::path(post, path = "/api/v1/verify", tag = "verification",
    request_body(content(
        (VerifyBody = "application/json"),
        (String = "multipart/form-data"),
        (String = "application/octet-stream"),
        (String = "application/zip"),
    )),
    responses((status = 200, body = VerifyAnswer), (status = 400, body = ProblemBody),
              (status = 404, body = ProblemBody), (status = 413, body = ProblemBody),
              (status = 415, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(crate) async fn verify(
    State(ApiState(state)): State<ApiState>,
    request: Request,
) -> Result<Json<VerifyAnswer>, Problem> {
    let (head, body) = request.into_parts();
    let text = head.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let mut incoming = Incoming::new(body, &head.headers, state.limits());
    let received = receive(&state, text, &mut incoming).await;
    if received.is_err() {
        incoming.drain().await;
    }
    Ok(Json(answer(&state, received?, actor(&state, &head)).await?))
}

enum Kind {
    Json,
    Multipart(String),
    Original,
    Bundle,
}

impl Kind {
    fn of(content_type: &str) -> Result<Self, Problem> {
        if let Some(boundary) = boundary(content_type) {
            return Ok(Self::Multipart(boundary.to_owned()));
        }
        match content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase().as_str() {
            "application/json" => Ok(Self::Json),
            "application/octet-stream" => Ok(Self::Original),
            "application/zip" => Ok(Self::Bundle),
            _ => Err(Problem::new(Code::MediaType).technical(
                "application/json, application/octet-stream, application/zip or multipart/form-data",
            )),
        }
    }
}

async fn receive(
    state: &Arc<Shared>,
    content_type: &str,
    incoming: &mut Incoming,
) -> Result<ToCheck, Problem> {
    let kind = Kind::of(content_type)?;
    incoming.limit(match kind {
        Kind::Json => state.limits().json_bytes_max,
        _ => state.limits().upload_bytes_max,
    })?;
    if let Kind::Json = kind {
        let (bytes, _) = incoming.whole().await?;
        let body: VerifyBody = parse_json(&bytes)?;
        return Ok(ToCheck {
            digest: Some(digest(&body.sm3, "/sm3")?),
            evidence_id: body.evidence_id.map(|id| evidence_id(&id, "/evidence_id")).transpose()?,
            ..ToCheck::default()
        });
    }
    let permit = state.upload_permit()?;
    let (feed, reader) = feed();
    let worker = blocking(move || {
        let _permit = permit;
        read(kind, reader)
    });
    receive_streamed(incoming, feed, worker).await
}

fn read(kind: Kind, mut reader: FeedReader) -> Result<ToCheck, Problem> {
    match kind {
        Kind::Multipart(boundary) => upload::receive_to_check(reader, &boundary),
        Kind::Bundle => {
            Ok(ToCheck { bundle: Some(upload::bundle(&mut reader)?), ..ToCheck::default() })
        }
        Kind::Original | Kind::Json => {
            let hashed = changbai_receipt::hash_original("original", &mut reader)
                .map_err(|_| Problem::new(Code::Malformed).technical("the body broke off"))?;
            Ok(ToCheck { originals: vec![hashed], ..ToCheck::default() })
        }
    }
}

async fn receive_streamed(
    incoming: &mut Incoming,
    feed: Feed,
    worker: impl Future<Output = Result<Result<ToCheck, Problem>, Problem>>,
) -> Result<ToCheck, Problem> {
    // A worker that stops reading early has its answer already, such as a bundle that is none.
    let pumped = incoming.pump(&feed).await;
    drop(feed);
    pumped?;
    worker.await?
}

async fn answer(
    state: &Arc<Shared>,
    mut to_check: ToCheck,
    actor: Actor,
) -> Result<VerifyAnswer, Problem> {
    let sm3 = to_check.digest.or_else(|| to_check.originals.first().map(|o| o.sm3));
    let matches = match sm3 {
        Some(sm3) => find(state, sm3).await?,
        None => Vec::new(),
    };
    if let Some(bundle) = to_check.bundle.take() {
        let report = match bundle {
            Ok(bundle) => {
                verified_bundle(state, &bundle, actor).await;
                judged(state, bundle, to_check.originals).await?
            }
            Err(error) => unreadable(&error),
        };
        return Ok(of_report(&report, sm3, matches));
    }
    let Some(sm3) = sm3 else {
        return Err(
            Problem::new(Code::Malformed).technical("an original, a digest or a bundle is needed")
        );
    };
    let claimed = match to_check.evidence_id {
        Some(id) => Some(id),
        None => matches.first().and_then(|line| line.evidence_id.parse::<EvidenceId>().ok()),
    };
    let Some(id) = claimed else { return Ok(unknown(sm3)) };
    let stored = stored(state, id.as_str()).await?;
    verified(state, &stored, actor);
    let receipt = receipt_bytes(state, &stored.tx_id).await?;
    let supplied = supplied(&stored, to_check.originals, to_check.digest);
    let bundle = Bundle::from_parts(stored.record.to_bytes(), receipt, None);
    let report = judged(state, bundle, supplied).await?;
    Ok(of_report(&report, Some(sm3), matches))
}

/// What the judge compares with the record: the files as received, or the bare digest with the size that
/// the record states for it (a digest that is not the record's then fails as any file would).
fn supplied(
    stored: &Stored,
    originals: Vec<HashedOriginal>,
    digest: Option<Sm3Digest>,
) -> Vec<HashedOriginal> {
    let Some(sm3) = digest else { return originals };
    let known = stored.record.originals().iter().find(|original| original.sm3 == sm3);
    let size_bytes = known.map_or(0, |original| original.size_bytes);
    vec![HashedOriginal { name: "sm3".to_owned(), size_bytes, sm3 }]
}

async fn find(state: &Shared, sm3: Sm3Digest) -> Result<Vec<EvidenceLine>, Problem> {
    let query = Query { sm3: Some(sm3), limit: Some(MATCHES_MAX), ..Query::default() };
    let page = state.in_time(state.parts.evidence.list(&query)).await?;
    let page = page.map_err(|error| of_query(&error))?;
    Ok(page.items.iter().map(|item| EvidenceLine::new(&item.record, &item.tx_id)).collect())
}

/// Judging costs a handful of signature verifications: a few at a time, the others wait.
async fn judged(
    state: &Arc<Shared>,
    bundle: Bundle,
    supplied: Vec<HashedOriginal>,
) -> Result<Report, Problem> {
    let turn = timeout(state.limits().ledger_wait_max, state.checks.acquire()).await;
    let Ok(Ok(_turn)) = turn else { return Err(Problem::new(Code::Busy)) };
    let shared = Arc::clone(state);
    blocking(move || judge(&bundle, &supplied, Some(&shared.parts.channel.trust()))).await
}

fn of_report(report: &Report, sm3: Option<Sm3Digest>, matches: Vec<EvidenceLine>) -> VerifyAnswer {
    let elements = report.elements.iter().filter_map(|element| serde_json::to_value(element).ok());
    VerifyAnswer {
        verdict: report.verdict.name().to_owned(),
        sm3: sm3.map(|sm3| sm3.to_string()),
        evidence_id: report.claims.evidence_id.clone(),
        elements: elements.collect(),
        matches,
    }
}

/// Nothing on the ledger has this digest: the plain answer to a changed original.
fn unknown(sm3: Sm3Digest) -> VerifyAnswer {
    let element = json!({
        "name": "original",
        "status": "failed",
        "code": codes::NOT_FOUND.code,
        "reason": format!("账本中没有摘要为 {sm3} 的存证：该原件未存证，或已被改动。"),
        "reason_en": format!(
            "No evidence on the ledger has the digest {sm3}: the original was never recorded, or it was altered."
        ),
    });
    VerifyAnswer {
        verdict: "not_verified".to_owned(),
        sm3: Some(sm3.to_string()),
        evidence_id: None,
        elements: vec![element],
        matches: Vec::new(),
    }
}

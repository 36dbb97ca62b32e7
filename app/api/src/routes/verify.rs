//! `POST /verify`: open to everybody, changes nothing.
#![expect(unused_qualifications, reason = "in what utoipa generates for IntoParams")]

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use changbai_certificate::{Format, Grounds, judge_document, verify_bundle};
use changbai_core::process::Actor;
use changbai_core::{EvidenceId, Query as ListQuery, Stored, codes};
use changbai_receipt::{
    Bundle, Element, HashedOriginal, Input, JudgedAt, Report, StatedFinding, Status, Trust,
    Verdict, unreadable,
};
use serde::Deserialize;
use smkit::sm3::{Sm3Digest, sm3};
use tokio::time::timeout;
use utoipa::{IntoParams, ToSchema};

use super::evidence::{blocking, malformed_query, receipt_bytes, stored};
use super::process::{verified, verified_bundle};
use crate::body::{Feed, FeedReader, Incoming, feed};
use crate::domain::{of_failure, of_query};
use crate::dto::{EvidenceLine, VerifyAnswer};
use crate::identity::actor;
use crate::limits::MATCHES_MAX;
use crate::multipart::boundary;
use crate::problem::{Code, Problem, ProblemBody};
use crate::rate::busy_for;
use crate::state::{ApiState, Shared};
use crate::submission::{digest, evidence_id, json as parse_json};
use crate::transport::Transport;
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

/// How the answer is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct VerifyParams {
    /// The signed verdict alone, as the file that `changbai verify` checks.
    #[serde(default)]
    signed: bool,
}

/// Verifies a digest (JSON), an original (`application/octet-stream`), a bundle (`application/zip`), a certificate
/// (`application/pdf`, `application/ofd`), or parts `original`, `bundle` or `certificate`, and `evidence_id` (multipart).
/// The node judges against its own channel and signs what it found; the command `changbai verify` judges the same offline.
#[utoipa::path(post, path = "/api/v1/verify", tag = "verification", params(VerifyParams),
    request_body(content(
        (VerifyBody = "application/json"),
        (String = "multipart/form-data"),
        (String = "application/octet-stream"),
        (String = "application/zip"),
        (String = "application/pdf"),
        (String = "application/ofd"),
    )),
    responses((status = 200, body = VerifyAnswer), (status = 400, body = ProblemBody),
              (status = 404, body = ProblemBody), (status = 413, body = ProblemBody),
              (status = 415, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(crate) async fn verify(
    State(ApiState(state)): State<ApiState>,
    query: Result<Query<VerifyParams>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Query(params) = query.map_err(|_| malformed_query())?;
    let (head, body) = request.into_parts();
    admit(&state, head.extensions.get::<Transport>())?;
    let text = head.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let mut incoming = Incoming::new(body, &head.headers, state.limits());
    let received = receive(&state, text, &mut incoming).await;
    if received.is_err() {
        incoming.drain().await;
    }
    let found = answer(&state, received?, actor(&state, &head)).await?;
    let signed = sign(&state, &found)?;
    if params.signed {
        let file = signed
            .ok_or_else(|| Problem::new(Code::NoSuchPath).technical("this node signs none"))?;
        let name = "attachment; filename=\"verdict.json\"";
        let headers =
            [(header::CONTENT_TYPE, "application/json"), (header::CONTENT_DISPOSITION, name)];
        return Ok((headers, file).into_response());
    }
    Ok(Json(found.into_answer(signed)).into_response())
}

/// Each address for itself; a gateway knows its clients, and limits them.
fn admit(state: &Shared, transport: Option<&Transport>) -> Result<(), Problem> {
    let Some(address) = transport.map(|transport| transport.remote.ip()) else { return Ok(()) };
    if state.parts.gateways.contains(address) {
        return Ok(());
    }
    state.check_rates.admit(address).map_err(busy_for)
}

fn sign(state: &Shared, found: &Found) -> Result<Option<Vec<u8>>, Problem> {
    let Some(signer) = &state.parts.verdicts else { return Ok(None) };
    let now = state.parts.clock.now();
    let at = JudgedAt { ms: now.at.0, bound_us: now.bound_us.map(u64::from) };
    let signed = signer.sign(found.finding.clone(), found.inputs.clone(), at);
    signed.map(Some).map_err(|error| of_failure(&codes::INTERNAL, &error))
}

/// What was found, and about what.
struct Found {
    finding: StatedFinding,
    inputs: Vec<Input>,
    sm3: Option<Sm3Digest>,
    matches: Vec<EvidenceLine>,
}

impl Found {
    fn into_answer(self, signed: Option<Vec<u8>>) -> VerifyAnswer {
        let elements = self.finding.elements.iter();
        VerifyAnswer {
            verdict: self.finding.verdict.clone(),
            sm3: self.sm3.map(|sm3| sm3.to_string()),
            evidence_id: self.finding.claims.get("evidence_id").cloned(),
            elements: elements.filter_map(|element| serde_json::to_value(element).ok()).collect(),
            matches: self.matches,
            signed_verdict: signed.and_then(|bytes| String::from_utf8(bytes).ok()),
        }
    }
}

enum Kind {
    Json,
    Multipart(String),
    Original,
    Bundle,
    Certificate,
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
            "application/pdf" | "application/ofd" => Ok(Self::Certificate),
            _ => Err(Problem::new(Code::MediaType).technical(
                "application/json, application/octet-stream, application/zip, application/pdf, application/ofd or multipart/form-data",
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
        Kind::Certificate => Ok(ToCheck {
            certificate: Some(upload::certificate(&mut reader)?),
            ..ToCheck::default()
        }),
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
) -> Result<Found, Problem> {
    let sm3 = to_check.digest.or_else(|| to_check.originals.first().map(|o| o.sm3));
    let matches = match sm3 {
        Some(sm3) => find(state, sm3).await?,
        None => Vec::new(),
    };
    let inputs = inputs(&to_check);
    let found = |finding, matches| Found { finding, inputs, sm3, matches };
    match (to_check.bundle.take(), to_check.certificate.take()) {
        (Some(_), Some(_)) => {
            let both = "a bundle or a certificate, not both";
            return Err(Problem::new(Code::Malformed).technical(both));
        }
        (Some(bundle), None) => {
            let report = match bundle.read {
                Ok(bundle) => {
                    verified_bundle(state, &bundle, actor).await;
                    judged(state, bundle, to_check.originals).await?
                }
                Err(error) => unreadable(&error),
            };
            return Ok(found(StatedFinding::from(&report), matches));
        }
        (None, Some((format, bytes))) => {
            let finding = document(state, format, bytes, to_check.originals).await?;
            return Ok(found(finding, matches));
        }
        (None, None) => {}
    }
    let Some(sm3) = sm3 else {
        let needed = "an original, a digest, a bundle or a certificate is needed";
        return Err(Problem::new(Code::Malformed).technical(needed));
    };
    let claimed = match to_check.evidence_id {
        Some(id) => Some(id),
        None => matches.first().and_then(|line| line.evidence_id.parse::<EvidenceId>().ok()),
    };
    let Some(id) = claimed else { return Ok(found(unknown(sm3), Vec::new())) };
    let stored = stored(state, id.as_str()).await?;
    verified(state, &stored, actor);
    let receipt = receipt_bytes(state, &stored.tx_id).await?;
    let supplied = supplied(&stored, to_check.originals, to_check.digest);
    let bundle = Bundle::from_parts(stored.record.to_bytes(), receipt, None);
    let report = judged(state, bundle, supplied).await?;
    Ok(found(StatedFinding::from(&report), matches))
}

/// What was handed in, by digest.
fn inputs(to_check: &ToCheck) -> Vec<Input> {
    let originals = to_check.originals.iter().map(|o| Input::new("original", &o.sm3));
    let bundle = to_check.bundle.iter().map(|bundle| Input::new("bundle", &bundle.sm3));
    let certificate = to_check.certificate.iter();
    let certificate = certificate.map(|(_, bytes)| Input::new("certificate", &sm3(bytes)));
    let digest = to_check.digest.iter().map(|digest| Input::new("digest", digest));
    bundle.chain(certificate).chain(originals).chain(digest).collect()
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
    let query = ListQuery { sm3: Some(sm3), limit: Some(MATCHES_MAX), ..ListQuery::default() };
    let page = state.in_time(state.parts.evidence.list(&query)).await?;
    let page = page.map_err(|error| of_query(&error))?;
    Ok(page.items.iter().map(|item| EvidenceLine::new(&item.record, &item.tx_id)).collect())
}

/// Judging costs a handful of signature verifications: a few at a time, the others wait.
async fn in_turn<T: Send + 'static>(
    state: &Arc<Shared>,
    judge: impl FnOnce(&Trust, i64) -> T + Send + 'static,
) -> Result<T, Problem> {
    let turn = timeout(state.limits().ledger_wait_max, state.checks.acquire()).await;
    let Ok(Ok(_turn)) = turn else { return Err(Problem::new(Code::Busy)) };
    let shared = Arc::clone(state);
    let now_unix_seconds = i64::try_from(state.now_ms() / 1_000).unwrap_or(i64::MAX);
    blocking(move || judge(&shared.parts.channel.trust(), now_unix_seconds)).await
}

async fn judged(
    state: &Arc<Shared>,
    bundle: Bundle,
    supplied: Vec<HashedOriginal>,
) -> Result<Report, Problem> {
    in_turn(state, move |trust, now_unix_seconds| {
        let trust = Some(trust);
        verify_bundle(
            &bundle,
            &Grounds { trust, now_unix_seconds, lists: &[], originals: &supplied },
        )
    })
    .await
}

async fn document(
    state: &Arc<Shared>,
    format: Format,
    bytes: Vec<u8>,
    supplied: Vec<HashedOriginal>,
) -> Result<StatedFinding, Problem> {
    let report = in_turn(state, move |trust, now_unix_seconds| {
        let trust = Some(trust);
        let grounds = Grounds { trust, now_unix_seconds, lists: &[], originals: &supplied };
        judge_document(format, &bytes, &grounds)
    })
    .await?;
    let report =
        report.ok_or_else(|| Problem::new(Code::Malformed).technical("no PDF and no OFD"))?;
    let inner = report.evidence.as_ref().map(StatedFinding::from);
    let mut finding = StatedFinding::new(report.verdict, &report.elements, BTreeMap::new());
    if let Some(inner) = inner {
        finding.elements.extend(inner.elements);
        finding.claims = inner.claims;
    }
    Ok(finding)
}

/// Nothing on the ledger has this digest: the plain answer to a changed original.
fn unknown(sm3: Sm3Digest) -> StatedFinding {
    let element = Element {
        name: "original",
        status: Status::Failed,
        code: codes::NOT_FOUND.code,
        reason_zh: format!("账本中没有摘要为 {sm3} 的存证：该原件未存证，或已被改动。"),
        reason_en: format!(
            "No evidence on the ledger has the digest {sm3}: the original was never recorded, or it was altered."
        ),
    };
    StatedFinding::new(Verdict::NotVerified, &[element], BTreeMap::new())
}

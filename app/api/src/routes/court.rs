//! Courts' queries by case number (法院查询): each is noted on the ledger and in the record's process log before its
//! answer leaves.
#![expect(unused_qualifications, reason = "in what utoipa generates for IntoParams")]

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::request::Parts;
use changbai_core::contract::{Purpose, QUERY_RECORDS_MAX};
use changbai_core::process::{Actor, ActorRole, Step};
use changbai_core::{
    CaseNumber, CourtQuery, EvidenceId, Opening, Query as ListQuery, Stored, codes,
};
use serde::Deserialize;
use smkit::sm3::Sm3Digest;
use utoipa::{IntoParams, ToSchema};

use super::evidence::{receipt_bytes, stored};
use crate::body::Incoming;
use crate::court::CourtAccess;
use crate::domain::{of_code, of_failure, of_query};
use crate::dto::{CourtAnswer, CourtFinding, QueriesAnswer};
use crate::identity::{Caller, authenticate};
use crate::limits::{CURSOR_CHARS_MAX, MATCHES_MAX};
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::{ApiState, Shared};
use crate::submission::{digest, evidence_id, json as parse_json};

/// What a court asks for: records by id, or whatever is recorded of a digest.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"purpose": "trial",
    "evidence_ids": ["CC22010011220100MB9999999R2026112200000000012ZU"]}))]
pub(crate) struct CourtQueryBody {
    /// `filing` 立案, `trial` 审理, `enforcement` 执行 or `review` 审判监督.
    purpose: String,
    /// Evidence ids, at most 64.
    #[serde(default)]
    evidence_ids: Vec<String>,
    /// SM3 of an original, 64 lower-case hex digits.
    #[serde(default)]
    sm3: Option<String>,
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParams {
    /// Where the page before ended.
    pub(super) cursor: Option<String>,
    /// Lines a page, 1 to 200; 50 when absent.
    pub(super) limit: Option<u32>,
}

/// Asks for records in a case. Needs a certificate with the unit `court` of an organisation that the node admits.
#[utoipa::path(post, path = "/api/v1/court/cases/{case_no}/queries", tag = "court",
    params(("case_no" = String, Path, description = "Case number 案号")),
    request_body = CourtQueryBody, security(("sm2" = [])),
    responses((status = 200, body = CourtAnswer), (status = 401, body = ProblemBody),
              (status = 403, body = ProblemBody), (status = 422, body = ProblemBody),
              (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn ask(
    State(ApiState(state)): State<ApiState>,
    Path(case_no): Path<String>,
    request: Request,
) -> Result<Json<CourtAnswer>, Problem> {
    let (head, body) = request.into_parts();
    let mut incoming = Incoming::new(body, &head.headers, state.limits());
    let answer = admit(&state, &head, &case_no, &mut incoming).await;
    if answer.is_err() {
        incoming.drain().await;
    }
    Ok(Json(answer?))
}

async fn admit(
    state: &Arc<Shared>,
    head: &Parts,
    case_no: &str,
    incoming: &mut Incoming,
) -> Result<CourtAnswer, Problem> {
    let caller = authenticate(state, head)?;
    let access = caller.may_ask_as_court(state)?;
    let case = case_number(case_no)?;
    let expected = caller.content_digest.ok_or_else(|| Problem::new(caller.undigested()))?;
    access
        .count(caller.certificate_sm3, state.now_ms())
        .map_err(|wait_ms| Problem::new(Code::CourtRate).retry_after_ms(wait_ms))?;
    incoming.limit(state.limits().json_bytes_max)?;
    let (bytes, received) = incoming.whole().await?;
    if received.sm3 != expected {
        return Err(Problem::new(Code::ContentDigestMismatch));
    }
    let wanted = Wanted::read(&bytes)?;
    answer(state, &caller, access.secret.opening(&case), wanted).await
}

/// A query whose form is right.
struct Wanted {
    purpose: Purpose,
    ids: Vec<EvidenceId>,
    sm3: Option<Sm3Digest>,
}

impl Wanted {
    fn read(bytes: &[u8]) -> Result<Self, Problem> {
        let body: CourtQueryBody = parse_json(bytes)?;
        let purpose = Purpose::from_code(&body.purpose).ok_or_else(|| {
            of_code(&codes::QUERY).at("/purpose", "filing, trial, enforcement or review")
        })?;
        if body.evidence_ids.len() > QUERY_RECORDS_MAX {
            let most = format!("at most {QUERY_RECORDS_MAX}");
            return Err(of_code(&codes::QUERY).at("/evidence_ids", most));
        }
        let mut ids = Vec::with_capacity(body.evidence_ids.len());
        for (index, text) in body.evidence_ids.iter().enumerate() {
            let id = evidence_id(text, &format!("/evidence_ids/{index}"))?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let sm3 = body.sm3.map(|text| digest(&text, "/sm3")).transpose()?;
        if ids.is_empty() == sm3.is_none() {
            return Err(of_code(&codes::QUERY).at("", "either evidence_ids or sm3"));
        }
        Ok(Self { purpose, ids, sm3 })
    }
}

/// Looks up, notes, logs, and only then says what was found: also that nothing was.
async fn answer(
    state: &Arc<Shared>,
    caller: &Caller,
    case: Opening,
    wanted: Wanted,
) -> Result<CourtAnswer, Problem> {
    let (found, missing) = look_up(state, &wanted).await?;
    let query = CourtQuery {
        case: case.commitment(),
        purpose: wanted.purpose,
        requester: caller.certificate_sm3,
        requester_msp_id: caller.msp_id.clone(),
    };
    let ids: Vec<EvidenceId> = found.iter().map(|stored| *stored.record.id()).collect();
    let evidence = &state.parts.evidence;
    let tx_id = state.in_time(evidence.note_query(&query, &ids)).await?;
    let tx_id = tx_id.map_err(|error| of_query(&error))?;
    let court = Actor::known(caller.certificate_sm3, ActorRole::Court);
    let mut results = Vec::with_capacity(found.len());
    for stored in &found {
        let logged = evidence.log_step_durably(&stored.record, Step::CourtQuery, court, tx_id);
        logged.await.map_err(|error| of_failure(&error.code(), &error))?;
        let receipt = receipt_bytes(state, &stored.tx_id).await?;
        let finding = CourtFinding::new(stored, &receipt);
        results.push(finding.ok_or_else(|| of_code(&codes::DAMAGED))?);
    }
    Ok(CourtAnswer::new(&case, wanted.purpose, tx_id, results, &missing))
}

async fn look_up(
    state: &Shared,
    wanted: &Wanted,
) -> Result<(Vec<Stored>, Vec<EvidenceId>), Problem> {
    let mut ids = wanted.ids.clone();
    if let Some(sm3) = wanted.sm3 {
        let query = ListQuery { sm3: Some(sm3), limit: Some(MATCHES_MAX), ..ListQuery::default() };
        let page = state.in_time(state.parts.evidence.list(&query)).await?;
        let page = page.map_err(|error| of_query(&error))?;
        ids.extend(page.items.iter().map(|item| *item.record.id()));
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for id in ids {
        match state.in_time(state.parts.evidence.get(&id)).await? {
            Ok(Some(stored)) => found.push(stored),
            Ok(None) => missing.push(id),
            Err(error) => return Err(of_query(&error)),
        }
    }
    Ok((found, missing))
}

/// What was asked in a case, at this node.
#[utoipa::path(get, path = "/api/v1/court/cases/{case_no}/queries", tag = "court",
    params(("case_no" = String, Path, description = "Case number 案号"), PageParams),
    security(("sm2" = [])),
    responses((status = 200, body = QueriesAnswer), (status = 401, body = ProblemBody),
              (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn of_case(
    State(ApiState(state)): State<ApiState>,
    Path(case_no): Path<String>,
    query: Result<Query<PageParams>, QueryRejection>,
    request: Request,
) -> Result<Json<QueriesAnswer>, Problem> {
    let (head, _) = request.into_parts();
    let caller = authenticate(&state, &head)?;
    let access = caller.may_ask_as_court(&state)?;
    let params = page_params(query)?;
    let case = access.secret.opening(&case_number(&case_no)?).commitment();
    let evidence = &state.parts.evidence;
    let page = evidence.queries_of_case(&case, params.cursor.as_deref(), params.limit);
    let page = state.in_time(page).await?.map_err(|error| of_query(&error))?;
    Ok(Json(QueriesAnswer::from(page)))
}

/// Courts' queries about a record: for the agency that the record belongs to.
#[utoipa::path(get, path = "/api/v1/evidence/{id}/queries", tag = "court",
    params(("id" = String, Path, description = "Evidence id 存证编号"), PageParams),
    security(("sm2" = [])),
    responses((status = 200, body = QueriesAnswer), (status = 401, body = ProblemBody),
              (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(crate) async fn of_record(
    State(ApiState(state)): State<ApiState>,
    Path(id): Path<String>,
    query: Result<Query<PageParams>, QueryRejection>,
    request: Request,
) -> Result<Json<QueriesAnswer>, Problem> {
    let (head, _) = request.into_parts();
    let caller = authenticate(&state, &head)?;
    let params = page_params(query)?;
    let stored = stored(&state, &id).await?;
    if caller.msp_id != stored.record.parts().agency.msp_id {
        return Err(Problem::new(Code::RoleRefused).detail(
            "只有该存证所属机构可以查看法院查询记录",
            "only the record's own agency sees courts' queries about it",
        ));
    }
    let evidence = &state.parts.evidence;
    let id = *stored.record.id();
    let page = evidence.queries_of(&id, params.cursor.as_deref(), params.limit);
    let page = state.in_time(page).await?.map_err(|error| of_query(&error))?;
    Ok(Json(QueriesAnswer::from(page)))
}

impl Caller {
    /// A court's certificate: the unit `court`, in an organisation of the channel that the node admits as a court's.
    fn may_ask_as_court<'a>(&self, state: &'a Shared) -> Result<&'a CourtAccess, Problem> {
        let access = state.parts.court.as_ref();
        let access = access.filter(|access| self.is_court() && access.admits(&self.msp_id));
        access.ok_or_else(|| Problem::new(Code::CourtRefused))
    }
}

fn case_number(text: &str) -> Result<CaseNumber, Problem> {
    text.parse().map_err(|_| Problem::new(Code::CaseNumber))
}

pub(super) fn page_params(
    query: Result<Query<PageParams>, QueryRejection>,
) -> Result<PageParams, Problem> {
    let Query(params) = query.map_err(|_| Problem::new(Code::Malformed))?;
    if params.cursor.as_ref().is_some_and(|cursor| cursor.len() > CURSOR_CHARS_MAX) {
        return Err(of_code(&codes::CURSOR));
    }
    Ok(params)
}

//! Blocks and transactions.
#![expect(unused_qualifications, reason = "in what utoipa generates for IntoParams")]

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use changbai_core::ledger::LedgerError;
use serde::Deserialize;
use utoipa::IntoParams;

use super::evidence::malformed_query;
use crate::domain::of_ledger;
use crate::dto::{BlockAnswer, BlockPage, TransactionAnswer};
use crate::limits::{PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX};
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::ApiState;

/// Which blocks.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BlocksParams {
    /// The newest block wanted; the last one when absent.
    from: Option<u64>,
    /// Blocks a page, 1 to 200; 50 when absent.
    limit: Option<u32>,
}

/// Blocks downwards from `from`, newest first.
#[utoipa::path(get, path = "/api/v1/blocks", tag = "ledger", params(BlocksParams),
    responses((status = 200, body = BlockPage), (status = 400, body = ProblemBody)))]
pub(crate) async fn blocks(
    State(ApiState(state)): State<ApiState>,
    query: Result<Query<BlocksParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(params) = query.map_err(|_| malformed_query())?;
    let limit = params.limit.unwrap_or(PAGE_LIMIT_DEFAULT);
    if !(1..=PAGE_LIMIT_MAX).contains(&limit) {
        return Err(malformed_query());
    }
    let blocks = state.in_time(state.parts.ledger.blocks(params.from, limit)).await?;
    let blocks = blocks.map_err(|error| of_ledger(&error))?;
    let items: Vec<BlockAnswer> = blocks.iter().map(BlockAnswer::from).collect();
    let next = items.last().and_then(|last| last.number.checked_sub(1));
    let full = items.len() >= limit as usize;
    let body = BlockPage { items, height: state.parts.ledger.status().height };
    let mut response = Json(body).into_response();
    if let Some(from) = next.filter(|_| full) {
        let link = format!("</api/v1/blocks?from={from}&limit={limit}>; rel=\"next\"");
        if let Ok(link) = HeaderValue::try_from(link) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    Ok(response)
}

/// One block.
#[utoipa::path(get, path = "/api/v1/blocks/{number}", tag = "ledger",
    params(("number" = u64, Path, description = "Block number, from 0")),
    responses((status = 200, body = BlockAnswer), (status = 404, body = ProblemBody)))]
pub(crate) async fn block(
    State(ApiState(state)): State<ApiState>,
    Path(number): Path<String>,
) -> Result<Json<BlockAnswer>, Problem> {
    let number = number.parse().map_err(|_| {
        Problem::new(Code::Malformed).technical("a block number is a plain integer")
    })?;
    let block = state.in_time(state.parts.ledger.block(number)).await?;
    Ok(Json(BlockAnswer::from(&block.map_err(|error| of_ledger(&error))?)))
}

/// One transaction, valid or not.
#[utoipa::path(get, path = "/api/v1/transactions/{tx_id}", tag = "ledger",
    params(("tx_id" = String, Path, description = "Transaction id, 64 hex digits")),
    responses((status = 200, body = TransactionAnswer), (status = 404, body = ProblemBody)))]
pub(crate) async fn transaction(
    State(ApiState(state)): State<ApiState>,
    Path(tx_id): Path<String>,
) -> Result<Json<TransactionAnswer>, Problem> {
    let plain = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if tx_id.len() != 64 || !tx_id.bytes().all(plain) {
        return Err(of_ledger(&LedgerError::NotFound));
    }
    let transaction = state.in_time(state.parts.ledger.transaction(&tx_id)).await?;
    Ok(Json(TransactionAnswer::from(transaction.map_err(|error| of_ledger(&error))?)))
}

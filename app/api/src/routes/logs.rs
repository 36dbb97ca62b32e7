//! The transparency log of each channel: checkpoints, tiles, proofs. For everybody; any file server can mirror
//! `checkpoint` and `tile/`.
#![expect(unused_qualifications, reason = "in what utoipa generates for IntoParams")]

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::get};
use changbai_core::codes;
use changbai_core::ledger::LedgerError;
use changbai_merkle::{NodeId, Note, Tile, TileContent, TlogProof, write_entries};
use serde::{Deserialize, Serialize};
use smkit::{Sm3Digest, sm3};
use utoipa::{IntoParams, ToSchema};

use super::evidence::{blocking, malformed_query, stored};
use crate::domain::{of_code, of_ledger};
use crate::logs::{CheckpointError, ConsistencyAnswer, LogDescription, PublishedLog};
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::{ApiState, Shared};

/// Which leaf, in which tree.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InclusionParams {
    /// Leaf, from 0; or `tx`.
    index: Option<u64>,
    /// Transaction id, 64 hex digits; or `index`.
    tx: Option<String>,
    /// Leaves of the tree; the newest header's when absent.
    size: Option<u64>,
}

/// Between which trees.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConsistencyParams {
    /// Leaves of the older tree.
    from: u64,
    /// Leaves of the newer tree; the newest header's when absent.
    to: Option<u64>,
}

/// That a leaf is in a tree (RFC 6962 §2.1.1).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InclusionAnswer {
    /// The leaf's place, from 0.
    index: u64,
    /// Data of the leaf, hex.
    leaf: String,
    /// Sibling hashes, hex, the leaf's first.
    path: Vec<String>,
    /// Root of the tree, hex.
    root: String,
    /// Leaves of the tree.
    size: u64,
}

/// What the log says of itself.
#[utoipa::path(get, path = "/api/v1/log/{channel}", tag = "log",
    params(("channel" = String, Path, description = "Channel id 通道")),
    responses((status = 200, body = LogDescription), (status = 404, body = ProblemBody)))]
pub(crate) async fn one(
    State(ApiState(state)): State<ApiState>,
    Path(channel): Path<String>,
) -> Result<Json<LogDescription>, Problem> {
    Ok(Json(published(&state, &channel)?.description()))
}

/// The newest checkpoint: a signed note with the witnesses' cosignatures.
#[utoipa::path(get, path = "/api/v1/log/{channel}/checkpoint", tag = "log",
    params(("channel" = String, Path, description = "Channel id 通道")),
    responses((status = 200, description = "Checkpoint 检查点", content_type = "text/plain"),
              (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn checkpoint(
    State(ApiState(state)): State<ApiState>,
    Path(channel): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let log = published(&state, &channel)?;
    let note = state.in_time(log.checkpoint()).await?.map_err(|e| of_checkpoint(&e))?;
    Ok(file(&headers, note.into_bytes(), TEXT, "no-cache"))
}

/// That a transaction is in the log.
#[utoipa::path(get, path = "/api/v1/log/{channel}/proof/inclusion", tag = "log",
    params(("channel" = String, Path, description = "Channel id 通道"), InclusionParams),
    responses((status = 200, body = InclusionAnswer), (status = 400, body = ProblemBody),
              (status = 404, body = ProblemBody)))]
pub(crate) async fn inclusion(
    State(ApiState(state)): State<ApiState>,
    Path(channel): Path<String>,
    query: Result<Query<InclusionParams>, QueryRejection>,
) -> Result<Json<InclusionAnswer>, Problem> {
    let Query(params) = query.map_err(|_| malformed_query())?;
    let published = published(&state, &channel)?;
    let prove = move || {
        let log = published.log();
        let size = params.size.unwrap_or_else(|| log.head().size);
        let index = match (params.index, params.tx) {
            (Some(index), None) => index,
            (None, Some(tx_id)) => log.leaf_of(&tx_id).map_err(|e| of_ledger(&e))?,
            _ => return Err(malformed_query()),
        };
        let proof = log.inclusion(index, size).map_err(|e| of_ledger(&e))?;
        let leaf = log.entries(index, 1).map_err(|e| of_ledger(&e))?;
        let leaf = leaf.first().ok_or_else(|| of_ledger(&LedgerError::NotFound))?;
        Ok(InclusionAnswer {
            index,
            leaf: hex(leaf),
            path: texts(&proof.path),
            root: log.root(size).map_err(|e| of_ledger(&e))?.to_string(),
            size,
        })
    };
    Ok(Json(blocking(prove).await??))
}

/// That nothing in the log was rewritten.
#[utoipa::path(get, path = "/api/v1/log/{channel}/proof/consistency", tag = "log",
    params(("channel" = String, Path, description = "Channel id 通道"), ConsistencyParams),
    responses((status = 200, body = ConsistencyAnswer), (status = 400, body = ProblemBody),
              (status = 404, body = ProblemBody)))]
pub(crate) async fn consistency(
    State(ApiState(state)): State<ApiState>,
    Path(channel): Path<String>,
    query: Result<Query<ConsistencyParams>, QueryRejection>,
) -> Result<Json<ConsistencyAnswer>, Problem> {
    let Query(params) = query.map_err(|_| malformed_query())?;
    let published = published(&state, &channel)?;
    let prove = move || {
        let log = published.log();
        let (from, to) = (params.from, params.to.unwrap_or_else(|| log.head().size));
        let proof = log.consistency(from, to)?;
        Ok::<_, LedgerError>(ConsistencyAnswer {
            from,
            from_root: log.root(from)?.to_string(),
            path: texts(&proof.path),
            to,
            to_root: log.root(to)?.to_string(),
        })
    };
    Ok(Json(blocking(prove).await?.map_err(|e| of_ledger(&e))?))
}

/// The record's inclusion in a checkpoint, as a `.tlog-proof` file.
#[utoipa::path(get, path = "/api/v1/evidence/{id}/proof.tlog-proof", tag = "log",
    params(("id" = String, Path, description = "Evidence id 存证编号")),
    responses((status = 200, description = "Proof 日志证明", content_type = "text/plain"),
              (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn tlog_proof(
    State(ApiState(state)): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let stored = stored(&state, &id).await?;
    let log = published(&state, &state.parts.ledger.status().channel)?;
    // Waits until a header commits to it.
    let receipt = super::evidence::proven(&state, &stored.tx_id).await?;
    let note = state.in_time(log.covering(receipt.header.log_size)).await?;
    let note = note.map_err(|e| of_checkpoint(&e))?;
    let build = move || {
        let note = Note::from_bytes(note.as_bytes()).ok()?;
        let size = changbai_merkle::Checkpoint::of(&note).ok()?.size;
        let index = receipt.inclusion.index;
        let path = log.log().inclusion(index, size).ok()?.path;
        let extra = Some(receipt.leaf.to_bytes().to_vec());
        Some(TlogProof { extra, index, path, note }.to_string())
    };
    let text = blocking(build).await?.ok_or_else(|| of_code(&codes::DAMAGED))?;
    Ok(file(&headers, text.into_bytes(), TEXT, "no-cache"))
}

/// Tiles have paths of several segments, which OpenAPI cannot describe.
pub(super) fn tiles() -> Router<ApiState> {
    Router::new().route("/api/v1/log/{channel}/tile/{*path}", get(tile))
}

/// A tile of the log, or of its entries: `tile/<L>/<N>[.p/<W>]`, `tile/entries/<N>[.p/<W>]`. Never changes.
async fn tile(
    State(ApiState(state)): State<ApiState>,
    Path((channel, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let published = published(&state, &channel)?;
    let tile = Tile::from_path(&format!("tile/{path}"))
        .map_err(|error| Problem::new(Code::NoSuchPath).technical(error))?;
    let bytes = blocking(move || tile_bytes(published.as_ref(), tile)).await??;
    Ok(file(&headers, bytes, OCTETS, "public, max-age=31536000, immutable"))
}

fn tile_bytes(published: &dyn PublishedLog, tile: Tile) -> Result<Vec<u8>, Problem> {
    let log = published.log();
    let missing = || of_ledger(&LedgerError::NotFound);
    let needed = tile.size_needed().filter(|size| *size <= log.head().size);
    needed.ok_or_else(missing)?;
    let (first, end) = tile.first_and_end().ok_or_else(missing)?;
    match tile.content {
        TileContent::Entries => {
            let entries = log.entries(first, tile.width).map_err(|e| of_ledger(&e))?;
            write_entries(&entries).ok_or_else(missing)
        }
        TileContent::Hashes(level) => {
            let level = level.saturating_mul(8);
            let ids: Vec<_> = (first..end).map(|index| NodeId { level, index }).collect();
            let hashes = log.nodes(&ids).map_err(|e| of_ledger(&e))?;
            Ok(hashes.iter().flat_map(|hash| *hash.as_bytes()).collect())
        }
    }
}

pub(super) fn published(state: &Shared, channel: &str) -> Result<Arc<dyn PublishedLog>, Problem> {
    let logs = state.parts.logs.as_ref();
    logs.and_then(|logs| logs.log(channel)).ok_or_else(|| Problem::new(Code::NoSuchChannel))
}

/// A file with its digest as its tag: whoever has it already is told so.
fn file(headers: &HeaderMap, bytes: Vec<u8>, kind: &'static str, cache: &'static str) -> Response {
    let tag = format!("\"{}\"", sm3(&bytes));
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let known = known.is_some_and(|list| list.split(',').any(|one| one.trim() == tag));
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, kind)], bytes).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

pub(super) fn of_checkpoint(error: &CheckpointError) -> Problem {
    match error {
        CheckpointError::Beyond { .. } => of_ledger(&LedgerError::NotFound),
        CheckpointError::Failed(reason) => {
            tracing::warn!(reason, "api::no_checkpoint");
            of_code(&codes::LEDGER_UNAVAILABLE)
        }
    }
}

fn texts(path: &[Sm3Digest]) -> Vec<String> {
    path.iter().map(ToString::to_string).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const TEXT: &str = "text/plain; charset=utf-8";
const OCTETS: &str = "application/octet-stream";

//! The node's channels: seen by their members, joined and changed by the agency's administrators.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use super::evidence::blocking;
use crate::body::Incoming;
use crate::channels::{ChannelNode, ChannelState, JoinError, UpdateAnswer, UpdateError};
use crate::domain::of_code;
use crate::identity::{Asker, Caller, authenticate};
use crate::limits::{CONFIG_BYTES_MAX, GENESIS_BYTES_MAX};
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::{ApiState, Shared};

/// The channels whose members include the caller.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelList {
    /// In order of their ids.
    items: Vec<ChannelState>,
}

/// The channels of this node that the caller is a member of.
#[utoipa::path(get, path = "/api/v1/channels", tag = "channel", security(("sm2" = [])),
    responses((status = 200, body = ChannelList), (status = 401, body = ProblemBody)))]
pub(crate) async fn list(
    State(ApiState(state)): State<ApiState>,
    request: Request,
) -> Result<Json<ChannelList>, Problem> {
    let (head, _) = request.into_parts();
    let asker = Asker::of(&state, &head)?;
    let (mut items, mut refusal) = (Vec::new(), None);
    for channel in state.parts.channels.channels() {
        match asker.on(&state, &channel.membership()) {
            Ok(_) => items.push(channel.state()),
            Err(problem) => refusal = Some(problem),
        }
    }
    match refusal {
        Some(problem) if items.is_empty() => return Err(problem),
        _ => asker.remember(&state)?,
    }
    Ok(Json(ChannelList { items }))
}

/// One channel.
#[utoipa::path(get, path = "/api/v1/channels/{id}", tag = "channel", security(("sm2" = [])),
    params(("id" = String, Path, description = "Channel id 通道")),
    responses((status = 200, body = ChannelState), (status = 401, body = ProblemBody),
              (status = 404, body = ProblemBody)))]
pub(crate) async fn one(
    State(ApiState(state)): State<ApiState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<ChannelState>, Problem> {
    let (head, _) = request.into_parts();
    let (channel, _) = member_of(&state, &head, &id)?;
    Ok(Json(channel.state()))
}

/// The configuration in force: a `common.Envelope` as in a genesis block, with the versions of its elements.
#[utoipa::path(get, path = "/api/v1/channels/{id}/config", tag = "channel", security(("sm2" = [])),
    params(("id" = String, Path, description = "Channel id 通道")),
    responses((status = 200, description = "Configuration 通道配置", content_type = "application/octet-stream"),
              (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(crate) async fn config(
    State(ApiState(state)): State<ApiState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, _) = request.into_parts();
    let (channel, _) = member_of(&state, &head, &id)?;
    let content_type = [(header::CONTENT_TYPE, OCTETS)];
    Ok((content_type, channel.config()).into_response())
}

/// Joins a channel: the body is its genesis block. For administrators of the node's own agency.
#[utoipa::path(post, path = "/api/v1/channels", tag = "channel", security(("sm2" = [])),
    request_body(content_type = "application/octet-stream", description = "Genesis block 创世区块"),
    responses((status = 201, body = ChannelState), (status = 400, body = ProblemBody),
              (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
              (status = 409, body = ProblemBody), (status = 413, body = ProblemBody),
              (status = 422, body = ProblemBody)))]
pub(crate) async fn join(
    State(ApiState(state)): State<ApiState>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let mut incoming = Incoming::new(body, &head.headers, state.limits());
    let admitted = admit(&state, &head, None);
    let genesis = receive(admitted, &head, &mut incoming, GENESIS_BYTES_MAX).await?;
    let shared = Arc::clone(&state);
    let joined = blocking(move || shared.parts.channels.join(&genesis)).await?;
    let id = joined.map_err(|error| of_join(&error))?;
    tracing::info!(channel = id, "api::channel_joined");
    let missing = || Problem::new(Code::NoSuchChannel);
    let channel = state.parts.channels.channel(&id).ok_or_else(missing)?;
    let mut response = (StatusCode::CREATED, Json(channel.state())).into_response();
    if let Ok(location) = HeaderValue::try_from(format!("/api/v1/channels/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Changes the channel's configuration: the body is a `common.Envelope` of type `CONFIG_UPDATE`. For administrators of
/// the node's own agency; whether enough agencies agreed is for the channel's policies to say.
#[utoipa::path(post, path = "/api/v1/channels/{id}/updates", tag = "channel", security(("sm2" = [])),
    params(("id" = String, Path, description = "Channel id 通道")),
    request_body(content_type = "application/octet-stream", description = "CONFIG_UPDATE 通道配置更新"),
    responses((status = 201, body = UpdateAnswer), (status = 401, body = ProblemBody),
              (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
              (status = 413, body = ProblemBody), (status = 422, body = ProblemBody),
              (status = 503, body = ProblemBody), (status = 504, body = ProblemBody)))]
pub(crate) async fn update(
    State(ApiState(state)): State<ApiState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<UpdateAnswer>), Problem> {
    let (head, body) = request.into_parts();
    let mut incoming = Incoming::new(body, &head.headers, state.limits());
    let admitted = admit(&state, &head, Some(&id));
    let envelope = receive(admitted, &head, &mut incoming, CONFIG_BYTES_MAX).await?;
    let channel = state.parts.channels.channel(&id);
    let channel = channel.ok_or_else(|| Problem::new(Code::NoSuchChannel))?;
    let updated = state.in_time(channel.update(envelope.to_vec())).await;
    // Handed over, but not answered: it may still take effect.
    let updated = updated.map_err(|_| of_code(&changbai_core::codes::OUTCOME_UNKNOWN))?;
    let answer = updated.map_err(|error| of_update(&error))?;
    tracing::info!(channel = id, sequence = answer.config_sequence, "api::channel_updated");
    Ok((StatusCode::CREATED, Json(answer)))
}

/// A channel, as one of its members sees it. Others are told the same as of a channel that does not exist.
fn member_of(
    state: &Shared,
    head: &Parts,
    id: &str,
) -> Result<(Arc<dyn ChannelNode>, Caller), Problem> {
    let asker = Asker::of(state, head)?;
    let channel = state.parts.channels.channel(id);
    let member = channel.and_then(|c| Some((asker.on(state, &c.membership()).ok()?, c)));
    match member {
        Some((caller, channel)) => {
            asker.remember(state)?;
            Ok((channel, caller))
        }
        // Members of no channel at all learn why they are none.
        None => match asker.on_any(state) {
            Ok(_) => Err(Problem::new(Code::NoSuchChannel)),
            Err(problem) => Err(problem),
        },
    }
}

/// An administrator of the node's own agency: on a channel, or of the node.
fn admit(state: &Shared, head: &Parts, channel: Option<&str>) -> Result<Caller, Problem> {
    let caller = match channel {
        Some(id) => member_of(state, head, id)?.1,
        // Only the evidence channel says who the agency's administrators are: else the members of any other one
        // could make theirs into ours.
        None => authenticate(state, head)?,
    };
    caller.may_administer(state)?;
    Ok(caller)
}

/// The body, once it is known who sends it and that it is what they signed.
async fn receive(
    admitted: Result<Caller, Problem>,
    head: &Parts,
    incoming: &mut Incoming,
    bytes_max: u64,
) -> Result<Bytes, Problem> {
    let received = async {
        let caller = admitted?;
        let expected = caller.content_digest.ok_or_else(|| Problem::new(caller.undigested()))?;
        let given = head.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        if given != Some(OCTETS) {
            return Err(Problem::new(Code::MediaType).technical(OCTETS));
        }
        incoming.limit(bytes_max)?;
        let (bytes, received) = incoming.whole().await?;
        if received.sm3 != expected {
            return Err(Problem::new(Code::ContentDigestMismatch));
        }
        Ok(bytes)
    }
    .await;
    if received.is_err() {
        incoming.drain().await;
    }
    received
}

fn of_join(error: &JoinError) -> Problem {
    match error {
        JoinError::Malformed(reason) => Problem::new(Code::Malformed).technical(reason),
        JoinError::Known(id) => Problem::new(Code::ChannelKnown).technical(id),
        JoinError::Foreign(reason) => Problem::new(Code::GenesisRefused).technical(reason),
        JoinError::Failed(reason) => {
            tracing::error!(reason, "api::join failed");
            Problem::new(Code::Internal)
        }
    }
}

fn of_update(error: &UpdateError) -> Problem {
    match error {
        UpdateError::Refused(reason) => Problem::new(Code::UpdateRefused).technical(reason),
        UpdateError::Unavailable(reason) => {
            of_code(&changbai_core::codes::LEDGER_UNAVAILABLE).technical(reason)
        }
        UpdateError::Unknown(reason) => Problem::new(Code::LedgerTimeout).technical(reason),
    }
}

const OCTETS: &str = "application/octet-stream";

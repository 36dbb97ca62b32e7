//! The router, its OpenAPI document, and the layer around every request.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;
use tracing::Instrument as _;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::access::{self, KnownAs, Route};
use crate::authority::AuthorityService;
use crate::problem::{Code, Language, Pending, Problem};
use crate::request_id::RequestId;
use crate::state::{ApiState, Shared};
use crate::time_stamps;

mod attached;
mod batch;
mod certificate;
mod channels;
mod court;
mod directory;
mod evidence;
mod health;
mod ledger;
mod logs;
mod operations;
mod process;
mod submit;
mod verify;

/// The whole HTTP surface: `/api/v1`, the OpenAPI document at `/api/v1/openapi.json` and its reader at
/// `/api/docs`. No compression, no CORS.
pub fn router(state: ApiState) -> Router {
    let (api, document) = documented().split_for_parts();
    let docs = SwaggerUi::new("/api/docs").url("/api/v1/openapi.json", document);
    let authority = state.0.parts.authority.clone();
    let (client, all) = (state.limits().time_stamps_client, state.limits().time_stamps);
    let time_stamps = state.0.parts.time_stamps.clone();
    let time_stamps = time_stamps.map(|tsa| time_stamps::router(tsa, client, all));
    Router::new()
        .merge(api.merge(logs::tiles()).with_state(state.clone()))
        .merge(docs)
        .merge(authority.map(AuthorityService::router).unwrap_or_default())
        .merge(time_stamps.unwrap_or_default())
        .fallback(|| async { Problem::new(Code::NoSuchPath) })
        .layer(from_fn_with_state(state, around))
}

/// The OpenAPI document as pretty JSON, the same for every node.
///
/// # Errors
/// None in practice: the document is made of texts.
pub fn openapi() -> String {
    let (_, document) = documented().split_for_parts();
    document.to_pretty_json().unwrap_or_default()
}

fn documented() -> OpenApiRouter<ApiState> {
    // Full paths instead of a nested router: nesting strips the prefix from the target that was signed.
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(health::health))
        .routes(routes!(submit::submit, evidence::list))
        .routes(routes!(batch::submit))
        .routes(routes!(batch::place))
        .routes(routes!(operations::one))
        .routes(routes!(operations::events))
        .routes(routes!(evidence::one))
        .routes(routes!(evidence::history))
        .routes(routes!(evidence::receipt))
        .routes(routes!(evidence::bundle))
        .routes(routes!(process::one))
        .routes(routes!(court::ask, court::of_case))
        .routes(routes!(court::of_record))
        .routes(routes!(directory::list, directory::admit))
        .routes(routes!(directory::one))
        .routes(routes!(certificate::pdf))
        .routes(routes!(certificate::ofd))
        .routes(routes!(certificate::svg))
        .routes(routes!(verify::verify))
        .routes(routes!(ledger::blocks))
        .routes(routes!(ledger::block))
        .routes(routes!(ledger::transaction))
        .routes(routes!(logs::one))
        .routes(routes!(logs::checkpoint))
        .routes(routes!(logs::inclusion))
        .routes(routes!(logs::consistency))
        .routes(routes!(logs::tlog_proof))
        .routes(routes!(channels::list, channels::join))
        .routes(routes!(channels::one))
        .routes(routes!(channels::config))
        .routes(routes!(channels::update))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "长白链存证平台 Changbai evidence platform",
        description = "存证、查询与核验。Errors are RFC 9457 problems with stable codes; writes are signed with SM2 (RFC 9421).",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    modifiers(&Schemes),
    tags(
        (name = "evidence", description = "存证"),
        (name = "verification", description = "核验"),
        (name = "court", description = "法院查询"),
        (name = "directory", description = "跨链互认目录"),
        (name = "ledger", description = "区块与交易"),
        (name = "log", description = "透明日志；另有 /api/v1/log/{channel}/tile/<L>/<N>[.p/<W>] 与 tile/entries/<N>[.p/<W>]"),
        (name = "channel", description = "通道"),
        (name = "node", description = "节点")
    )
)]
struct Document;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let text = "RFC 9421 message signature, alg=\"sm2-sm3\": Signature-Input, Signature, \
                    Changbai-Certificate, and Content-Digest (sm3) with a body. Covers @method, @path, \
                    @query, content-digest, content-type, changbai-certificate, idempotency-key.";
        let key = ApiKeyValue::with_description("Signature", text);
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("sm2", SecurityScheme::ApiKey(ApiKey::Header(key)));
    }
}

/// Around every request: its id, a place among the bounded number of requests, one line in the log, and problems
/// rendered in the client's language.
async fn around(State(ApiState(state)): State<ApiState>, request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers(), || state.request_id());
    let span = tracing::info_span!("api::request", request_id = id.as_str());
    answer(state, id, request, next).instrument(span).await
}

async fn answer(state: Arc<Shared>, id: RequestId, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let language = Language::of(request.headers());
    let (method, route, known_as) =
        (access::method(request.method()), Route::of(&request), KnownAs::default());
    request.extensions_mut().insert(known_as.clone());
    let response = match state.request_permit() {
        Ok(permit) => {
            let response = next.run(request).await;
            drop(permit);
            response
        }
        Err(problem) => problem.into_response(),
    };
    let mut response = finished(response, language, &id);
    log(method, &route, &known_as, response.status(), started.elapsed());
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

/// The one line about a request; the span around it adds the id. Neither path nor query: they may tell what somebody
/// looked for.
fn log(method: &str, route: &Route, known_as: &KnownAs, status: StatusCode, elapsed: Duration) {
    let route = route.template();
    let elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    let certificate_sm3 = known_as.certificate_sm3().map(tracing::field::display);
    if status.is_server_error() {
        tracing::warn!(target: ACCESS, method, route, status = status.as_u16(), certificate_sm3, elapsed_us, "api::answered");
    } else {
        tracing::info!(target: ACCESS, method, route, status = status.as_u16(), certificate_sm3, elapsed_us, "api::answered");
    }
}

/// Target of the lines about requests, so that a filter can name them alone.
const ACCESS: &str = "changbai_api::access";

/// Renders a waiting problem; whatever the framework refused by itself becomes a problem as well. The answer carries the
/// request's id.
pub(crate) fn finished(response: Response, language: Language, id: &RequestId) -> Response {
    let mut response = rendered(response, language, id.as_str());
    id.put(response.headers_mut());
    response
}

fn rendered(mut response: Response, language: Language, request_id: &str) -> Response {
    if let Some(Pending(problem)) = response.extensions_mut().remove::<Pending>() {
        return problem.render(language, request_id);
    }
    let status = response.status();
    let has_body = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|v| v.as_bytes().starts_with(b"application/json"));
    if has_body || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let code = match status {
        StatusCode::NOT_FOUND => Code::NoSuchPath,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        status if status.is_client_error() => Code::Malformed,
        _ => Code::Internal,
    };
    let mut rendered = Problem::new(code).render(language, request_id);
    if let Some(allow) = response.headers_mut().remove(header::ALLOW) {
        rendered.headers_mut().insert(header::ALLOW, allow);
    }
    rendered
}

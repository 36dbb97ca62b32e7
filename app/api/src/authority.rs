//! The services of a certificate authority: enrolment, revocation list, OCSP.
//!
//! A router of its own, served beside the evidence API by a node that keeps the authority of its TLS certificates, or
//! alone by `changbai pki serve`. Enrolment knows its client by the GM TLS connection and by nothing else; list and
//! OCSP are for everybody.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use changbai_authority::{AuthorityStore, AuthorityStoreError};
use changbai_wire::time::Clock;
use http_body_util::{BodyExt as _, Limited};
use smkit::OsRandom;
use smkit_pki::CertificationRequest;
use tokio::time::timeout;

use crate::problem::{Code, Language, Problem};
use crate::request_id::RequestId;
use crate::routes::finished;
use crate::transport::Transport;

/// Path of the enrolment service.
pub const ENROL_PATH: &str = "/api/v1/pki/enrol";
/// Path of the revocation list, DER.
pub const LIST_PATH: &str = "/api/v1/pki/crl";
/// Path of the OCSP responder (RFC 6960 appendix A.1).
pub const OCSP_PATH: &str = "/api/v1/pki/ocsp";
/// Media type of a request (RFC 5967).
pub const REQUEST_TYPE: &str = "application/pkcs10";
/// Media type of an answer, DER `CSRResponse` (GM/T 0092-2020).
pub const RESPONSE_TYPE: &str = "application/vnd.changbai.csr-response";

/// An authority that serves.
#[derive(Clone)]
pub struct AuthorityService {
    store: Arc<Mutex<AuthorityStore>>,
    clock: Arc<dyn Clock>,
    lifetime_s: i64,
}

impl std::fmt::Debug for AuthorityService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorityService").finish_non_exhaustive()
    }
}

impl AuthorityService {
    /// Serves `store`; what it renews lives `lifetime_s` seconds.
    #[must_use]
    pub fn new(store: Arc<Mutex<AuthorityStore>>, clock: Arc<dyn Clock>, lifetime_s: i64) -> Self {
        Self { store, clock, lifetime_s }
    }

    /// The routes.
    pub fn router(self) -> Router {
        Router::new()
            .route(ENROL_PATH, post(enrol))
            .route(LIST_PATH, get(list))
            .route(OCSP_PATH, post(ocsp))
            .with_state(self)
    }

    /// The routes for a program that serves nothing else: with problems rendered as everywhere.
    pub fn standalone(self) -> Router {
        let started = self.clock.now().at.0;
        let count = Arc::new(AtomicU64::new(0));
        let render = move |request: Request, next: Next| {
            let make = || format!("{started:016x}{:016x}", count.fetch_add(1, Ordering::Relaxed));
            let id = RequestId::of(request.headers(), make);
            async move {
                let language = Language::of(request.headers());
                finished(next.run(request).await, language, &id)
            }
        };
        self.router().fallback(|| async { Problem::new(Code::NoSuchPath) }).layer(from_fn(render))
    }

    /// File work and signatures leave the runtime's threads.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AuthorityStore, i64) -> Result<T, AuthorityStoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let (store, now_s) = (Arc::clone(&self.store), self.clock.now().at.seconds());
        let done = tokio::task::spawn_blocking(move || {
            // A panic of another request left nothing half done: the register is replaced whole.
            work(&mut store.lock().unwrap_or_else(PoisonError::into_inner), now_s)
        });
        match done.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(AuthorityStoreError::Refused(refusal))) => {
                Err(Problem::new(Code::EnrolmentRefused).technical(refusal))
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "api::authority");
                Err(Problem::new(Code::Internal))
            }
            Err(_) => Err(Problem::new(Code::Internal)),
        }
    }
}

async fn enrol(
    State(service): State<AuthorityService>,
    request: Request,
) -> Result<Response, Problem> {
    let shown = request.extensions().get::<Transport>().and_then(|t| t.certificates.first());
    let shown = shown.cloned().ok_or_else(|| Problem::new(Code::Unsigned))?;
    let body = small_body(request, REQUEST_TYPE, BODY_BYTES_MAX).await?;
    let csr = CertificationRequest::from_der(&body)
        .map_err(|error| Problem::new(Code::Malformed).technical(error))?;
    let lifetime_s = service.lifetime_s;
    let subject = shown.subject();
    let answer = service
        .work(move |store, now_s| store.enrol(&shown, &csr, lifetime_s, now_s, &mut OsRandom))
        .await
        .inspect_err(|_| tracing::warn!(subject, "api::enrolment_refused"))?;
    tracing::info!(subject, "api::enrolled");
    Ok(([(header::CONTENT_TYPE, RESPONSE_TYPE)], answer.der().to_vec()).into_response())
}

async fn list(State(service): State<AuthorityService>) -> Result<Response, Problem> {
    let list = service.work(|store, now_s| store.current_list(LIST_LIFETIME_S, now_s)).await?;
    Ok(([(header::CONTENT_TYPE, "application/pkix-crl")], list.der().to_vec()).into_response())
}

/// RFC 6960 §2.3: what cannot be answered gets an unsigned failure, with status 200.
async fn ocsp(
    State(service): State<AuthorityService>,
    request: Request,
) -> Result<Response, Problem> {
    let body = small_body(request, "application/ocsp-request", BODY_BYTES_MAX).await?;
    let answer =
        service.work(move |store, now_s| store.ocsp(&body, OCSP_LIFETIME_S, now_s)).await?;
    Ok(([(header::CONTENT_TYPE, "application/ocsp-response")], answer).into_response())
}

pub(crate) async fn small_body(
    request: Request,
    media_type: &str,
    bytes_max: usize,
) -> Result<Vec<u8>, Problem> {
    let (head, body) = request.into_parts();
    let given = head.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if given != Some(media_type.as_bytes()) {
        return Err(Problem::new(Code::MediaType).technical(media_type));
    }
    let body = Limited::new(body, bytes_max);
    match timeout(BODY_WAIT_MAX, body.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes().to_vec()),
        Ok(Err(_)) => Err(Problem::new(Code::TooLarge)),
        Err(_) => Err(Problem::new(Code::BodyTooSlow)),
    }
}

const BODY_BYTES_MAX: usize = 64 << 10;
const BODY_WAIT_MAX: Duration = Duration::from_secs(10);
/// A list is made anew once a day, and whenever something was revoked.
const LIST_LIFETIME_S: i64 = 86_400;
const OCSP_LIFETIME_S: i64 = 3_600;

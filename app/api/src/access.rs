//! What is known of a request once it is answered: for the log, and for whoever counts requests.
//!
//! Routes are named by their template, never by the path that was asked for: templates are few and hold no evidence id,
//! no query and nothing else that a client chose.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use smkit::sm3::Sm3Digest;
use tokio::time::Instant;

/// Counts answered requests. Called once for each, on the runtime's threads: it must not block.
pub trait RequestObserver: Send + Sync {
    /// A request got its answer's head; a body may still be on its way.
    fn answered(&self, answered: &Answered<'_>);
}

/// One answered request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered<'a> {
    /// The method, one of [`METHODS`].
    pub method: &'static str,
    /// The route's template, such as `/api/v1/evidence/{id}`; [`UNMATCHED`] where no route fits.
    pub route: &'a str,
    /// Status of the answer.
    pub status: u16,
    /// From the request's head to the answer's.
    pub elapsed: Duration,
}

/// The route of requests that no route fits.
pub const UNMATCHED: &str = "unmatched";
/// Methods that are told apart; every other one is `OTHER`.
pub const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OTHER"];

/// A router whose answers are counted.
pub fn observed(router: Router, observer: Arc<dyn RequestObserver>) -> Router {
    router.layer(from_fn_with_state(observer, observe))
}

async fn observe(
    State(observer): State<Arc<dyn RequestObserver>>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let (method, route) = (method(request.method()), Route::of(&request));
    let response = next.run(request).await;
    let (status, elapsed) = (response.status().as_u16(), started.elapsed());
    observer.answered(&Answered { method, route: route.template(), status, elapsed });
    response
}

/// The route that a request was given to.
pub(crate) struct Route(Option<MatchedPath>);

impl Route {
    pub(crate) fn of(request: &Request) -> Self {
        Self(request.extensions().get().cloned())
    }

    pub(crate) fn template(&self) -> &str {
        self.0.as_ref().map_or(UNMATCHED, MatchedPath::as_str)
    }
}

/// The method's name out of a fixed set: a client may invent others.
pub(crate) fn method(method: &Method) -> &'static str {
    METHODS.into_iter().find(|name| *name == method.as_str()).unwrap_or("OTHER")
}

/// Who asked, as far as that was established: the SM3 digest of the certificate. Travels in a request's extensions, so
/// that the layer around every request can log what only a handler finds out.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownAs(Arc<OnceLock<Sm3Digest>>);

impl KnownAs {
    pub(crate) fn is(&self, certificate_sm3: Sm3Digest) {
        // A handler that authenticates twice finds the same certificate.
        let _ = self.0.set(certificate_sm3);
    }

    pub(crate) fn certificate_sm3(&self) -> Option<&Sm3Digest> {
        self.0.get()
    }
}

#[cfg(test)]
mod tests {
    use super::{Method, method};

    #[test]
    fn methods_come_from_a_fixed_set() {
        assert_eq!(method(&Method::POST), "POST");
        assert_eq!(method(&Method::from_bytes(b"INVENTED").unwrap()), "OTHER");
        assert_eq!(method(&Method::from_bytes(b"get").unwrap()), "OTHER");
    }
}

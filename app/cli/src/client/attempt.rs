//! One attempt at one request.

use std::{io, time::Duration};

use changbai_api::signature::{BodyToSign, RequestToSign};
use smkit::sm3::sm3;
use ureq::{SendBody, http::Request};

use changbai_node::config::{Endpoint, Scheme};

use super::{
    Answer, Body, Call, Client, answer,
    gm_tls::{self, Refusal},
    node_file, random_16,
};
use crate::{error::CliError, limits, time};

/// How an attempt failed.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Repeating it may help, after `wait` if the node named a time.
    ForNow { wait: Option<Duration>, error: CliError },
    /// Repeating it cannot help.
    ForGood(CliError),
}

impl Failed {
    /// The connection broke.
    pub(crate) fn lost(reason: String) -> Self {
        let error = CliError::Connection { address: String::new(), attempts: 0, reason };
        Self::ForNow { wait: None, error }
    }

    /// Fills in what only the caller of the attempt knows.
    fn at(self, host: &str, attempt: u32) -> Self {
        let fill = |error| match error {
            CliError::Connection { reason, .. } => {
                CliError::Connection { address: host.to_owned(), attempts: attempt, reason }
            }
            CliError::Answer { reason, .. } => {
                CliError::Answer { address: host.to_owned(), reason }
            }
            other => other,
        };
        match self {
            Self::ForNow { wait, error } => Self::ForNow { wait, error: fill(error) },
            Self::ForGood(error) => Self::ForGood(fill(error)),
        }
    }
}

impl From<CliError> for Failed {
    fn from(error: CliError) -> Self {
        Self::ForGood(error)
    }
}

impl Client {
    /// Reads where the node listens (a restart may have moved it), signs, sends, and judges the answer.
    pub(super) fn attempt<T>(
        &self,
        call: &Call<'_>,
        attempt: u32,
        accept: &mut dyn FnMut(Answer) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let endpoint = match node_file::read(&self.dir) {
            Ok(endpoint) => endpoint,
            // It was there at the first attempt: the node is being restarted.
            Err(error @ CliError::NotRunning { .. }) if attempt > 1 => {
                return Err(Failed::ForNow { wait: None, error });
            }
            Err(error) => return Err(error.into()),
        };
        let host = endpoint.address.to_string();
        let answer = match self.exchange(call, endpoint) {
            Ok(answer) => answer,
            Err(failed) if attempt == 1 && refused(&failed) => {
                return Err(Failed::ForGood(CliError::NotRunning { dir: self.dir.clone() }));
            }
            Err(failed) => return Err(failed.into_failed(&host).at(&host, attempt)),
        };
        let status = answer.status();
        let judged = if status.is_success() || answer::is_also(&answer, call.also_status) {
            accept(answer)
        } else {
            Err(answer::problem(answer))
        };
        judged.map_err(|failed| failed.at(&host, attempt))
    }

    fn exchange(&self, call: &Call<'_>, endpoint: Endpoint) -> Result<Answer, Exchange> {
        let scheme = match endpoint.scheme {
            Scheme::Http => "http",
            Scheme::GmTls => "https",
        };
        let host = endpoint.address;
        let query = call.query.map(|query| format!("?{query}")).unwrap_or_default();
        let mut request = Request::builder()
            .method(call.method)
            .uri(format!("{scheme}://{host}{}{query}", call.path))
            .header("accept-language", self.lang.tag())
            .header("accept", "application/json, application/problem+json, application/zip");
        for (name, value) in self.signature(call)? {
            request = request.header(name, value);
        }
        if let Some(key) = call.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(content_type) = call.body.content_type() {
            request = request.header("content-type", content_type);
        }
        let malformed = |error: ureq::http::Error| {
            Exchange::Local(CliError::Sign { reason: error.to_string() })
        };
        match &call.body {
            Body::Empty => {
                let mut request = request.body(()).map_err(malformed)?;
                if self.hasty {
                    let patience = Some(limits::GLANCE_TIMEOUT);
                    let configured = self.agent.configure_request(request);
                    request = configured.timeout_global(patience).build();
                }
                Ok(self.agent.run(request)?)
            }
            Body::Json(bytes) | Body::Lines(bytes) | Body::Bytes(bytes) => {
                Ok(self.agent.run(request.body(*bytes).map_err(malformed)?)?)
            }
            Body::Upload(upload) => {
                let mut reader = upload.start();
                let request = request
                    .header("content-length", upload.len_bytes())
                    // The node refuses a wrong signature before it asks for a gigabyte.
                    .header("expect", "100-continue")
                    .body(SendBody::from_reader(&mut reader))
                    .map_err(malformed)?;
                let result = self.agent.run(request);
                match upload.take_error() {
                    Some(error) => Err(Exchange::Local(error)),
                    None => Ok(result?),
                }
            }
        }
    }

    fn signature(&self, call: &Call<'_>) -> Result<Vec<(&'static str, String)>, CliError> {
        let Some(identity) = &self.identity else { return Ok(Vec::new()) };
        let sm3 = match &call.body {
            Body::Empty => None,
            Body::Json(bytes) | Body::Lines(bytes) | Body::Bytes(bytes) => Some(sm3(bytes)),
            Body::Upload(upload) => Some(upload.sm3()),
        };
        let body = sm3
            .zip(call.body.content_type())
            .map(|(sm3, content_type)| BodyToSign { sm3, content_type });
        let request = RequestToSign {
            method: call.method,
            path: call.path,
            query: call.query,
            body,
            idempotency_key: call.idempotency_key,
        };
        identity
            .signer()
            .sign(&request, time::unix_ms(), limits::SIGNATURE_SECONDS, &random_16()?)
            .map_err(|error| CliError::Sign { reason: error.to_string() })
    }
}

impl Body<'_> {
    fn content_type(&self) -> Option<&str> {
        match self {
            Self::Empty => None,
            Self::Json(_) => Some("application/json"),
            Self::Lines(_) => Some("application/x-ndjson"),
            Self::Bytes(_) => Some("application/octet-stream"),
            Self::Upload(upload) => Some(upload.content_type()),
        }
    }
}

/// Why there is no answer.
enum Exchange {
    /// On our side: a file, a key.
    Local(CliError),
    /// On the way.
    Http(ureq::Error),
}

impl Exchange {
    fn into_failed(self, host: &str) -> Failed {
        let address = host.to_owned();
        match self {
            Self::Local(error) => Failed::ForGood(error),
            Self::Http(error) => match gm_tls::refusal(&error) {
                // Certificates do not change while we try again.
                Some(Refusal::Theirs(refusal)) => Failed::ForGood(CliError::ServerRefused {
                    address,
                    code: refusal.code,
                    reason: refusal.reason.clone(),
                }),
                Some(Refusal::Ours(alert)) => {
                    Failed::ForGood(CliError::CertificateRefused { address, alert })
                }
                None => Failed::lost(error.to_string()),
            },
        }
    }
}

impl From<CliError> for Exchange {
    fn from(error: CliError) -> Self {
        Self::Local(error)
    }
}

impl From<ureq::Error> for Exchange {
    fn from(error: ureq::Error) -> Self {
        Self::Http(error)
    }
}

/// Nobody listens there: `node.json` is left over from a node that was killed.
fn refused(failed: &Exchange) -> bool {
    match failed {
        Exchange::Http(ureq::Error::Io(error)) => error.kind() == io::ErrorKind::ConnectionRefused,
        Exchange::Http(ureq::Error::ConnectionFailed) => true,
        _ => false,
    }
}

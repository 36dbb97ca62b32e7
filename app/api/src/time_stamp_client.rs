//! The client of another's time-stamp authority: one query, one answer, over HTTP or GM TLS (RFC 3161 §3.4).
//!
//! It carries bytes and judges none of them: a token proves itself by its signature and its nonce, whatever it came
//! over. GM TLS keeps others on the way from learning that something is stamped, or from keeping it from being.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Uri;
use hyper::StatusCode;
use rustls::time_provider::TimeProvider;
use smkit_pki::TIME_STAMP_BYTES_MAX;
use smkit_tls::link::{ClientAuth, ConfigError, Connector, Credentials, Limits, Protocol};
use smkit_tls::peer::PeerVerifier;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::outgoing::{Answered, Post};
use crate::time_stamps::{QUERY_TYPE, REPLY_TYPE};

/// Where a time-stamp authority answers: `http://HOST[:PORT]/PATH`, `gmtls://…` (TLS 1.3 with the national suites) or
/// `tlcp://…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TsaUrl {
    text: String,
    protocol: Option<Protocol>,
    host: String,
    port: u16,
    path: String,
}

/// Why a text is no [`TsaUrl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TsaUrlError {
    /// Another form.
    #[error("not of the form http://HOST[:PORT]/PATH, gmtls://… or tlcp://…")]
    Form,
    /// TLS with foreign algorithms.
    #[error(
        "https would need other algorithms than the national ones, which this program does not have; a token is \
         protected by its own signature: use http, gmtls or tlcp"
    )]
    Https,
}

impl FromStr for TsaUrl {
    type Err = TsaUrlError;

    fn from_str(text: &str) -> Result<Self, TsaUrlError> {
        if text.len() > URL_BYTES_MAX {
            return Err(TsaUrlError::Form);
        }
        let uri: Uri = text.parse().map_err(|_| TsaUrlError::Form)?;
        let (protocol, port) = match uri.scheme_str() {
            Some("http") => (None, HTTP_PORT),
            Some("gmtls") => (Some(Protocol::Tls13), TLS_PORT),
            Some("tlcp") => (Some(Protocol::Tlcp), TLS_PORT),
            Some("https") => return Err(TsaUrlError::Https),
            _ => return Err(TsaUrlError::Form),
        };
        let authority = uri.authority().ok_or(TsaUrlError::Form)?;
        // Passwords do not belong into configuration that is shown.
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(TsaUrlError::Form);
        }
        let port = match (authority.port_u16(), authority.as_str().ends_with(authority.host())) {
            (Some(port), _) => port,
            (None, true) => port,
            (None, false) => return Err(TsaUrlError::Form),
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { text: text.to_owned(), protocol, host, port, path })
    }
}

impl TsaUrl {
    /// Whether the connection is protected, and so needs roots.
    #[must_use]
    pub const fn is_protected(&self) -> bool {
        self.protocol.is_some()
    }
}

impl fmt::Display for TsaUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct QueryError {
    /// What failed, in English.
    pub reason: String,
    /// Whether the same query may be answered later.
    pub again: bool,
}

/// Carries queries to one authority.
#[derive(Debug)]
pub struct TimeStampClient {
    url: TsaUrl,
    connector: Option<Connector>,
}

impl TimeStampClient {
    /// A client of the authority at `url`; `verifier` judges its certificate where the connection is protected.
    ///
    /// # Errors
    /// None for a client that shows no certificate.
    pub fn new(
        url: TsaUrl,
        verifier: Arc<dyn PeerVerifier>,
        time: Arc<dyn TimeProvider>,
    ) -> Result<Self, ConfigError> {
        let connector = match url.protocol {
            None => None,
            Some(_) => {
                let credentials = Credentials {
                    signing: None,
                    encryption: None,
                    verifier,
                    clients: ClientAuth::None,
                    alpn: vec![b"http/1.1".to_vec()],
                    tlcp_quirks: Vec::new(),
                };
                Some(Connector::new(&credentials, Limits::default(), time)?)
            }
        };
        Ok(Self { url, connector })
    }

    /// Where it asks.
    #[must_use]
    pub const fn url(&self) -> &TsaUrl {
        &self.url
    }

    /// Sends a DER `TimeStampReq`, gives the body of the answer: within ten seconds, of 256 KiB at most.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn query(&self, query: &[u8]) -> Result<Vec<u8>, QueryError> {
        let asked = timeout(QUERY_WAIT_MAX, self.ask(query)).await;
        asked.unwrap_or_else(|_| Err(lost("no answer in time")))
    }

    async fn ask(&self, query: &[u8]) -> Result<Vec<u8>, QueryError> {
        let url = &self.url;
        let stream = TcpStream::connect((url.host.as_str(), url.port)).await.map_err(lost)?;
        let post = Post {
            host: &self.host_header(),
            path: &url.path,
            media_type: QUERY_TYPE,
            body: query,
            answer_bytes_max: TIME_STAMP_BYTES_MAX,
        };
        let answer = match (&self.connector, url.protocol) {
            (Some(connector), Some(protocol)) => {
                let link = connector.connect(stream, &url.host, protocol).await.map_err(lost)?;
                post.send(link).await
            }
            _ => post.send(stream).await,
        };
        read(&answer.map_err(lost)?)
    }

    fn host_header(&self) -> String {
        let (host, port) = (&self.url.host, self.url.port);
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

fn read(answer: &Answered) -> Result<Vec<u8>, QueryError> {
    let refused = |reason: String, again| Err(QueryError { reason, again });
    let status = answer.status;
    if status != StatusCode::OK {
        let again = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
        return refused(format!("HTTP status {}", status.as_u16()), again);
    }
    let given = answer.media_type.as_deref().unwrap_or_default();
    let media_type = given.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case(REPLY_TYPE) {
        return refused(format!("the answer is not {REPLY_TYPE}"), false);
    }
    Ok(answer.body.to_vec())
}

fn lost(reason: impl fmt::Display) -> QueryError {
    QueryError { reason: reason.to_string(), again: true }
}

const QUERY_WAIT_MAX: Duration = Duration::from_secs(10);
const URL_BYTES_MAX: usize = 1_024;
const HTTP_PORT: u16 = 80;
const TLS_PORT: u16 = 443;

#[cfg(test)]
mod tests;

//! A small client of logs and witnesses: what is fetched proves itself by signatures, so HTTP in clear will do.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use rustls::time_provider::TimeProvider;
use smkit_tls::link::{ClientAuth, Connector, Credentials, Limits, Protocol};
use smkit_tls::peer::PeerVerifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Asks one server.
#[derive(Clone)]
pub struct LogClient {
    url: String,
    address: String,
    host: String,
    prefix: String,
    tls: Option<Tls>,
    wait_max: Duration,
}

/// What a GM TLS server is judged by.
#[derive(Clone)]
pub struct Tls {
    /// Judges its certificate.
    pub verifier: Arc<dyn PeerVerifier>,
    /// The clock.
    pub time: Arc<dyn TimeProvider>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Media type.
    pub content_type: Option<String>,
    /// The body.
    pub body: Bytes,
}

/// Why nothing came back.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LogClientError {
    /// Not `http://HOST:PORT[/prefix]` or `gmtls://HOST:PORT[/prefix]`.
    #[error("{0:?} is not of the form http://HOST:PORT[/PREFIX] or gmtls://HOST:PORT[/PREFIX]")]
    Url(String),
    /// A `gmtls://` address, and nothing to judge the server by.
    #[error("{0}: no root certificates to judge the server by")]
    NoRoots(String),
    /// No connection, a broken one, or one that took too long.
    #[error("{url}: {reason}")]
    Connection {
        /// The server.
        url: String,
        /// What failed.
        reason: String,
    },
}

impl LogClient {
    /// A client of the server at `url`; each exchange takes at most `wait_max`.
    ///
    /// # Errors
    /// [`LogClientError::Url`], [`LogClientError::NoRoots`].
    pub fn new(url: &str, tls: Option<Tls>, wait_max: Duration) -> Result<Self, LogClientError> {
        let wrong = || LogClientError::Url(url.to_owned());
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        let (address, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
        port.parse::<u16>().map_err(|_| wrong())?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
        if host.is_empty() || !prefix.bytes().all(plain) {
            return Err(wrong());
        }
        let tls = match (scheme, tls) {
            ("http", _) => None,
            ("gmtls", Some(tls)) => Some(tls),
            ("gmtls", None) => return Err(LogClientError::NoRoots(url.to_owned())),
            _ => return Err(wrong()),
        };
        let prefix = prefix.trim_end_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("/{prefix}") };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let (url, address) = (url.to_owned(), address.to_owned());
        Ok(Self { url, address, host, prefix, tls, wait_max })
    }

    /// The server's address, as it was given.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Fetches `path` below the prefix; a body beyond `bytes_max` is an error.
    ///
    /// # Errors
    /// [`LogClientError::Connection`].
    pub async fn get(&self, path: &str, bytes_max: usize) -> Result<Answer, LogClientError> {
        self.exchange(Method::GET, path, Bytes::new(), bytes_max).await
    }

    /// Posts a body to `path` below the prefix.
    ///
    /// # Errors
    /// [`LogClientError::Connection`].
    pub async fn post(
        &self,
        path: &str,
        body: Vec<u8>,
        bytes_max: usize,
    ) -> Result<Answer, LogClientError> {
        self.exchange(Method::POST, path, body.into(), bytes_max).await
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        bytes_max: usize,
    ) -> Result<Answer, LogClientError> {
        let asked = timeout(self.wait_max, self.ask(method, path, body, bytes_max)).await;
        asked.unwrap_or_else(|_| Err(self.broken("no answer in time")))
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        bytes_max: usize,
    ) -> Result<Answer, LogClientError> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.prefix))
            .header(header::HOST, &self.address)
            .header(header::CONNECTION, "close")
            .body(Full::new(body))
            .map_err(|e| self.broken(e))?;
        let stream = TcpStream::connect(&self.address).await.map_err(|e| self.broken(e))?;
        let Some(Tls { verifier, time }) = &self.tls else {
            return self.over(stream, request, bytes_max).await;
        };
        let credentials = Credentials {
            signing: None,
            encryption: None,
            verifier: Arc::clone(verifier),
            clients: ClientAuth::None,
            alpn: vec![b"http/1.1".to_vec()],
            tlcp_quirks: Vec::new(),
        };
        let connector = Connector::new(&credentials, Limits::default(), Arc::clone(time));
        let connector = connector.map_err(|e| self.broken(e))?;
        let link = connector.connect(stream, &self.host, Protocol::Tls13).await;
        self.over(link.map_err(|e| self.broken(e))?, request, bytes_max).await
    }

    async fn over(
        &self,
        link: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        request: Request<Full<Bytes>>,
        bytes_max: usize,
    ) -> Result<Answer, LogClientError> {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(link))
            .await
            .map_err(|e| self.broken(e))?;
        let exchange = async {
            let answer = sender.send_request(request).await.map_err(|e| self.broken(e))?;
            let status = answer.status().as_u16();
            let content_type = answer.headers().get(header::CONTENT_TYPE);
            let content_type = content_type.and_then(|v| v.to_str().ok()).map(str::to_owned);
            let body = Limited::new(answer.into_body(), bytes_max).collect().await;
            let body = body.map_err(|e| self.broken(e))?.to_bytes();
            Ok(Answer { status, content_type, body })
        };
        // The connection moves while the exchange waits; when it ends first, the exchange learns why.
        let (answer, _) = tokio::join!(exchange, connection);
        answer
    }

    fn broken(&self, reason: impl std::fmt::Display) -> LogClientError {
        LogClientError::Connection { url: self.url.clone(), reason: reason.to_string() }
    }
}

impl std::fmt::Debug for LogClient {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("LogClient").field("url", &self.url).finish_non_exhaustive()
    }
}

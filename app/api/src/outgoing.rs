//! One HTTP request over a connection that is open: what this house's clients of other services send.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use smkit_tls::link::alert_received;
use tokio::io::{AsyncRead, AsyncWrite};

/// A `POST` of a small body.
#[derive(Clone, Copy)]
pub(crate) struct Post<'a> {
    /// `Host` of the request.
    pub(crate) host: &'a str,
    /// Path and query.
    pub(crate) path: &'a str,
    /// `Content-Type` of the body.
    pub(crate) media_type: &'a str,
    pub(crate) body: &'a [u8],
    /// Most bytes of the answer's body.
    pub(crate) answer_bytes_max: usize,
}

/// What came back.
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) media_type: Option<String>,
    pub(crate) body: Bytes,
}

impl Post<'_> {
    /// Sends it, and ends the connection. Bounded in bytes; the caller bounds the time.
    ///
    /// # Errors
    /// What failed, in English.
    pub(crate) async fn send<S>(self, stream: S) -> Result<Answered, String>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(text)?;
        let exchange = async {
            let request = Request::builder()
                .method(Method::POST)
                .uri(self.path)
                .header(header::HOST, self.host)
                .header(header::CONTENT_TYPE, self.media_type)
                .header(header::CONNECTION, "close")
                .body(Full::new(Bytes::copy_from_slice(self.body)))
                .map_err(text)?;
            let answer = sender.send_request(request).await.map_err(|error| broken(&error))?;
            let status = answer.status();
            let media_type = answer.headers().get(header::CONTENT_TYPE);
            let media_type = media_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
            let body = Limited::new(answer.into_body(), self.answer_bytes_max).collect().await;
            Ok(Answered { status, media_type, body: body.map_err(text)?.to_bytes() })
        };
        // The connection moves while the exchange waits; when it ends first, the exchange learns why.
        let (answer, _) = tokio::join!(exchange, connection);
        answer
    }
}

/// A server that refuses our certificate says so by an alert, after the handshake has ended for us.
fn broken(error: &hyper::Error) -> String {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(inner) = source {
        let alert = inner.downcast_ref::<std::io::Error>().and_then(alert_received);
        if let Some(number) = alert {
            return format!("refused our certificate with alert {number}");
        }
        source = inner.source();
    }
    error.to_string()
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

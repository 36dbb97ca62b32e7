//! The client of an authority's enrolment service.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use rustls::time_provider::TimeProvider;
use smkit_pki::{CertificationRequest, CertificationResponse, RESPONSE_BYTES_MAX};
use smkit_tls::link::{
    ClientAuth, Connector, Credentials, KeyPair, Limits, Protocol, alert_received,
};
use smkit_tls::peer::PeerVerifier;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::authority::{ENROL_PATH, REQUEST_TYPE};

/// Asks one authority for renewals.
#[derive(Debug)]
pub struct EnrolmentClient {
    address: String,
    host: String,
    verifier: Arc<dyn PeerVerifier>,
    time: Arc<dyn TimeProvider>,
}

/// Why there is no new certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnrolError {
    /// Not `gmtls://HOST:PORT`.
    #[error("{0:?} is not of the form gmtls://HOST:PORT")]
    Address(String),
    /// No connection, or it broke.
    #[error("{address}: {reason}")]
    Connection {
        /// The authority's address.
        address: String,
        /// What failed.
        reason: String,
    },
    /// The authority refused.
    #[error("{address} answered {status}: {body}")]
    Refused {
        /// The authority's address.
        address: String,
        /// HTTP status.
        status: u16,
        /// The beginning of its explanation.
        body: String,
    },
    /// The answer is not one.
    #[error("the answer of the authority: {0}")]
    Answer(#[from] smkit_pki::CertificationResponseError),
}

impl EnrolmentClient {
    /// A client of the authority at `gmtls://HOST:PORT`, whose certificate `verifier` judges.
    ///
    /// # Errors
    /// [`EnrolError::Address`].
    pub fn new(
        url: &str,
        verifier: Arc<dyn PeerVerifier>,
        time: Arc<dyn TimeProvider>,
    ) -> Result<Self, EnrolError> {
        let wrong = || EnrolError::Address(url.to_owned());
        let address = url.strip_prefix("gmtls://").ok_or_else(wrong)?;
        let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
        port.parse::<u16>().map_err(|_| wrong())?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { address: address.to_owned(), host, verifier, time })
    }

    /// Sends a request over a connection that `shown` authenticates.
    ///
    /// # Errors
    /// See [`EnrolError`].
    pub async fn enrol(
        &self,
        shown: &KeyPair,
        request: &CertificationRequest,
    ) -> Result<CertificationResponse, EnrolError> {
        let asked = timeout(ENROL_WAIT_MAX, self.ask(shown, request)).await;
        asked.unwrap_or_else(|_| Err(self.broken("no answer in time")))
    }

    async fn ask(
        &self,
        shown: &KeyPair,
        request: &CertificationRequest,
    ) -> Result<CertificationResponse, EnrolError> {
        let credentials = Credentials {
            signing: Some(shown.clone()),
            encryption: None,
            verifier: Arc::clone(&self.verifier),
            clients: ClientAuth::None,
            alpn: vec![b"http/1.1".to_vec()],
            tlcp_quirks: Vec::new(),
        };
        let connector = Connector::new(&credentials, Limits::default(), Arc::clone(&self.time))
            .map_err(|e| self.broken(e))?;
        let stream = TcpStream::connect(&self.address).await.map_err(|e| self.broken(e))?;
        let link = connector.connect(stream, &self.host, Protocol::Tls13).await;
        let link = link.map_err(|e| self.broken(e))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(link))
            .await
            .map_err(|e| self.broken(e))?;
        let exchange = async {
            let request = Request::builder()
                .method(Method::POST)
                .uri(ENROL_PATH)
                .header(header::HOST, &self.address)
                .header(header::CONTENT_TYPE, REQUEST_TYPE)
                .header(header::CONNECTION, "close")
                .body(Full::new(Bytes::copy_from_slice(request.der())))
                .map_err(|e| self.broken(e))?;
            let answer = sender.send_request(request).await.map_err(|e| self.http(&e))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), RESPONSE_BYTES_MAX).collect().await;
            let body = body.map_err(|e| self.broken(e))?.to_bytes();
            if status == StatusCode::OK {
                return Ok(CertificationResponse::from_der(&body)?);
            }
            let body = String::from_utf8_lossy(&body).chars().take(EXPLANATION_CHARS).collect();
            Err(EnrolError::Refused {
                address: self.address.clone(),
                status: status.as_u16(),
                body,
            })
        };
        // The connection moves while the exchange waits; when it ends first, the exchange learns why.
        let (answer, _) = tokio::join!(exchange, connection);
        answer
    }

    /// A server that refuses our certificate says so by an alert, after the handshake has ended for us.
    fn http(&self, error: &hyper::Error) -> EnrolError {
        let mut source: Option<&dyn std::error::Error> = Some(error);
        while let Some(inner) = source {
            let alert = inner.downcast_ref::<std::io::Error>().and_then(alert_received);
            if let Some(number) = alert {
                return self.broken(format!("refused our certificate with alert {number}"));
            }
            source = inner.source();
        }
        self.broken(error)
    }

    fn broken(&self, reason: impl std::fmt::Display) -> EnrolError {
        EnrolError::Connection { address: self.address.clone(), reason: reason.to_string() }
    }
}

const ENROL_WAIT_MAX: Duration = Duration::from_secs(20);
const EXPLANATION_CHARS: usize = 500;

//! The client of an authority's enrolment service.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use rustls::time_provider::TimeProvider;
use smkit_pki::{CertificationRequest, CertificationResponse, RESPONSE_BYTES_MAX};
use smkit_tls::link::{ClientAuth, Connector, Credentials, KeyPair, Limits, Protocol};
use smkit_tls::peer::PeerVerifier;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::authority::{ENROL_PATH, REQUEST_TYPE};
use crate::outgoing::Post;

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
        let post = Post {
            host: &self.address,
            path: ENROL_PATH,
            media_type: REQUEST_TYPE,
            body: request.der(),
            answer_bytes_max: RESPONSE_BYTES_MAX,
        };
        let answer = post.send(link).await.map_err(|e| self.broken(e))?;
        if answer.status == StatusCode::OK {
            return Ok(CertificationResponse::from_der(&answer.body)?);
        }
        let body = String::from_utf8_lossy(&answer.body).chars().take(EXPLANATION_CHARS).collect();
        let status = answer.status.as_u16();
        Err(EnrolError::Refused { address: self.address.clone(), status, body })
    }

    fn broken(&self, reason: impl std::fmt::Display) -> EnrolError {
        EnrolError::Connection { address: self.address.clone(), reason: reason.to_string() }
    }
}

const ENROL_WAIT_MAX: Duration = Duration::from_secs(20);
const EXPLANATION_CHARS: usize = 500;

//! A clerk's system: REST over a kept GM TLS connection, authenticated by the operator's certificate.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use smkit::sm2::PrivateKey;
use smkit_pki::{Certificate, TrustAnchors, Validator};
use smkit_tls::link::{ClientAuth, Connector, Credentials, KeyPair, Limits, Protocol};
use smkit_tls::peer::PathVerifier;
use tokio::net::TcpStream;

/// What connections to one node need.
pub(crate) struct Door {
    connector: Connector,
    address: String,
}

/// One connection.
pub(crate) struct Client {
    door: Arc<Door>,
    sender: Option<SendRequest<Full<Bytes>>>,
}

/// How a submission ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 201: committed.
    Committed,
    /// 200: it was recorded before.
    Known,
    /// 429 or 503 with `Retry-After`, in milliseconds.
    Later(u64),
    /// Another status, or a refusal without a hint.
    Status(u16),
    /// No answer.
    Broken,
}

impl Door {
    /// The way into the node with this data directory, as its operator.
    pub(crate) fn new(dir: &Path, address: &str) -> Arc<Self> {
        let identity = dir.join("identity");
        let read = |name: &str| std::fs::read_to_string(identity.join(name)).expect("identity");
        let key = PrivateKey::from_pkcs8_pem(&read("operator.key.pem")).expect("operator's key");
        let own = Certificate::from_pem(&read("operator.cert.pem")).expect("certificate");
        let root = Certificate::from_pem(&read("tls-ca/ca.cert.pem")).expect("TLS root");
        let anchors = TrustAnchors::from_certificates(vec![root]);
        let verifier = Arc::new(PathVerifier::of(Validator::admitting_all(anchors)));
        let credentials = Credentials {
            signing: Some(KeyPair { chain: vec![own], key }),
            encryption: None,
            verifier,
            clients: ClientAuth::None,
            alpn: vec![b"http/1.1".to_vec()],
            tlcp_quirks: Vec::new(),
        };
        let connector = Connector::new(&credentials, Limits::default(), Arc::new(Now))
            .expect("key and certificate fit");
        Arc::new(Self { connector, address: address.to_owned() })
    }

    async fn open(&self) -> Option<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(&self.address).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let link = self.connector.connect(stream, "127.0.0.1", Protocol::Tls13).await.ok()?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(link)).await.ok()?;
        tokio::spawn(connection);
        Some(sender)
    }
}

impl Client {
    pub(crate) const fn new(door: Arc<Door>) -> Self {
        Self { door, sender: None }
    }

    /// Submits the digest of `seed` and `number`, with metadata of 256 bytes, and waits until it is committed.
    pub(crate) async fn submit(&mut self, seed: u64, number: u64) -> Answer {
        let answer = tokio::time::timeout(ANSWER_MAX, self.ask(seed, number)).await;
        let answer = answer.ok().flatten().unwrap_or(Answer::Broken);
        if answer == Answer::Broken {
            self.sender = None;
        }
        answer
    }

    async fn ask(&mut self, seed: u64, number: u64) -> Option<Answer> {
        if self.sender.as_ref().is_none_or(SendRequest::is_closed) {
            self.sender = self.door.open().await;
        }
        let sender = self.sender.as_mut()?;
        let digest = smkit::sm3_parts(&[&seed.to_be_bytes(), &number.to_be_bytes()]);
        let note = "长春存证".repeat(METADATA_BYTES / 12);
        let body = format!(
            r#"{{"business_type":"general","fields":{{"note":"{note}"}},"originals":[{{"sm3":"{digest}","size_bytes":4096,"media_type":"application/pdf"}}]}}"#
        );
        let content_digest =
            format!("sm3=:{}:", STANDARD.encode(smkit::sm3(body.as_bytes()).as_bytes()));
        let request = Request::post("/api/v1/evidence")
            .header(header::HOST, &self.door.address)
            .header(header::CONTENT_TYPE, "application/json")
            .header("content-digest", content_digest)
            .body(Full::new(Bytes::from(body)))
            .ok()?;
        sender.ready().await.ok()?;
        let answer = sender.send_request(request).await.ok()?;
        let status = answer.status().as_u16();
        let retry = answer.headers().get(header::RETRY_AFTER);
        let retry = retry.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        answer.into_body().collect().await.ok()?;
        Some(match (status, retry) {
            (201, _) => Answer::Committed,
            (200, _) => Answer::Known,
            (429 | 503, Some(seconds)) => Answer::Later(seconds * 1_000),
            (status, _) => Answer::Status(status),
        })
    }
}

/// The machine's clock, for certificates.
#[derive(Debug)]
struct Now;

impl TimeProvider for Now {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::now())
    }
}

const ANSWER_MAX: Duration = Duration::from_secs(60);
const METADATA_BYTES: usize = 256;

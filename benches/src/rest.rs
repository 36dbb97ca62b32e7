//! Submissions through REST: a real node on a loopback port, signed requests over kept connections.

use std::path::Path;
use std::time::Duration;

use changbai_api::signature::{BodyToSign, RequestSigner, RequestToSign};
use changbai_node::{Config, RunningNode};
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit::{OsRandom, Random as _};
use smkit_pki::Certificate;

use crate::network_suite::client::Door;

/// A node and the runtime it lives on.
pub(crate) struct Server {
    runtime: tokio::runtime::Runtime,
    node: RunningNode,
}

impl Server {
    pub(crate) fn start(dir: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime starts");
        let config = Config {
            listen: vec!["http://127.0.0.1:0".to_owned(), "gmtls://127.0.0.1:0".to_owned()],
            environment: vec![("CHANGBAI__OPERATIONS__LISTEN".to_owned(), String::new())],
            ..Config::below(dir)
        };
        let node = runtime.block_on(changbai_node::start(config)).expect("a node starts");
        Self { runtime, node }
    }

    pub(crate) fn client(&self) -> Client {
        let identity = self.node.dir().join("identity");
        let read = |name: &str| std::fs::read_to_string(identity.join(name)).expect("identity");
        let key = PrivateKey::from_pkcs8_pem(&read("operator.key.pem")).expect("operator's key");
        let key = SigningKey::new(key, SignerId::DEFAULT).expect("default ID");
        let certificate = Certificate::from_pem(&read("operator.cert.pem")).expect("certificate");
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(60)))
            .http_status_as_error(false)
            .build()
            .into();
        Client {
            agent,
            signer: RequestSigner::new(key, &certificate, &[]).expect("key and certificate fit"),
            url: self.node.listen()[0].to_string(),
        }
    }

    /// Records one evidence and hands out its bundle, with the node's trust file.
    pub(crate) fn one_evidence(&self) -> OneEvidence {
        let client = self.client();
        client.submit(1, 1);
        let page = client.read("/api/v1/evidence");
        let page: serde_json::Value = serde_json::from_slice(&page).expect("JSON");
        let id = page["items"][0]["evidence_id"].as_str().expect("one evidence").to_owned();
        let bundle = client.read(&format!("/api/v1/evidence/{id}/bundle"));
        let trust = std::fs::read_to_string(self.node.dir().join("trust.pem"));
        OneEvidence { bundle, trust: trust.expect("the node's trust file") }
    }

    /// The way in over GM TLS.
    pub(crate) fn door(&self) -> std::sync::Arc<Door> {
        Door::new(self.node.dir(), &self.node.listen()[1].address.to_string())
    }

    pub(crate) fn evidence(&self) -> std::sync::Arc<changbai_core::EvidenceService> {
        self.node.evidence()
    }

    pub(crate) fn runtime(&self) -> tokio::runtime::Handle {
        self.runtime.handle().clone()
    }

    pub(crate) fn blocks(&self) -> u64 {
        self.node.ledger().height
    }

    pub(crate) fn transactions(&self) -> u64 {
        self.node.ledger().transactions
    }

    pub(crate) fn stop(self) {
        self.runtime.block_on(self.node.shutdown()).expect("the node stops");
    }
}

/// What a court gets of one evidence.
pub(crate) struct OneEvidence {
    pub(crate) bundle: Vec<u8>,
    pub(crate) trust: String,
}

/// One connection of a clerk's system.
pub(crate) struct Client {
    agent: ureq::Agent,
    signer: RequestSigner,
    url: String,
}

impl Client {
    /// Submits the digest of `seed` and `number` and waits until it is committed.
    pub(crate) fn submit(&self, seed: u64, number: u64) {
        let digest = smkit::sm3_parts(&[&seed.to_be_bytes(), &number.to_be_bytes()]);
        let body = format!(
            r#"{{"business_type":"general","originals":[{{"sm3":"{digest}","size_bytes":4096,"media_type":"application/pdf"}}]}}"#
        );
        let (status, _) = self.post("/api/v1/evidence", "application/json", body.as_bytes());
        assert_eq!(status, 201, "a new record");
    }

    /// Submits lines of digests as one batch and waits until it is committed; the evidence id.
    pub(crate) fn batch(&self, lines: &[u8]) -> String {
        let (status, answer) = self.post("/api/v1/evidence:batch", "application/x-ndjson", lines);
        assert_eq!(status, 201, "a new batch: {}", String::from_utf8_lossy(&answer));
        let answer: serde_json::Value = serde_json::from_slice(&answer).expect("JSON");
        answer["evidence_id"].as_str().expect("an id").to_owned()
    }

    /// What the node says at a path.
    pub(crate) fn read(&self, path: &str) -> Vec<u8> {
        let mut answer = self.agent.get(format!("{}{path}", self.url)).call().expect("an answer");
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        answer.body_mut().read_to_vec().expect("the whole answer")
    }

    fn post(&self, path: &str, content_type: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let request = RequestToSign {
            method: "POST",
            path,
            query: None,
            body: Some(BodyToSign { sm3: smkit::sm3(body), content_type }),
            idempotency_key: None,
        };
        let mut nonce = [0; 16];
        OsRandom.fill(&mut nonce).expect("randomness");
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("clock");
        let headers = self
            .signer
            .sign(&request, now.as_millis() as u64, 60, &nonce)
            .expect("a request that can be signed");
        let mut call = self.agent.post(format!("{}{path}", self.url));
        call = call.header("content-type", content_type);
        for (name, value) in &headers {
            call = call.header(*name, value);
        }
        let mut answer = call.send(body).expect("the node answers");
        (answer.status().as_u16(), answer.body_mut().read_to_vec().expect("the whole answer"))
    }
}

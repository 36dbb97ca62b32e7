//! A small city with one node, and requests to it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use changbai_api::attachments::Attachments;
use changbai_api::court::CourtAccess;
use changbai_api::documents::Documents;
use changbai_api::health::{
    ChainHealth, CryptoHealth, Health, HealthSource, HealthStatus, StoreHealth, TimeHealth,
    TlsHealth,
};
use changbai_api::idempotency::AnswerLog;
use changbai_api::limits::Limits;
use changbai_api::signature::{BodyToSign, RequestSigner, RequestToSign};
use changbai_api::verdicts::VerdictSigning;
use changbai_api::{Anchoring, ApiParts, ApiState, ChannelView, router};
use changbai_audit::{ProcessLog, Signer};
use changbai_core::ledger::BoxFuture;
use changbai_core::process::ProcessJournal;
use changbai_core::{AgencyProfile, CaseSecret, EvidenceService, LedgerClient as _};
use changbai_custody::Custody;
use changbai_msp::{Membership, Organisation};
use changbai_receipt::{
    ChannelAnchor, Input, JudgedAt, SignedVerdict, SignedVerdictError, StatedFinding, Trust,
};
use changbai_wire::time::{Clock, ManualClock, TimeReading, UnixMillis};
use changbai_wire::{ValidatorAddress, validators_hash};
use http_body_util::BodyExt as _;
use serde_json::Value;
use smkit::OsRandom;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit::sm3::{Sm3Digest, sm3};
use smkit_pki::{Authority, Certificate, Profile, Subject, TrustAnchors, Validity};
use tower::ServiceExt as _;

use crate::channels::Channels;
use crate::ledger::{CHANNEL, Ledger};

pub(crate) const MSP: &str = "ChangchunMSP";
pub(crate) const COURT_MSP: &str = "AnotherMSP";
/// Queries a minute of one court.
pub(crate) const COURT_QUERIES: u32 = 4;
/// 2026-11-22 10:00 in Changchun.
pub(crate) const NOW_MS: u64 = 1_795_312_800_000;
const DAY_S: i64 = 86_400;

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) certificate: Certificate,
    pub(crate) key: SigningKey,
}

impl Member {
    fn of(authority: &Authority, name: &str, unit: &str, validity: Validity) -> Self {
        Self::with(authority, name, &[unit], validity)
    }

    fn with(authority: &Authority, name: &str, units: &[&str], validity: Validity) -> Self {
        let private = PrivateKey::generate(&mut OsRandom).unwrap();
        let organisational_units = units.iter().map(|unit| (*unit).to_owned()).collect();
        let subject = Subject { organisational_units, ..subject(name, "") };
        let certificate = authority
            .issue(&subject, private.public_key(), Profile::Signing, validity, None, &mut OsRandom)
            .unwrap();
        Self { certificate, key: SigningKey::new(private, SignerId::DEFAULT).unwrap() }
    }

    pub(crate) fn signer(&self) -> RequestSigner {
        RequestSigner::new(self.key.clone(), &self.certificate, &[]).unwrap()
    }
}

fn subject(name: &str, unit: &str) -> Subject {
    Subject {
        organisation: "长春市不动产登记中心".to_owned(),
        organisational_units: vec![unit.to_owned()],
        common_name: name.to_owned(),
        ..Subject::default()
    }
}

fn days(from: i64, to: i64) -> Validity {
    let now = (NOW_MS / 1_000) as i64;
    Validity { not_before: now + from * DAY_S, not_after: now + to * DAY_S }
}

/// Everybody there is, made once.
pub(crate) struct People {
    pub(crate) root: Authority,
    pub(crate) other_root: Authority,
    pub(crate) node: Member,
    pub(crate) client: Member,
    pub(crate) admin: Member,
    pub(crate) peer: Member,
    pub(crate) roleless: Member,
    pub(crate) expired: Member,
    pub(crate) future: Member,
    pub(crate) other_agency: Member,
    pub(crate) stranger: Member,
    /// A court's, of the other organisation.
    pub(crate) judge: Member,
    /// Says the same of itself, in an organisation that is no court's.
    pub(crate) would_be_judge: Member,
    /// Below an intermediate that the channel does not list.
    pub(crate) below: Member,
    pub(crate) intermediate: Certificate,
}

pub(crate) static PEOPLE: LazyLock<People> = LazyLock::new(|| {
    let root = |name: &str| {
        Authority::create_root(&subject(name, "root"), days(-30, 3_650), &mut OsRandom).unwrap()
    };
    let (own, other, strange) = (root("根一"), root("根二"), root("根三"));
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    let profile = Profile::RootCa { path_length: Some(0) };
    let intermediate = own
        .issue(
            &subject("中间", "ca"),
            key.public_key(),
            profile,
            days(-20, 900),
            None,
            &mut OsRandom,
        )
        .unwrap();
    let middle = Authority::new(intermediate.clone(), key).unwrap();
    let two = Subject {
        organisational_units: vec!["peer".to_owned(), "orderer".to_owned()],
        ..subject("node", "")
    };
    let private = PrivateKey::generate(&mut OsRandom).unwrap();
    let certificate = own
        .issue(&two, private.public_key(), Profile::Signing, days(-1, 365), None, &mut OsRandom)
        .unwrap();
    let node = Member { certificate, key: SigningKey::new(private, SignerId::DEFAULT).unwrap() };
    People {
        node,
        client: Member::of(&own, "经办员", "client", days(-1, 365)),
        admin: Member::of(&own, "管理员", "admin", days(-1, 365)),
        peer: Member::of(&own, "peer", "peer", days(-1, 365)),
        roleless: Member::of(&own, "nobody", "visitors", days(-1, 365)),
        expired: Member::of(&own, "expired", "client", days(-10, -1)),
        future: Member::of(&own, "future", "client", days(1, 10)),
        other_agency: Member::of(&other, "other", "client", days(-1, 365)),
        judge: Member::with(&other, "审判员", &["client", "court"], days(-1, 365)),
        would_be_judge: Member::with(&own, "审判员", &["client", "court"], days(-1, 365)),
        stranger: Member::of(&strange, "stranger", "client", days(-1, 365)),
        below: Member::of(&middle, "below", "client", days(-1, 365)),
        intermediate,
        root: own,
        other_root: other,
    }
});

pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) custody: Arc<Custody>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) selftests: Arc<AtomicU64>,
    pub(crate) channels: Arc<Channels>,
    view: Arc<Members>,
    nonces: AtomicU64,
    dir: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{} {}", self.status, String::from_utf8_lossy(&self.body)))
    }

    /// The stable code of a problem, after checking its form.
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        let code = json["code"].as_str().unwrap_or_else(|| panic!("{} {json}", self.status));
        assert_eq!(self.headers["content-type"], "application/problem+json; charset=utf-8");
        assert_eq!(json["status"], self.status.as_u16());
        assert_eq!(json["type"], format!("/problems/{code}"));
        assert_eq!(json["request_id"].as_str().unwrap(), self.headers["x-request-id"]);
        assert!(!json["title"].as_str().unwrap().is_empty());
        if self.status == StatusCode::UNAUTHORIZED {
            assert!(self.headers.contains_key("www-authenticate"));
        }
        if matches!(self.status.as_u16(), 429 | 503) {
            assert!(self.headers.contains_key("retry-after"));
        }
        code.to_owned()
    }
}

/// A channel whose configuration stays as it is; verifiers trust its roots.
pub(crate) struct Members(pub(crate) Arc<Membership>);

impl ChannelView for Members {
    fn membership(&self) -> Arc<Membership> {
        Arc::clone(&self.0)
    }

    fn trust(&self) -> Arc<Trust> {
        let roots = self.0.organisations().flat_map(|org| org.roots.iter().cloned());
        let node = &PEOPLE.node.certificate;
        let address = ValidatorAddress::for_key(node.public_key());
        let channel = ChannelAnchor {
            channel_id: CHANNEL.to_owned(),
            genesis: Sm3Digest::new([0; 32]),
            validators: vec![validators_hash(CHANNEL, &[(address, node.public_key())])],
        };
        let roots = TrustAnchors::from_certificates(roots.collect());
        Arc::new(Trust::new(roots, vec![channel]).unwrap())
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(crate) fn with(limits: Limits) -> Self {
        Self::set_up(Setup { limits, ..Setup::default() })
    }

    /// A world whose clock has a bound, and whose agency is filed.
    pub(crate) fn trusted() -> Self {
        Self::set_up(Setup { trusted: true, ..Setup::default() })
    }

    /// Another node of the same ledger, with a log of its own.
    pub(crate) fn beside(&self) -> Self {
        Self::set_up(Setup { ledger: Some(self.ledger.clone()), ..Setup::default() })
    }

    /// What verifiers trust.
    pub(crate) fn trust(&self) -> Arc<Trust> {
        self.view.trust()
    }

    pub(crate) fn set_up(setup: Setup) -> Self {
        let Setup { limits, ledger, journal, trusted } = setup;
        let dir = tempfile::tempdir().unwrap();
        let new = || Arc::new(Ledger::new(PEOPLE.node.clone(), PEOPLE.root.certificate().sm3()));
        let ledger = ledger.unwrap_or_else(new);
        let log = Arc::new(process_log(dir.path()));
        let anchors = Anchors { log: Arc::clone(&log), ledger: Arc::clone(&ledger) };
        let journal = journal.unwrap_or(log);
        let custody = Custody::open(&dir.path().join("custody"), &mut OsRandom).unwrap();
        let custody = Arc::new(custody);
        let clock = Arc::new(ManualClock::new(UnixMillis(NOW_MS)));
        let agency = AgencyProfile {
            region: "220100".to_owned(),
            code: "11220100MB9999999R".parse().unwrap(),
            msp_id: MSP.to_owned(),
            name: "长春市不动产登记中心".to_owned(),
        };
        let evidence = EvidenceService::new(
            ledger.clone(),
            custody.clone(),
            Arc::new(Bounded { clock: clock.clone(), bound_us: trusted.then_some(900) }),
            Arc::new(Mutex::new(OsRandom)),
            agency,
        )
        .unwrap()
        .with_process_log(journal, PEOPLE.node.certificate.sm3());
        let organisation = |msp_id: &str, root: &Authority| {
            let roots = TrustAnchors::from_certificates(vec![root.certificate().clone()]);
            Organisation::new(msp_id, msp_id, roots)
        };
        let membership = Membership::new(vec![
            organisation("AnotherMSP", &PEOPLE.other_root),
            organisation(MSP, &PEOPLE.root),
        ]);
        let selftests = Arc::new(AtomicU64::new(0));
        let channels = Arc::new(Channels::new());
        let view = Arc::new(Members(Arc::new(membership)));
        let state = ApiState::new(ApiParts {
            evidence: Arc::new(evidence),
            ledger: ledger.clone(),
            custody: custody.clone(),
            channel: view.clone(),
            channels: channels.clone(),
            clock: clock.clone(),
            health: Arc::new(Healthy(selftests.clone(), trusted.then(|| FILED.to_owned()))),
            batches: Arc::new(
                changbai_api::batch::BatchStore::open(&dir.path().join("batches")).unwrap(),
            ),
            answers: Arc::new(AnswerLog::open(&dir.path().join("answers"), 1_000).unwrap()),
            limits,
            anchoring: Some(Arc::new(anchors)),
            court: Some(CourtAccess::new(
                vec![COURT_MSP.to_owned()],
                COURT_QUERIES,
                CaseSecret::new([7; 32]),
            )),
            time_stamps: None,
            logs: None,
            attachments: Attachments::default(),
            verdicts: Some(Arc::new(NodeSigns)),
            documents: Documents::default(),
            authority: None,
            gateways: changbai_api::Gateways::new(vec!["192.0.2.0/28".parse().unwrap()]),
        });
        let router = router(state);
        // A signature is created in the second after "now": the clock may not stand before it.
        clock.advance(1_500);
        let nonces = AtomicU64::new(1);
        Self { router, ledger, custody, clock, selftests, channels, view, nonces, dir }
    }

    /// Files below the data directory, by a part of their path.
    pub(crate) fn files(&self, part: &str) -> usize {
        let mut found = 0;
        let mut dirs = vec![self.dir.path().to_owned()];
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    dirs.push(path);
                } else if path.to_string_lossy().contains(part) {
                    found += 1;
                }
            }
        }
        found
    }

    pub(crate) fn now_ms(&self) -> u64 {
        Clock::now(self.clock.as_ref()).at.0
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.send(Request::get(target).body(Body::empty()).unwrap()).await
    }

    /// A signed request; `edit` may spoil it before it is sent.
    pub(crate) fn signed(
        &self,
        signer: &RequestSigner,
        method: &str,
        target: &str,
        body: Option<(&str, Vec<u8>)>,
        key: Option<&str>,
    ) -> Request<Body> {
        let nonce = self.nonces.fetch_add(1, Ordering::Relaxed);
        let mut nonce_bytes = [0; 16];
        nonce_bytes[..8].copy_from_slice(&nonce.to_be_bytes());
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let to_sign = RequestToSign {
            method,
            path,
            query,
            body: body
                .as_ref()
                .map(|(content_type, bytes)| BodyToSign { sm3: sm3(bytes), content_type }),
            idempotency_key: key,
        };
        let headers = signer.sign(&to_sign, self.now_ms(), 60, &nonce_bytes).unwrap();
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let Some((content_type, bytes)) = body else {
            return request.body(Body::empty()).unwrap();
        };
        request
            .header("content-type", content_type)
            .header("content-length", bytes.len())
            .body(Body::from(bytes))
            .unwrap()
    }

    /// A signed request whose body is set later: only its digest is known.
    pub(crate) fn signed_digest(
        &self,
        signer: &RequestSigner,
        method: &str,
        path: &str,
        content_type: &str,
        digest: Sm3Digest,
    ) -> Request<Body> {
        let body = Some(BodyToSign { sm3: digest, content_type });
        let to_sign = RequestToSign { method, path, query: None, body, idempotency_key: None };
        let headers = signer.sign(&to_sign, self.now_ms(), 60, &[0xff; 16]).unwrap();
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("content-type", content_type);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.body(Body::empty()).unwrap()
    }

    /// The announced and the received length of an answer, which is not kept.
    pub(crate) async fn count(&self, request: Request<Body>) -> (u64, u64) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let length = response.headers()["content-length"].to_str().unwrap().parse().unwrap();
        let mut body = response.into_body();
        let mut received = 0;
        while let Some(frame) = body.frame().await {
            received += frame.unwrap().data_ref().map_or(0, Bytes::len) as u64;
        }
        (length, received)
    }

    /// Submits JSON as the agency's client.
    pub(crate) async fn submit(&self, body: impl Into<Vec<u8>>) -> Answer {
        self.submit_as(&PEOPLE.client, body, None).await
    }

    pub(crate) async fn submit_as(
        &self,
        member: &Member,
        body: impl Into<Vec<u8>>,
        key: Option<&str>,
    ) -> Answer {
        let body = Some(("application/json", body.into()));
        self.send(self.signed(&member.signer(), "POST", EVIDENCE, body, key)).await
    }

    /// Submits originals as multipart.
    pub(crate) async fn upload(&self, metadata: &str, originals: &[(&str, &[u8])]) -> Answer {
        let body = multipart(Some(metadata), "original", originals);
        let body = Some((MULTIPART, body));
        self.send(self.signed(&PEOPLE.client.signer(), "POST", EVIDENCE, body, None)).await
    }
}

/// The node's process log in a directory.
pub(crate) fn process_log(dir: &std::path::Path) -> ProcessLog {
    let node = &PEOPLE.node;
    let signer = Signer { key: node.key.clone(), certificate: node.certificate.der().to_vec() };
    ProcessLog::open(&dir.join("process"), CHANNEL, signer).unwrap()
}

pub(crate) const EVIDENCE: &str = "/api/v1/evidence";
pub(crate) const MULTIPART: &str = "multipart/form-data; boundary=----changbai";

/// A multipart body with an optional `metadata` part and parts of one name.
pub(crate) fn multipart(metadata: Option<&str>, name: &str, parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(metadata) = metadata {
        out.extend_from_slice(b"------changbai\r\nContent-Disposition: form-data; name=\"metadata\"\r\nContent-Type: application/json\r\n\r\n");
        out.extend_from_slice(metadata.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    for (media_type, bytes) in parts {
        let head = format!(
            "------changbai\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"张三.pdf\"\r\nContent-Type: {media_type}\r\n\r\n"
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(bytes);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"------changbai--\r\n");
    out
}

/// The JSON body of a submission of some bytes by digest.
pub(crate) fn by_digest(original: &[u8]) -> String {
    format!(
        "{{\"originals\":[{{\"sm3\":\"{}\",\"size_bytes\":{},\"media_type\":\"text/plain\"}}]}}",
        sm3(original),
        original.len()
    )
}

/// Signs verdicts as the node does.
struct NodeSigns;

impl VerdictSigning for NodeSigns {
    fn sign(
        &self,
        finding: StatedFinding,
        inputs: Vec<Input>,
        at: JudgedAt,
    ) -> Result<Vec<u8>, SignedVerdictError> {
        let chain = [PEOPLE.node.certificate.clone()];
        SignedVerdict::sign(finding, inputs, at, &chain, &PEOPLE.node.key)
    }
}

struct Healthy(Arc<AtomicU64>, Option<String>);

/// The clock with a bound, or without one.
struct Bounded {
    clock: Arc<ManualClock>,
    bound_us: Option<u32>,
}

impl Clock for Bounded {
    fn now(&self) -> TimeReading {
        TimeReading { bound_us: self.bound_us, ..self.clock.now() }
    }
}

/// Anchors the node's log on the ledger.
struct Anchors {
    log: Arc<ProcessLog>,
    ledger: Arc<Ledger>,
}

impl Anchoring for Anchors {
    fn anchor_now(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            let Some(due) = self.log.due_anchor(None).map_err(|e| e.to_string())? else {
                return Ok(());
            };
            let numbers = [due.batch.to_string(), due.last_page.to_string()];
            let digests = [due.page_hash.to_string(), due.root.to_string()];
            let heads = [due.heads.len().to_string()];
            let args = numbers.into_iter().chain(digests).chain(heads);
            let args = args.map(String::into_bytes).collect();
            let done = self.ledger.submit("evidence", "AnchorProcess", args).await;
            let tx_id = done.map_err(|e| e.to_string())?.tx_id.parse().unwrap();
            self.log.anchored(due, tx_id).await.map_err(|e| e.to_string())
        })
    }
}

/// What a world is made with.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    pub(crate) ledger: Option<Arc<Ledger>>,
    pub(crate) journal: Option<Arc<dyn ProcessJournal>>,
    pub(crate) trusted: bool,
}

pub(crate) const FILED: &str = "吉网信备22010624273626860016号";

impl HealthSource for Healthy {
    fn health(&self, selftest: bool) -> Health {
        self.0.fetch_add(u64::from(selftest), Ordering::Relaxed);
        Health {
            status: HealthStatus::Ok,
            filing_number: self.1.clone(),
            crypto: CryptoHealth {
                sm2_enabled: true,
                sm3_enabled: true,
                sm4_enabled: true,
                selftest_at_ms: NOW_MS,
                selftest_at: "2026-11-22T02:00:00Z".to_owned(),
            },
            time: TimeHealth {
                synchronised: false,
                bound_ms: None,
                source: "local".to_owned(),
                reference: None,
                refusal: None,
                reason: None,
            },
            chain: ChainHealth { channel: CHANNEL.to_owned(), height: 1, halted: None },
            store: StoreHealth { state: "ok".to_owned(), detail: None },
            tls: TlsHealth {
                certificate_not_after: 0,
                certificate_seconds_left: 0,
                renewals: 0,
                renewal_failures: 0,
            },
            started_at_ms: NOW_MS,
            version: "0".to_owned(),
        }
    }
}

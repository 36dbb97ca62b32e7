//! `changbai time check`, and a node whose records need a bound, against a simulated chronyd.

use std::{
    net::UdpSocket,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use smkit::sm3;
use smkit_pki::{
    Admission, Certificate, TimeStampError, TimeStampFailure, TimeStampRequest, TimeStampResponse,
    TrustAnchors, Validator, VerifiedTimeStamp,
};

use crate::{node::Node, run};

const ONE_MS: u32 = 0xf083_126f;
const ELEVEN_MS: u32 = 0xf6b4_3958;

/// A chronyd whose root dispersion a test sets; it serves as long as the test's process.
struct Chronyd {
    address: String,
    dispersion: Arc<AtomicU32>,
    asked: Arc<AtomicU64>,
}

impl Chronyd {
    fn start(dispersion: u32) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let dispersion = Arc::new(AtomicU32::new(dispersion));
        let asked = Arc::new(AtomicU64::new(0));
        let (said, count) = (Arc::clone(&dispersion), Arc::clone(&asked));
        thread::spawn(move || {
            let mut request = [0; 512];
            while let Ok((_, from)) = socket.recv_from(&mut request) {
                let reply = reply(&request[8..12], said.load(Ordering::SeqCst));
                let _ = socket.send_to(&reply, from);
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { address, dispersion, asked }
    }

    /// Says something else from now on, and waits until the node has heard it.
    fn say(&self, dispersion: u32) {
        self.dispersion.store(dispersion, Ordering::SeqCst);
        let before = self.asked.load(Ordering::SeqCst);
        for _ in 0..6_000 {
            // The second question is sent after the first answer was taken in.
            if self.asked.load(Ordering::SeqCst) >= before + 3 {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the node asks no more");
    }
}

/// Follows a reference clock, measured ten seconds ago.
fn reply(sequence: &[u8], dispersion: u32) -> Vec<u8> {
    #[expect(clippy::disallowed_methods, reason = "a simulated chronyd's clock")]
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut out = vec![6, 2, 0, 0, 0, 33, 0, 5];
    out.extend([0; 8]);
    out.extend(sequence);
    out.extend([0; 8]);
    out.extend(b"PPS\0");
    out.extend([0; 20]);
    out.extend([0, 1, 0, 0]);
    out.extend((now_s - 10).to_be_bytes());
    out.extend([0; 4 + 7 * 4]);
    out.extend(dispersion.to_be_bytes());
    out.extend([0; 4]);
    out
}

#[test]
fn the_check_judges_and_its_exit_code_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let chronyd = Chronyd::start(ONE_MS);
    let check = |lang: &str, json: &[&str]| {
        let args = ["time", "check", "--chrony", &chronyd.address, "--lang", lang];
        run(dir.path(), &[&args, json].concat())
    };
    let (code, text, _) = check("en", &[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("good enough for evidence") && text.contains("PPS"), "{text}");
    let (_, text, _) = check("zh", &[]);
    assert!(text.contains("可用于存证") && text.contains("误差上界"), "{text}");
    let (code, json, _) = check("en", &["--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["acceptable"], &json["checked"]), (0, &true.into(), &true.into()));
    assert_eq!((&json["bound_us"], &json["code"]), (&2_001.into(), &serde_json::Value::Null));

    chronyd.dispersion.store(ELEVEN_MS, Ordering::SeqCst);
    let (code, text, _) = check("en", &[]);
    assert_eq!(code, 1);
    assert!(text.contains("TM-2007") && text.contains("at most 10000 us"), "{text}");

    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let args = ["time", "check", "--chrony", &nobody, "--json"];
    let (code, json, _) = run(dir.path(), &args);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["checked"], &json["code"]), (2, &false.into(), &"TM-1001".into()));

    let (code, _, stderr) = run(dir.path(), &["time", "check", "--chrony", "10.0.0.1:323"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("time.chrony"), "{stderr}");
}

#[test]
fn without_a_bound_nothing_is_recorded_and_reads_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let chronyd = Chronyd::start(ELEVEN_MS);
    let settings = format!(
        "[time]\nsource = \"chrony\"\nproduction = true\ntsa_policy = \"1.2.3.4\"\n\
         chrony = \"{}\"\n",
        chronyd.address
    );
    std::fs::write(dir.path().join("changbai.toml"), settings).unwrap();
    let node = Node::start(dir.path());
    let clerk = node.clerk();
    let (status, problem) = clerk.submit(b"too early").unwrap();
    assert_eq!((status, &problem["code"]), (503, &"EV-4507".into()));
    assert!(problem["detail"].as_str().unwrap().starts_with("TM-2007"), "{problem}");
    let health = |node: &Node| -> serde_json::Value {
        serde_json::from_slice(&node.get("/api/v1/health").1).unwrap()
    };
    let time = &health(&node)["time"];
    assert_eq!((&time["source"], &time["refusal"]), (&"chrony".into(), &"TM-2007".into()));
    assert_eq!((&time["synchronised"], &time["reference"]), (&false.into(), &"PPS".into()));
    assert_eq!(node.get("/api/v1/evidence").0, 200, "reads go on");
    let refused = TimeStampResponse::from_der(&stamp(&node, &query()));
    let unavailable = Some(TimeStampFailure::TimeNotAvailable);
    assert!(matches!(refused, Err(TimeStampError::Refused { failure }) if failure == unavailable));

    chronyd.say(ONE_MS);
    let (status, recorded) = clerk.submit(b"in time").unwrap();
    assert_eq!(status, 201, "{recorded}");
    let id = recorded["evidence_id"].as_str().unwrap().to_owned();
    let (_, record) = node.get(&format!("/api/v1/evidence/{id}"));
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    let time = &record["record"]["time"];
    assert_eq!(time["source"], "synchronised", "{record}");
    let bound_us = time["bound_us"].as_u64().unwrap();
    assert!((2_001..10_000).contains(&bound_us), "{bound_us}");
    assert_eq!(health(&node)["time"]["synchronised"], true);

    let accuracy = stamped(&node).accuracy.unwrap().bound();
    assert!(accuracy >= Duration::from_micros(2_001) && accuracy < Duration::from_millis(10));

    chronyd.say(ELEVEN_MS);
    assert_eq!(clerk.submit(b"too late").unwrap().0, 503);
    assert_eq!(node.get(&format!("/api/v1/evidence/{id}")).0, 200);
    assert_eq!(node.stop(), 0);
}

/// A request for a token over one digest.
fn query() -> TimeStampRequest {
    TimeStampRequest::new(&sm3(b"a deed"), &[9; 16], None).unwrap()
}

fn stamp(node: &Node, query: &TimeStampRequest) -> Vec<u8> {
    let url = format!("http://{}/tsa", node.address);
    let call = ureq::post(url).header("content-type", "application/timestamp-query");
    let mut answer = call.send(query.der()).unwrap();
    assert_eq!(answer.headers()["content-type"], "application/timestamp-reply");
    answer.body_mut().read_to_vec().unwrap()
}

/// A token that verifies under the agency's root.
fn stamped(node: &Node) -> VerifiedTimeStamp {
    let query = query();
    let answer = TimeStampResponse::from_der(&stamp(node, &query)).unwrap();
    let root = std::fs::read_to_string(node.dir.join("identity/ca/ca.cert.pem")).unwrap();
    let root = Certificate::from_pem(&root).unwrap();
    let admission = Admission::under(root.sm3());
    let anchors = TrustAnchors::from_certificates(vec![root]);
    answer.token().verify(query.imprint(), &Validator::new(anchors, vec![admission]), &[]).unwrap()
}

#[test]
fn tokens_have_serials_of_their_own_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut serials = std::collections::BTreeSet::new();
    for _ in 0..2 {
        let node = Node::start(dir.path());
        for _ in 0..2 {
            let token = stamped(&node);
            assert_eq!(token.accuracy, None, "nobody bounds this clock");
            serials.insert(token.serial);
        }
        node.kill();
    }
    assert_eq!(serials.len(), 4);
    std::fs::write(dir.path().join("identity/tsa.serial"), "0 0\n").unwrap();
    let refusal = Node::try_start(dir.path()).err().unwrap();
    assert!(refusal.contains("tsa.serial"), "{refusal}");
}

#[test]
fn production_refuses_a_clock_that_nobody_bounds() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("changbai.toml"), "[time]\nproduction = true\n").unwrap();
    let refusal = Node::try_start(dir.path()).err().unwrap();
    assert!(refusal.contains("time.source"), "{refusal}");
}

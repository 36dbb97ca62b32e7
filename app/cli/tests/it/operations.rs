//! A real node as its operator sees it: metrics, health, readiness, the log, the service manager.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::node::{Node, agent};

/// Where the node's operations endpoint listens, as it says itself.
fn endpoint(node: &Node) -> String {
    let text = fs::read_to_string(node.dir.join("node.json")).unwrap();
    let running: Value = serde_json::from_str(&text).unwrap();
    running["operations"].as_str().unwrap().to_owned()
}

fn get(url: &str) -> (u16, String) {
    let mut answer = agent().get(url).call().unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

fn json(url: &str) -> (u16, Value) {
    let (status, text) = get(url);
    (status, serde_json::from_str(&text).unwrap())
}

/// The value of a sample, by everything before it.
fn sample(page: &str, name: &str) -> Option<f64> {
    let line =
        page.lines().find(|line| line.strip_prefix(name).is_some_and(|l| l.starts_with(' ')));
    line?.rsplit_once(' ')?.1.parse().ok()
}

#[test]
fn a_submission_shows_in_the_metrics_of_a_ready_node() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(dir.path());
    let base = endpoint(&node);
    let (status, health) = json(&format!("{base}/healthz"));
    assert_eq!((status, &health["status"]), (200, &"OK".into()));
    let (status, ready) = json(&format!("{base}/readyz"));
    assert_eq!(status, 200, "{ready}");
    let channel = ready["channels"][0]["channel"].as_str().unwrap().to_owned();
    assert_eq!(json(&format!("{base}/readyz/{channel}")).0, 200);
    assert_eq!(json(&format!("{base}/readyz/elsewhere")).0, 404);
    assert_eq!(json(&format!("{base}/alarms")).1["alarms"], serde_json::json!([]));
    assert!(json(&format!("{base}/version")).1["Version"].is_string());

    let (status, answer) = node.clerk().submit(b"original").unwrap();
    assert_eq!(status, 201, "{answer}");
    let with = |name: &str, labels: &str| format!("{name}{{channel=\"{channel}\"{labels}}}");
    let count = with(
        "ledger_transaction_count",
        ",transaction_type=\"ENDORSER_TRANSACTION\",chaincode=\"evidence\",validation_code=\"VALID\"",
    );
    let duration = with("changbai_submit_duration_seconds_count", ",outcome=\"VALID\"");
    let posts =
        "changbai_api_requests_total{method=\"POST\",route=\"/api/v1/evidence\",status=\"201\"}";
    // The submitter has its answer before anybody has told what was done for it.
    let page = (0..1_000).find_map(|_| {
        std::thread::sleep(Duration::from_millis(20));
        let (status, page) = get(&format!("{base}/metrics"));
        assert_eq!(status, 200);
        let told = [&duration, posts].iter().all(|name| sample(&page, name).is_some());
        sample(&page, &count).filter(|_| told).map(|value| (value, page))
    });
    let (value, page) = page.expect("the transaction is counted");
    assert!((value - 1.0).abs() < f64::EPSILON, "{page}");
    assert!(sample(&page, &with("ledger_blockchain_height", "")).unwrap() >= 2.0);
    assert_eq!(sample(&page, &with("changbai_channel_ready", "")), Some(1.0));
    assert_eq!(sample(&page, &duration), Some(1.0));
    assert_eq!(sample(&page, "endorser_successful_proposals"), Some(1.0));
    assert_eq!(sample(&page, posts), Some(1.0));
    assert!(sample(&page, "process_resident_memory_bytes").unwrap() > 1e6);
    assert!(
        sample(&page, &with("changbai_ordering_turn_duration_seconds_count", "")).unwrap() > 0.0
    );

    let (status, spec) = json(&format!("{base}/logspec"));
    assert_eq!((status, &spec["spec"]), (200, &"warn,changbai=info".into()));
    assert_eq!(node.stop(), 0);
}

/// A process that does not outlive its test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn the_log_is_json_where_the_configuration_says_so_and_the_manager_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let log = fs::File::create(dir.path().join("log")).unwrap();
    let data = dir.path().join("data");
    let child = Command::new(env!("CARGO_BIN_EXE_changbai"))
        .args(["up", "--listen", "http://127.0.0.1:0", "--dir"])
        .arg(&data)
        .env_clear()
        .env("CHANGBAI__OPERATIONS__LISTEN", "")
        .env("CHANGBAI__NODE__LOG", "json")
        .env("CHANGBAI_LOG", "off,changbai=info")
        .env("NOTIFY_SOCKET", &socket)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut child = Ended(child);
    let told = |wanted: &str| {
        let mut buffer = [0; 128];
        loop {
            let length = manager.recv(&mut buffer).unwrap();
            if &buffer[..length] == wanted.as_bytes() {
                return;
            }
        }
    };
    told("READY=1");
    told("WATCHDOG=1");
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.0.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    told("STOPPING=1");
    assert!(child.0.wait().unwrap().success());
    let log = fs::read_to_string(dir.path().join("log")).unwrap();
    let events: Vec<Value> =
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    for event in ["node::started", "node::stopped"] {
        let found = events.iter().find(|line| line["fields"]["message"] == event);
        let line = found.unwrap_or_else(|| panic!("{event} is missing in {log}"));
        assert!(line["timestamp"].is_string() && line["level"] == "INFO", "{line}");
    }
}

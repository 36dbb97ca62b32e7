//! The operations endpoint over a node that is made up.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Method, Request};
use changbai_api::Transport;
use changbai_api::operations::{
    AlarmView, ChannelReadiness, FailedCheck, HealthCheck, LogControl, OperationsSource, router,
};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

#[derive(Debug, Default)]
struct Node {
    broken: bool,
    log: Option<Log>,
}

#[derive(Debug, Default)]
struct Log(Mutex<String>);

impl LogControl for Log {
    fn spec(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    fn set(&self, spec: &str) -> Result<(), String> {
        if spec.contains('?') {
            return Err("not a filter".to_owned());
        }
        spec.clone_into(&mut self.0.lock().unwrap());
        Ok(())
    }
}

impl OperationsSource for Node {
    fn admits(&self, transport: &Transport) -> bool {
        transport.remote.ip().is_loopback()
    }

    fn metrics(&self) -> String {
        "# TYPE ledger_blockchain_height gauge\nledger_blockchain_height 7\n".to_owned()
    }

    fn health(&self) -> HealthCheck {
        let failed = FailedCheck { component: "channel/a".to_owned(), reason: "halted".to_owned() };
        let failed = self.broken.then_some(failed).into_iter().collect();
        HealthCheck::new("2026-01-01T00:00:00Z".to_owned(), failed)
    }

    fn readiness(&self) -> Vec<ChannelReadiness> {
        let of = |channel: &str, reasons: Vec<String>| ChannelReadiness {
            channel: channel.to_owned(),
            ready: reasons.is_empty(),
            height: 7,
            peers_height: 7,
            reasons,
        };
        let broken = if self.broken { vec!["halted".to_owned()] } else { Vec::new() };
        vec![of("a", broken), of("b", Vec::new())]
    }

    fn alarms(&self) -> Vec<AlarmView> {
        let alarm = AlarmView {
            code: "OP-1001",
            severity: "critical",
            channel: Some("a".to_owned()),
            zh: "停",
            en: "halted",
            action_zh: "查",
            action_en: "look",
            detail: "disk".to_owned(),
            since_ms: 5,
        };
        self.broken.then_some(alarm).into_iter().collect()
    }

    fn version(&self) -> &'static str {
        "1.2.3"
    }

    fn log(&self) -> Option<&dyn LogControl> {
        self.log.as_ref().map(|log| log as &dyn LogControl)
    }
}

async fn ask(node: Node, remote: Option<&str>, request: Request<Body>) -> (u16, String) {
    let mut request = request;
    if let Some(remote) = remote {
        let transport = Transport { remote: remote.parse().unwrap(), certificates: Vec::new() };
        request.extensions_mut().insert(transport);
    }
    let response = router(Arc::new(node)).oneshot(request).await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert!(response.headers().contains_key("x-request-id"));
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn get(broken: bool, path: &str) -> (u16, Value) {
    let node = Node { broken, log: None };
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (status, body) = ask(node, Some("127.0.0.1:1"), request).await;
    (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
}

#[tokio::test]
async fn health_speaks_as_fabrics_does() {
    let time = "2026-01-01T00:00:00Z";
    assert_eq!(get(false, "/healthz").await, (200, json!({"status": "OK", "time": time})));
    let failed = json!([{"component": "channel/a", "reason": "halted"}]);
    let body = json!({"status": "Service Unavailable", "time": time, "failed_checks": failed});
    assert_eq!(get(true, "/healthz").await, (503, body));
    assert_eq!(get(false, "/version").await, (200, json!({"Version": "1.2.3"})));
    let (status, text) = get(false, "/metrics").await;
    assert_eq!(status, 200);
    assert!(text.as_str().unwrap().ends_with("ledger_blockchain_height 7\n"));
}

#[tokio::test]
async fn one_channel_that_is_not_ready_makes_the_node_not_ready() {
    let (status, body) = get(false, "/readyz").await;
    assert_eq!((status, &body["ready"]), (200, &json!(true)));
    let (status, body) = get(true, "/readyz").await;
    assert_eq!((status, &body["ready"]), (503, &json!(false)));
    assert_eq!(body["channels"][0]["reasons"], json!(["halted"]));
    assert_eq!(get(true, "/readyz/a").await.0, 503);
    assert_eq!(get(true, "/readyz/b").await.0, 200);
    let (status, body) = get(true, "/readyz/c").await;
    assert_eq!((status, &body["code"]), (404, &json!("RQ-4040")));
    assert_eq!(get(false, "/alarms").await, (200, json!({"alarms": []})));
    let (_, body) = get(true, "/alarms").await;
    assert_eq!(body["alarms"][0]["code"], "OP-1001");
}

#[tokio::test]
async fn whoever_is_not_admitted_sees_nothing() {
    for path in ["/metrics", "/healthz", "/readyz", "/alarms", "/version", "/nothing"] {
        for remote in [Some("192.0.2.1:9"), None] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let (status, body) = ask(Node::default(), remote, request).await;
            assert_eq!(status, 403, "{path}");
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["code"], "AU-4030");
        }
    }
}

#[tokio::test]
async fn the_logs_filter_changes_while_the_process_runs() {
    let node = || Node { broken: false, log: Some(Log(Mutex::new("warn".to_owned()))) };
    let put = |kind: &'static str, body: &'static str| {
        let request = Request::builder().method(Method::PUT).uri("/logspec");
        request.header("content-type", kind).body(Body::from(body)).unwrap()
    };
    let local = Some("127.0.0.1:1");
    let shown = Request::get("/logspec").body(Body::empty()).unwrap();
    assert_eq!(ask(node(), local, shown).await, (200, r#"{"spec":"warn"}"#.to_owned()));
    let json = "application/json";
    let set = put(json, r#"{"spec":"warn,changbai=debug"}"#);
    assert_eq!(ask(node(), local, set).await, (204, String::new()));
    for (request, status) in [
        (put("text/plain", r#"{"spec":"warn"}"#), 415),
        (put(json, r#"{"spec":"?"}"#), 400),
        (put(json, r#"{"sepc":"warn"}"#), 400),
        (put(json, "{"), 400),
    ] {
        assert_eq!(ask(node(), local, request).await.0, status);
    }
    let long = format!(r#"{{"spec":"{}"}}"#, "x".repeat(5_000));
    let long = Request::put("/logspec").header("content-type", json).body(Body::from(long));
    assert_eq!(ask(node(), local, long.unwrap()).await.0, 413);
    // A process whose log cannot be changed has no such path.
    let request = put(json, r#"{"spec":"warn"}"#);
    assert_eq!(ask(Node::default(), local, request).await.0, 404);
}

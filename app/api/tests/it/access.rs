//! Request ids, the line in the log, and what an observer is told.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Request;
use changbai_api::access::{Answered, RequestObserver, UNMATCHED};
use tower::ServiceExt as _;

use crate::world::{EVIDENCE, PEOPLE, World, by_digest};

#[tokio::test]
async fn every_answer_carries_an_id_and_a_problem_the_same_one() {
    let world = World::new();
    let ask = |id: Option<&'static str>| {
        let request = Request::get("/api/v1/evidence/none");
        let request = id.into_iter().fold(request, |r, id| r.header("x-request-id", id));
        world.send(request.body(Body::empty()).unwrap())
    };
    let own = ask(Some("ticket-4711")).await;
    assert_eq!(own.headers["x-request-id"], "ticket-4711");
    assert_eq!(own.json()["request_id"], "ticket-4711");
    let (first, second) = (ask(None).await, ask(Some("not well formed")).await);
    for made in [&first, &second] {
        let id = made.headers["x-request-id"].to_str().unwrap();
        assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    }
    assert_ne!(first.headers["x-request-id"], second.headers["x-request-id"]);
    let well = world.get("/api/v1/health").await;
    assert_eq!(well.status, 200);
    assert!(well.headers.contains_key("x-request-id"));
}

#[derive(Default)]
struct Seen(Mutex<Vec<(&'static str, String, u16)>>);

impl RequestObserver for Seen {
    fn answered(&self, answered: &Answered<'_>) {
        let entry = (answered.method, answered.route.to_owned(), answered.status);
        self.0.lock().unwrap().push(entry);
    }
}

#[tokio::test]
async fn an_observer_sees_templates_and_never_what_a_client_wrote() {
    let world = World::new();
    let seen = Arc::new(Seen::default());
    let router = changbai_api::observed(world.router.clone(), seen.clone());
    for (method, target) in [
        ("GET", "/api/v1/evidence/CB-secret?q=secret"),
        ("GET", "/secret/path"),
        ("INVENTED", "/api/v1/health"),
        ("GET", "/api/v1/health"),
    ] {
        let request = Request::builder().method(method).uri(target).body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap();
    }
    let seen = seen.0.lock().unwrap().clone();
    let expected = [
        ("GET", "/api/v1/evidence/{id}".to_owned(), 422),
        ("GET", UNMATCHED.to_owned(), 404),
        ("OTHER", "/api/v1/health".to_owned(), 405),
        ("GET", "/api/v1/health".to_owned(), 200),
    ];
    assert_eq!(seen, expected);
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn one_line_a_request_without_paths_or_queries() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let world = World::new();
    world.get("/api/v1/evidence?q=%E5%BC%A0%E4%B8%89").await;
    let body = Some(("application/json", by_digest(b"original").into_bytes()));
    let mut request = world.signed(&PEOPLE.client.signer(), "POST", EVIDENCE, body, None);
    request.headers_mut().insert("x-request-id", "ticket-1".parse().unwrap());
    assert_eq!(world.send(request).await.status, 201);

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["target"] == "changbai_api::access")
        .collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(lines[0]["fields"]["route"], "/api/v1/evidence");
    assert!(!text.contains("%E5"), "{text}");
    let (fields, span) = (&lines[1]["fields"], &lines[1]["span"]);
    assert_eq!(span["request_id"], "ticket-1");
    assert_eq!((&fields["method"], &fields["status"]), (&"POST".into(), &201.into()));
    assert_eq!(fields["certificate_sm3"], PEOPLE.client.certificate.sm3().to_string());
    assert!(fields["elapsed_us"].is_number(), "{fields}");
}

//! Batches: all or nothing, each digest with its proof, repeatable, bounded.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use changbai_api::limits::Limits;
use changbai_core::{BatchEntry, Record};
use changbai_receipt::read_bundle;
use smkit::sm3::{Sm3Digest, sm3};

use crate::world::{Answer, EVIDENCE, PEOPLE, World};

const BATCH: &str = "/api/v1/evidence:batch";
const NDJSON: &str = "application/x-ndjson";

fn content(number: u64) -> Sm3Digest {
    sm3(&number.to_be_bytes())
}

fn body(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    numbers
        .into_iter()
        .map(|n| format!("{{\"sm3\":\"{}\"}}\n", content(n)))
        .collect::<String>()
        .into()
}

fn request(world: &World, body: Vec<u8>, key: Option<&str>, later: bool) -> Request<Body> {
    let signer = PEOPLE.client.signer();
    let mut request = world.signed(&signer, "POST", BATCH, Some((NDJSON, body)), key);
    if later {
        request.headers_mut().insert("prefer", "respond-async".parse().unwrap());
    }
    request
}

async fn submit(world: &World, body: Vec<u8>, key: Option<&str>) -> Answer {
    world.send(request(world, body, key, false)).await
}

fn location(answer: &Answer) -> String {
    answer.headers["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_digest_of_a_batch_has_its_own_proof() {
    let world = World::new();
    let answer = submit(&world, body(0..700), None).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json());
    let (json, record) = (answer.json(), location(&answer));
    assert_eq!((&json["size"], &json["duplicate"]), (&700.into(), &false.into()));
    let found = world.get(&record).await.json();
    assert_eq!(found["record"]["batch"]["root"], json["root"]);
    let record_bytes = serde_json::to_vec(&found["record"]).unwrap();
    let root = *Record::from_bytes(&record_bytes).unwrap().batch().unwrap();

    for number in [0, 1, 255, 699] {
        let by_number = world.get(&format!("{record}/batch/{number}")).await;
        let by_digest = world.get(&format!("{record}/batch/{}", content(number))).await;
        assert_eq!(by_number.status, StatusCode::OK, "{}", by_number.json());
        assert_eq!(by_number.body, by_digest.body);
        let entry = BatchEntry::from_bytes(&by_number.body).unwrap();
        assert_eq!((entry.leaf.sm3, entry.inclusion.index), (content(number), number));
        entry.verify(&root).unwrap();
        let bundle = world.get(&format!("{record}/bundle?digest={}", content(number))).await;
        let bundle = read_bundle(&mut &bundle.body[..]).unwrap();
        assert_eq!(bundle.batch.as_deref(), Some(&by_number.body[..]));
    }
    assert_eq!(world.get(&format!("{record}/batch/700")).await.code(), "EV-4045");
    assert_eq!(world.get(&format!("{record}/batch/{}", content(700))).await.code(), "EV-4045");
    assert_eq!(world.get(&format!("{record}/batch/x")).await.code(), "EV-4010");
    let single = world.submit(crate::world::by_digest(b"single")).await;
    let single = world.get(&format!("{}/batch/0", location(&single))).await;
    assert_eq!(single.code(), "EV-4044");
    assert_eq!(world.get(&format!("{record}/certificate.pdf")).await.code(), "EV-4161");
    let whole = world.get(&format!("{record}/bundle")).await;
    assert!(read_bundle(&mut &whole.body[..]).unwrap().batch.is_none());
}

#[tokio::test]
async fn the_same_batch_is_recorded_once() {
    let world = World::new();
    let first = submit(&world, body(0..10), None).await;
    let again = submit(&world, body(0..10), None).await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::OK));
    assert_eq!(first.json()["evidence_id"], again.json()["evidence_id"]);
    let other = submit(&world, body((0..10).rev()), None).await;
    assert_eq!(other.status, StatusCode::CREATED, "another order is another batch");
}

#[tokio::test]
async fn a_batch_with_faulty_lines_is_refused_whole() {
    let world = World::new();
    let mut text = body(0..3);
    text.extend(b"nothing\n");
    text.extend(body([1]));
    let answer = submit(&world, text, None).await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::UNPROCESSABLE_ENTITY, "EV-4020".to_owned())
    );
    let json = answer.json();
    let faults: Vec<_> = json["errors"].as_array().unwrap().iter().collect();
    assert_eq!(
        (faults[0]["line"].as_u64(), faults[0]["code"].as_str()),
        (Some(4), Some("EV-4021"))
    );
    assert_eq!(
        (faults[1]["line"].as_u64(), faults[1]["code"].as_str()),
        (Some(5), Some("EV-4023"))
    );
    assert_eq!(faults[1]["detail"], "与第 2 行的摘要相同");
    assert!(json["detail"].as_str().unwrap().contains("共 2 行"));
    assert_eq!(world.ledger.submissions(), 0);
    assert_eq!(world.files("batches/"), 0);

    let media =
        world.signed(&PEOPLE.client.signer(), "POST", BATCH, Some(("text/plain", body([1]))), None);
    assert_eq!(world.send(media).await.code(), "RQ-4150");
    assert_eq!(submit(&world, Vec::new(), None).await.code(), "EV-4025");
}

#[tokio::test]
async fn a_million_lines_are_refused_after_the_first_line_too_many() {
    let world = World::with(Limits { batch_bytes_max: 1 << 30, ..Limits::default() });
    let sent = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = sent.clone();
    let stream = futures::stream::iter((0..1_000_u64).map(move |chunk| {
        counted.fetch_add(1_000, std::sync::atomic::Ordering::Relaxed);
        Ok::<_, std::io::Error>(Bytes::from(body(chunk * 1_000..(chunk + 1) * 1_000)))
    }));
    let request = world.signed_digest(&PEOPLE.client.signer(), "POST", BATCH, NDJSON, sm3(b"?"));
    let (head, _) = request.into_parts();
    let answer = world.send(Request::from_parts(head, Body::from_stream(stream))).await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::PAYLOAD_TOO_LARGE, "EV-4132".to_owned())
    );
    // What the queue and the refusal's polite drain (4 MiB) took beyond.
    assert!(sent.load(std::sync::atomic::Ordering::Relaxed) < 200_000);
    assert_eq!(world.files("batches/"), 0);
}

#[tokio::test]
async fn a_client_that_stalls_is_cut_off() {
    let idle = Duration::from_millis(50);
    let world = World::with(Limits { body_idle_max: idle, ..Limits::default() });
    let first = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from(body(0..5)))]);
    let stalled = futures::StreamExt::chain(first, futures::stream::pending());
    let request = world.signed_digest(&PEOPLE.client.signer(), "POST", BATCH, NDJSON, sm3(b"?"));
    let (head, _) = request.into_parts();
    let answer = world.send(Request::from_parts(head, Body::from_stream(stalled))).await;
    assert_eq!(answer.code(), "RQ-4080");
    assert_eq!(world.ledger.submissions(), 0);
}

#[tokio::test]
async fn a_body_that_is_not_the_signed_one_leaves_nothing() {
    let world = World::new();
    let request =
        world.signed_digest(&PEOPLE.client.signer(), "POST", BATCH, NDJSON, sm3(b"other"));
    let (head, _) = request.into_parts();
    let answer = world.send(Request::from_parts(head, Body::from(body(0..5)))).await;
    assert_eq!(answer.code(), "AU-4018");
    assert_eq!((world.ledger.submissions(), world.files("batches/")), (0, 0));
}

#[tokio::test]
async fn more_batches_than_there_is_room_for_are_told_to_come_back() {
    let world = World::with(Limits { batches_max: 0, ..Limits::default() });
    let answer = submit(&world, body(0..5), None).await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::TOO_MANY_REQUESTS, "RQ-4290".to_owned())
    );
    let world = World::with(Limits { operations_max: 0, ..Limits::default() });
    assert_eq!(submit(&world, body(0..5), None).await.code(), "RQ-4290");
}

#[tokio::test]
async fn a_batch_is_answered_later_and_its_steps_are_streamed() {
    let world = World::new();
    world.ledger.slow_down(Duration::from_millis(50));
    let answer = world.send(request(&world, body(0..20), Some("k1"), true)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.json());
    assert_eq!(answer.headers["preference-applied"], "respond-async");
    let operation = location(&answer);
    // While it is under way the same request finds it, in either form.
    let again = world.send(request(&world, body(0..20), Some("k1"), true)).await;
    assert_eq!(location(&again), operation);
    let waited = submit(&world, body(0..20), Some("k1")).await;
    assert_eq!(waited.status, StatusCode::CREATED);

    let ended = world.get(&format!("{operation}?wait=30")).await.json();
    assert_eq!((&ended["state"], &ended["status"]), (&"succeeded".into(), &201.into()));
    assert_eq!(ended["answer"]["evidence_id"], waited.json()["evidence_id"]);
    assert_eq!(ended["location"], location(&waited));

    let events = world.get(&format!("{operation}/events")).await;
    assert_eq!(events.headers["content-type"], "text/event-stream; charset=utf-8");
    let text = String::from_utf8(events.body.to_vec()).unwrap();
    assert!(text.starts_with("id: 1\nevent: accepted\ndata: {\"digests\":20,"), "{text}");
    assert!(text.contains("id: 3\nevent: recorded\n"), "{text}");
    let mut resumed = Request::get(format!("{operation}/events")).body(Body::empty()).unwrap();
    resumed.headers_mut().insert("last-event-id", "2".parse().unwrap());
    let text = String::from_utf8(world.send(resumed).await.body.to_vec()).unwrap();
    assert!(text.starts_with("id: 3\nevent: recorded\n"), "{text}");

    let replay = submit(&world, body(0..20), Some("k1")).await;
    assert_eq!(replay.headers["idempotency-replayed"], "true");
    assert_eq!(submit(&world, body(0..21), Some("k1")).await.code(), "RQ-4220");
    assert_eq!(world.get("/api/v1/operations/00").await.code(), "RQ-4041");
    assert_eq!(world.get(&format!("{operation}?wait=61")).await.code(), "RQ-4000");
    assert_eq!(world.ledger.submissions(), 1);
}

#[tokio::test]
async fn a_single_submission_is_answered_later_too() {
    let world = World::new();
    let body = Some(("application/json", crate::world::by_digest(b"later").into_bytes()));
    let mut request = world.signed(&PEOPLE.client.signer(), "POST", EVIDENCE, body, None);
    request.headers_mut().insert("prefer", "wait=10, Respond-Async".parse().unwrap());
    let answer = world.send(request).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let ended = world.get(&format!("{}?wait=30", location(&answer))).await.json();
    assert_eq!((&ended["kind"], &ended["state"]), (&"evidence".into(), &"succeeded".into()));
    let found = world.get(ended["location"].as_str().unwrap()).await;
    assert_eq!(found.json()["evidence_id"], ended["answer"]["evidence_id"]);
}

#[tokio::test]
async fn a_failed_operation_names_its_problem_and_frees_its_key() {
    let world = World::new();
    let fault = changbai_core::LedgerError::Unavailable { reason: "none".to_owned() };
    world.ledger.fail(Some(crate::ledger::Fault::Error(fault)));
    let answer = world.send(request(&world, body(0..3), Some("k2"), true)).await;
    let ended = world.get(&format!("{}?wait=30", location(&answer))).await.json();
    assert_eq!((&ended["state"], &ended["problem"]["code"]), (&"failed".into(), &"EV-4502".into()));
    world.ledger.fail(None);
    assert_eq!(submit(&world, body(0..3), Some("k2")).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_client_that_goes_away_takes_nothing_with_it() {
    let world = World::new();
    world.ledger.slow_down(Duration::from_millis(100));
    let sent = world.send(request(&world, body(0..30), Some("k3"), false));
    let _ = tokio::time::timeout(Duration::from_millis(50), sent).await;
    // Whether the first request was cut off before or after its digests were kept, the key gives one batch.
    loop {
        let answer = submit(&world, body(0..30), Some("k3")).await;
        if answer.status != StatusCode::CONFLICT {
            assert!(answer.status.is_success(), "{}", answer.json());
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(world.ledger.submissions(), 1);
}

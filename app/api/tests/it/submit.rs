//! Submissions: by digest, with originals, twice, and again.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use changbai_core::LedgerError;
use smkit::sm3::sm3;

use crate::ledger::Fault;
use crate::world::{EVIDENCE, MULTIPART, PEOPLE, World, by_digest, multipart};

#[tokio::test]
async fn a_digest_is_recorded() {
    let world = World::new();
    let answer = world.submit(by_digest(b"original")).await;
    let json = answer.json();
    assert_eq!(answer.status, 201, "{json}");
    assert_eq!(json["sm3"], sm3(b"original").to_string());
    assert_eq!(json["block_number"], 1);
    assert_eq!(json["business_type"], "general");
    assert_eq!(json["duplicate"], false);
    assert_eq!(json["tx_id"].as_str().unwrap().len(), 64);
    assert!(json["at_ms"].as_u64().unwrap() > 0);
    let original = &json["originals"][0];
    assert_eq!(original["custody"], "submitter");
    assert_eq!(original["size_bytes"], 8);
    assert_eq!(original["media_type"], "text/plain");
    let id = json["evidence_id"].as_str().unwrap();
    assert_eq!(answer.headers["location"], format!("/api/v1/evidence/{id}"));
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn the_same_again_gives_the_first_record() {
    let world = World::new();
    let first = world.submit(by_digest(b"original")).await;
    let second = world.submit(by_digest(b"original")).await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 200));
    assert!(!second.headers.contains_key("location"));
    assert_eq!(second.json()["duplicate"], true);
    assert_eq!(first.json()["evidence_id"], second.json()["evidence_id"]);
    assert_eq!(first.json()["tx_id"], second.json()["tx_id"]);
    let other = world.submit_as(&PEOPLE.admin, by_digest(b"original"), None).await;
    assert_eq!(other.status, 201, "another submitter has a record of its own");
}

#[tokio::test]
async fn originals_go_into_custody() {
    let world = World::new();
    let (first, second) = (vec![7_u8; 300_000], b"\r\n------changba\r\n--".to_vec());
    let metadata = "{\"business_type\":\"real-estate-registration\",\"fields\":{\"受理编号\":\"1\",\"登记类型\":\"首次登记\",\"不动产单元号\":\"220102001001GB00001F00010001\",\"权利人\":\"张三\"},\"collection\":{\"method\":\"scan\",\"source\":\"大厅\"}}";
    let answer =
        world.upload(metadata, &[("Application/PDF; x=y", &first), ("image/jpeg", &second)]).await;
    let json = answer.json();
    assert_eq!(answer.status, 201, "{json}");
    assert_eq!(json["sm3"], sm3(&first).to_string());
    assert_eq!(json["originals"][0]["media_type"], "application/pdf");
    assert_eq!(json["originals"][1]["sm3"], sm3(&second).to_string());
    assert_eq!(json["originals"][1]["custody"], "platform");
    assert!(world.custody.has(&sm3(&first)) && world.custody.has(&sm3(&second)));
    let id = json["evidence_id"].as_str().unwrap();
    let record = world.get(&format!("{EVIDENCE}/{id}")).await;
    let text = String::from_utf8(record.body.to_vec()).unwrap();
    assert!(!text.contains("张三"), "neither the file name nor the personal field: {text}");
    assert!(record.json()["record"]["personal"]["right_holder"].is_string());
}

#[tokio::test]
async fn a_new_version_follows_the_old() {
    let world = World::new();
    let first = world.submit(by_digest(b"v1")).await.json();
    let id = first["evidence_id"].as_str().unwrap().to_owned();
    let mut body = by_digest(b"v2");
    body.pop();
    body.push_str(&format!(",\"previous\":\"{id}\"}}"));
    let second = world.submit(body.clone()).await;
    assert_eq!(second.status, 201);
    let fork = world.submit(body.replace(&sm3(b"v2").to_string(), &sm3(b"v3").to_string())).await;
    assert_eq!((fork.status.as_u16(), fork.code().as_str()), (409, "EV-4092"));
    let history = world.get(&format!("{EVIDENCE}/{id}/history")).await.json();
    let versions = history["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 2);
    assert_eq!(versions[0]["evidence_id"], id);
    assert_eq!(versions[1]["evidence_id"], second.json()["evidence_id"]);
}

#[tokio::test]
async fn an_idempotency_key_gives_the_first_answer_again() {
    let world = World::new();
    let body = by_digest(b"original");
    let first = world.submit_as(&PEOPLE.client, body.clone(), Some("k-1")).await;
    let again = world.submit_as(&PEOPLE.client, body.clone(), Some("k-1")).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(first.headers["location"], again.headers["location"]);
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let other = world.submit_as(&PEOPLE.client, by_digest(b"other"), Some("k-1")).await;
    assert_eq!((other.status.as_u16(), other.code().as_str()), (422, "RQ-4220"));
    let own = world.submit_as(&PEOPLE.admin, by_digest(b"other"), Some("k-1")).await;
    assert_eq!(own.status, 201, "keys of two subjects do not meet");
    assert_eq!(world.ledger.submissions(), 2);
    world.clock.advance(24 * 60 * 60 * 1_000);
    let later = world.submit_as(&PEOPLE.client, body, Some("k-1")).await;
    assert_eq!(later.status, 200, "after a day only the natural key is left");
    assert_eq!(later.json()["duplicate"], true);
    let long = "k".repeat(129);
    let answer = world.submit_as(&PEOPLE.client, by_digest(b"x"), Some(&long)).await;
    assert_eq!(answer.code(), "RQ-4000");
}

#[tokio::test]
async fn a_failed_request_frees_its_key() {
    let world = World::new();
    world.ledger.fail(Some(Fault::Error(LedgerError::Busy { retry_after_ms: 2_500 })));
    let busy = world.submit_as(&PEOPLE.client, by_digest(b"original"), Some("k")).await;
    assert_eq!((busy.status.as_u16(), busy.code().as_str()), (429, "EV-4290"));
    assert_eq!(busy.headers["retry-after"], "3");
    world.ledger.fail(None);
    let answer = world.submit_as(&PEOPLE.client, by_digest(b"original"), Some("k")).await;
    assert_eq!(answer.status, 201);
}

#[tokio::test]
async fn a_key_in_flight_conflicts() {
    let world = Arc::new(World::new());
    world.ledger.slow_down(Duration::from_millis(300));
    let submit = |body: String| {
        let world = world.clone();
        async move { world.submit_as(&PEOPLE.client, body, Some("k")).await }
    };
    let (first, second, third) = tokio::join!(
        submit(by_digest(b"original")),
        async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            submit(by_digest(b"original")).await
        },
        async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            submit(by_digest(b"other")).await
        },
    );
    assert_eq!(first.status, 201);
    assert_eq!((second.status.as_u16(), second.code().as_str()), (409, "RQ-4090"));
    assert_eq!((third.status.as_u16(), third.code().as_str()), (422, "RQ-4220"));
    assert_eq!(world.ledger.submissions(), 1);
}

#[tokio::test]
async fn malformed_bodies_never_reach_the_ledger() {
    let world = World::new();
    let cases = [
        ("{", 400, "RQ-4000"),
        ("{\"originals\":[]}", 422, "EV-4008"),
        ("{\"originals\":[{\"sm3\":\"12\",\"size_bytes\":1}]}", 422, "EV-4010"),
        ("{\"originals\":[],\"extra\":1}", 400, "RQ-4000"),
    ];
    for (body, status, code) in cases {
        let answer = world.submit(body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{body}");
    }
    let answer = world.submit("{\"originals\":[{\"sm3\":\"12\",\"size_bytes\":1}]}").await;
    assert_eq!(answer.json()["errors"][0]["pointer"], "/originals/0/sm3");
    assert_eq!(world.ledger.submissions(), 0);
}

#[tokio::test]
async fn malformed_uploads_never_reach_the_ledger_or_custody() {
    let world = World::new();
    let file: (&str, &[u8]) = ("text/plain", b"original");
    let cases = [
        (multipart(None, "original", &[file]), "RQ-4000"),
        (multipart(Some("{}"), "original", &[]), "EV-4008"),
        (multipart(Some("{}"), "file", &[file]), "RQ-4000"),
        (multipart(Some("{\"x\":1}"), "original", &[file]), "RQ-4000"),
        (multipart(Some("{\"business_type\":\"x\"}"), "original", &[file]), "EV-4002"),
        (multipart(Some("{}"), "original", &[("no media type", b"original")]), "EV-4008"),
        (b"no multipart at all".to_vec(), "RQ-4000"),
        (Vec::new(), "RQ-4000"),
    ];
    for (body, code) in cases {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let request = Some((MULTIPART, body));
        let request = world.signed(&PEOPLE.client.signer(), "POST", EVIDENCE, request, None);
        let answer = world.send(request).await;
        assert_eq!(answer.code(), code, "{shown}\n{}", answer.json());
    }
    assert_eq!(world.ledger.submissions(), 0);
    assert_eq!(world.files(".env"), 0);
}

#[tokio::test]
async fn other_media_types_are_refused() {
    let world = World::new();
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let body = Some((content_type, by_digest(b"original").into_bytes()));
        let request = world.signed(&PEOPLE.client.signer(), "POST", EVIDENCE, body, None);
        let answer = world.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (415, "RQ-4150"));
    }
}

#[tokio::test]
async fn ledger_trouble_is_told_apart() {
    let world = World::new();
    let cases = [
        (LedgerError::Unavailable { reason: "r".into() }, 503, "EV-4502"),
        (LedgerError::Halted { reason: "r".into() }, 504, "EV-4501"),
        (LedgerError::Conflict, 409, "EV-4095"),
        (LedgerError::Damaged { reason: "/secret/path".into() }, 504, "EV-4501"),
    ];
    for (error, status, code) in cases {
        world.ledger.fail(Some(Fault::Error(error.clone())));
        let answer = world.submit(by_digest(b"original")).await;
        let found = (answer.status.as_u16(), answer.code());
        assert_eq!(found, (status, code.to_owned()), "{error:?}");
        assert!(!answer.json().to_string().contains("/secret/path"));
    }
}

#[tokio::test]
async fn get_requests_of_this_endpoint_need_no_signature() {
    let world = World::new();
    let request = Request::get(EVIDENCE).body(Body::empty()).unwrap();
    assert_eq!(world.send(request).await.status, 200);
}

//! `POST /verify`: open to everybody.

use std::net::SocketAddr;

use axum::body::Body;
use axum::http::Request;
use changbai_api::limits::Limits;
use changbai_api::{Rate, Transport};
use changbai_receipt::{SignedVerdict, Status, Verdict};
use smkit::sm3::sm3;

use crate::world::{Answer, EVIDENCE, MULTIPART, World, by_digest, multipart};

async fn post(world: &World, content_type: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post("/api/v1/verify").header("content-type", content_type);
    world.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn a_recorded_original_is_verified_in_every_form() {
    let world = World::new();
    let submitted = world.submit(by_digest(b"original")).await.json();
    let id = submitted["evidence_id"].as_str().unwrap();
    let digest = sm3(b"original");
    let answers = [
        post(&world, "application/json", format!("{{\"sm3\":\"{digest}\"}}")).await,
        post(
            &world,
            "application/json",
            format!("{{\"sm3\":\"{digest}\",\"evidence_id\":\"{id}\"}}"),
        )
        .await,
        post(&world, "application/octet-stream", "original").await,
        post(&world, MULTIPART, multipart(None, "original", &[("text/plain", b"original")])).await,
    ];
    for answer in answers {
        let json = answer.json();
        assert_eq!(json["verdict"], "verified", "{json}");
        assert_eq!(json["evidence_id"], id);
        assert_eq!(json["sm3"], digest.to_string());
        assert_eq!(json["matches"][0]["evidence_id"], id);
        let elements = json["elements"].as_array().unwrap();
        assert_eq!(elements.len(), 18);
        for element in elements {
            for member in ["name", "status", "code", "reason"] {
                assert!(element[member].is_string(), "{element}");
            }
        }
    }
}

#[tokio::test]
async fn a_changed_original_is_not() {
    let world = World::new();
    let submitted = world.submit(by_digest(b"original")).await.json();
    let id = submitted["evidence_id"].as_str().unwrap();
    let unknown = post(&world, "application/octet-stream", "0riginal").await.json();
    assert_eq!(unknown["verdict"], "not_verified");
    assert_eq!(unknown["elements"][0]["name"], "original");
    assert_eq!(unknown["elements"][0]["status"], "failed");
    let body = format!("{{\"sm3\":\"{}\",\"evidence_id\":\"{id}\"}}", sm3(b"0riginal"));
    let claimed = post(&world, "application/json", body).await.json();
    assert_eq!(claimed["verdict"], "not_verified", "{claimed}");
    let failed = claimed["elements"].as_array().unwrap().iter().filter(|e| e["status"] == "failed");
    assert_eq!(failed.map(|e| e["name"].as_str().unwrap()).collect::<Vec<_>>(), ["original"]);
}

#[tokio::test]
async fn a_bundle_is_judged_with_and_without_its_original() {
    let world = World::new();
    let submitted = world.submit(by_digest(b"original")).await.json();
    let id = submitted["evidence_id"].as_str().unwrap();
    let bundle = world.get(&format!("{EVIDENCE}/{id}/bundle")).await.body;
    let alone = post(&world, "application/zip", bundle.clone()).await.json();
    assert_eq!(alone["verdict"], "unchecked", "{alone}");
    assert_eq!(alone["evidence_id"], id);
    let mut body = multipart(None, "bundle", &[("application/zip", &bundle)]);
    let end = b"------changbai--\r\n".len();
    body.truncate(body.len() - end);
    body.extend(multipart(None, "original", &[("text/plain", b"original")]));
    let both = post(&world, MULTIPART, body).await.json();
    assert_eq!(both["verdict"], "verified", "{both}");
    for at in [0, bundle.len() / 2, bundle.len() - 1] {
        let mut changed = bundle.to_vec();
        changed[at] ^= 1;
        let answer = post(&world, "application/zip", changed).await.json();
        assert_eq!(answer["verdict"], "not_verified", "byte {at}");
    }
    let cut = post(&world, "application/zip", bundle.slice(..bundle.len() - 1)).await.json();
    assert_eq!(cut["verdict"], "not_verified", "{cut}");
}

#[tokio::test]
async fn wrong_questions_have_codes() {
    let world = World::new();
    for (content_type, body, code) in [
        ("text/plain", "x", "RQ-4150"),
        ("application/json", "{}", "RQ-4000"),
        ("application/json", "{\"sm3\":\"12\"}", "EV-4010"),
        ("application/json", "{\"sm3\":\"12\",\"x\":1}", "RQ-4000"),
        (MULTIPART, "------changbai--\r\n", "RQ-4000"),
        (MULTIPART, "nonsense", "RQ-4000"),
    ] {
        let answer = post(&world, content_type, body).await;
        assert_eq!(answer.code(), code, "{content_type} {body}");
    }
    let absent = format!(
        "{{\"sm3\":\"{}\",\"evidence_id\":\"CC22010011220100MB9999999R2026112200000000012ZU\"}}",
        sm3(b"x")
    );
    assert_eq!(post(&world, "application/json", absent).await.code(), "EV-4040");
    assert_eq!(
        post(&world, "application/octet-stream", "").await.json()["verdict"],
        "not_verified"
    );
}

#[tokio::test]
async fn a_verdict_is_signed_and_names_what_was_judged() {
    let world = World::new();
    let submitted = world.submit(by_digest(b"original")).await.json();
    let id = submitted["evidence_id"].as_str().unwrap();
    let bundle = world.get(&format!("{EVIDENCE}/{id}/bundle")).await.body;
    let json = post(&world, "application/zip", bundle.clone()).await.json();
    let inside = json["signed_verdict"].as_str().unwrap().as_bytes();
    let request = Request::post("/api/v1/verify?signed=true")
        .header("content-type", "application/zip")
        .body(bundle.clone().into())
        .unwrap();
    let file = world.send(request).await;
    assert!(file.headers["content-disposition"].to_str().unwrap().contains("verdict.json"));
    for bytes in [inside, &file.body] {
        let verdict = SignedVerdict::from_bytes(bytes).unwrap();
        let statement = verdict.statement();
        assert_eq!(statement.verdict(), Verdict::Unchecked, "the original was not handed in");
        assert_eq!(statement.inputs.len(), 1);
        assert_eq!(statement.inputs[0].sm3, sm3(&bundle).to_string());
        assert_eq!(statement.at.ms, world.now_ms());
        assert_eq!(statement.finding.claims["evidence_id"], id);
        assert_eq!(verdict.check(None, &[])[0].status, Status::Proven);
        let altered = String::from_utf8(bytes.to_vec()).unwrap().replace("unchecked", "verified!");
        let altered = altered.replace("verified!", "verified");
        let noticed = SignedVerdict::from_bytes(altered.as_bytes())
            .map_or(true, |verdict| verdict.check(None, &[])[0].status == Status::Failed);
        assert!(noticed);
    }
}

#[tokio::test]
async fn a_certificate_is_judged_as_pdf_and_as_ofd() {
    let world = World::new();
    let submitted = world.submit(by_digest(b"original")).await.json();
    let id = submitted["evidence_id"].as_str().unwrap();
    for format in ["pdf", "ofd"] {
        let media_type = format!("application/{format}");
        let document = world.get(&format!("{EVIDENCE}/{id}/certificate.{format}")).await.body;
        let right = post(&world, &media_type, document.clone()).await.json();
        assert_ne!(right["verdict"], "not_verified", "{right}");
        assert_eq!(right["elements"][0]["name"], "document");
        assert_eq!(right["evidence_id"], id);
        let mut altered = document.to_vec();
        let middle = altered.len() / 2;
        altered[middle] ^= 1;
        let wrong = post(&world, &media_type, altered).await.json();
        assert_eq!(wrong["verdict"], "not_verified", "{wrong}");
    }
    assert_eq!(post(&world, "application/pdf", "no document").await.code(), "RQ-4000");
}

#[tokio::test]
async fn one_address_is_told_to_wait_and_others_are_not() {
    let world = World::with(Limits {
        checks_client: Rate { per_second: 1, burst: 100 },
        ..Limits::default()
    });
    let ask = async |address: &str| {
        let remote: SocketAddr = format!("{address}:5000").parse().unwrap();
        let body = format!("{{\"sm3\":\"{}\"}}", sm3(b"x"));
        let mut request = Request::post("/api/v1/verify")
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap();
        request.extensions_mut().insert(Transport { remote, certificates: Vec::new() });
        world.send(request).await
    };
    let mut refused = None;
    for _ in 0..200 {
        let answer = ask("198.51.100.7").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, 200);
    }
    let refused = refused.expect("a refusal within 200 requests");
    assert_eq!(refused.code(), "RQ-4290");
    assert_eq!(ask("198.51.100.8").await.status, 200);
}

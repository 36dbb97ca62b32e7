//! `POST /verify`: open to everybody.

use axum::body::Body;
use axum::http::Request;
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

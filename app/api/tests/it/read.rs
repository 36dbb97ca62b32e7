//! Reading: records, listings, receipts, bundles, blocks, health and the document.

use changbai_receipt::{Receipt, Status, Trust, Verdict, read_bundle, verify};
use smkit_pki::TrustAnchors;

use crate::world::{EVIDENCE, PEOPLE, World, by_digest};

fn trust() -> Trust {
    TrustAnchors::from_certificates(vec![PEOPLE.root.certificate().clone()]).into()
}

#[tokio::test]
async fn a_record_is_shown_with_its_place() {
    let world = World::new();
    let submitted = world.submit(by_digest(b"original")).await.json();
    let id = submitted["evidence_id"].as_str().unwrap();
    let shown = world.get(&format!("{EVIDENCE}/{id}")).await.json();
    assert_eq!(shown["evidence_id"], id);
    assert_eq!(shown["tx_id"], submitted["tx_id"]);
    assert_eq!(shown["block_number"], 1);
    assert_eq!(shown["record"]["id"], id);
    assert_eq!(shown["record_sm3"].as_str().unwrap().len(), 64);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let world = World::new();
    let id = "CC22010011220100MB9999999R2026112200000000012ZU";
    for path in ["", "/history", "/receipt", "/bundle", "/certificate.pdf"] {
        let answer = world.get(&format!("{EVIDENCE}/{id}{path}")).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "EV-4040"), "{path}");
        let mistyped = id.replace("12ZU", "13ZU");
        let answer = world.get(&format!("{EVIDENCE}/{mistyped}{path}")).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "EV-4009"), "{path}");
    }
    for path in ["/api/v1/blocks/99", "/api/v1/transactions/12"] {
        assert_eq!(world.get(path).await.code(), "LG-4040");
    }
    assert_eq!(
        world.get(&format!("/api/v1/transactions/{}", "0".repeat(64))).await.code(),
        "LG-4040"
    );
    assert_eq!(world.get("/api/v1/blocks/x").await.code(), "RQ-4000");
    assert_eq!(world.get("/api/v1/nothing").await.code(), "RQ-4040");
    assert_eq!(world.get("/").await.code(), "RQ-4040");
    let delete = axum::http::Request::delete(EVIDENCE).body(axum::body::Body::empty()).unwrap();
    let answer = world.send(delete).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (405, "RQ-4050"));
    assert!(answer.headers.contains_key("allow"));
}

#[tokio::test]
async fn listings_go_on_by_cursor() {
    let world = World::new();
    let mut ids = Vec::new();
    for n in 0..5_u8 {
        let answer = world.submit(by_digest(&[n])).await.json();
        ids.push(answer["evidence_id"].as_str().unwrap().to_owned());
        world.clock.advance(10);
    }
    let mut target = format!("{EVIDENCE}?limit=2&business_type=general&from=1");
    let mut found = Vec::new();
    for _ in 0..4 {
        let page = world.get(&target).await;
        let json = page.json();
        let items = json["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        found.extend(items.iter().map(|i| i["evidence_id"].as_str().unwrap().to_owned()));
        let Some(link) = page.headers.get("link") else { break };
        let link = link.to_str().unwrap();
        assert!(link.ends_with(">; rel=\"next\""), "{link}");
        target = link[1..link.find('>').unwrap()].to_owned();
    }
    assert_eq!(found, ids);
    let sm3 = smkit::sm3::sm3(&[3]).to_string();
    let by_sm3 = world.get(&format!("{EVIDENCE}?sm3={sm3}")).await.json();
    assert_eq!(by_sm3["items"][0]["evidence_id"], ids[3]);
    assert_eq!(by_sm3["items"].as_array().unwrap().len(), 1);
    let none = world
        .get(
            &format!("{EVIDENCE}?business_type=行政处罚")
                .replace("行政处罚", "administrative-penalty"),
        )
        .await;
    assert!(none.json()["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn wrong_queries_have_codes() {
    let world = World::new();
    for (query, code) in [
        ("limit=0", "EV-4011"),
        ("limit=201", "EV-4011"),
        ("limit=x", "RQ-4000"),
        ("unknown=1", "RQ-4000"),
        ("limit=1&limit=2", "RQ-4000"),
        ("sm3=12", "EV-4010"),
        ("business_type=x", "EV-4002"),
        ("from=2&to=1", "EV-4011"),
        ("cursor=x", "EV-4012"),
    ] {
        assert_eq!(world.get(&format!("{EVIDENCE}?{query}")).await.code(), code, "{query}");
    }
    let long = format!("{EVIDENCE}?cursor={}", "x".repeat(600));
    assert_eq!(world.get(&long).await.code(), "EV-4012");
    assert_eq!(world.get("/api/v1/blocks?limit=0").await.code(), "RQ-4000");
    assert_eq!(world.get("/api/v1/health?x=1").await.code(), "RQ-4000");
}

#[tokio::test]
async fn a_receipt_waits_for_its_proof() {
    let world = World::new();
    let id = world.submit(by_digest(b"original")).await.json();
    let id = id["evidence_id"].as_str().unwrap();
    world.ledger.hold_proofs(3);
    let answer = world.get(&format!("{EVIDENCE}/{id}/receipt")).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    assert!(Receipt::from_bytes(&answer.body).is_ok());
}

#[tokio::test]
async fn a_receipt_that_does_not_come_is_not_yet_proven() {
    let world = World::new();
    let id = world.submit(by_digest(b"original")).await.json();
    let id = id["evidence_id"].as_str().unwrap();
    // Only now: the process log's thread does not follow a clock that stands.
    tokio::time::pause();
    world.ledger.hold_proofs(u32::MAX);
    let answer = world.get(&format!("{EVIDENCE}/{id}/receipt")).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "EV-4043"));
}

#[tokio::test]
async fn an_anonymous_bundle_proves_the_record_and_shows_no_original() {
    let world = World::new();
    let metadata = "{\"fields\":{\"person\":\"张三\"}}";
    let id = world.upload(metadata, &[("application/pdf", b"%PDF original")]).await.json();
    let id = id["evidence_id"].as_str().unwrap();
    let answer = world.get(&format!("{EVIDENCE}/{id}/bundle")).await;
    assert_eq!(answer.headers["content-type"], "application/zip");
    assert_eq!(answer.headers["content-disposition"], format!("attachment; filename=\"{id}.zip\""));
    let bundle = read_bundle(&mut &answer.body[..]).unwrap();
    assert!(bundle.originals.is_empty() && bundle.disclosures.is_none());
    let report = verify(&bundle, &[], Some(&trust()));
    assert_eq!(report.verdict, Verdict::Unchecked, "{}", report.to_json());
    let open = report.elements.iter().filter(|e| e.status == Status::Unchecked);
    // The certificate's documents are another crate's to judge: here they are said to be unexamined.
    assert_eq!(open.map(|e| e.name).collect::<Vec<_>>(), ["original", "seal"]);
}

#[tokio::test]
async fn anybody_gets_the_certificate_in_each_format() {
    let world = World::new();
    let submitted = world.submit(by_digest(b"certified")).await.json();
    let id = submitted["evidence_id"].as_str().unwrap();
    let formats = [
        ("pdf", "application/pdf", &b"%PDF-1.7"[..]),
        ("ofd", "application/ofd", b"PK\x03\x04"),
        ("svg", "image/svg+xml", b"<svg "),
    ];
    for (extension, media_type, start) in formats {
        let path = format!("{EVIDENCE}/{id}/certificate.{extension}");
        let answer = world.get(&path).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.headers["content-type"]),
            (200, &media_type.parse().unwrap())
        );
        assert!(answer.body.starts_with(start), "{extension}");
        assert_eq!(answer.body, world.get(&path).await.body, "the same bytes again");
    }
    let answer = world.get(&format!("{EVIDENCE}/{id}/certificate.svg")).await;
    let svg = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(svg.contains(id) && svg.contains("未比对原件"), "no original was at hand");
    assert_eq!(world.get(&format!("{EVIDENCE}/{id}/certificate.doc")).await.code(), "RQ-4040");
}

#[tokio::test]
async fn the_agency_gets_the_whole_bundle() {
    let world = World::new();
    let (small, large) = (b"%PDF original".to_vec(), vec![9_u8; 3_000_000]);
    let metadata = "{\"fields\":{\"person\":\"张三\"}}";
    let submitted =
        world.upload(metadata, &[("application/pdf", &small), ("image/png", &large)]).await.json();
    let id = submitted["evidence_id"].as_str().unwrap();
    let target = format!("{EVIDENCE}/{id}/bundle?originals=true");
    assert_eq!(world.get(&target).await.code(), "AU-4010");
    let signed =
        |member: &crate::world::Member| world.signed(&member.signer(), "GET", &target, None, None);
    assert_eq!(world.send(signed(&PEOPLE.other_agency)).await.code(), "AU-4030");
    let answer = world.send(signed(&PEOPLE.peer)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-length"], answer.body.len().to_string());
    let mut bundle = read_bundle(&mut &answer.body[..]).unwrap();
    // Without the certificate's documents, which another crate judges.
    assert!(bundle.certificate_pdf.take().is_some() && bundle.certificate_ofd.take().is_some());
    let report = verify(&bundle, &[], Some(&trust()));
    assert_eq!(report.verdict, Verdict::Verified, "{}", report.to_json());
    assert_eq!(bundle.originals.len(), 2);
    assert!(String::from_utf8(bundle.disclosures.unwrap()).unwrap().contains("张三"));
}

#[tokio::test]
async fn blocks_and_transactions_are_shown() {
    let world = World::new();
    let mut last = serde_json::Value::Null;
    for n in 0..3_u8 {
        last = world.submit(by_digest(&[n])).await.json();
    }
    let page = world.get("/api/v1/blocks?limit=2").await;
    let json = page.json();
    assert_eq!(json["height"], 4);
    assert_eq!(json["items"][0]["number"], 3);
    assert_eq!(json["items"][0]["transactions"][0]["tx_id"], last["tx_id"]);
    assert_eq!(page.headers["link"], "</api/v1/blocks?from=1&limit=2>; rel=\"next\"");
    let rest = world.get("/api/v1/blocks?from=1&limit=3").await;
    assert_eq!(rest.json()["items"].as_array().unwrap().len(), 2);
    assert!(!rest.headers.contains_key("link"));
    assert_eq!(world.get("/api/v1/blocks/2").await.json()["number"], 2);
    let tx_id = last["tx_id"].as_str().unwrap();
    let transaction = world.get(&format!("/api/v1/transactions/{tx_id}")).await.json();
    assert_eq!(transaction["code"], "VALID");
    assert_eq!(transaction["block_number"], 3);
}

#[tokio::test]
async fn health_has_its_shape_and_tests_on_demand() {
    let world = World::new();
    let json = world.get("/api/v1/health").await.json();
    assert_eq!(json["status"], "ok");
    assert!(json["filing_number"].is_null());
    for name in ["sm2_enabled", "sm3_enabled", "sm4_enabled"] {
        assert_eq!(json["crypto"][name], true);
    }
    assert_eq!(json["crypto"]["selftest_at"], "2026-11-22T02:00:00Z");
    assert_eq!(json["time"]["synchronised"], false);
    assert_eq!(json["chain"]["height"], 1);
    assert_eq!(json["store"]["state"], "ok");
    let tests = || world.selftests.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(tests(), 0);
    world.clock.advance(10_000);
    for _ in 0..3 {
        assert_eq!(world.get("/api/v1/health?selftest=true").await.status, 200);
    }
    assert_eq!(tests(), 1, "at most one test in five seconds");
    world.clock.advance(5_000);
    world.get("/api/v1/health?selftest=true").await;
    assert_eq!(tests(), 2);
}

#[tokio::test]
async fn the_document_and_its_reader_are_served_from_here() {
    let world = World::new();
    let document = world.get("/api/v1/openapi.json").await.json();
    let own: serde_json::Value = serde_json::from_str(&changbai_api::openapi()).unwrap();
    assert_eq!(document, own);
    let mut paths: Vec<&String> = own["paths"].as_object().unwrap().keys().collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            "/api/v1/blocks",
            "/api/v1/blocks/{number}",
            "/api/v1/channels",
            "/api/v1/channels/{id}",
            "/api/v1/channels/{id}/config",
            "/api/v1/channels/{id}/updates",
            "/api/v1/court/cases/{case_no}/queries",
            "/api/v1/directory",
            "/api/v1/directory/{id}",
            "/api/v1/evidence",
            "/api/v1/evidence/{id}",
            "/api/v1/evidence/{id}/batch/{which}",
            "/api/v1/evidence/{id}/bundle",
            "/api/v1/evidence/{id}/certificate.ofd",
            "/api/v1/evidence/{id}/certificate.pdf",
            "/api/v1/evidence/{id}/certificate.svg",
            "/api/v1/evidence/{id}/history",
            "/api/v1/evidence/{id}/process",
            "/api/v1/evidence/{id}/proof.tlog-proof",
            "/api/v1/evidence/{id}/queries",
            "/api/v1/evidence/{id}/receipt",
            "/api/v1/evidence:batch",
            "/api/v1/health",
            "/api/v1/log/{channel}",
            "/api/v1/log/{channel}/checkpoint",
            "/api/v1/log/{channel}/proof/consistency",
            "/api/v1/log/{channel}/proof/inclusion",
            "/api/v1/operations/{id}",
            "/api/v1/operations/{id}/events",
            "/api/v1/transactions/{tx_id}",
            "/api/v1/verify",
        ]
    );
    assert!(own["paths"]["/api/v1/evidence"]["post"]["security"].is_array());
    let page = world.get("/api/docs/").await;
    assert_eq!(page.status, 200);
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(html.contains("swagger-ui") && !html.contains("https://"), "{html}");
    assert_eq!(world.get("/api/docs").await.status, 303);
}

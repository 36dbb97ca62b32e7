//! Courts' queries over REST.

use axum::http::StatusCode;
use changbai_core::Opening;
use changbai_core::process::{ActorRole, ProcessDocument, Step};
use changbai_receipt::{Bundle, Status, verify};
use serde_json::{Value, json};
use smkit::sm3::sm3;

use crate::world::{
    Answer, COURT_MSP, COURT_QUERIES, EVIDENCE, MSP, Member, PEOPLE, World, by_digest,
};

const CASE: &str = "%EF%BC%882026%EF%BC%89%E5%90%890102%E6%B0%91%E5%88%9D1234%E5%8F%B7";
const CASE_NO: &str = "（2026）吉0102民初1234号";

fn path(case: &str) -> String {
    format!("/api/v1/court/cases/{case}/queries")
}

async fn ask(world: &World, who: &Member, case: &str, body: &Value) -> Answer {
    let body = Some(("application/json", body.to_string().into_bytes()));
    world.send(world.signed(&who.signer(), "POST", &path(case), body, None)).await
}

async fn submitted(world: &World, original: &[u8]) -> String {
    let answer = world.submit(by_digest(original)).await;
    answer.json()["evidence_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_court_gets_what_proves_a_record_and_its_query_is_recorded() {
    let world = World::new();
    let id = submitted(&world, b"original").await;
    let body = json!({"purpose": "trial", "evidence_ids": [id]});
    let answer = ask(&world, &PEOPLE.judge, CASE, &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", String::from_utf8_lossy(&answer.body));
    let answer = answer.json();
    assert_eq!((answer["case_no"].as_str(), &answer["purpose"]), (Some(CASE_NO), &json!("trial")));
    let result = &answer["results"][0];
    assert_eq!((result["evidence_id"].as_str(), &answer["not_found"]), (Some(&*id), &json!([])));

    // What it got proves the record.
    let record = world.get(&format!("{EVIDENCE}/{id}/bundle")).await;
    let bundle = changbai_receipt::read_bundle(&mut record.body.as_ref()).unwrap();
    let receipt: Value = serde_json::from_slice(&bundle.receipt).unwrap();
    assert_eq!(receipt["transaction"], result["receipt"]["transaction"]);
    let parts = Bundle::from_parts(bundle.record.clone(), bundle.receipt.clone(), None);
    let report = verify(&parts, &[], Some(&world.trust()));
    assert_eq!(report.element("transaction").unwrap().status, Status::Proven);

    // The commitment on the ledger opens with what the court was told, and the number is nowhere in clear.
    let salt: smkit::sm3::Sm3Digest = answer["case_salt"].as_str().unwrap().parse().unwrap();
    let opening = Opening {
        name: "case_number".to_owned(),
        value: CASE_NO.to_owned(),
        salt: *salt.as_bytes(),
    };
    assert_eq!(opening.commitment().to_string(), answer["case_commitment"].as_str().unwrap());

    // In the record's process log, before the answer.
    let log = world.get(&format!("{EVIDENCE}/{id}/process")).await;
    let log = ProcessDocument::from_bytes(&log.body).unwrap();
    let entry = log.entries.iter().find(|entry| entry.step == Step::CourtQuery).unwrap();
    assert_eq!(entry.actor.role, ActorRole::Court);
    assert_eq!(entry.actor.certificate_sm3, Some(PEOPLE.judge.certificate.sm3()));
    assert_eq!(entry.detail.to_string(), answer["query_tx_id"].as_str().unwrap());

    // For the agency whose record it is, and for nobody else.
    let queries = format!("{EVIDENCE}/{id}/queries");
    let owner = PEOPLE.client.signer();
    let seen = world.send(world.signed(&owner, "GET", &queries, None, None)).await.json();
    let [line] = seen["items"].as_array().unwrap().as_slice() else { panic!("{seen}") };
    assert_eq!(line["tx_id"], answer["query_tx_id"]);
    assert_eq!(line["case_commitment"], answer["case_commitment"]);
    assert_eq!((&line["requester_msp_id"], &line["answered_by"]), (&json!(COURT_MSP), &json!(MSP)));
    assert!(!seen.to_string().contains("1234号"));
    let other = PEOPLE.other_agency.signer();
    let refused = world.send(world.signed(&other, "GET", &queries, None, None)).await;
    assert_eq!(refused.code(), "AU-4030");
    assert_eq!(world.get(&queries).await.code(), "AU-4010");
}

#[tokio::test]
async fn queries_by_digest_and_those_that_find_nothing_are_recorded_as_well() {
    let world = World::new();
    let id = submitted(&world, b"original").await;
    let found = ask(
        &world,
        &PEOPLE.judge,
        CASE,
        &json!({"purpose": "filing",
        "sm3": sm3(b"original").to_string()}),
    )
    .await
    .json();
    assert_eq!(found["results"][0]["evidence_id"], json!(id));
    let nothing = ask(
        &world,
        &PEOPLE.judge,
        CASE,
        &json!({"purpose": "filing",
        "sm3": sm3(b"forged").to_string()}),
    )
    .await
    .json();
    assert_eq!(nothing["results"], json!([]));
    let unknown = "CC22010011220100MB9999999R2026112200000000012ZU";
    let missing = ask(
        &world,
        &PEOPLE.judge,
        "%282026%29%E5%90%890102%E6%B0%91%E5%88%9D1234%E5%8F%B7",
        &json!({"purpose": "trial", "evidence_ids": [unknown]}),
    )
    .await
    .json();
    assert_eq!((&missing["not_found"], &missing["case_no"]), (&json!([unknown]), &json!(CASE_NO)));

    let judge = PEOPLE.judge.signer();
    let target = format!("{}?limit=2", path(CASE));
    let first = world.send(world.signed(&judge, "GET", &target, None, None)).await.json();
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let cursor = first["cursor"].as_str().unwrap();
    let target = format!("{}?cursor={}", path(CASE), cursor.replace('/', "%2F"));
    let rest = world.send(world.signed(&judge, "GET", &target, None, None)).await.json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 1, "{rest}");
    assert_eq!(rest.get("cursor"), None);
    let other = path(&CASE.replace("1234", "1235"));
    let none = world.send(world.signed(&judge, "GET", &other, None, None)).await.json();
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn who_is_no_court_or_asks_wrongly_is_refused() {
    let world = World::new();
    let id = submitted(&world, b"original").await;
    let body = json!({"purpose": "trial", "evidence_ids": [id]});
    for (who, code) in [
        (&PEOPLE.client, "AU-4032"),
        (&PEOPLE.would_be_judge, "AU-4032"),
        (&PEOPLE.other_agency, "AU-4032"),
        (&PEOPLE.stranger, "AU-4017"),
    ] {
        assert_eq!(ask(&world, who, CASE, &body).await.code(), code);
    }
    assert_eq!(ask(&world, &PEOPLE.judge, "2026-1234", &body).await.code(), "RQ-4221");
    for (body, code) in [
        (json!({"purpose": "curiosity", "evidence_ids": [id]}), "EV-4011"),
        (json!({"purpose": "trial"}), "EV-4011"),
        (json!({"purpose": "trial", "evidence_ids": [id], "sm3": "00"}), "EV-4010"),
    ] {
        assert_eq!(ask(&world, &PEOPLE.judge, CASE, &body).await.code(), code, "{body}");
    }
    // None of these left a trace on the record.
    let log = world.get(&format!("{EVIDENCE}/{id}/process")).await;
    let log = ProcessDocument::from_bytes(&log.body).unwrap();
    assert!(log.entries.iter().all(|entry| entry.step != Step::CourtQuery));
}

#[tokio::test]
async fn a_court_that_asks_too_often_is_told_when_to_come_back() {
    let world = World::new();
    let body = json!({"purpose": "trial", "sm3": sm3(b"x").to_string()});
    for _ in 0..COURT_QUERIES {
        assert_eq!(ask(&world, &PEOPLE.judge, CASE, &body).await.status, StatusCode::OK);
    }
    assert_eq!(ask(&world, &PEOPLE.judge, CASE, &body).await.code(), "RQ-4291");
    world.clock.advance(60_000);
    assert_eq!(ask(&world, &PEOPLE.judge, CASE, &body).await.status, StatusCode::OK);
}

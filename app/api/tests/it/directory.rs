//! The judicial directory over REST.

use axum::http::StatusCode;
use serde_json::json;
use smkit::sm3::sm3;

use crate::world::{Answer, EVIDENCE, FILED, MSP, Member, PEOPLE, World, by_digest};

const DIRECTORY: &str = "/api/v1/directory";

async fn admit(world: &World, who: &Member, id: &str, certificate_sm3: &str) -> Answer {
    let body = json!({"evidence_id": id, "certificate_sm3": certificate_sm3}).to_string();
    let body = Some(("application/json", body.into_bytes()));
    world.send(world.signed(&who.signer(), "POST", DIRECTORY, body, None)).await
}

async fn submitted(world: &World) -> String {
    let answer = world.submit(by_digest(b"original")).await;
    answer.json()["evidence_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_record_with_everything_is_admitted_and_listed() {
    let world = World::trusted();
    let id = submitted(&world).await;
    let certificate = world.get(&format!("{EVIDENCE}/{id}/certificate.pdf")).await;
    assert_eq!(certificate.status, StatusCode::OK);
    let certificate = sm3(&certificate.body).to_string();
    let answer = admit(&world, &PEOPLE.client, &id, &certificate).await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    let entry = answer.json();
    assert_eq!((&entry["evidence_id"], &entry["filing_number"]), (&json!(id), &json!(FILED)));
    assert_eq!((&entry["msp_id"], &entry["time_bound_us"]), (&json!(MSP), &json!(900)));
    assert_eq!(entry["certificate_sm3"], json!(certificate));
    assert_eq!(world.get(&format!("{DIRECTORY}/{id}")).await.json(), entry);
    let list = world.get(DIRECTORY).await.json();
    assert_eq!(list, json!({"items": [entry]}));
    let again = admit(&world, &PEOPLE.client, &id, &certificate).await;
    assert_eq!((again.status.as_u16(), again.code().as_str()), (409, "EV-4097"));
}

#[tokio::test]
async fn every_gate_that_refuses_is_named_in_both_languages() {
    let world = World::new();
    let id = submitted(&world).await;
    let unknown = sm3(b"never handed out").to_string();
    let refused = admit(&world, &PEOPLE.client, &id, &unknown).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (422, "EV-4220"));
    let text = refused.json().to_string();
    for code in ["EV-4223", "EV-4225", "EV-4226"] {
        assert!(text.contains(code), "{code}: {text}");
    }
    for code in ["EV-4221", "EV-4222", "EV-4224"] {
        assert!(!text.contains(code), "{code}: {text}");
    }
    assert!(text.contains("备案编号"), "{text}");
    // Somebody of the agency who did not submit it.
    let other = admit(&world, &PEOPLE.admin, &id, &unknown).await.json().to_string();
    assert!(other.contains("EV-4222"), "{other}");
    let absent = world.get(&format!("{DIRECTORY}/{id}")).await;
    assert_eq!((absent.status.as_u16(), absent.code().as_str()), (404, "EV-4047"));
}

#[tokio::test]
async fn strangers_and_nonsense_are_refused_before_the_ledger_is_asked() {
    let world = World::trusted();
    let id = submitted(&world).await;
    let before = world.ledger.submissions();
    let sm3 = sm3(b"x").to_string();
    assert_eq!(admit(&world, &PEOPLE.other_agency, &id, &sm3).await.code(), "AU-4030");
    assert_eq!(admit(&world, &PEOPLE.peer, &id, &sm3).await.code(), "AU-4030");
    assert_eq!(admit(&world, &PEOPLE.client, &id, "zz").await.code(), "EV-4010");
    assert_eq!(admit(&world, &PEOPLE.client, "CC", &sm3).await.code(), "EV-4009");
    assert_eq!(world.get(&format!("{DIRECTORY}?limit=0")).await.code(), "EV-4011");
    assert_eq!(world.ledger.submissions(), before);
}

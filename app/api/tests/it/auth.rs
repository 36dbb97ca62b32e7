//! Who may write: every way not to be allowed has its own code, and none of them reaches the ledger.

use axum::body::Body;
use axum::http::{HeaderValue, Request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use changbai_api::signature::RequestSigner;

use crate::world::{EVIDENCE, MULTIPART, Member, PEOPLE, World, by_digest, multipart};

fn request(world: &World, member: &Member) -> Request<Body> {
    let body = Some(("application/json", by_digest(b"original").into_bytes()));
    world.signed(&member.signer(), "POST", EVIDENCE, body, None)
}

async fn refused(world: &World, request: Request<Body>, expected: &str) {
    let answer = world.send(request).await;
    assert_eq!(answer.code(), expected, "{}", answer.json());
    assert_eq!(world.ledger.submissions(), 0, "{expected} reached the ledger");
}

#[tokio::test]
async fn clients_and_admins_may_write() {
    for member in [&PEOPLE.client, &PEOPLE.admin] {
        let world = World::new();
        assert_eq!(world.send(request(&world, member)).await.status, 201);
    }
}

#[tokio::test]
async fn a_client_below_an_unlisted_intermediate_may_write_when_it_is_sent_along() {
    let world = World::new();
    refused(&world, request(&world, &PEOPLE.below), "AU-4017").await;
    let below = &PEOPLE.below;
    let signer = RequestSigner::new(
        below.key.clone(),
        &below.certificate,
        std::slice::from_ref(&PEOPLE.intermediate),
    );
    let body = Some(("application/json", by_digest(b"original").into_bytes()));
    let request = world.signed(&signer.unwrap(), "POST", EVIDENCE, body, None);
    assert_eq!(world.send(request).await.status, 201);
}

#[tokio::test]
async fn each_wrong_identity_has_its_code() {
    let world = World::new();
    for (member, code) in [
        (&PEOPLE.expired, "AU-4015"),
        (&PEOPLE.future, "AU-4015"),
        (&PEOPLE.stranger, "AU-4017"),
        (&PEOPLE.peer, "AU-4030"),
        (&PEOPLE.node, "AU-4030"),
        (&PEOPLE.roleless, "AU-4030"),
        (&PEOPLE.other_agency, "AU-4030"),
    ] {
        refused(&world, request(&world, member), code).await;
    }
}

#[tokio::test]
async fn unsigned_and_malformed_requests_are_refused() {
    let world = World::new();
    let plain = Request::post(EVIDENCE)
        .header("content-type", "application/json")
        .body(Body::from(by_digest(b"original")))
        .unwrap();
    refused(&world, plain, "AU-4010").await;
    for name in ["signature", "signature-input", "changbai-certificate", "content-digest"] {
        let mut request = request(&world, &PEOPLE.client);
        request.headers_mut().insert(name, HeaderValue::from_static("nonsense"));
        refused(&world, request, "AU-4011").await;
    }
    let mut request = request(&world, &PEOPLE.client);
    request.headers_mut().remove("content-digest");
    refused(&world, request, "AU-4011").await;
}

#[tokio::test]
async fn a_body_must_be_signed_even_when_no_header_announces_it() {
    let world = World::new();
    let mut request = world.signed(&PEOPLE.client.signer(), "POST", EVIDENCE, None, None);
    *request.body_mut() = Body::from(by_digest(b"original"));
    refused(&world, request, "AU-4011").await;
}

#[tokio::test]
async fn wrong_signatures_and_bodies_are_refused() {
    let world = World::new();
    let mut changed = request(&world, &PEOPLE.client);
    *changed.uri_mut() = "/api/v1/evidence?x=1".parse().unwrap();
    refused(&world, changed, "AU-4011").await;
    let mut changed = request(&world, &PEOPLE.client);
    changed.headers_mut().insert("content-type", HeaderValue::from_static("application/json;x=1"));
    refused(&world, changed, "AU-4012").await;
    let mut changed = request(&world, &PEOPLE.client);
    *changed.body_mut() = Body::from(by_digest(b"another"));
    refused(&world, changed, "AU-4018").await;
}

#[tokio::test]
async fn a_changed_upload_leaves_nothing_in_custody() {
    let world = World::new();
    let body = multipart(Some("{}"), "original", &[("text/plain", b"original")]);
    let mut changed = body.clone();
    let at = changed.windows(8).position(|w| w == b"original\r".split_at(8).0).unwrap();
    changed[at + 1] ^= 1;
    let place = body.len() - 30;
    let mut flipped = body.clone();
    flipped[place] ^= 1;
    for spoiled in [flipped, body[..body.len() - 1].to_vec()] {
        let signed = Some((MULTIPART, body.clone()));
        let mut request = world.signed(&PEOPLE.client.signer(), "POST", EVIDENCE, signed, None);
        request.headers_mut().remove("content-length");
        *request.body_mut() = Body::from(spoiled);
        let answer = world.send(request).await;
        assert!(["AU-4018", "RQ-4000"].contains(&answer.code().as_str()), "{}", answer.json());
    }
    assert_eq!(world.ledger.submissions(), 0);
    assert_eq!(world.files(".env"), 0);
    assert!(!world.custody.has(&smkit::sm3::sm3(b"original")));
}

#[tokio::test]
async fn a_replay_is_refused() {
    let world = World::new();
    let first = request(&world, &PEOPLE.peer);
    let headers = first.headers().clone();
    refused(&world, first, "AU-4030").await;
    let mut again = Request::post(EVIDENCE).body(Body::from(by_digest(b"original"))).unwrap();
    *again.headers_mut() = headers;
    refused(&world, again, "AU-4013").await;
}

#[tokio::test]
async fn old_future_and_prehistoric_signatures_are_refused() {
    let world = World::new();
    let stale = request(&world, &PEOPLE.client);
    world.clock.advance(62_000);
    refused(&world, stale, "AU-4014").await;
    world.clock.advance(1_000_000);
    let early = request(&world, &PEOPLE.client);
    world.clock.set(changbai_wire::time::UnixMillis(world.now_ms() - 400_000));
    refused(&world, early, "AU-4014").await;
    world.clock.set(changbai_wire::time::UnixMillis(crate::world::NOW_MS - 5_000));
    let before_start = request(&world, &PEOPLE.client);
    refused(&world, before_start, "AU-4014").await;
}

#[tokio::test]
async fn rsa_and_p256_are_refused_by_name() {
    let world = World::new();
    for der in
        [&include_bytes!("../../testdata/rsa.der")[..], include_bytes!("../../testdata/p256.der")]
    {
        let mut request = request(&world, &PEOPLE.client);
        let value = format!(":{}:", STANDARD.encode(der));
        let value = HeaderValue::try_from(value).unwrap();
        request.headers_mut().insert("changbai-certificate", value);
        refused(&world, request, "AU-4016").await;
    }
    for alg in ["ecdsa-p256-sha256", "rsa-pss-sha512", "ed25519"] {
        let mut request = request(&world, &PEOPLE.client);
        let input = request.headers()["signature-input"].to_str().unwrap().replace("sm2-sm3", alg);
        let input = HeaderValue::try_from(input).unwrap();
        request.headers_mut().insert("signature-input", input);
        refused(&world, request, "AU-4016").await;
    }
}

/// A request that nothing signs, as it arrives over a connection.
fn arriving(from: &str, certificates: Vec<smkit_pki::Certificate>) -> Request<Body> {
    let body = by_digest(b"original");
    let digest = changbai_api::signature::content_digest_value(&smkit::sm3::sm3(body.as_bytes()));
    let mut request = Request::post(EVIDENCE)
        .header("content-type", "application/json")
        .header("content-digest", digest)
        .body(Body::from(body))
        .unwrap();
    let remote = from.parse().unwrap();
    request.extensions_mut().insert(changbai_api::Transport { remote, certificates });
    request
}

fn forwarded(from: &str, der: &[u8]) -> Request<Body> {
    let mut request = arriving(from, Vec::new());
    let value = HeaderValue::try_from(format!(":{}:", STANDARD.encode(der))).unwrap();
    request.headers_mut().insert("client-cert", value);
    request
}

const ELSEWHERE: &str = "198.51.100.7:40000";
const GATEWAY: &str = "192.0.2.3:40000";

#[tokio::test]
async fn a_tls_client_certificate_admits_by_the_same_rules() {
    let world = World::new();
    let known = |member: &Member| arriving(ELSEWHERE, vec![member.certificate.clone()]);
    for (member, code) in [
        (&PEOPLE.expired, "AU-4015"),
        (&PEOPLE.stranger, "AU-4017"),
        (&PEOPLE.peer, "AU-4030"),
        (&PEOPLE.roleless, "AU-4030"),
        (&PEOPLE.other_agency, "AU-4030"),
    ] {
        refused(&world, known(member), code).await;
    }
    let mut undigested = known(&PEOPLE.client);
    undigested.headers_mut().remove("content-digest");
    refused(&world, undigested, "RQ-4001").await;
    let mut altered = known(&PEOPLE.client);
    *altered.body_mut() = Body::from(by_digest(b"another"));
    refused(&world, altered, "AU-4018").await;
    refused(&world, arriving(ELSEWHERE, Vec::new()), "AU-4010").await;
    assert_eq!(world.send(known(&PEOPLE.client)).await.status, 201);
}

#[tokio::test]
async fn a_wrong_signature_is_not_saved_by_the_connection() {
    let world = World::new();
    let mut request = arriving(ELSEWHERE, vec![PEOPLE.client.certificate.clone()]);
    request.headers_mut().insert("signature", HeaderValue::from_static("nonsense"));
    refused(&world, request, "AU-4011").await;
}

#[tokio::test]
async fn only_a_gateway_may_pass_a_client_certificate() {
    let world = World::new();
    let der = PEOPLE.client.certificate.der();
    refused(&world, forwarded(ELSEWHERE, der), "AU-4019").await;
    // Not even beside a certificate of one's own, or a signature.
    let mut both = forwarded(ELSEWHERE, der);
    let own = vec![PEOPLE.client.certificate.clone()];
    let remote = ELSEWHERE.parse().unwrap();
    both.extensions_mut().insert(changbai_api::Transport { remote, certificates: own });
    refused(&world, both, "AU-4019").await;
    let mut signed = request(&world, &PEOPLE.client);
    signed.headers_mut().insert("client-cert", HeaderValue::from_static("::"));
    refused(&world, signed, "AU-4019").await;

    refused(&world, forwarded(GATEWAY, b"nonsense"), "AU-4011").await;
    refused(&world, forwarded(GATEWAY, include_bytes!("../../testdata/rsa.der")), "AU-4016").await;
    refused(&world, forwarded(GATEWAY, PEOPLE.expired.certificate.der()), "AU-4015").await;
    refused(&world, forwarded(GATEWAY, PEOPLE.other_agency.certificate.der()), "AU-4030").await;
    assert_eq!(world.send(forwarded(GATEWAY, der)).await.status, 201);

    let mut below = forwarded(GATEWAY, PEOPLE.below.certificate.der());
    let chain = format!(":{}:", STANDARD.encode(PEOPLE.intermediate.der()));
    below.headers_mut().insert("client-cert-chain", HeaderValue::try_from(chain).unwrap());
    assert_eq!(world.send(below).await.status, 201);
}

#[tokio::test]
async fn problems_speak_the_clients_language() {
    let world = World::new();
    let ask = |language: &'static str| {
        Request::post(EVIDENCE).header("accept-language", language).body(Body::empty()).unwrap()
    };
    let english = world.send(ask("en-US,en;q=0.9")).await;
    assert_eq!(english.json()["title"], "The request is not signed");
    assert_eq!(english.headers["content-language"], "en");
    let chinese = world.send(ask("zh-CN,en;q=0.9")).await;
    assert_eq!(chinese.json()["title"], "请求未签名");
    assert_ne!(english.headers["x-request-id"], chinese.headers["x-request-id"]);
}

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use proptest::prelude::*;
use smkit::OsRandom;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit::sm3::{Sm3Digest, sm3};
use smkit_pki::{Authority, Certificate, Profile, Subject, Validity};

use super::{
    BodyToSign, ReplayCache, ReplayVerdict, RequestHead, RequestSigner, RequestToSign,
    SignRequestError, SignatureInput, SignatureRefusal, Window, present, signature_base,
};
use crate::problem::Code;

const NOW_MS: u64 = 1_790_000_000_500;
const WINDOW: Window = Window { now_ms: NOW_MS + 600, started_ms: NOW_MS - 10_000 };

struct Fixture {
    signer: RequestSigner,
    certificate: Certificate,
    root: Certificate,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let subject = |name: &str| Subject {
        organisation: "Example".to_owned(),
        organisational_units: vec!["client".to_owned()],
        common_name: name.to_owned(),
        ..Subject::default()
    };
    let validity = Validity { not_before: 0, not_after: 4_000_000_000 };
    let root = Authority::create_root(&subject("root"), validity, &mut OsRandom).unwrap();
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    let certificate = root
        .issue(&subject("leaf"), key.public_key(), Profile::Signing, validity, None, &mut OsRandom)
        .unwrap();
    let key = SigningKey::new(key, SignerId::DEFAULT).unwrap();
    let signer = RequestSigner::new(key, &certificate, &[]).unwrap();
    Fixture { signer, certificate, root: root.certificate().clone() }
});

const REQUEST: RequestToSign<'static> = RequestToSign {
    method: "POST",
    path: "/api/v1/evidence",
    query: Some("a=1&b=%20"),
    body: None,
    idempotency_key: Some("key-1"),
};

fn with_body(body: &[u8]) -> RequestToSign<'static> {
    let body = BodyToSign { sm3: sm3(body), content_type: "application/json" };
    RequestToSign { body: Some(body), ..REQUEST }
}

fn signed(request: &RequestToSign<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in FIXTURE.signer.sign(request, NOW_MS, 60, &[7; 16]).unwrap() {
        headers.insert(HeaderName::from_static(name), HeaderValue::try_from(value).unwrap());
    }
    if let Some(body) = &request.body {
        headers.insert("content-type", HeaderValue::from_str(body.content_type).unwrap());
        headers.insert("content-length", HeaderValue::from_static("2"));
    }
    if let Some(key) = request.idempotency_key {
        headers.insert("idempotency-key", HeaderValue::from_str(key).unwrap());
    }
    headers
}

fn check(target: &str, headers: &HeaderMap) -> Result<super::Presented, SignatureRefusal> {
    let uri: Uri = target.parse().unwrap();
    present(&RequestHead { method: &Method::POST, uri: &uri, headers }, WINDOW)
}

const TARGET: &str = "/api/v1/evidence?a=1&b=%20";

fn refusal(headers: &HeaderMap) -> Code {
    check(TARGET, headers).unwrap_err().code()
}

fn replace(headers: &mut HeaderMap, name: &'static str, from: &str, to: &str) {
    let text = headers[name].to_str().unwrap().to_owned();
    assert!(text.contains(from), "{name}: {text}");
    headers.insert(name, HeaderValue::try_from(text.replacen(from, to, 1)).unwrap());
}

/// RFC 9421 §2.5, its example base, by hand: names quoted, colon and space, one line each, no line end
/// after the parameters.
#[test]
fn the_signature_base_is_the_rfcs() {
    let parameters = "(\"@method\" \"@authority\" \"@path\" \"content-digest\" \"content-length\" \"content-type\");created=1618884473;keyid=\"test-key-rsa-pss\"";
    let base = signature_base(
        &[
            ("@method", "POST"),
            ("@authority", "example.com"),
            ("@path", "/foo"),
            (
                "content-digest",
                "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
            ),
            ("content-length", "18"),
            ("content-type", "application/json"),
        ],
        parameters,
    );
    let expected = "\"@method\": POST\n\
        \"@authority\": example.com\n\
        \"@path\": /foo\n\
        \"content-digest\": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:\n\
        \"content-length\": 18\n\
        \"content-type\": application/json\n\
        \"@signature-params\": (\"@method\" \"@authority\" \"@path\" \"content-digest\" \"content-length\" \"content-type\");created=1618884473;keyid=\"test-key-rsa-pss\"";
    assert_eq!(String::from_utf8(base).unwrap(), expected);
}

#[test]
fn the_server_builds_the_base_that_the_client_signed() {
    let headers = signed(&with_body(b"{}"));
    let uri: Uri = TARGET.parse().unwrap();
    let input = SignatureInput::parse(headers["signature-input"].to_str().unwrap()).unwrap();
    let head = RequestHead { method: &Method::POST, uri: &uri, headers: &headers };
    let base = String::from_utf8(super::server::base_of(&head, &input).unwrap()).unwrap();
    let certificate = headers["changbai-certificate"].to_str().unwrap();
    let keyid = FIXTURE.certificate.sm3();
    assert_eq!(
        base,
        format!(
            "\"@method\": POST\n\"@path\": /api/v1/evidence\n\"@query\": ?a=1&b=%20\n\
             \"content-digest\": {}\n\"content-type\": application/json\n\
             \"changbai-certificate\": {certificate}\n\"idempotency-key\": key-1\n\
             \"@signature-params\": (\"@method\" \"@path\" \"@query\" \"content-digest\" \"content-type\" \
             \"changbai-certificate\" \"idempotency-key\");created=1790000001;expires=1790000061;\
             nonce=\"07070707070707070707070707070707\";alg=\"sm2-sm3\";keyid=\"{keyid}\"",
            super::content_digest_value(&sm3(b"{}")),
        )
    );
}

#[test]
fn a_signed_request_is_accepted() {
    let presented = check(TARGET, &signed(&with_body(b"{}"))).unwrap();
    assert_eq!(presented.keyid, FIXTURE.certificate.sm3());
    assert_eq!(presented.content_digest, Some(sm3(b"{}")));
    assert_eq!(presented.idempotency_key.as_deref(), Some("key-1"));
    assert!(check(TARGET, &signed(&REQUEST)).unwrap().content_digest.is_none());
}

#[test]
fn method_path_and_query_are_covered() {
    let headers = signed(&REQUEST);
    for target in [
        "/api/v1/evidencf?a=1&b=%20",
        "/api/v1/evidence?a=2&b=%20",
        "/api/v1/evidence",
        "/api/v1/evidence?",
    ] {
        assert_eq!(check(target, &headers).unwrap_err().code(), Code::SignatureWrong, "{target}");
    }
    let uri: Uri = TARGET.parse().unwrap();
    let head = RequestHead { method: &Method::GET, uri: &uri, headers: &headers };
    assert_eq!(present(&head, WINDOW).unwrap_err(), SignatureRefusal::Wrong);
}

#[test]
fn what_must_be_covered_is_demanded() {
    for (name, component) in [
        ("@method", "\"@method\" "),
        ("@path", "\"@path\" "),
        ("@query", "\"@query\" "),
        ("content-digest", "\"content-digest\" "),
        ("content-type", "\"content-type\" "),
        ("changbai-certificate", "\"changbai-certificate\" "),
        ("idempotency-key", " \"idempotency-key\""),
    ] {
        let mut headers = signed(&with_body(b"{}"));
        replace(&mut headers, "signature-input", component, "");
        assert_eq!(refusal(&headers), Code::SignatureMalformed, "{name}");
    }
    let mut headers = signed(&REQUEST);
    headers.insert("content-length", HeaderValue::from_static("5"));
    assert_eq!(refusal(&headers), Code::SignatureMalformed, "a body without content-digest");
}

#[test]
fn each_missing_or_doubled_field_is_malformed() {
    assert_eq!(refusal(&HeaderMap::new()), Code::Unsigned);
    for name in [
        "signature",
        "signature-input",
        "changbai-certificate",
        "content-digest",
        "idempotency-key",
    ] {
        let mut headers = signed(&with_body(b"{}"));
        let value = headers.remove(name).unwrap();
        assert_eq!(refusal(&headers), Code::SignatureMalformed, "{name} is missing");
        headers.append(name, value.clone());
        headers.append(name, value);
        assert_eq!(refusal(&headers), Code::SignatureMalformed, "{name} is doubled");
    }
}

#[test]
fn other_algorithms_have_their_own_code() {
    let mut headers = signed(&REQUEST);
    replace(&mut headers, "signature-input", "sm2-sm3", "ecdsa-p256-sha256");
    assert_eq!(refusal(&headers), Code::AlgorithmRefused);
    for der in
        [&include_bytes!("../../testdata/rsa.der")[..], include_bytes!("../../testdata/p256.der")]
    {
        let mut headers = signed(&REQUEST);
        let value = super::structured::byte_sequences(&[der]);
        headers.insert("changbai-certificate", HeaderValue::try_from(value).unwrap());
        assert_eq!(refusal(&headers), Code::AlgorithmRefused);
    }
}

#[test]
fn another_certificate_is_refused() {
    let mut headers = signed(&REQUEST);
    let value = super::structured::byte_sequences(&[FIXTURE.root.der()]);
    headers.insert("changbai-certificate", HeaderValue::try_from(value).unwrap());
    assert_eq!(refusal(&headers), Code::SignatureMalformed, "keyid names another certificate");
    let (old, new) = (FIXTURE.certificate.sm3(), FIXTURE.root.sm3());
    replace(&mut headers, "signature-input", &old.to_string(), &new.to_string());
    assert_eq!(refusal(&headers), Code::SignatureWrong);
}

#[test]
fn the_window_is_enforced_on_both_sides() {
    let headers = signed(&REQUEST);
    let uri: Uri = TARGET.parse().unwrap();
    let head = RequestHead { method: &Method::POST, uri: &uri, headers: &headers };
    let created_ms = 1_790_000_001_000;
    let at = |now_ms: u64, started_ms: u64| {
        present(&head, Window { now_ms, started_ms }).map_err(|refusal| refusal.code()).err()
    };
    assert_eq!(at(created_ms, created_ms), None);
    assert_eq!(at(created_ms + 59_999, 0), None);
    assert_eq!(at(created_ms + 60_000, 0), Some(Code::SignatureExpired));
    assert_eq!(at(created_ms - 300_000, 0), None);
    assert_eq!(at(created_ms - 300_001, 0), Some(Code::SignatureExpired));
    assert_eq!(at(created_ms, created_ms + 1), Some(Code::SignatureExpired));
    let mut headers = signed(&REQUEST);
    replace(&mut headers, "signature-input", "expires=1790000061", "expires=1790000302");
    assert_eq!(refusal(&headers), Code::SignatureExpired, "a life of more than 300 s");
    replace(&mut headers, "signature-input", "expires=1790000302", "expires=1790000001");
    assert_eq!(refusal(&headers), Code::SignatureExpired, "no life at all");
}

#[test]
fn the_signer_refuses_what_the_server_would() {
    let sign = |request: &RequestToSign<'_>, lifetime_s| {
        FIXTURE.signer.sign(request, NOW_MS, lifetime_s, &[0; 16]).map(|_| ())
    };
    assert_eq!(sign(&REQUEST, 0), Err(SignRequestError::Lifetime(0)));
    assert_eq!(sign(&REQUEST, 301), Err(SignRequestError::Lifetime(301)));
    let request = RequestToSign { idempotency_key: Some("钥匙"), ..REQUEST };
    assert_eq!(sign(&request, 60), Err(SignRequestError::NotAscii { name: "idempotency-key" }));
    let key =
        SigningKey::new(PrivateKey::generate(&mut OsRandom).unwrap(), SignerId::DEFAULT).unwrap();
    let other = RequestSigner::new(key, &FIXTURE.certificate, &[]);
    assert!(matches!(other, Err(SignRequestError::KeyMismatch)));
}

#[test]
fn a_nonce_is_accepted_once_until_it_expires() {
    let cache = ReplayCache::new(2);
    let key = Sm3Digest::new([1; 32]);
    let other = Sm3Digest::new([2; 32]);
    assert_eq!(cache.insert(&key, "n", 10, 0), ReplayVerdict::Fresh);
    assert_eq!(cache.insert(&key, "n", 10, 10), ReplayVerdict::Replayed);
    assert_eq!(cache.insert(&other, "n", 20, 0), ReplayVerdict::Fresh);
    assert_eq!(cache.insert(&key, "m", 10, 0), ReplayVerdict::Full);
    assert_eq!(cache.insert(&key, "m", 30, 11), ReplayVerdict::Fresh);
    assert_eq!(cache.len(), 2);
    assert_eq!(cache.insert(&key, "n", 30, 21), ReplayVerdict::Fresh);
    assert!(!cache.is_empty());
}

#[test]
fn signature_input_has_one_spelling() {
    let good = format!(
        "sig1=(\"@method\");created=1;expires=2;nonce=\"0123456789abcdef\";alg=\"sm2-sm3\";keyid=\"{}\"",
        "0".repeat(64)
    );
    assert!(SignatureInput::parse(&good).is_ok());
    let bad = [
        good.replace("sig1=", "sig1 ="),
        good.replace("sig1", "Sig1"),
        good.replace(";created", "; created"),
        good.replace("created=1", "created=01"),
        good.replace("created=1", "created=-1"),
        good.replace("created=1", "created=1.0"),
        good.replace("created=1", "created=1234567890123456"),
        good.replace("created=1;", "created=1;created=1;"),
        good.replace("created=1;", ""),
        good.replace("\"@method\"", "\"@method\" \"@method\""),
        good.replace("\"@method\"", "\"@method\"  \"@path\""),
        good.replace("\"@method\"", "\"@method\";req"),
        good.replace("\"@method\"", ""),
        good.replace("@method", "@Method"),
        good.replace("0123456789abcdef", "short"),
        good.replace("0123456789abcdef", "0123456789abcde\\f"),
        good.replace("\"sm2-sm3\"", "sm2-sm3"),
        good.replace("alg=", "tag=\"x\";alg="),
        good.replace(&"0".repeat(64), &"A".repeat(64)),
        good.replace(&"0".repeat(64), "00"),
        format!("{good}, sig2={good}"),
        format!("{good} "),
        String::new(),
        "é".repeat(10),
    ];
    for text in bad {
        assert!(SignatureInput::parse(&text).is_err(), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Any flipped bit of any covered header field, or of the signature itself, is refused.
    #[test]
    fn any_flipped_bit_is_refused(
        name in prop_oneof![
            Just("signature"), Just("signature-input"), Just("changbai-certificate"),
            Just("content-digest"), Just("content-type"), Just("idempotency-key"),
        ],
        position in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let mut headers = signed(&with_body(b"{}"));
        let mut bytes = headers[name].as_bytes().to_vec();
        let position = position.index(bytes.len());
        bytes[position] ^= 1 << bit;
        // Not every byte can travel in a header field; those never reach us.
        let Ok(value) = HeaderValue::from_bytes(&bytes) else { return Ok(()) };
        headers.insert(name, value);
        // White space around a field is not part of its value (RFC 9110 §5.5).
        prop_assume!(bytes.trim_ascii().len() == bytes.len());
        prop_assert!(check(TARGET, &headers).is_err(), "{} byte {} bit {}", name, position, bit);
    }

    #[test]
    fn parsers_never_panic(a in ".{0,200}", b in "[ -~]{0,200}") {
        for text in [&a, &b] {
            let _ = super::parse_signature_fields(text, text, Some(text), text);
            let _ = super::structured::certificate_list(text);
            let _ = super::structured::content_digest(text);
            let _ = super::structured::signature_member(text, "sig1");
        }
    }
}

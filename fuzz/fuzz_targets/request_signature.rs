//! RFC 9421 header fields: each value has one spelling, every list is bounded, a covered line stays one line; and
//! whoever is presented is the holder of the key that signed.
//!
//! Lines: request target, then header fields as `name: value`.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use changbai_api::signature::{
    RequestHead, SignatureFields, Window, content_digest_value, parse_signature_fields, present,
    signature_base,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

/// When the committed seed was signed.
const WINDOW: Window = Window { now_ms: 1_790_000_000_000, started_ms: 1_789_999_000_000 };

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("request_signature"), |data: &[u8]| {
    let mut lines = data.split(|byte| *byte == b'\n');
    let target = lines.next().unwrap_or_default();
    let mut headers = HeaderMap::new();
    for line in lines {
        let mut halves = line.splitn(2, |byte| *byte == b':');
        let (name, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
        let value = HeaderValue::from_bytes(value.trim_ascii());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), value) {
            headers.append(name, value);
        }
    }
    check_fields(&headers);
    let Ok(uri) = Uri::try_from(target) else { return };
    let head = RequestHead { method: &Method::POST, uri: &uri, headers: &headers };
    if let Ok(presented) = present(&head, WINDOW) {
        assert_eq!(presented.keyid, presented.certificate.sm3());
        assert!(presented.expires * 1_000 > WINDOW.now_ms);
        let sent = |name| headers.contains_key(name);
        assert_eq!(presented.content_digest.is_some(), sent("content-digest"));
        assert_eq!(presented.idempotency_key.is_some(), sent("idempotency-key"));
    }
});

fn check_fields(headers: &HeaderMap) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (input, signature) = (text("signature-input"), text("signature"));
    let (digest, chain) = (text("content-digest"), text("changbai-certificate"));
    let (Some(input), Some(signature), Some(chain)) = (input, signature, chain) else { return };
    let Ok(SignatureFields { input: read, signature: bytes, content_digest, certificates }) =
        parse_signature_fields(input, signature, digest, chain)
    else {
        return;
    };
    assert_eq!(format!("{}={}", read.label, read.text), input);
    assert_eq!(format!("{}=:{}:", read.label, STANDARD.encode(bytes)), signature);
    assert_eq!(content_digest.as_ref().map(content_digest_value).as_deref(), digest);
    let members: Vec<_> =
        certificates.iter().map(|der| format!(":{}:", STANDARD.encode(der))).collect();
    assert_eq!(members.join(", "), chain);
    assert!((1..=4).contains(&certificates.len()) && (1..=16).contains(&read.components.len()));
    assert!((16..=64).contains(&read.nonce.len()));
    let lines: Vec<_> = read.components.iter().map(|name| (name.as_str(), "value")).collect();
    let base = signature_base(&lines, &read.text);
    let ends = base.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(ends, lines.len(), "a component or parameter adds a line");
}

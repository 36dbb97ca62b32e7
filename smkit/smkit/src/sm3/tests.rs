#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn vectors(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    ::hex::decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn digests_of_the_standard() {
    let file = vectors(include_str!("../../testdata/sm3.json"));
    let list = file["vectors"].as_array().unwrap();
    assert!(list.len() >= 11);
    for vector in list {
        let message = bytes(&vector["msg"]);
        assert_eq!(sm3(&message).to_string(), vector["digest"].as_str().unwrap());
    }
}

#[test]
fn a_million_letters_a() {
    let file = vectors(include_str!("../../testdata/sm3.json"));
    let expected = file["million_a"]["digest"].as_str().or_else(|| file["million_a"].as_str());
    let mut hasher = Sm3::new();
    for _ in 0..1000 {
        hasher.update(&[b'a'; 1000]);
    }
    assert_eq!(Some(hasher.finalize().to_string().as_str()), expected);
}

#[test]
fn macs_of_the_standard() {
    let file = vectors(include_str!("../../testdata/hmac_sm3.json"));
    for vector in file["vectors"].as_array().unwrap() {
        let (key, message) = (bytes(&vector["key"]), bytes(&vector["msg"]));
        let mac = hmac_sm3(&key, &[&message]);
        assert_eq!(mac.to_string(), vector["mac"].as_str().unwrap());
        assert!(verify_hmac_sm3(&key, &[&message], &mac));
        let mut altered = *mac.as_bytes();
        altered[31] ^= 1;
        assert!(!verify_hmac_sm3(&key, &[&message], &altered.into()));
    }
}

#[test]
fn hmac_key_longer_than_a_block_is_hashed() {
    let key = [7; 65];
    assert_eq!(hmac_sm3(&key, &[b"m"]), hmac_sm3(sm3(&key).as_bytes(), &[b"m"]));
    assert_ne!(hmac_sm3(&[7; 64], &[b"m"]), hmac_sm3(sm3(&[7; 64]).as_bytes(), &[b"m"]));
}

#[test]
fn text_form_is_strict() {
    let digest = sm3(b"abc");
    let text = digest.to_string();
    assert_eq!(text.parse(), Ok(digest));
    assert_eq!(text.to_uppercase().parse(), Ok(digest));
    for wrong in
        ["", &text[..63], &format!("{text}0"), &format!("0x{}", &text[2..]), &"g".repeat(64)]
    {
        assert_eq!(wrong.parse::<Sm3Digest>(), Err(ParseDigestError::Hex), "{wrong}");
    }
    assert_eq!(Sm3Digest::from_slice(&[0; 31]), Err(ParseDigestError::Length { bytes: 31 }));
}

#[cfg(feature = "serde")]
#[test]
fn json_form_is_lower_case_only() {
    let digest = sm3(b"abc");
    let json = serde_json::to_string(&digest).unwrap();
    assert_eq!(json, format!("\"{digest}\""));
    assert_eq!(serde_json::from_str::<Sm3Digest>(&json).unwrap(), digest);
    assert!(serde_json::from_str::<Sm3Digest>(&json.to_uppercase()).is_err());
    assert!(serde_json::from_str::<Sm3Digest>("\"00\"").is_err());
    assert!(serde_json::from_str::<Sm3Digest>("7").is_err());
}

proptest! {
    #[test]
    fn cutting_does_not_matter(message: Vec<u8>, cut in 0usize..300) {
        let (head, tail) = message.split_at(cut.min(message.len()));
        prop_assert_eq!(sm3_parts(&[head, &[], tail]), sm3(&message));
        prop_assert_eq!(sm3_many(&[head, tail]), vec![sm3(head), sm3(tail)]);
        let key = head;
        prop_assert_eq!(hmac_sm3(key, &[head, tail]), hmac_sm3(key, &[&message]));
    }

    #[test]
    fn text_round_trips(bytes: [u8; 32]) {
        let digest = Sm3Digest::new(bytes);
        prop_assert_eq!(digest.to_string().parse(), Ok(digest));
    }
}

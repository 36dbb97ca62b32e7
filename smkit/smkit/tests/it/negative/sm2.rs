//! `sm2_negative.json`, one by one.

use serde_json::Value;
use smkit::sm2::{
    Ciphertext, DecryptError, ExchangeError, Initiator, PrivateKey, PublicKey, Responder,
    Signature, SignerId, VerifyingKey,
};

use super::{array, bytes, cases, on_every_path, valid};
use crate::cases::Fixed;

pub(super) const FILE: &str = include_str!("../../../testdata/sm2_negative.json");

#[test]
fn every_vector() {
    let cases = cases(FILE);
    on_every_path(|path| {
        for case in &cases {
            assert_eq!(accepted(case), valid(case), "{path}: {case}");
        }
    });
}

/// Whether the case is accepted, with the outputs it names.
fn accepted(case: &Value) -> bool {
    match case["group"].as_str().unwrap() {
        "signature_raw" | "signature_der" => signature(case),
        "public_key" => PublicKey::from_sec1(&bytes(&case["public"])).is_ok(),
        "public_key_compressed" => compressed(case),
        "private_key" => {
            let read = PrivateKey::from_bytes(&array(&case["private"]));
            read.is_ok_and(|key| {
                assert_eq!(key.public_key().to_sec1().to_vec(), bytes(&case["public"]), "{case}");
                true
            })
        }
        "private_key_sec1" => key_file(case, "private", PrivateKey::from_sec1_der),
        "private_key_pkcs8" => key_file(case, "private", PrivateKey::from_pkcs8_der),
        "enveloped_key" => {
            let recipient = PrivateKey::from_bytes(&array(&case["private"])).unwrap();
            key_file(case, "key", |der| recipient.open_enveloped_der(der))
        }
        "ciphertext_c1c3c2" => decrypts(case, Ciphertext::from_c1c3c2),
        "ciphertext_c1c2c3_legacy" => decrypts(case, Ciphertext::from_legacy_c1c2c3),
        "ciphertext_der" => decrypts(case, Ciphertext::from_der),
        "key_exchange" => exchange(case),
        other => panic!("unknown group {other}"),
    }
}

/// By a key that is new, and by one that has verified often enough to have its table.
fn signature(case: &Value) -> bool {
    let (new, known, message) = (key(case), key(case), bytes(&case["message"]));
    parsed(case).is_some_and(|signature| {
        for _ in 0..USES_OF_A_KNOWN_KEY {
            let _ = known.verify(b"", &signature);
        }
        let verdict = new.verify(&message, &signature).is_ok();
        assert_eq!(known.verify(&message, &signature).is_ok(), verdict, "known key: {case}");
        verdict
    })
}

/// The signature of a case, if it is one at all.
pub(super) fn parsed(case: &Value) -> Option<Signature> {
    let signature = bytes(&case["signature"]);
    if case["group"] == "signature_der" {
        Signature::from_der(&signature).ok()
    } else {
        Signature::from_bytes(signature.try_into().ok()?).ok()
    }
}

pub(super) fn key(case: &Value) -> VerifyingKey {
    let public = PublicKey::from_sec1(&bytes(&case["public"])).unwrap();
    VerifyingKey::new(public, SignerId::new(bytes(&case["signer_id"])).unwrap()).unwrap()
}

fn compressed(case: &Value) -> bool {
    let compressed = bytes(&case["compressed"]);
    PublicKey::from_compressed(&compressed).is_ok_and(|key| {
        assert_eq!(key.to_sec1().to_vec(), bytes(&case["public"]), "{case}");
        assert_eq!(key.to_compressed().to_vec(), compressed, "{case}");
        true
    })
}

fn key_file<E>(
    case: &Value,
    field: &str,
    read: impl FnOnce(&[u8]) -> Result<PrivateKey, E>,
) -> bool {
    read(&bytes(&case["der"])).is_ok_and(|key| {
        assert_eq!(key.to_bytes().to_vec(), bytes(&case[field]), "{case}");
        true
    })
}

fn decrypts(case: &Value, read: fn(&[u8]) -> Result<Ciphertext, DecryptError>) -> bool {
    let private = PrivateKey::from_bytes(&array(&case["private"])).unwrap();
    let read = read(&bytes(&case["ciphertext"]));
    read.and_then(|read| private.decrypt(&read)).is_ok_and(|message| {
        assert_eq!(*message, bytes(&case["message"]), "{case}");
        true
    })
}

fn exchange(case: &Value) -> bool {
    let result = match case["role"].as_str().unwrap() {
        "initiator" => initiator(case),
        "responder" => responder(case),
        other => panic!("unknown role {other}"),
    };
    result.is_ok_and(|[key, own]| {
        assert_eq!(key, bytes(&case["key"]), "{case}");
        assert_eq!(own, bytes(&case["own_confirmation"]), "{case}");
        true
    })
}

/// The key, and SA.
fn initiator(case: &Value) -> Result<[Vec<u8>; 2], ExchangeError> {
    let (own, id, peer, ephemeral, length) = sides(case);
    let initiator = Initiator::new(&own, id, peer, &mut Fixed::new(array(&case["r"])))?;
    let (key, own) = initiator.confirm(&ephemeral, &array(&case["confirmation"]), length)?;
    Ok([key.to_vec(), own.to_vec()])
}

/// The key, and SB.
fn responder(case: &Value) -> Result<[Vec<u8>; 2], ExchangeError> {
    let (own, id, peer, ephemeral, length) = sides(case);
    let random = &mut Fixed::new(array(&case["r"]));
    let responder = Responder::new(&own, id, &peer, &ephemeral, length, random)?;
    let own = responder.confirmation().to_vec();
    Ok([responder.confirm(&array(&case["confirmation"]))?.to_vec(), own])
}

fn sides(case: &Value) -> (PrivateKey, SignerId, VerifyingKey, PublicKey, usize) {
    let id = |field: &str| SignerId::new(bytes(&case[field])).unwrap();
    let public = |field: &str| PublicKey::from_sec1(&bytes(&case[field])).unwrap();
    let own = PrivateKey::from_bytes(&array(&case["d"])).unwrap();
    let peer = VerifyingKey::new(public("peer_public"), id("peer_id")).unwrap();
    let length = usize::try_from(case["key_bytes"].as_u64().unwrap()).unwrap();
    (own, id("own_id"), peer, public("peer_ephemeral"), length)
}

pub(super) const USES_OF_A_KNOWN_KEY: usize = 12;

//! What the tests of this module share, and the negative set over everything in it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use serde_json::Value;

use super::*;
use crate::random::{Random, RandomError};

pub(super) fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

pub(super) fn private_key(value: &Value) -> PrivateKey {
    PrivateKey::from_bytes(&bytes(value).try_into().unwrap()).unwrap()
}

/// SM3 of a counter: a random source that repeats.
pub(super) struct Counting(pub(super) u64);

impl Random for Counting {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(32) {
            self.0 = self.0.wrapping_add(1);
            let digest = crate::sm3(&self.0.to_be_bytes());
            chunk.copy_from_slice(&digest.as_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// Whether one case of the set is accepted, with the outputs it names.
fn accepted(case: &Value) -> bool {
    let signature = |read: fn(&[u8]) -> Option<Signature>| {
        let public = PublicKey::from_sec1(&bytes(&case["public"])).unwrap();
        let id = SignerId::new(bytes(&case["signer_id"])).unwrap();
        let key = VerifyingKey::new(public, id).unwrap();
        let message = bytes(&case["message"]);
        read(&bytes(&case["signature"])).is_some_and(|signature| {
            let single = key.verify(&message, &signature).is_ok();
            let claim = Unverified { key: &key, message: &message, signature: &signature };
            for result in verify_many(&[claim; 9]) {
                assert_eq!(result.is_ok(), single, "batch differs from single: {case}");
            }
            single
        })
    };
    let decrypts = |read: fn(&[u8]) -> Result<Ciphertext, DecryptError>| {
        let private = private_key(&case["private"]);
        read(&bytes(&case["ciphertext"])).and_then(|read| private.decrypt(&read)).is_ok_and(
            |message| {
                assert_eq!(*message, bytes(&case["message"]), "{case}");
                true
            },
        )
    };
    match case["group"].as_str().unwrap() {
        "signature_raw" => signature(|raw| Signature::from_bytes(raw.try_into().ok()?).ok()),
        "signature_der" => signature(|der| Signature::from_der(der).ok()),
        "public_key" => PublicKey::from_sec1(&bytes(&case["public"])).is_ok(),
        "public_key_compressed" => {
            let compressed = bytes(&case["compressed"]);
            PublicKey::from_compressed(&compressed).is_ok_and(|key| {
                assert_eq!(key.to_sec1().to_vec(), bytes(&case["public"]), "{case}");
                assert_eq!(key.to_compressed().to_vec(), compressed, "{case}");
                true
            })
        }
        "private_key" => {
            let d = bytes(&case["private"]).try_into().unwrap();
            PrivateKey::from_bytes(&d).is_ok_and(|key| {
                assert_eq!(key.public_key().to_sec1().to_vec(), bytes(&case["public"]), "{case}");
                true
            })
        }
        "ciphertext_c1c3c2" => decrypts(Ciphertext::from_c1c3c2),
        "ciphertext_c1c2c3_legacy" => decrypts(Ciphertext::from_legacy_c1c2c3),
        "ciphertext_der" => decrypts(Ciphertext::from_der),
        other => panic!("unknown group {other}"),
    }
}

#[test]
fn the_negative_set() {
    let set: Value =
        serde_json::from_str(include_str!("../../testdata/sm2_negative.json")).unwrap();
    let tests = set["tests"].as_array().unwrap();
    assert_eq!(u64::try_from(tests.len()).unwrap(), set["cases"].as_u64().unwrap());
    for case in tests {
        assert_eq!(accepted(case), case["result"] == "valid", "{case}");
    }
}

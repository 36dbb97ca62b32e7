#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod der;
mod keys;

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::sm2::group::Scalar;

static VECTORS: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../testdata/sm2.json")).unwrap());

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn raw_signature(vector: &Value) -> [u8; 64] {
    [bytes(&vector["r"]), bytes(&vector["s"])].concat().try_into().unwrap()
}

fn private_key() -> PrivateKey {
    PrivateKey::from_bytes(&array(&VECTORS["sign"][0]["d"])).unwrap()
}

fn signing_key() -> SigningKey {
    SigningKey::new(private_key(), SignerId::DEFAULT).unwrap()
}

/// Every intermediate of the standard's example and of four other identities: ZA, e, (r, s) for the given k, DER.
#[test]
fn signatures_of_the_standard() {
    let list = VECTORS["sign"].as_array().unwrap();
    assert_eq!(list.len(), 5);
    for vector in list {
        let id = SignerId::new(bytes(&vector["id"])).unwrap();
        let key =
            SigningKey::new(PrivateKey::from_bytes(&array(&vector["d"])).unwrap(), id).unwrap();
        let verifying = key.verifying_key();
        let message = bytes(&vector["msg"]);
        let signature = Signature::from_bytes(raw_signature(vector)).unwrap();
        let digest = verifying.message_digest(&message);

        assert_eq!(verifying.za().to_string(), vector["za"]);
        assert_eq!(digest.to_string(), vector["e"]);
        let with_k = key.attempt(
            &Scalar::reduce(digest.as_bytes()),
            &Scalar::from_bytes(&array(&vector["k"])).unwrap(),
        );
        assert_eq!(with_k, Some(signature));
        assert_eq!(signature.to_der(), bytes(&vector["der"]));
        assert_eq!(Signature::from_der(&bytes(&vector["der"])), Ok(signature));
        assert_eq!(verifying.verify(&message, &signature), Ok(()));
        if let Some(public) = vector.get("pub") {
            assert_eq!(verifying.public_key().to_sec1().to_vec(), bytes(public));
        }
    }
}

#[test]
fn negatives_of_the_standard() {
    let list = VECTORS["verify_negative"].as_array().unwrap();
    assert_eq!(list.len(), 5);
    for vector in list {
        let id = vector.get("id").map_or(SignerId::DEFAULT, |id| SignerId::new(bytes(id)).unwrap());
        let public = PublicKey::from_sec1(&bytes(&vector["pub"])).unwrap();
        let key = VerifyingKey::new(public, id).unwrap();
        let accepted = Signature::from_bytes(raw_signature(vector))
            .is_ok_and(|signature| key.verify(&bytes(&vector["msg"]), &signature).is_ok());
        assert!(!accepted, "{}", vector["why"]);
    }
}

#[test]
fn signing_is_deterministic_and_depends_on_everything() {
    let key = signing_key();
    let tls = SigningKey::new(private_key(), SignerId::TLS13).unwrap();
    assert_eq!(key.sign(b"m"), key.sign(b"m"));
    assert_ne!(key.sign(b"m"), key.sign(b"n"));
    assert_ne!(key.sign(b"m"), tls.sign(b"m"));
    assert_eq!(tls.verifying_key().verify(b"m", &key.sign(b"m")), Err(InvalidSignature));
}

/// The same deterministic signatures as RustCrypto's own signer, which shares the nonce rule but not our code.
#[test]
fn equals_the_reference_implementation() {
    use ::sm2::dsa::signature::Signer;
    let reference =
        ::sm2::dsa::SigningKey::from_slice("1234567812345678", private_key().to_bytes().as_ref())
            .unwrap();
    for length in [0_usize, 1, 31, 64, 1000] {
        let message = vec![0x5a; length];
        let expected: ::sm2::dsa::Signature = reference.sign(&message);
        assert_eq!(signing_key().sign(&message).to_bytes(), <[u8; 64]>::from(expected.to_bytes()));
    }
}

#[test]
fn batches_name_the_invalid_ones() {
    let key = signing_key();
    let messages: Vec<Vec<u8>> = (0_u8..9).map(|n| vec![n; usize::from(n)]).collect();
    let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let signatures = sign_many(&key, &slices);
    let batch: Vec<_> = slices
        .iter()
        .enumerate()
        .map(|(index, message)| {
            let signature = &signatures[if index == 4 { 3 } else { index }];
            Unverified { key: key.verifying_key(), message, signature }
        })
        .collect();
    let invalid: Vec<_> = verify_many(&batch)
        .iter()
        .enumerate()
        .filter_map(|(index, result)| result.is_err().then_some(index))
        .collect();
    assert_eq!(invalid, [4]);
    assert!(verify_many(&[]).is_empty());

    // t = 0 is out before there is a point; its neighbours must keep their own verdicts.
    let mut t_is_0 = signatures[0].to_bytes();
    let (r, s) = t_is_0.split_at_mut(32);
    s.copy_from_slice(&Scalar::reduce(&<[u8; 32]>::try_from(&*r).unwrap()).neg().to_bytes());
    let t_is_0 = Signature::from_bytes(t_is_0).unwrap();
    let verdicts: Vec<_> = [&t_is_0, &signatures[0], &t_is_0, &signatures[1], &signatures[0]]
        .map(|signature| Unverified { key: key.verifying_key(), message: b"", signature })
        .to_vec();
    let verdicts: Vec<_> = verify_many(&verdicts).iter().map(Result::is_ok).collect();
    assert_eq!(verdicts, [false, true, false, false, true]);
}

/// A key that signs often gets its own table; the verdicts must not change when it appears.
#[test]
fn many_verifications_with_one_key_agree() {
    let key = signing_key();
    for round in 0..40_u8 {
        let good = key.sign(&[round]);
        assert_eq!(key.verifying_key().verify(&[round], &good), Ok(()), "round {round}");
        assert_eq!(
            key.verifying_key().verify(&[round, 0], &good),
            Err(InvalidSignature),
            "round {round}"
        );
    }
}

#[test]
fn secrets_stay_out_of_debug() {
    let private = private_key();
    let secret = hex::encode(private.to_bytes().as_ref());
    let shown = format!("{private:?} {:?}", signing_key());
    assert!(!shown.contains(&secret[..8]), "{shown}");
}

#[test]
fn identities_are_bounded() {
    assert!(SignerId::new(vec![0; SignerId::BYTES_MAX]).is_ok());
    assert_eq!(
        SignerId::new(vec![0; SignerId::BYTES_MAX + 1]),
        Err(SignerIdTooLong { bytes: 8192 })
    );
    assert_eq!(SignerId::new(*b"1234567812345678").unwrap(), SignerId::DEFAULT);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_flipped_bit_is_rejected(message: Vec<u8>, flip: prop::sample::Index) {
        let key = signing_key();
        let signature = key.sign(&message);
        prop_assert_eq!(key.verifying_key().verify(&message, &signature), Ok(()));

        let mut raw = signature.to_bytes();
        let bit = flip.index(512);
        raw[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(Signature::from_bytes(raw)
            .map_or(true, |altered| key.verifying_key().verify(&message, &altered).is_err()));

        let mut der = signature.to_der();
        let bit = flip.index(der.len() * 8);
        der[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(Signature::from_der(&der)
            .map_or(true, |altered| key.verifying_key().verify(&message, &altered).is_err()));

        if !message.is_empty() {
            let mut altered = message;
            let bit = flip.index(altered.len() * 8);
            altered[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(key.verifying_key().verify(&altered, &signature).is_err());
        }
    }

    #[test]
    fn any_key_signs_and_verifies(secret: [u8; 32], message: Vec<u8>, id in prop::collection::vec(any::<u8>(), 0..40)) {
        prop_assume!(PrivateKey::from_bytes(&secret).is_ok());
        let private = PrivateKey::from_bytes(&secret).unwrap();
        let key = SigningKey::new(private, SignerId::new(id).unwrap()).unwrap();
        let signature = key.sign(&message);
        prop_assert_eq!(key.verifying_key().verify(&message, &signature), Ok(()));
        let again = Signature::from_der(&signature.to_der());
        prop_assert_eq!(again, Ok(signature));
    }
}

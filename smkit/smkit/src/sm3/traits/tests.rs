#![allow(clippy::unwrap_used, reason = "tests")]

use digest::Digest;
use hmac::{KeyInit, Mac};
use proptest::prelude::*;

use super::*;

/// Code that knows nothing but the trait.
fn digest_in_pieces<D: Digest>(pieces: &[Vec<u8>]) -> Vec<u8> {
    let mut hasher = D::new();
    pieces.iter().for_each(|piece| hasher.update(piece));
    hasher.finalize().to_vec()
}

fn bytes(output: Output<Sm3>) -> [u8; 32] {
    output.into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn generic_code_hashes_alike(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..150), 0..6),
    ) {
        prop_assert_eq!(digest_in_pieces::<Sm3>(&pieces), digest_in_pieces::<::sm3::Sm3>(&pieces));
    }

    #[test]
    fn a_reset_hasher_is_a_new_one(first: Vec<u8>, second: Vec<u8>) {
        let mut hasher = Sm3::new();
        Update::update(&mut hasher, &first);
        prop_assert_eq!(bytes(hasher.finalize_fixed_reset()), *crate::sm3(&first).as_bytes());
        Update::update(&mut hasher, &second);
        prop_assert_eq!(bytes(hasher.finalize_fixed()), *crate::sm3(&second).as_bytes());
    }

    #[test]
    fn hmac_over_our_hash_is_our_hmac(key: Vec<u8>, message: Vec<u8>) {
        let mut generic = hmac::Hmac::<Sm3>::new_from_slice(&key).unwrap();
        Mac::update(&mut generic, &message);
        let code = bytes(generic.finalize().into_bytes());
        prop_assert_eq!(code, *crate::hmac_sm3(&key, &[&message]).as_bytes());

        let mut simple = hmac::SimpleHmac::<Sm3>::new_from_slice(&key).unwrap();
        Mac::update(&mut simple, &message);
        prop_assert!(simple.verify_slice(&code).is_ok());
    }

    #[test]
    fn a_hasher_survives_being_taken_apart(first: Vec<u8>, second: Vec<u8>) {
        let mut hasher = Sm3::new();
        Update::update(&mut hasher, &first);
        let (core, buffer) = hasher.decompose();
        let mut hasher = Sm3::compose(core, buffer);
        Update::update(&mut hasher, &second);
        prop_assert_eq!(hasher.finalize(), crate::sm3(&[first, second].concat()));
    }
}

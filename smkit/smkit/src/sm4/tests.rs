#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use serde_json::Value;

use super::*;

mod modes;

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn gcm_of_rfc_8998() {
    let file: Value = serde_json::from_str(include_str!("../../testdata/sm4.json")).unwrap();
    for vector in file["gcm"].as_array().unwrap() {
        let gcm = Gcm::new(&Key::from_slice(&bytes(&vector["key"])).unwrap());
        let nonce = bytes(&vector["iv"]).try_into().unwrap();
        let (aad, plain) = (bytes(&vector["aad"]), bytes(&vector["pt"]));
        let mut data = plain.clone();
        gcm.seal_in_place(&nonce, &aad, &mut data).unwrap();
        let expected = [bytes(&vector["ct"]), bytes(&vector["tag"])].concat();
        assert_eq!(data, expected);
        gcm.open_in_place(&nonce, &aad, &mut data).unwrap();
        assert_eq!(data, plain);
    }
}

#[test]
fn keys_have_sixteen_bytes() {
    for length in [0, 15, 17, 24, 32] {
        assert_eq!(
            Key::from_slice(&vec![0; length]).err(),
            Some(Sm4Error::KeyLength { bytes: length })
        );
    }
}

#[test]
fn shorter_than_a_tag_is_refused() {
    let gcm = Gcm::new(&Key::from_bytes([1; 16]));
    for length in 0..TAG_BYTES {
        let mut data = vec![0; length];
        assert_eq!(gcm.open_in_place(&[0; 12], b"", &mut data), Err(Sm4Error::Authentication));
    }
}

#[test]
fn debug_shows_no_key() {
    let key = Key::from_bytes([0xab; 16]);
    let shown = format!("{key:?} {:?}", Gcm::new(&key));
    assert!(!shown.contains("171") && !shown.to_lowercase().contains("ab"), "{shown}");
}

proptest! {
    #[test]
    fn round_trips_and_any_flipped_bit_is_refused(
        key: [u8; 16], nonce: [u8; 12], aad: Vec<u8>, plain: Vec<u8>, flip: prop::sample::Index,
    ) {
        let gcm = Gcm::new(&Key::from_bytes(key));
        let mut sealed = plain.clone();
        gcm.seal_in_place(&nonce, &aad, &mut sealed).unwrap();
        prop_assert_eq!(sealed.len(), plain.len() + TAG_BYTES);

        let bit = flip.index(sealed.len() * 8);
        let mut altered = sealed.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let before = altered.clone();
        prop_assert_eq!(gcm.open_in_place(&nonce, &aad, &mut altered), Err(Sm4Error::Authentication));
        prop_assert_eq!(altered, before, "refused data must not change");

        let mut other_aad = aad.clone();
        other_aad.push(0);
        prop_assert!(gcm.open_in_place(&nonce, &other_aad, &mut sealed.clone()).is_err());
        let mut other_nonce = nonce;
        other_nonce[flip.index(12)] ^= 1;
        prop_assert!(gcm.open_in_place(&other_nonce, &aad, &mut sealed.clone()).is_err());

        gcm.open_in_place(&nonce, &aad, &mut sealed).unwrap();
        prop_assert_eq!(sealed, plain);
    }
}

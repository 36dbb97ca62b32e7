#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use proptest::prelude::*;
use serde_json::Value;

use ::sm3::Digest as _;

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

#[test]
fn every_length_around_the_block_borders() {
    let data: Vec<u8> = (0..400u32).map(|at| (at * 7) as u8).collect();
    for length in 0..data.len() {
        let message = &data[..length];
        assert_eq!(sm3(message), oracle(message), "{length}");
        let (head, body) = message.split_at(length / 3);
        assert_eq!(sm3_parts(&[head, body]), oracle(message), "{length}");
    }
}

#[test]
fn extreme_blocks_and_states_on_the_kernel() {
    for word in [0, 1, 0x8000_0000, u32::MAX] {
        for byte in [0, 1, 0x80, 0xff] {
            let (mut fast, mut slow) = ([word; 8], [word; 8]);
            let blocks = [[byte; BLOCK]; 3];
            compress(&mut fast, &blocks);
            compress::compress_portable(&mut slow, &blocks);
            assert_eq!(fast, slow);
        }
    }
}

#[test]
fn keys_from_passwords_of_the_vectors() {
    let file = vectors(include_str!("../../testdata/hmac_sm3.json"));
    let list = file["pbkdf2_hmac_sm3"].as_array().unwrap();
    assert!(!list.is_empty());
    for vector in list {
        let iterations = u32::try_from(vector["iter"].as_u64().unwrap()).unwrap();
        let expected = bytes(&vector["dk"]);
        let mut key = vec![0; usize::try_from(vector["dklen"].as_u64().unwrap()).unwrap()];
        kdf::pbkdf2(
            &bytes(&vector["password"]),
            &bytes(&vector["salt"]),
            iterations.try_into().unwrap(),
            &mut key,
        )
        .unwrap();
        assert_eq!(key, expected);
    }
}

#[test]
fn expansion_follows_rfc_5869() {
    let key = kdf::hkdf_extract(b"salt", b"secret");
    assert_eq!(key, hmac_sm3(b"salt", &[b"secret"]));
    let mut out = [0; 80];
    kdf::hkdf_expand(key.as_bytes(), b"info", &mut out).unwrap();
    let first = hmac_sm3(key.as_bytes(), &[b"info", &[1]]);
    let second = hmac_sm3(key.as_bytes(), &[first.as_bytes(), b"info", &[2]]);
    let third = hmac_sm3(key.as_bytes(), &[second.as_bytes(), b"info", &[3]]);
    assert_eq!(out[..32], *first.as_bytes());
    assert_eq!(out[32..64], *second.as_bytes());
    assert_eq!(out[64..], third.as_bytes()[..16]);
    let too_long = &mut [0; 255 * 32 + 1];
    assert_eq!(kdf::hkdf_expand(key.as_bytes(), b"", too_long), Err(kdf::OutputTooLong));
    assert!(kdf::hkdf_expand(key.as_bytes(), b"", &mut too_long[1..]).is_ok());
}

#[test]
fn derivation_counts_from_one() {
    let mut out = [0; 40];
    kdf::gbt32918(&[b"x2", b"y2"], &mut out).unwrap();
    assert_eq!(out[..32], *sm3(b"x2y2\0\0\0\x01").as_bytes());
    assert_eq!(out[32..], sm3(b"x2y2\0\0\0\x02").as_bytes()[..8]);
}

#[cfg(feature = "rustcrypto")]
#[test]
fn traits_of_rustcrypto() {
    fn with<D: ::digest::Digest + ::digest::FixedOutputReset>(bytes: &[u8]) -> [Vec<u8>; 2] {
        let mut hasher = D::new_with_prefix(bytes);
        let first = hasher.finalize_reset().to_vec();
        ::digest::Digest::update(&mut hasher, bytes);
        [first, hasher.finalize().to_vec()]
    }
    assert_eq!(with::<Sm3>(b"abc"), [sm3(b"abc").as_ref(), sm3(b"abc").as_ref()]);
}

fn oracle(message: &[u8]) -> Sm3Digest {
    Sm3Digest::new(::sm3::Sm3::digest(message).into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn stream_agrees_with_rustcrypto(message in proptest::collection::vec(any::<u8>(), 0..1200)) {
        prop_assert_eq!(sm3(&message), oracle(&message));
    }

    #[test]
    fn kernel_agrees_with_the_portable_path(
        start: [u32; 8],
        message in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let (blocks, _) = message.as_chunks::<BLOCK>();
        let (mut fast, mut slow) = (start, start);
        compress(&mut fast, blocks);
        compress::compress_portable(&mut slow, blocks);
        prop_assert_eq!(fast, slow);
    }

    #[test]
    fn pieces_of_any_size(message in proptest::collection::vec(any::<u8>(), 0..600), piece in 1usize..150) {
        let mut hasher = Sm3::new();
        message.chunks(piece).for_each(|piece| hasher.update(piece));
        prop_assert_eq!(hasher.finalize(), oracle(&message));
    }

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

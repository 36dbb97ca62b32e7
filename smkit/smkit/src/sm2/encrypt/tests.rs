#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::sm2::vectors::{Counting, bytes, private_key};

static SM2: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../testdata/sm2.json")).unwrap());
static ENVELOPE: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../testdata/sm2_enveloped_key.json")).unwrap()
});

/// GB/T 32918.5-2017 annex C with its k, in all three encodings.
#[test]
fn encryption_of_the_standard() {
    let list = SM2["encrypt"].as_array().unwrap();
    assert_eq!(list.len(), 1);
    for vector in list {
        let private = private_key(&vector["d"]);
        let message = bytes(&vector["msg"]);
        let k = Scalar::from_bytes(&bytes(&vector["k"]).try_into().unwrap()).unwrap();
        let ciphertext = private.public_key().encrypt_with(&message, &k).unwrap();
        assert_eq!(ciphertext.to_c1c3c2(), bytes(&vector["c1c3c2"]));
        assert_eq!(ciphertext.to_der(), bytes(&vector["gmt0009_der"]));
        assert_eq!(ciphertext.message_bytes(), message.len());
        for read in [
            Ciphertext::from_c1c3c2(&bytes(&vector["c1c3c2"])),
            Ciphertext::from_legacy_c1c2c3(&bytes(&vector["c1c2c3_legacy"])),
            Ciphertext::from_der(&bytes(&vector["gmt0009_der"])),
        ] {
            assert_eq!(read, Ok(ciphertext.clone()));
            assert_eq!(*private.decrypt(&read.unwrap()).unwrap(), message);
        }
    }
}

/// Tongsuo's samples, one with a coordinate of 31 bytes; the keys are PKCS#8.
#[test]
fn decryption_of_a_peer() {
    let list = SM2["decrypt"].as_array().unwrap();
    assert_eq!(list.len(), 2);
    for vector in list {
        let base64 = vector["pkcs8_b64"].as_str().unwrap();
        let lines: Vec<_> =
            base64.as_bytes().chunks(64).map(|l| str::from_utf8(l).unwrap()).collect();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            lines.join("\n")
        );
        let private = PrivateKey::from_pkcs8_pem(&pem).unwrap();
        let ciphertext = Ciphertext::from_der(&bytes(&vector["der"])).unwrap();
        assert_eq!(ciphertext.to_der(), bytes(&vector["der"]));
        let message = private.decrypt(&ciphertext).unwrap();
        assert_eq!(*message, vector["msg_utf8"].as_str().unwrap().as_bytes());
    }
}

#[test]
fn enveloped_key_of_the_vector() {
    let signing = private_key(&ENVELOPE["signing_private_key"]);
    let encryption = private_key(&ENVELOPE["encryption_private_key"]);
    let der = bytes(&ENVELOPE["der"]);
    let opened = signing.open_enveloped_der(&der).unwrap();
    assert_eq!(opened.to_bytes(), encryption.to_bytes());
    assert!(encryption.open_enveloped_der(&der).is_err(), "for another key");

    let own = encryption.to_enveloped_der(signing.public_key(), &mut Counting(3)).unwrap();
    assert_eq!(signing.open_enveloped_der(&own).unwrap().to_bytes(), encryption.to_bytes());
    assert_ne!(own, der);
    for bit in 0..der.len() * 8 {
        let mut altered = der.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        // 104.1 for 104.x is no change of content: only the identifiers in the list are accepted.
        assert!(signing.open_enveloped_der(&altered).is_err(), "bit {bit}");
    }
    for end in 0..der.len() {
        assert!(signing.open_enveloped_der(&der[..end]).is_err());
    }
    assert!(signing.open_enveloped_der(&[&der[..], &[0]].concat()).is_err());
}

#[test]
fn lengths_at_the_edges() {
    let private = private_key(&SM2["encrypt"][0]["d"]);
    let public = private.public_key();
    for length in [1usize, 2, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 65_536] {
        let message: Vec<u8> = (0..length).map(|index| index.to_le_bytes()[0]).collect();
        let ciphertext = public.encrypt(&message, &mut Counting(length as u64)).unwrap();
        assert_eq!(Ciphertext::from_der(&ciphertext.to_der()).as_ref(), Ok(&ciphertext));
        assert_eq!(Ciphertext::from_c1c3c2(&ciphertext.to_c1c3c2()).as_ref(), Ok(&ciphertext));
        assert_eq!(*private.decrypt(&ciphertext).unwrap(), message);
    }
    for bytes in [0, Ciphertext::MESSAGE_BYTES_MAX + 1] {
        let refused = public.encrypt(&vec![0; bytes], &mut Counting(1));
        assert_eq!(refused, Err(EncryptError::MessageLength { bytes }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_is_encrypted_is_decrypted_and_any_flipped_bit_is_not(
        message in proptest::collection::vec(any::<u8>(), 1..100),
        seed: u64,
        place: prop::sample::Index,
    ) {
        let private = PrivateKey::generate(&mut Counting(seed)).unwrap();
        let ciphertext = private.public_key().encrypt(&message, &mut Counting(!seed)).unwrap();
        prop_assert_eq!(&*private.decrypt(&ciphertext).unwrap(), &message);
        let mut altered = ciphertext.to_c1c3c2();
        let bit = place.index(altered.len() * 8);
        altered[bit / 8] ^= 1 << (bit % 8);
        let opened = Ciphertext::from_c1c3c2(&altered).and_then(|altered| private.decrypt(&altered));
        prop_assert!(opened.is_err());
    }

    #[test]
    fn foreign_bytes_never_panic(bytes: Vec<u8>) {
        let private = PrivateKey::from_bytes(&[1; 32]).unwrap();
        let _ = Ciphertext::from_c1c3c2(&bytes);
        let _ = Ciphertext::from_legacy_c1c2c3(&bytes);
        let _ = Ciphertext::from_der(&bytes);
        let _ = private.open_enveloped_der(&bytes);
        let _ = PrivateKey::from_sec1_der(&bytes);
        let _ = PrivateKey::from_sec1_pem(&String::from_utf8_lossy(&bytes));
        let _ = PrivateKey::from_encrypted_pkcs8_der(&bytes, b"");
        let _ = PublicKey::from_compressed(&bytes);
    }
}

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::sm2::vectors::{Counting, bytes, private_key};

static GMSSL: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../testdata/x509_gmssl.json")).unwrap()
});

fn key() -> PrivateKey {
    private_key(&GMSSL["keys_d"]["ssign"])
}

#[test]
fn encrypted_key_of_gmssl() {
    let der = bytes(&GMSSL["encrypted_pkcs8_der"]["ssign"]);
    let password = GMSSL["password"].as_str().unwrap().as_bytes();
    let read = PrivateKey::from_encrypted_pkcs8_der(&der, password).unwrap();
    assert_eq!(read.to_bytes(), key().to_bytes());
    let plain = decrypt(&der, password).unwrap();
    assert_eq!(*plain, bytes(&GMSSL["plain_pkcs8_der"]["ssign"]));
    for wrong in [b"".as_slice(), b"P@ssw0rD", b"P@ssw0rd "] {
        let refused = PrivateKey::from_encrypted_pkcs8_der(&der, wrong);
        assert_eq!(refused.err(), Some(KeyFileError::EncryptedPkcs8));
    }
    assert!(PrivateKey::from_encrypted_pkcs8_der(&[&der[..], &[0]].concat(), password).is_err());
    for end in 0..der.len() {
        assert!(PrivateKey::from_encrypted_pkcs8_der(&der[..end], password).is_err());
    }
}

/// Same structure and length as GmSSL's file: only salt, IV and ciphertext differ.
#[test]
fn encrypted_keys_round_trip() {
    let der = key().to_encrypted_pkcs8_der(b"secret", &mut Counting(1)).unwrap();
    let gmssl = bytes(&GMSSL["encrypted_pkcs8_der"]["ssign"]);
    assert_eq!(der.len(), gmssl.len());
    let read = PrivateKey::from_encrypted_pkcs8_der(&der, b"secret").unwrap();
    assert_eq!(read.to_bytes(), key().to_bytes());
    let pem = key().to_encrypted_pkcs8_pem(b"secret", &mut Counting(1)).unwrap();
    assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    let read = PrivateKey::from_encrypted_pkcs8_pem(&pem, b"secret").unwrap();
    assert_eq!(read.to_bytes(), key().to_bytes());
    assert!(PrivateKey::from_encrypted_pkcs8_pem(&pem, b"Secret").is_err());
}

#[test]
fn the_rounds_are_bounded() {
    let der = encode(&[1; 16], &[2; 16], &[0; 32]);
    let rounds = asn1::unsigned(&PBKDF2_ROUNDS.to_be_bytes());
    let at = der.windows(rounds.len()).position(|window| window == rounds.as_slice()).unwrap();
    let mut endless = der;
    endless[at + 2..at + 5].copy_from_slice(&[0x7f, 0xff, 0xff]);
    assert_eq!(decrypt(&endless, b""), None);
}

#[test]
fn sec1_keys_round_trip_and_are_strict() {
    let key = key();
    let der = key.to_sec1_der();
    assert_eq!(PrivateKey::from_sec1_der(&der).unwrap().to_bytes(), key.to_bytes());
    let pem = key.to_sec1_pem();
    assert!(pem.starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
    assert_eq!(PrivateKey::from_sec1_pem(&pem).unwrap().to_bytes(), key.to_bytes());
    let crlf = pem.replace('\n', "\r\n");
    assert_eq!(PrivateKey::from_sec1_pem(&crlf).unwrap().to_bytes(), key.to_bytes());
    for bit in 0..der.len() * 8 {
        let mut altered = der.to_vec();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(PrivateKey::from_sec1_der(&altered).is_err(), "bit {bit}");
    }
    // The inner key of PKCS#8 is ECPrivateKey without the curve.
    let plain = bytes(&GMSSL["plain_pkcs8_der"]["ssign"]);
    let inner = &plain[plain.len() - 0x6d..];
    assert_eq!(PrivateKey::from_sec1_der(inner).unwrap().to_bytes(), key.to_bytes());
    for bad in [
        pem.replace("EC PRIVATE", "PRIVATE"),
        pem.replace("-----END EC", "-----END DC"),
        format!(" {}", *pem),
        pem.replacen('\n', "\nProc-Type: 4,ENCRYPTED\n", 1),
        pem.replacen("\nM", "\n M", 1),
        pem.replacen("\nM", "\n=", 1),
        pem.lines().take(3).collect::<Vec<_>>().join("\n"),
        String::new(),
    ] {
        assert_eq!(PrivateKey::from_sec1_pem(&bad).err(), Some(KeyFileError::Sec1), "{bad}");
    }
}

/// The branch-free alphabet against the table of RFC 4648 §4.
#[test]
fn base64_alphabet() {
    let table = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let every: Vec<u8> = (0u8..64)
        .collect::<Vec<_>>()
        .chunks(4)
        .flat_map(|s| [s[0] << 2 | s[1] >> 4, s[1] << 4 | s[2] >> 2, s[2] << 6 | s[3]])
        .collect();
    assert_eq!(*pem::encode("X", &every), format!("-----BEGIN X-----\n{table}\n-----END X-----\n"));
    for byte in 0..=255u8 {
        let character = char::from(byte);
        let text = format!("-----BEGIN X-----\nAAA{character}\n-----END X-----\n");
        let expected = table.contains(character) || character == '=';
        assert_eq!(pem::decode("X", &text).is_some(), expected, "{byte}");
    }
}

proptest! {
    #[test]
    fn pem_round_trips(bytes in proptest::collection::vec(any::<u8>(), 1..200)) {
        let text = pem::encode("X", &bytes);
        prop_assert_eq!(&*pem::decode("X", &text).unwrap(), &bytes);
    }
}

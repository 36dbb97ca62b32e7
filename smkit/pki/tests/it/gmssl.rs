//! Certificates and keys made by GmSSL.

use std::sync::LazyLock;

use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit_pki::{Certificate, PathError, Purpose, TrustAnchors, verify_chain};

/// A second inside the validity of every certificate of the file: 2026-12-01.
const NOW: i64 = 1_796_083_200;

static FILE: LazyLock<serde_json::Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../testdata/x509_gmssl.json")).unwrap());

fn bytes(path: &str) -> Vec<u8> {
    hex::decode(FILE.pointer(path).unwrap().as_str().unwrap()).unwrap()
}

fn certificate(name: &str) -> Certificate {
    Certificate::from_der(&bytes(&format!("/certs_der/{name}"))).unwrap()
}

fn verify(name: &str, at: i64) -> Result<Certificate, PathError> {
    let anchors = TrustAnchors::from_certificates(vec![certificate("root")]);
    verify_chain(&certificate(name), &[], &anchors, at, Purpose::Signing)
}

#[test]
fn signing_certificates_verify() {
    assert_eq!(verify("ssign", NOW).unwrap(), certificate("root"));
    assert_eq!(verify("csign", NOW).unwrap(), certificate("root"));
    assert_eq!(certificate("root").subject_key_id().map(<[u8]>::len), Some(32));
}

#[test]
fn encryption_certificates_do_not_sign() {
    for name in ["senc", "cenc"] {
        assert_eq!(certificate(name).verify_issued_by(&certificate("root")), Ok(()));
        assert!(matches!(verify(name, NOW), Err(PathError::KeyUsage { .. })), "{name}");
    }
}

#[test]
fn validity_of_the_file_holds() {
    let leaf = certificate("ssign");
    assert!(matches!(verify("ssign", leaf.not_after() + 1), Err(PathError::Expired { .. })));
    assert!(matches!(verify("ssign", leaf.not_before() - 1), Err(PathError::NotYetValid { .. })));
}

#[test]
fn names_are_read() {
    let leaf = certificate("ssign");
    assert_eq!(leaf.subject(), "CN=localhost,OU=NDRC,O=CCG,L=Changchun,ST=Jilin,C=CN");
    assert_eq!(leaf.organisational_units(), ["NDRC"]);
    assert_eq!(leaf.common_name().as_deref(), Some("localhost"));
    assert_eq!(leaf.serial_hex(), "fe6c342aaf04f0c9d7b1792a");
}

#[test]
fn private_keys_belong_to_their_certificates() {
    for name in ["ssign", "senc", "csign", "cenc"] {
        let secret = bytes(&format!("/keys_d/{name}")).try_into().unwrap();
        let key = PrivateKey::from_bytes(&secret).unwrap();
        assert_eq!(key.public_key(), certificate(name).public_key());
    }
    let root = PrivateKey::from_bytes(&bytes("/root_key_d").try_into().unwrap()).unwrap();
    assert_eq!(root.public_key(), certificate("root").public_key());
}

#[test]
fn plain_pkcs8_is_read_and_written_alike() {
    let der = bytes("/plain_pkcs8_der/ssign");
    let key = PrivateKey::from_pkcs8_der(&der).unwrap();
    assert_eq!(key.to_pkcs8_der().unwrap().to_vec(), der);
    assert!(PrivateKey::from_pkcs8_der(&bytes("/encrypted_pkcs8_der/ssign")).is_err());
    let signing = SigningKey::new(key, SignerId::DEFAULT).unwrap();
    let signature = signing.sign(b"message");
    assert_eq!(certificate("ssign").verifying_key().verify(b"message", &signature), Ok(()));
}

#[test]
fn other_structures_are_no_certificates() {
    for path in ["/crl_der", "/csr_der/ssign", "/ocsp_response_der", "/cms_signed_data_der"] {
        assert!(Certificate::from_der(&bytes(path)).is_err(), "{path}");
    }
}

/// Exhaustive over a certificate this crate did not build.
#[test]
fn any_flipped_bit_is_rejected() {
    let der = bytes("/certs_der/csign");
    let anchors = TrustAnchors::from_certificates(vec![certificate("root")]);
    for bit in 0..der.len() * 8 {
        let mut altered = der.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let accepted = Certificate::from_der(&altered).is_ok_and(|altered| {
            verify_chain(&altered, &[], &anchors, NOW, Purpose::Signing).is_ok()
        });
        assert!(!accepted, "bit {bit}");
    }
}

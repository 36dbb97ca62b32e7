#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use der::{Decode, asn1::OctetString};
use proptest::prelude::*;
use smkit::sm2::PrivateKey;

use super::*;
use crate::testing::{Counter, subject};

fn key(seed: u64) -> SigningKey {
    let private = PrivateKey::generate(&mut Counter(seed << 32)).unwrap();
    SigningKey::new(private, SignerId::DEFAULT).unwrap()
}

fn request(hosts: &[&str]) -> CertificationRequest {
    let name = (&subject("长春市大数据局")).try_into().unwrap();
    let hosts = AlternativeNames::parse(hosts.iter().copied()).unwrap();
    CertificationRequest::create(&name, &key(1), &hosts).unwrap()
}

/// Alters a request and signs it again with the same key.
fn forge(edit: impl FnOnce(&mut SignedRequest)) -> Vec<u8> {
    let mut parts = SignedRequest::from_der(request(&["a.b"]).der()).unwrap();
    edit(&mut parts);
    let signature = key(1).sign(&parts.info.to_der().unwrap()).to_der();
    parts.signature = BitString::from_bytes(&signature).unwrap();
    parts.to_der().unwrap()
}

fn code(der: &[u8]) -> &'static str {
    CertificationRequest::from_der(der).map_or_else(|refusal| refusal.code(), |_| "")
}

#[test]
fn what_is_written_is_read() {
    let request = request(&["node1.cc.jl", "10.0.0.1"]);
    assert_eq!(request.subject().to_string(), "CN=长春市大数据局,C=CN");
    assert_eq!(request.public_key(), key(1).verifying_key().public_key());
    assert_eq!(request.hosts().dns, ["node1.cc.jl"]);
    assert_eq!(request.hosts().ip.len(), 1);
    assert_eq!(CertificationRequest::from_pem(&request.to_pem()), Ok(request));
    assert!(self::request(&[]).hosts().is_empty());
}

#[test]
fn possession_of_the_key_is_proven_with_the_default_identity() {
    let private = PrivateKey::generate(&mut Counter(9)).unwrap();
    let id = SignerId::new("someone").unwrap();
    let other_id = SigningKey::new(private, id).unwrap();
    let name = (&subject("a")).try_into().unwrap();
    let result = CertificationRequest::create(&name, &other_id, &AlternativeNames::default());
    assert_eq!(result.unwrap_err().code(), "PK-2101");

    let other = asn1::key_info(key(2).verifying_key().public_key()).unwrap();
    assert_eq!(code(&forge(|parts| parts.info.subject_public_key_info = other)), "PK-2101");
}

#[test]
fn fields_outside_their_rules_are_refused() {
    assert_eq!(code(&forge(|_| {})), "");
    assert_eq!(code(&forge(|parts| parts.info.attributes = None)), "");
    assert_eq!(code(&forge(|parts| parts.info.version = Uint::new(&[1]).unwrap())), "PK-2001");
    let empty = RdnSequence::default();
    assert_eq!(code(&forge(|parts| parts.info.subject = empty)), "PK-2001");
    let rsa_with_sm3 = "1.2.156.10197.1.504".parse().unwrap();
    assert_eq!(code(&forge(|parts| parts.algorithm.oid = rsa_with_sm3)), "PK-2003");
    let p256 = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
    let der = forge(|parts| {
        parts.info.subject_public_key_info.algorithm.parameters = Some((&p256).into());
    });
    assert_eq!(code(&der), "PK-1003");
    let der = forge(|parts| {
        let list = vec![Extension {
            extn_id: const_oid::db::rfc5280::ID_CE_SUBJECT_ALT_NAME,
            critical: false,
            extn_value: OctetString::new([0x30, 0]).unwrap(),
        }];
        let values = SetOfVec::try_from(vec![Any::encode_from(&list).unwrap()]).unwrap();
        let attribute = Attribute { oid: EXTENSION_REQUEST, values };
        parts.info.attributes = Some(SetOfVec::try_from(vec![attribute]).unwrap());
    });
    assert_eq!(code(&der), "PK-1001");
    assert_eq!(code(&vec![0; REQUEST_BYTES_MAX + 1]), "PK-2002");
}

#[test]
fn any_flipped_bit_is_rejected() {
    let der = request(&["a.b"]).der().to_vec();
    for bit in 0..der.len() * 8 {
        let mut altered = der.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(code(&altered), "", "bit {bit}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = CertificationRequest::from_der(&bytes);
    }
}

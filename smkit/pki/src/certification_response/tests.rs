#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::{
    Authority, Profile, Purpose, Terms, TrustAnchors, Validator,
    testing::{Counter, NOW, VALIDITY, root, subject},
};

struct Issued {
    root: Authority,
    holder: PrivateKey,
    encryption_key: PrivateKey,
    signing: Certificate,
    encryption: Certificate,
}

fn issued() -> Issued {
    let root = root(1);
    let random = &mut Counter(77);
    let (holder, encryption_key) =
        (PrivateKey::generate(random).unwrap(), PrivateKey::generate(random).unwrap());
    let name = (&subject("clerk")).try_into().unwrap();
    let terms = Terms::new(name, holder.public_key(), Profile::Client, VALIDITY);
    let (signing, encryption) =
        root.issue_pair(&terms, encryption_key.public_key(), random).unwrap();
    Issued { root, holder, encryption_key, signing, encryption }
}

fn response(issued: &Issued) -> CertificationResponse {
    let authorities = [issued.root.certificate().clone()];
    CertificationResponse::pair(
        &issued.signing,
        &issued.encryption,
        &issued.encryption_key,
        &authorities,
        &mut Counter(5),
    )
    .unwrap()
}

#[test]
fn the_holder_finds_a_pair_that_verifies() {
    let issued = issued();
    let response = response(&issued);
    let read = CertificationResponse::from_der(response.der()).unwrap();
    assert_eq!(read, response);
    let opened = read.open(&issued.holder).unwrap();
    let (encryption, key) = opened.encryption.unwrap();
    assert_eq!((&opened.signing, &encryption), (&issued.signing, &issued.encryption));
    assert_eq!(key.to_bytes(), issued.encryption_key.to_bytes());
    assert_eq!(opened.authorities, [issued.root.certificate().clone()]);
    let anchors = TrustAnchors::from_certificates(opened.authorities);
    let validator = Validator::admitting_all(anchors);
    let purpose = Purpose::TlsClient;
    assert!(validator.verify_pair(&opened.signing, &encryption, &[], purpose, NOW, None).is_ok());
}

#[test]
fn an_answer_may_hold_the_signing_certificate_alone() {
    let issued = issued();
    let response =
        CertificationResponse::signing_only(std::slice::from_ref(&issued.signing)).unwrap();
    let opened = response.open(&issued.holder).unwrap();
    assert_eq!((opened.signing, opened.encryption.is_none()), (issued.signing.clone(), true));
    assert!(CertificationResponse::signing_only(&[]).is_err());
    let twice = [issued.signing.clone(), issued.signing];
    assert!(CertificationResponse::signing_only(&twice).is_err());
}

#[test]
fn it_is_for_its_holder_only() {
    let issued = issued();
    let response = response(&issued);
    let other = PrivateKey::generate(&mut Counter(123)).unwrap();
    assert_eq!(response.open(&other).unwrap_err().code(), "PK-2102");
    let wrong_key = CertificationResponse::pair(
        &issued.signing,
        &issued.encryption,
        &other,
        &[],
        &mut Counter(5),
    );
    assert_eq!(wrong_key, Err(CertificationResponseError::Key));
}

/// An envelope made elsewhere, for the keys of the server certificates made by GmSSL.
#[test]
fn an_envelope_of_another_maker_opens() {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let envelope = read(include_str!("../../testdata/sm2_enveloped_key.json"));
    let gmssl = read(include_str!("../../testdata/x509_gmssl.json"));
    let bytes = |value: &serde_json::Value| hex::decode(value.as_str().unwrap()).unwrap();
    let certificate = |name| Certificate::from_der(&bytes(&gmssl["certs_der"][name])).unwrap();
    let response = CertificationResponse::build(
        &[certificate("ssign"), certificate("root")],
        Some(&bytes(&envelope["der"])),
        &[certificate("senc")],
    )
    .unwrap();
    let secret = bytes(&envelope["signing_private_key"]).try_into().unwrap();
    let opened = response.open(&PrivateKey::from_bytes(&secret).unwrap()).unwrap();
    let (encryption, key) = opened.encryption.unwrap();
    assert_eq!((opened.signing, encryption), (certificate("ssign"), certificate("senc")));
    assert_eq!(key.to_bytes().to_vec(), bytes(&envelope["encryption_private_key"]));
    assert_eq!(opened.authorities, [certificate("root")]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = CertificationResponse::from_der(&bytes);
    }

    /// The answer is no signed structure; but nothing of it can be changed and still give the same pair.
    #[test]
    fn any_flipped_bit_is_noticed(position in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let issued = issued();
        let mut der = response(&issued).der().to_vec();
        let index = position.index(der.len());
        der[index] ^= 1 << bit;
        let anchors = TrustAnchors::from_certificates(vec![issued.root.certificate().clone()]);
        let validator = Validator::admitting_all(anchors);
        let accepted = CertificationResponse::from_der(&der)
            .and_then(|altered| altered.open(&issued.holder))
            .is_ok_and(|opened| {
                let known = opened.authorities == [issued.root.certificate().clone()];
                known && opened.encryption.is_some_and(|(encryption, _)| {
                    let purpose = Purpose::TlsClient;
                    let signing = &opened.signing;
                    validator.verify_pair(signing, &encryption, &[], purpose, NOW, None).is_ok()
                })
            });
        prop_assert!(!accepted, "byte {index}");
    }
}

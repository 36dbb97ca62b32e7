#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use der::asn1::{Any, Uint};
use proptest::prelude::*;
use x509_cert::ext::Extension;

use super::*;
use crate::testing::{Counter, NOW, VALIDITY, forge, leaf, root, subject};
use crate::{Profile, Purpose, TrustAnchors, verify_chain};

fn malformed(result: Result<Certificate, CertificateError>) -> String {
    match result {
        Err(CertificateError::Malformed { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn null_parameters_are_read_in_both_places_or_not_at_all() {
    let authority = root(1);
    let template = leaf(&authority);
    let null = forge(&template, &authority, |parts| {
        parts.algorithm.parameters = Some(Any::null());
        parts.tbs.signature.parameters = Some(Any::null());
    });
    let certificate = Certificate::from_der(&null).unwrap();
    assert_eq!(certificate.verify_issued_by(authority.certificate()), Ok(()));
    assert_eq!(certificate.der(), null);

    let outer = forge(&template, &authority, |parts| {
        parts.algorithm.parameters = Some(Any::null());
    });
    malformed(Certificate::from_der(&outer));
    let integer = forge(&template, &authority, |parts| {
        let value = Any::encode_from(&7_u8).unwrap();
        parts.algorithm.parameters = Some(value.clone());
        parts.tbs.signature.parameters = Some(value);
    });
    malformed(Certificate::from_der(&integer));
}

#[test]
fn algorithms_other_than_sm2_are_named() {
    let authority = root(1);
    let template = leaf(&authority);
    // RSA with SM3 (1.2.156.10197.1.504): national, but not accepted.
    let oid = ObjectIdentifier::new_unwrap("1.2.156.10197.1.504");
    let der = forge(&template, &authority, |parts| {
        parts.algorithm.oid = oid;
        parts.tbs.signature.oid = oid;
    });
    assert_eq!(
        Certificate::from_der(&der),
        Err(CertificateError::SignatureAlgorithm { oid: oid.to_string(), name: "RSA with SM3" })
    );
    let p256 = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
    let der = forge(&template, &authority, |parts| {
        parts.tbs.subject_public_key_info.algorithm.parameters = Some((&p256).into());
    });
    assert_eq!(
        Certificate::from_der(&der),
        Err(CertificateError::KeyAlgorithm { oid: p256.to_string(), name: "NIST P-256" })
    );
    let der = forge(&template, &authority, |parts| {
        parts.tbs.subject_public_key_info.algorithm.parameters = None;
    });
    assert!(matches!(Certificate::from_der(&der), Err(CertificateError::KeyAlgorithm { .. })));
}

#[test]
fn fields_outside_their_rules_are_refused() {
    let authority = root(1);
    let template = leaf(&authority);
    type Edit = Box<dyn Fn(&mut SignedCertificate)>;
    let edits: Vec<(&str, Edit)> = vec![
        ("version 2", Box::new(|parts| parts.tbs.version = 1)),
        ("serial zero", Box::new(|parts| parts.tbs.serial_number = Uint::new(&[0]).unwrap())),
        ("long serial", Box::new(|parts| parts.tbs.serial_number = Uint::new(&[1; 21]).unwrap())),
        ("no extension", Box::new(|parts| parts.tbs.extensions = Some(Vec::new()))),
        ("empty subject", Box::new(|parts| parts.tbs.subject = RdnSequence::default())),
        ("empty issuer", Box::new(|parts| parts.tbs.issuer = RdnSequence::default())),
        (
            "repeated extension",
            Box::new(|parts| {
                let extensions = parts.tbs.extensions.as_mut().unwrap();
                extensions.push(extensions[0].clone());
            }),
        ),
        (
            "padded key usage",
            Box::new(|parts| {
                let extension = key_usage(parts);
                extension.extn_value = der::asn1::OctetString::new([3, 3, 0, 0xc0, 0]).unwrap();
            }),
        ),
        (
            "trailing byte in an extension",
            Box::new(|parts| {
                let extension = key_usage(parts);
                let value = [extension.extn_value.as_bytes(), &[0]].concat();
                extension.extn_value = der::asn1::OctetString::new(value).unwrap();
            }),
        ),
    ];
    for (why, edit) in edits {
        let der = forge(&template, &authority, edit);
        let result = Certificate::from_der(&der);
        assert!(matches!(result, Err(CertificateError::Malformed { .. })), "{why}: {result:?}");
    }
    let twenty = forge(&template, &authority, |parts| {
        parts.tbs.serial_number = Uint::new(&[0xff; 20]).unwrap();
    });
    assert_eq!(Certificate::from_der(&twenty).unwrap().serial_hex(), "ff".repeat(20));
}

fn key_usage(parts: &mut SignedCertificate) -> &mut Extension {
    let id = const_oid::db::rfc5280::ID_CE_KEY_USAGE;
    let list = parts.tbs.extensions.as_mut().unwrap();
    list.iter_mut().find(|extension| extension.extn_id == id).unwrap()
}

#[test]
fn bytes_around_a_certificate_are_refused() {
    let authority = root(1);
    let der = authority.certificate().der();
    malformed(Certificate::from_der(&[]));
    malformed(Certificate::from_der(&[der, &[0]].concat()));
    malformed(Certificate::from_der(&der[..der.len() - 1]));
    // BER: the outer length in one byte more than needed.
    let mut padded = vec![0x30, 0x83, 0];
    padded.extend_from_slice(&der[2..]);
    assert_eq!(der[..2], [0x30, 0x82]);
    malformed(Certificate::from_der(&padded));
    assert_eq!(
        Certificate::from_der(&vec![0x30; CERTIFICATE_BYTES_MAX + 1]),
        Err(CertificateError::TooLarge { bytes: CERTIFICATE_BYTES_MAX + 1 })
    );
}

#[test]
fn pem_round_trips_and_is_strict() {
    let authority = root(1);
    let (one, two) = (authority.certificate().clone(), leaf(&authority));
    let both = format!("comment\n{}\n{}", one.to_pem(), two.to_pem());
    assert_eq!(Certificate::pem_many(&both), Ok(vec![one.clone(), two]));
    assert_eq!(Certificate::from_pem(&one.to_pem().replace('\n', "\r\n")), Ok(one.clone()));
    assert!(Certificate::from_pem(&both).is_err());
    assert!(Certificate::pem_many("").is_err());
    assert!(Certificate::pem_many(&one.to_pem().replace("END", "FIN")).is_err());
    let key = authority.key().to_pkcs8_pem().unwrap();
    assert!(Certificate::pem_many(&format!("{}{}", one.to_pem(), *key)).is_err());
    assert!(TrustAnchors::from_pem("nothing").is_err());
}

/// Exhaustive: no bit of a leaf is outside what is checked.
#[test]
fn any_flipped_bit_is_rejected() {
    let authority = root(1);
    let anchors = TrustAnchors::from_certificates(vec![authority.certificate().clone()]);
    let key = smkit::sm2::PrivateKey::generate(&mut Counter(99)).unwrap();
    let leaf = authority
        .issue(
            &subject("长春市不动产登记中心"),
            key.public_key(),
            Profile::Signing,
            VALIDITY,
            Some("91220101MA0000000X"),
            &mut Counter(5),
        )
        .unwrap();
    assert!(verify_chain(&leaf, &[], &anchors, NOW, Purpose::Signing).is_ok());
    for bit in 0..leaf.der().len() * 8 {
        let mut der = leaf.der().to_vec();
        der[bit / 8] ^= 1 << (bit % 8);
        let accepted = Certificate::from_der(&der).is_ok_and(|altered| {
            verify_chain(&altered, &[], &anchors, NOW, Purpose::Signing).is_ok()
        });
        assert!(!accepted, "bit {bit}");
    }
}

proptest! {
    #[test]
    fn foreign_bytes_never_panic(bytes: Vec<u8>, text: String) {
        let _ = Certificate::from_der(&bytes);
        let _ = Certificate::pem_many(&text);
    }

    /// Damaged certificates reach deeper into the parser than random bytes.
    #[test]
    fn damaged_certificates_never_panic_and_stay_canonical(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut der = root(1).certificate().der().to_vec();
        for (at, byte) in damage {
            let at = at.index(der.len());
            der[at] = byte;
        }
        if let Ok(certificate) = Certificate::from_der(&der) {
            prop_assert_eq!(certificate.der(), der);
            let _ = (certificate.subject(), certificate.issuer(), certificate.to_pem());
        }
    }
}

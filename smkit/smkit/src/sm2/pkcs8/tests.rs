#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use ::sm2::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use proptest::prelude::*;

use super::*;
use crate::sm2::KeyFileError;

fn key(d: u8) -> PrivateKey {
    PrivateKey::from_bytes(&[d; 32]).unwrap()
}

fn rustcrypto(key: &PrivateKey) -> ::sm2::SecretKey {
    ::sm2::SecretKey::from_slice(key.to_bytes().as_ref()).unwrap()
}

/// `OneAsymmetricKey` out of its parts.
fn file(version: u8, key: &[u8], rest: &[&[u8]]) -> Vec<u8> {
    let version = asn1::element(INTEGER, &[&[version]]);
    let algorithm = asn1::element(
        SEQUENCE,
        &[&asn1::element(OID, &[EC_PUBLIC_KEY]), &asn1::element(OID, &[asn1::SM2_CURVE])],
    );
    let key = asn1::element(OCTET_STRING, &[key]);
    let parts: Vec<&[u8]> =
        [version.as_slice(), &algorithm, &key].into_iter().chain(rest.iter().copied()).collect();
    asn1::element(SEQUENCE, &parts).to_vec()
}

fn same(der: &[u8], key: &PrivateKey) -> bool {
    PrivateKey::from_pkcs8_der(der).is_ok_and(|read| read.to_bytes() == key.to_bytes())
}

#[test]
fn what_is_written_is_what_rustcrypto_writes() {
    for d in [1, 7, 0x80, 0xfe] {
        let key = key(d);
        let reference = rustcrypto(&key);
        assert_eq!(*key.to_pkcs8_der().unwrap(), reference.to_pkcs8_der().unwrap().as_bytes());
        let pem = reference.to_pkcs8_pem(Default::default()).unwrap();
        assert_eq!(*key.to_pkcs8_pem().unwrap(), *pem);
        assert!(same(reference.to_pkcs8_der().unwrap().as_bytes(), &key));
        let again = ::sm2::SecretKey::from_pkcs8_der(&key.to_pkcs8_der().unwrap()).unwrap();
        assert_eq!(again.to_bytes().as_slice(), key.to_bytes().as_slice());
    }
}

#[test]
fn forms_of_other_writers() {
    let (key, other_key) = (key(7), key(8));
    let inner = sec1::write(&key, sec1::Curve::Elsewhere);
    let with_curve = key.to_sec1_der();
    assert!(same(&file(V1, &inner, &[]), &key));
    assert!(same(&file(V1, &with_curve, &[]), &key), "the curve named twice");

    let point = key.public_key().as_sec1();
    let public = asn1::element(PUBLIC_KEY, &[&[0], point]);
    assert!(same(&file(V2, &inner, &[&public]), &key));
    assert!(!same(&file(V1, &inner, &[&public]), &key), "version 1 has no public key");
    assert!(!same(&file(V2, &inner, &[]), &key), "version 2 has one");
    let other = asn1::element(PUBLIC_KEY, &[&[0], other_key.public_key().as_sec1()]);
    assert!(!same(&file(V2, &inner, &[&other]), &key));
    assert!(!same(&file(2, &inner, &[&public]), &key));

    let value = asn1::element(SET, &[&asn1::element(OCTET_STRING, &[b"x"])]);
    let attribute = asn1::element(SEQUENCE, &[&asn1::element(OID, &[&[0x55, 4, 3]]), &value]);
    let attributes = asn1::element(ATTRIBUTES, &[&attribute]);
    assert!(same(&file(V1, &inner, &[&attributes]), &key));
    assert!(same(&file(V2, &inner, &[&attributes, &public]), &key));
    assert!(!same(&file(V2, &inner, &[&public, &attributes]), &key), "in the other order");
    assert!(!same(&file(V1, &inner, &[&asn1::element(ATTRIBUTES, &[&value])]), &key));
    assert!(!same(&file(V1, &inner, &[&asn1::element(0xa2, &[])]), &key), "an unknown extension");
}

#[test]
fn a_truncated_or_longer_file_is_refused() {
    let der = key(7).to_pkcs8_der().unwrap();
    for end in 0..der.len() {
        assert!(PrivateKey::from_pkcs8_der(&der[..end]).is_err());
    }
    assert!(PrivateKey::from_pkcs8_der(&[&der[..], &[0]].concat()).is_err());
}

/// Without the public key a flipped bit of d is another key; with it, every flipped bit shows.
#[test]
fn any_flipped_bit_is_refused_or_another_key() {
    let key = key(7);
    let bare = {
        let d = asn1::element(OCTET_STRING, &[key.to_bytes().as_ref()]);
        asn1::element(SEQUENCE, &[&asn1::element(INTEGER, &[&[1]]), &d])
    };
    let files: [(Vec<u8>, usize); 2] =
        [(key.to_pkcs8_der().unwrap().to_vec(), 0), (file(V1, &bare, &[]), 256)];
    for (der, others) in files {
        assert!(same(&der, &key));
        let mut seen = 0;
        for bit in 0..8 * der.len() {
            let mut altered = der.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            if let Ok(read) = PrivateKey::from_pkcs8_der(&altered) {
                assert_ne!(read.public_key(), key.public_key(), "bit {bit}");
                seen += 1;
            }
        }
        assert_eq!(seen, others);
    }
}

#[test]
fn any_flipped_bit_of_sec1_is_refused() {
    let key = key(7);
    let der = key.to_sec1_der();
    for bit in 0..8 * der.len() {
        let mut altered = der.to_vec();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            PrivateKey::from_sec1_der(&altered).err(),
            Some(KeyFileError::Sec1),
            "bit {bit}"
        );
    }
}

proptest! {
    #[test]
    fn agrees_with_rustcrypto_about_altered_files(
        d in 1_u8..0xff, at in 0_usize..138, byte: u8, cut in 0_usize..3,
    ) {
        let key = key(d);
        let mut der = key.to_pkcs8_der().unwrap().to_vec();
        der[at] = byte;
        der.truncate(der.len() - cut);
        let ours = PrivateKey::from_pkcs8_der(&der);
        let theirs = ::sm2::SecretKey::from_pkcs8_der(&der);
        // Whatever we take they take, as the same key.
        if let Ok(ours) = ours {
            let theirs: [u8; 32] = theirs.unwrap().to_bytes().into();
            prop_assert_eq!(theirs, *ours.to_bytes());
        }
    }

    #[test]
    fn any_flipped_bit_of_pem_is_refused_or_another_key(d in 1_u8..0xff, bit: prop::sample::Index) {
        let key = key(d);
        for pem in [key.to_pkcs8_pem().unwrap(), key.to_sec1_pem()] {
            let mut altered = pem.as_bytes().to_vec();
            let bit = bit.index(8 * altered.len());
            altered[bit / 8] ^= 1 << (bit % 8);
            let Ok(text) = core::str::from_utf8(&altered) else { continue };
            let read = PrivateKey::from_pkcs8_pem(text).ok().or_else(|| PrivateKey::from_sec1_pem(text).ok());
            // The last line feed may become another space.
            let spaces = text.trim_end() == pem.trim_end();
            prop_assert!(spaces || read.is_none_or(|read| read.to_bytes() != key.to_bytes()));
        }
    }
}

//! The provider's parts by themselves: known answers and the shape of the code points.

use rustls::crypto::{cipher::AeadKey, hash::Hash, hmac::Hmac};
use smkit::sm2::PrivateKey;

use super::*;

#[test]
fn code_points_are_those_of_the_standard() {
    let provider = provider();
    let suites: Vec<u16> = provider.cipher_suites.iter().map(|it| it.suite().into()).collect();
    assert_eq!(suites, [0x00c6, 0x00c7]);
    let groups: Vec<u16> = provider.kx_groups.iter().map(|it| it.name().into()).collect();
    assert_eq!(groups, [41]);
    let schemes = provider.signature_verification_algorithms.supported_schemes();
    assert_eq!(schemes, [SignatureScheme::from(0x0708)]);
}

#[test]
fn transcript_hash_forks_without_disturbing_the_original() {
    let mut context = digest::Sm3Hash.start();
    context.update(b"ab");
    let fork = context.fork();
    context.update(b"c");
    assert_eq!(fork.finish().as_ref(), smkit::sm3(b"ab").as_bytes());
    assert_eq!(context.fork_finish().as_ref(), smkit::sm3(b"abc").as_bytes());
    assert_eq!(context.finish().as_ref(), digest::Sm3Hash.hash(b"abc").as_ref());
}

#[test]
fn mac_is_hmac_sm3_over_all_parts() {
    let key = digest::Sm3Hmac.with_key(b"key");
    let tag = key.sign_concat(b"a", &[b"bc", b"", b"d"], b"e");
    assert_eq!(tag.as_ref(), smkit::hmac_sm3(b"key", &[b"abcde"]).as_bytes());
}

#[test]
fn shares_off_the_curve_are_refused() {
    let valid = PrivateKey::from_bytes(&[7; 32]).unwrap().public_key().to_sec1();
    for change in [
        |share: &mut Vec<u8>| share[64] ^= 1,
        |share: &mut Vec<u8>| share[0] = 2,
        |share: &mut Vec<u8>| share.truncate(33),
        |share: &mut Vec<u8>| share.push(0),
        |share: &mut Vec<u8>| share[1..].fill(0xff),
    ] {
        let mut share = valid.to_vec();
        change(&mut share);
        let refused = CURVE_SM2.start().unwrap().complete(&share);
        assert_eq!(
            refused.err(),
            Some(rustls::Error::PeerMisbehaved(rustls::PeerMisbehaved::InvalidKeyShare))
        );
    }
    assert!(CURVE_SM2.start().unwrap().complete(&valid).is_ok());
    assert_eq!(CURVE_SM2.name(), NamedGroup::Unknown(41));
}

#[test]
fn traffic_keys_stay_inside() {
    for suite in [TLS_SM4_GCM_SM3, TLS_SM4_CCM_SM3] {
        let SupportedCipherSuite::Tls13(suite) = suite;
        let key = AeadKey::from([1; 32]);
        assert!(suite.aead_alg.extract_keys(key, [0; 12].into()).is_err());
    }
}

#[test]
fn keys_of_other_kinds_are_refused() {
    use rustls::pki_types::PrivateKeyDer;
    let provider = provider();
    for der in [
        PrivateKeyDer::Pkcs8(vec![0x30, 0].into()),
        PrivateKeyDer::Sec1(vec![0x30, 0].into()),
        PrivateKeyDer::Pkcs1(vec![0x30, 0].into()),
    ] {
        assert!(provider.key_provider.load_private_key(der).is_err());
    }
    let private = PrivateKey::from_bytes(&[7; 32]).unwrap();
    let sec1 = PrivateKeyDer::Sec1(private.to_sec1_der().to_vec().into());
    let key = provider.key_provider.load_private_key(sec1).unwrap();
    assert!(key.choose_scheme(&[SignatureScheme::ED25519]).is_none());
    let spki = key.public_key().unwrap();
    assert!(spki.as_ref().ends_with(private.public_key().as_sec1()));
    assert_eq!(spki.as_ref().len(), 91);
    assert!(!format!("{key:?}").contains("070707"));
}

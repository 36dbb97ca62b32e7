//! The provider's parts by themselves: known answers and the shape of the code points.

use rustls::crypto::{
    cipher::AeadKey,
    hash::Hash,
    hmac,
    tls13::{Hkdf, HkdfExpander, HkdfUsingHmac, OkmBlock},
};
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

/// rustls's own HKDF over an HMAC of smkit's.
struct PlainHmac;

impl hmac::Hmac for PlainHmac {
    fn with_key(&self, key: &[u8]) -> Box<dyn hmac::Key> {
        Box::new(PlainKey(key.to_vec()))
    }
    fn hash_output_len(&self) -> usize {
        32
    }
}

struct PlainKey(Vec<u8>);

impl hmac::Key for PlainKey {
    fn sign_concat(&self, first: &[u8], middle: &[&[u8]], last: &[u8]) -> hmac::Tag {
        let parts = [&[first], middle, &[last]].concat();
        hmac::Tag::new(smkit::hmac_sm3(&self.0, &parts).as_bytes())
    }
    fn tag_len(&self) -> usize {
        32
    }
}

#[test]
fn hkdf_is_that_of_rfc_5869() {
    let (ours, plain) = (&digest::Sm3Hkdf as &dyn Hkdf, &HkdfUsingHmac(&PlainHmac) as &dyn Hkdf);
    let same = |one: &dyn HkdfExpander, other: &dyn HkdfExpander| {
        assert_eq!(one.hash_len(), other.hash_len());
        for info in [[].as_slice(), &[b"".as_slice()], &[b"in".as_slice(), b"", &[7; 90]]] {
            let blocks = [one, other].map(|expander| expander.expand_block(info));
            assert_eq!(blocks[0].as_ref(), blocks[1].as_ref());
            for length in [0, 1, 12, 16, 32, 33, 64, 100, 255 * 32, 255 * 32 + 1] {
                let (mut left, mut right) = (vec![0; length], vec![0; length]);
                let ends =
                    (one.expand_slice(info, &mut left), other.expand_slice(info, &mut right));
                assert_eq!(ends.0.is_ok(), ends.1.is_ok());
                assert_eq!(left, right, "{length} bytes");
            }
        }
    };
    for salt in [None, Some([].as_slice()), Some(&[3; 32]), Some(&[9; 100])] {
        same(&*ours.extract_from_zero_ikm(salt), &*plain.extract_from_zero_ikm(salt));
        let secret = [5; 32];
        same(&*ours.extract_from_secret(salt, &secret), &*plain.extract_from_secret(salt, &secret));
    }
    let okm = OkmBlock::new(&[4; 32]);
    same(&*ours.expander_for_okm(&okm), &*plain.expander_for_okm(&okm));
    let (one, other) = (ours.hmac_sign(&okm, b"message"), plain.hmac_sign(&okm, b"message"));
    assert_eq!(one.as_ref(), other.as_ref());
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

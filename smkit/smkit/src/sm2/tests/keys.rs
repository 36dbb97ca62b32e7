//! Private and public keys: ranges, strict forms, PKCS#8.

use proptest::prelude::*;

use super::*;
use crate::{
    random::{OsRandom, Random, RandomError},
    sm2::signature::ORDER,
};

struct Constant(u8);

impl Random for Constant {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(self.0);
        Ok(())
    }
}

#[test]
fn private_keys_at_the_edges() {
    let mut last = ORDER;
    last[31] -= 2;
    let mut first = [0; 32];
    first[31] = 1;
    for good in [first, last] {
        let key = PrivateKey::from_bytes(&good).unwrap();
        assert_eq!(*key.to_bytes(), good);
        let key = SigningKey::new(key, SignerId::DEFAULT).unwrap();
        assert_eq!(key.verifying_key().verify(b"m", &key.sign(b"m")), Ok(()));
    }
    let mut order_minus_1 = ORDER;
    order_minus_1[31] -= 1;
    for bad in [[0; 32], order_minus_1, ORDER, [0xff; 32]] {
        assert_eq!(PrivateKey::from_bytes(&bad).err(), Some(PrivateKeyError::Range));
    }
}

#[test]
fn a_broken_random_source_is_noticed() {
    assert!(PrivateKey::generate(&mut Constant(0)).is_err());
    assert!(PrivateKey::generate(&mut Constant(0xff)).is_err());
    assert!(PrivateKey::generate(&mut Constant(7)).is_ok());
    let (one, two) = (PrivateKey::generate(&mut OsRandom), PrivateKey::generate(&mut OsRandom));
    assert_ne!(one.unwrap().public_key(), two.unwrap().public_key());
}

#[test]
fn public_keys_have_one_form() {
    let good = private_key().public_key().to_sec1();
    assert_eq!(PublicKey::from_sec1(&good).unwrap().to_sec1(), good);
    for length in [0, 1, 33, 64, 66] {
        let mut bytes = good.to_vec();
        bytes.resize(length, 0);
        assert_eq!(PublicKey::from_sec1(&bytes), Err(PublicKeyError::Length { bytes: length }));
    }
    for form in [0, 2, 3, 5, 6, 7] {
        let mut bytes = good;
        bytes[0] = form;
        assert_eq!(PublicKey::from_sec1(&bytes), Err(PublicKeyError::Form { byte: form }));
    }
}

/// The point with x = 1 in its own form, and with x + p, which still fits 32 bytes and must not name the same point.
#[test]
fn coordinates_not_below_p_are_refused() {
    let p = array::<32>(&VECTORS["curve"]["p"]);
    let y =
        hex::decode("9f7a091433a81e3f218f405f792355bf2aa98b5ffa95982f03870800065279a3").unwrap();
    let mut bytes = [0; 65];
    bytes[0] = 4;
    bytes[32] = 1;
    bytes[33..].copy_from_slice(&y);
    assert!(PublicKey::from_sec1(&bytes).is_ok());

    let mut x_plus_p = p;
    x_plus_p[24..].fill(0);
    x_plus_p[23] = 1;
    assert_eq!(p[24..], [0xff; 8]);
    assert_eq!(p[20..24], [0; 4], "1 + p carries into byte 23");
    bytes[1..33].copy_from_slice(&x_plus_p);
    assert_eq!(PublicKey::from_sec1(&bytes), Err(PublicKeyError::NotOnCurve));

    bytes[1..33].copy_from_slice(&p);
    assert_eq!(PublicKey::from_sec1(&bytes), Err(PublicKeyError::NotOnCurve));
    bytes[1..].fill(0xff);
    assert_eq!(PublicKey::from_sec1(&bytes), Err(PublicKeyError::NotOnCurve));
    bytes[1..].fill(0);
    assert_eq!(PublicKey::from_sec1(&bytes), Err(PublicKeyError::NotOnCurve));
}

#[test]
fn pkcs8_round_trips_in_der_and_pem() {
    let key = private_key();
    let der = key.to_pkcs8_der().unwrap();
    let pem = key.to_pkcs8_pem().unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    for again in [PrivateKey::from_pkcs8_der(&der), PrivateKey::from_pkcs8_pem(&pem)] {
        assert_eq!(*again.unwrap().to_bytes(), *key.to_bytes());
    }
    assert!(PrivateKey::from_pkcs8_pem("").is_err());
    assert!(PrivateKey::from_pkcs8_pem(&pem.replace("PRIVATE", "PUBLIC")).is_err());
    let trailing = [&der[..], &[0]].concat();
    assert_eq!(PrivateKey::from_pkcs8_der(&trailing).err(), Some(PrivateKeyError::Pkcs8));
}

#[test]
fn pkcs8_of_another_curve_or_another_public_key_is_refused() {
    let der = private_key().to_pkcs8_der().unwrap().to_vec();
    let curve = [0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d];
    let at = der.windows(8).position(|window| window == curve).unwrap();
    let mut p256 = der.clone();
    p256[at..at + 8].copy_from_slice(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]);
    assert_eq!(PrivateKey::from_pkcs8_der(&p256).err(), Some(PrivateKeyError::Pkcs8));
    let mut other = der;
    *other.last_mut().unwrap() ^= 1;
    assert_eq!(PrivateKey::from_pkcs8_der(&other).err(), Some(PrivateKeyError::Pkcs8));
}

proptest! {
    #[test]
    fn any_flipped_bit_leaves_the_curve_or_names_another_key(bit in 0usize..520) {
        let good = private_key().public_key().to_sec1();
        let mut altered = good;
        altered[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(PublicKey::from_sec1(&altered).is_err());
    }

    #[test]
    fn foreign_bytes_never_panic(bytes: Vec<u8>) {
        let _ = PublicKey::from_sec1(&bytes);
        let _ = PrivateKey::from_pkcs8_der(&bytes);
        let _ = Signature::from_der(&bytes);
    }
}

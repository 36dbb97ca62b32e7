use ::sm2::elliptic_curve::point::AffineCoordinates;
use proptest::prelude::*;

use super::EphemeralKey;
use crate::random::{Random, RandomError};

/// Gives the bytes it was made of, once.
struct Fixed([u8; 32]);

impl Random for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.copy_from_slice(&self.0);
        Ok(())
    }
}

fn key(d: [u8; 32]) -> Option<EphemeralKey> {
    EphemeralKey::generate(&mut Fixed(d)).ok()
}

/// x of \[d\]Q by RustCrypto's arithmetic.
fn oracle(d: &[u8; 32], q: &[u8]) -> [u8; 32] {
    let secret = ::sm2::SecretKey::from_slice(d).unwrap();
    let q = ::sm2::PublicKey::from_sec1_bytes(q).unwrap();
    let product = ::sm2::ProjectivePoint::from(*q.as_affine()) * *secret.to_nonzero_scalar();
    product.to_affine().x().into()
}

proptest! {
    #[test]
    fn both_sides_and_the_oracle_agree(a in any::<[u8; 32]>(), b in any::<[u8; 32]>()) {
        let (Some(alice), Some(bob)) = (key(a), key(b)) else { return Ok(()) };
        let (alice_public, bob_public) = (alice.public_key().clone(), bob.public_key().clone());
        let expected = oracle(&a, bob_public.as_sec1());
        prop_assert_eq!(*alice.agree(&bob_public).unwrap().x(), expected);
        prop_assert_eq!(*bob.agree(&alice_public).unwrap().x(), expected);
    }
}

#[test]
fn smallest_and_largest_scalars_agree_with_the_oracle() {
    let peer = key([7; 32]).unwrap().public_key().clone();
    let mut one = [0; 32];
    one[31] = 1;
    // n − 1: a full-width scalar.
    let mut largest = crate::sm2::signature::ORDER;
    largest[31] -= 1;
    for d in [one, largest] {
        let shared = key(d).unwrap().agree(&peer).unwrap();
        assert_eq!(*shared.x(), oracle(&d, peer.as_sec1()));
    }
}

#[test]
fn secrets_do_not_show() {
    let key = key([9; 32]).unwrap();
    let peer = key.public_key().clone();
    assert!(!format!("{key:?}").contains("090909"));
    assert_eq!(format!("{:?}", key.agree(&peer).unwrap()), "SharedPoint { .. }");
}

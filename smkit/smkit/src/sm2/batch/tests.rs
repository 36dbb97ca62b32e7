//! Claims whose sums meet themselves on the way, for one signature and for many, with and without tables.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::sm2::{
    PrivateKey, PublicKey, SignerId,
    group::{Point, Scalar},
    verifying::Claim,
};

fn small(value: u64) -> Scalar {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&value.to_be_bytes());
    Scalar::reduce(&bytes)
}

fn power_of_two(bit: usize) -> Scalar {
    (0..bit).fold(Scalar::ONE, |power, _| power.add(&power))
}

fn any(number: u8) -> Scalar {
    Scalar::reduce(crate::sm3(&[number]).as_bytes())
}

fn verifying_key(secret: &Scalar) -> VerifyingKey {
    let (x, y) = Point::mul_base(secret).to_affine().unwrap();
    VerifyingKey::new(PublicKey::from_coordinates(&x, &y).unwrap(), SignerId::DEFAULT).unwrap()
}

/// Secrets of keys: ±1, ±2 and other points of the tables, and what is nothing special.
fn secrets() -> Vec<Scalar> {
    let near = [1, 2, 3, 5, 15, 16, 17, 31, 32, 33, 64, 2_048];
    let mut secrets: Vec<_> = near.into_iter().map(small).collect();
    secrets.extend(near.into_iter().map(|value| small(value).neg()));
    secrets.extend([power_of_two(252), any(1), any(2)]);
    secrets
}

/// Factors of the key. 2|d| below n for a digit d: there the last step of a window method meets its own term.
fn factors() -> Vec<Scalar> {
    let near = [0, 1, 2, 3, 6, 15, 16, 17, 31, 32, 33, 70];
    let mut factors: Vec<_> = near.into_iter().map(small).collect();
    factors.extend((1..=130).step_by(3).map(|value| small(value).neg()));
    factors.extend([6, 70].map(|value| small(value).neg()));
    factors.extend([5, 6, 128, 251, 252, 255].map(power_of_two));
    factors.extend([any(3), any(4)]);
    factors
}

/// Claims of one key with what [s]G + [t]P is, found by another way, and whether they hold.
fn claims(secret: &Scalar) -> Vec<(Claim, bool)> {
    let mut claims = Vec::new();
    for t in factors() {
        let meets = t.mul(secret);
        let s = [
            // Double, infinity, and a sum that meets its term in the first or in the last window.
            meets,
            meets.neg(),
            small(1).sub(&meets),
            small(3).add(&meets),
            power_of_two(252).add(&meets),
            power_of_two(252).sub(&meets),
            Scalar::ZERO,
            small(1),
            any(5),
        ];
        for s in s {
            let point = Point::mul_base(&s.add(&meets)).to_affine();
            let Some((x, _)) = point else {
                // No x is that of infinity.
                claims.push((Claim { s, t, expected: Scalar::ZERO }, false));
                claims.push((Claim { s, t, expected: Scalar::ONE }, false));
                continue;
            };
            let expected = Scalar::reduce(&x);
            let wrong = expected.add(&Scalar::ONE);
            claims.push((Claim { s, t, expected }, true));
            claims.push((Claim { s, t, expected: wrong }, false));
        }
    }
    claims
}

#[test]
fn sums_that_meet_themselves_are_decided_rightly() {
    for secret in secrets() {
        let (new, known) = (verifying_key(&secret), verifying_key(&secret));
        let claims = claims(&secret);
        assert!((0..100).any(|_| known.table().is_some()), "a key used often gets a table");
        for (number, (claim, holds)) in claims.iter().enumerate() {
            // A key that has no table yet.
            let fresh = || VerifyingKey::new(new.public_key().clone(), SignerId::DEFAULT).unwrap();
            assert_eq!(fresh().holds(claim), *holds, "{number}");
            assert_eq!(known.holds(claim), *holds, "{number} with a table");
        }
        #[cfg(target_arch = "x86_64")]
        for (key, comb) in [(&new, None), (&known, known.table())] {
            let work = claims.iter().enumerate().map(|(at, (claim, _))| {
                let claim = Claim { s: claim.s, t: claim.t, expected: claim.expected };
                Work { at, claim, key, comb }
            });
            let expected: Vec<usize> = claims
                .iter()
                .enumerate()
                .filter(|(_, (_, holds))| *holds)
                .map(|(at, _)| at)
                .collect();
            assert_eq!(valid(work), expected, "in lanes, with a table: {}", comb.is_some());
        }
    }
}

/// The same for [k]G of a signature: one by one and in lanes. k = 0 is never drawn, and has no x.
#[test]
fn base_multiples_at_the_edges() {
    let mut scalars = secrets();
    scalars.extend(factors());
    scalars.extend((0..256).map(power_of_two));
    scalars.extend((0..256).map(|bit| power_of_two(bit).neg()));
    // 32·64^w and its neighbours: digits that carry.
    scalars.extend((0..42).map(|window| power_of_two(6 * window + 5).add(&Scalar::ONE)));
    let base = Point::GENERATOR;
    let expected: Vec<_> =
        scalars.iter().map(|k| base.mul(k).to_affine().map(|(x, _)| x)).collect();
    for (k, expected) in scalars.iter().zip(&expected) {
        assert_eq!(crate::sm2::group::GENERATOR.multiply(k).affine_x(), *expected);
    }
    #[cfg(target_arch = "x86_64")]
    if lanes::available() {
        let lanes = lanes::base_x(&scalars);
        let lanes: Vec<_> = lanes.iter().map(|x| x.as_ref().map(|x| **x)).collect();
        assert_eq!(lanes, expected);
    }
}

/// Signatures of one batch and one by one are the same, and every one of them verifies.
#[test]
fn batches_sign_as_one_by_one() {
    let private = PrivateKey::from_bytes(&any(9).to_bytes()).unwrap();
    let key = SigningKey::new(private, SignerId::DEFAULT).unwrap();
    let messages: Vec<Vec<u8>> = (0..150_u8).map(|n| vec![n; usize::from(n)]).collect();
    for count in [0, 1, 2, 3, 7, 8, 9, 64, 65, 150] {
        let messages: Vec<&[u8]> = messages.iter().take(count).map(Vec::as_slice).collect();
        let signatures = sign_many(&key, &messages);
        let one_by_one: Vec<_> = messages.iter().map(|message| key.sign(message)).collect();
        assert_eq!(signatures, one_by_one);
        let claims: Vec<_> = messages
            .iter()
            .zip(&signatures)
            .map(|(message, signature)| Unverified { key: key.verifying_key(), message, signature })
            .collect();
        assert!(verify_many(&claims).iter().all(Result::is_ok));
    }
}

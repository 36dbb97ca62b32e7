//! Lanes against the scalar path (whose own tests compare it with RustCrypto), with what is special in chosen lanes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
#![allow(unsafe_code, reason = "calls into code compiled for AVX-512")]

use proptest::prelude::*;

use super::{field::Numbers, *};
use crate::sm2::group::{GENERATOR, Jacobian, Point};

const P_BYTES: [u8; 32] = [
    0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
];

/// 0 to 3, p − 3 to p − 1, numbers of zeros and ones, single bits, random ones.
fn number() -> impl Strategy<Value = [u64; 4]> {
    let limb = prop_oneof![Just(0_u64), Just(1), Just(u64::MAX), Just(0xffff_ffff), any::<u64>()];
    prop_oneof![
        4 => any::<[u64; 4]>(),
        4 => [limb.clone(), limb.clone(), limb.clone(), limb],
        1 => (0_u64..4).prop_map(|low| [low, 0, 0, 0]),
        1 => (1_u64..4).prop_map(|less| {
            let mut limbs: Vec<u64> = P_BYTES.rchunks(8)
                .map(|chunk| u64::from_be_bytes(chunk.try_into().unwrap())).collect();
            limbs[0] -= less - 1;
            limbs[0] -= 1;
            limbs.try_into().unwrap()
        }),
        1 => (0_usize..256).prop_map(|bit| {
            let mut limbs = [0; 4];
            limbs[bit / 64] = 1 << (bit % 64);
            limbs
        }),
    ]
}

/// A field with these limbs, half of them as the Montgomery form, whose extremes are the arithmetic's.
fn field(limbs: [u64; 4]) -> Field {
    let below = limbs[3] < 0xffff_fffe_ffff_ffff;
    if below && limbs[0].is_multiple_of(2) {
        Field::from_montgomery(limbs)
    } else {
        Field::from_limbs(limbs)
    }
}

fn scalar(bytes: &[u8; 32]) -> Scalar {
    Scalar::reduce(bytes)
}

fn small(value: u8) -> Scalar {
    let mut bytes = [0; 32];
    bytes[31] = value;
    scalar(&bytes)
}

/// 0, ±1…±40, powers of two and their neighbours, random ones.
fn any_scalar() -> impl Strategy<Value = [u8; 32]> {
    prop_oneof![
        4 => any::<[u8; 32]>().prop_map(|bytes| scalar(&bytes).to_bytes()),
        2 => (0_u8..=40).prop_map(|value| small(value).to_bytes()),
        2 => (0_u8..=40).prop_map(|value| small(value).neg().to_bytes()),
        1 => (0_u8..=255, 0_u8..3).prop_map(|(bit, less)| {
            let mut bytes = [0; 32];
            bytes[31 - usize::from(bit / 8)] = 1 << (bit % 8);
            scalar(&bytes).sub(&small(less)).to_bytes()
        }),
    ]
}

/// Multiples of G, small ones often: so sums meet their own terms.
fn point(secret: &Scalar) -> Option<Affine> {
    let (x, y) = Point::mul_base(secret).to_affine()?;
    Affine::from_bytes(&x, &y)
}

fn sum(point: &Affine, s: &Scalar, t: &Scalar) -> Jacobian {
    GENERATOR.add_multiple(&Jacobian::multiple(point, t), s)
}

fn x_of(sum: &Jacobian) -> Option<Scalar> {
    if sum.z.is_zero() {
        return None;
    }
    Some(scalar(&Jacobian::normalize_all(&[*sum])[0].x.to_bytes()))
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn arithmetic(a: &[Field; LANES], b: &[Field; LANES]) -> [[[u8; 32]; LANES]; 9] {
    let (x, y) = (Numbers::from_fields(a), Numbers::from_fields(b));
    [
        x.to_bytes(),
        x.add(&y).to_bytes(),
        x.subtract(&y).to_bytes(),
        x.multiply(&y).to_bytes(),
        x.square().to_bytes(),
        x.subtract_two(&y, &x).to_bytes(),
        x.negate_where(0b1010_0110).to_bytes(),
        x.invert().to_bytes(),
        // Tight results again and again: the bounds hold.
        x.multiply(&y).subtract(&y.square()).add(&x.double()).square().subtract(&x).to_bytes(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn fields_agree(a in prop::array::uniform8(number()), b in prop::array::uniform8(number())) {
        if !available() {
            return Ok(());
        }
        let (a, b) = (a.map(field), b.map(field));
        // SAFETY: available.
        let lanes = unsafe { arithmetic(&a, &b) };
        for lane in 0..LANES {
            let (x, y) = (a[lane], b[lane]);
            let negated = 0b1010_0110 >> lane & 1 == 1;
            let expected = [
                x,
                x.add(&y),
                x.subtract(&y),
                x.multiply(&y),
                x.square(),
                x.subtract(&y).subtract(&x).subtract(&x),
                if negated { x.negate() } else { x },
                x.invert(),
                x.multiply(&y).subtract(&y.square()).add(&x.double()).square().subtract(&x),
            ];
            for (which, expected) in expected.iter().enumerate() {
                prop_assert_eq!(lanes[which][lane], expected.to_bytes(), "operation {}", which);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Every lane that decides, decides as the scalar path; and what is not special is decided.
    #[test]
    fn verdicts_agree(
        keys in prop::array::uniform8(any_scalar()),
        s in prop::array::uniform8(any_scalar()),
        t in prop::array::uniform8(any_scalar()),
        wrong: u8,
        cancels: u8,
    ) {
        if !available() {
            return Ok(());
        }
        let [keys, s, t] = [keys, s, t].map(|numbers| numbers.map(|bytes| scalar(&bytes)));
        let keys = keys.map(|key| if key.is_zero() { Scalar::ONE } else { key });
        let points = keys.map(|key| point(&key).unwrap());
        let mut sums = Vec::new();
        let claims: [Claim; LANES] = core::array::from_fn(|lane| {
            // s = −t·d makes the sum infinity, s = t·d makes its last step a doubling.
            let (t, s) = (t[lane], if cancels >> lane & 3 == 3 {
                t[lane].mul(&keys[lane]).neg()
            } else if cancels >> lane & 3 == 2 {
                t[lane].mul(&keys[lane])
            } else {
                s[lane]
            });
            let sum = sum(&points[lane], &s, &t);
            let x = x_of(&sum).unwrap_or(Scalar::ONE);
            sums.push(sum);
            let expected = if wrong >> lane & 1 == 1 { x.add(&Scalar::ONE) } else { x };
            Claim { s, t, expected }
        });
        let combs: Vec<Comb> = points.iter().map(Comb::new).collect();
        let combs: [&Comb; LANES] = core::array::from_fn(|lane| &combs[lane]);
        let claims_by_lane = claims.each_ref();
        for verdicts in [
            verify(Keys::Points(&points), &claims_by_lane),
            verify(Keys::Combs(&combs), &claims_by_lane),
        ] {
            for lane in 0..LANES {
                let expected = sums[lane].has_x(&claims[lane].expected);
                if let Some(verdict) = verdicts[lane] {
                    prop_assert_eq!(verdict, expected, "lane {}", lane);
                }
            }
        }
    }

    #[test]
    fn base_multiples_agree(scalars in prop::collection::vec(any_scalar(), 1..20)) {
        if !available() {
            return Ok(());
        }
        let scalars: Vec<Scalar> = scalars.iter().map(scalar).collect();
        let lanes = base_x(&scalars);
        prop_assert_eq!(lanes.len(), scalars.len());
        for (x, k) in lanes.iter().zip(&scalars) {
            let expected = Point::mul_base(k).to_affine().map(|(x, _)| x);
            prop_assert_eq!(x.as_ref().map(|x| **x), expected);
        }
    }

    /// Random claims are all decided in the lanes, the good and the bad.
    #[test]
    fn ordinary_claims_need_no_scalar_path(
        keys: [[u8; 32]; LANES],
        s: [[u8; 32]; LANES],
        t: [[u8; 32]; LANES],
        wrong: u8,
    ) {
        if !available() {
            return Ok(());
        }
        let points = keys.map(|key| point(&scalar(&key)).unwrap());
        let claims: [Claim; LANES] = core::array::from_fn(|lane| {
            let (s, t) = (scalar(&s[lane]), scalar(&t[lane]));
            let x = x_of(&sum(&points[lane], &s, &t)).unwrap();
            Claim { s, t, expected: if wrong >> lane & 1 == 1 { x.neg() } else { x } }
        });
        let verdicts = verify(Keys::Points(&points), &claims.each_ref());
        for (lane, verdict) in verdicts.into_iter().enumerate() {
            prop_assert_eq!(verdict, Some(wrong >> lane & 1 == 0), "lane {}", lane);
        }
    }
}

/// Infinity and doublings have no answer here, x + n below p neither; the lanes beside them do.
#[test]
fn special_lanes_are_left_to_the_scalar_path() {
    if !available() {
        return;
    }
    let points = [Affine::GENERATOR; LANES];
    let expected =
        |s: &Scalar, t: &Scalar| x_of(&sum(&Affine::GENERATOR, s, t)).unwrap_or(Scalar::ONE);
    let claim = |s: Scalar, t: Scalar| Claim { s, t, expected: expected(&s, &t) };
    let claims = [
        claim(small(5), small(7)),
        // Infinity.
        claim(small(7).neg(), small(7)),
        // 7G + 7G.
        claim(small(7), small(7)),
        claim(small(9), small(200)),
        // Nothing at all.
        claim(Scalar::ZERO, Scalar::ZERO),
        // Below p − n.
        Claim { s: small(3), t: small(4), expected: small(3) },
        claim(Scalar::ZERO, small(7)),
        claim(small(7), Scalar::ZERO),
    ];
    assert_eq!(
        verify(Keys::Points(&points), &claims.each_ref()),
        [Some(true), None, None, Some(true), None, None, Some(true), Some(true)]
    );
    assert_eq!(base_x(&[Scalar::ZERO, Scalar::ONE])[0], None);
    assert!(base_x(&[Scalar::ZERO, Scalar::ONE])[1].is_some());
}

/// Batches of every length with keys old and new, compared with one by one.
#[test]
fn batches_equal_one_by_one() {
    use crate::sm2::{
        PrivateKey, Signature, SignerId, SigningKey, Unverified, sign_many, verify_many,
    };
    let keys: Vec<SigningKey> = (1_u8..=5)
        .map(|n| {
            let private = PrivateKey::from_bytes(&[n; 32]).unwrap();
            SigningKey::new(private, SignerId::DEFAULT).unwrap()
        })
        .collect();
    for length in (0_usize..=20).chain([64, 65, 130]) {
        let messages: Vec<Vec<u8>> =
            (0..length).map(|n| vec![u8::try_from(n).unwrap(); n]).collect();
        let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let one_by_one: Vec<Signature> =
            slices.iter().map(|message| keys[0].sign(message)).collect();
        assert_eq!(sign_many(&keys[0], &slices), one_by_one);

        let signatures: Vec<Signature> =
            slices.iter().enumerate().map(|(n, message)| keys[n % 5].sign(message)).collect();
        let batch: Vec<Unverified<'_>> = (0..length)
            .map(|n| Unverified {
                key: keys[if n % 7 == 3 { (n + 1) % 5 } else { n % 5 }].verifying_key(),
                message: slices[n],
                signature: &signatures[if n % 11 == 9 { 0 } else { n }],
            })
            .collect();
        let expected: Vec<_> =
            batch.iter().map(|one| one.key.verify(one.message, one.signature)).collect();
        assert_eq!(verify_many(&batch), expected);
        assert_eq!(
            expected.iter().filter(|result| result.is_err()).count(),
            (0..length).filter(|n| n % 7 == 3 || n % 11 == 9).count()
        );
    }
}

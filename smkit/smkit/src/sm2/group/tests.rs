//! Kernel against portable, and both against RustCrypto, which shares no code with either.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use ::sm2::{
    AffinePoint, FieldBytes, ProjectivePoint, Scalar as Reference, Sec1Point,
    elliptic_curve::{
        Group,
        ff::PrimeField,
        ops::Reduce,
        sec1::{FromSec1Point, ToSec1Point},
    },
};
use proptest::prelude::*;

use super::*;

type Coordinates = Option<([u8; 32], [u8; 32])>;

fn reference(bytes: &[u8; 32]) -> Reference {
    <Reference as Reduce<FieldBytes>>::reduce(&(*bytes).into())
}

fn bytes(scalar: Reference) -> [u8; 32] {
    scalar.to_repr().into()
}

fn coordinates(point: ProjectivePoint) -> Coordinates {
    if point.is_identity().into() {
        return None;
    }
    let encoded = point.to_affine().to_sec1_point(false);
    let encoded = encoded.as_bytes();
    Some((encoded[1..33].try_into().unwrap(), encoded[33..].try_into().unwrap()))
}

fn affine(point: ProjectivePoint) -> Affine {
    let (x, y) = coordinates(point).unwrap();
    Affine::from_bytes(&x, &y).unwrap()
}

/// 0, 1, p − 1, n − 1, 2²⁵⁶ − 1 and the like, beside plain random bytes and bytes with long runs.
fn number() -> impl Strategy<Value = [u8; 32]> {
    let limb = prop_oneof![
        Just(0),
        Just(1),
        Just(u64::MAX),
        Just(u64::MAX - 1),
        Just(0xffff_ffff),
        Just(0xffff_ffff_0000_0000),
        any::<u64>(),
    ];
    let near = |limbs: [u64; 4]| {
        (-3_i64..=3).prop_map(move |delta| {
            let mut bytes = field::bytes_of_limbs(&limbs);
            let low = u64::from_be_bytes(bytes[24..].try_into().unwrap());
            bytes[24..].copy_from_slice(&low.wrapping_add_signed(delta).to_be_bytes());
            bytes
        })
    };
    prop_oneof![
        4 => any::<[u8; 32]>(),
        4 => [limb.clone(), limb.clone(), limb.clone(), limb]
            .prop_map(|limbs| field::bytes_of_limbs(&limbs)),
        1 => near(constants::P),
        1 => near(constants::N),
        1 => near([0; 4]),
        1 => (0_u8..=255).prop_map(|bit| {
            let mut bytes = [0; 32];
            bytes[usize::from(bit / 8)] = 1 << (bit % 8);
            bytes
        }),
    ]
}

fn element(bytes: &[u8; 32]) -> [u64; 4] {
    portable::subtract_once(&field::limbs_of_bytes(bytes), false, &constants::P)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn scalars_equal_the_reference(a in number(), b in number()) {
        let (x, y) = (Scalar::reduce(&a), Scalar::reduce(&b));
        let (rx, ry) = (reference(&a), reference(&b));
        prop_assert_eq!(x.to_bytes(), bytes(rx));
        prop_assert_eq!(x.add(&y).to_bytes(), bytes(rx + ry));
        prop_assert_eq!(x.sub(&y).to_bytes(), bytes(rx - ry));
        prop_assert_eq!(x.mul(&y).to_bytes(), bytes(rx * ry));
        prop_assert_eq!(x.neg().to_bytes(), bytes(-rx));
        prop_assert_eq!(x.is_zero(), bool::from(rx.is_zero()));
        let canonical: Option<Reference> = Reference::from_repr(a.into()).into();
        prop_assert_eq!(Scalar::from_bytes(&a).map(Scalar::to_bytes), canonical.map(bytes));
    }

    /// The special reduction, the kernel and the general reduction (here with −p⁻¹ = 1) are three ways to one number.
    #[test]
    fn field_multiplications_agree(a in number(), b in number()) {
        let (a, b) = (element(&a), element(&b));
        let general = |a: &[u64; 4], b: &[u64; 4]| portable::multiply_modulo(a, b, &constants::P, 1);
        prop_assert_eq!(portable::multiply(&a, &b, &constants::P), general(&a, &b));
        #[cfg(target_arch = "x86_64")]
        {
            prop_assert_eq!(kernel::multiply(&a, &b), general(&a, &b));
            prop_assert_eq!(kernel::square(&a), general(&a, &a));
            let mut power = a;
            kernel::square_times(&mut power, 3);
            prop_assert_eq!(power, (0..3).fold(a, |power, _| general(&power, &power)));
        }
    }

    /// The formulas are polynomials: kernel and portable code agree on any numbers, points of the curve or not.
    #[test]
    fn formulas_agree(numbers in prop::array::uniform8(number())) {
        let fields = numbers.map(|bytes| Field::from_montgomery(element(&bytes)));
        let [x, y, z, x2, y2, z2, ..] = fields;
        let mut start = sum::Sum::new(Jacobian { x, y, z });
        start.term = sum::Cached::from(Jacobian { x: x2, y: y2, z: z2 });
        let result = |formula: fn(&mut sum::Sum)| {
            let mut sum = start;
            formula(&mut sum);
            let Jacobian { x, y, z } = sum.point;
            let exceptions = (sum.met_same_x(), sum.met_same_y());
            (exceptions, [x, y, z].map(Field::to_montgomery))
        };
        prop_assert_eq!(result(sum::Sum::double), result(sum::Sum::double_portable));
        prop_assert_eq!(result(sum::Sum::add_affine), result(sum::Sum::add_affine_portable));
        prop_assert_eq!(result(sum::Sum::add_term), result(sum::Sum::add_term_portable));
    }

    /// What the field is: associative, distributive, with inverses and canonical bytes.
    #[test]
    fn the_field_is_a_field(a in number(), b in number(), c in number()) {
        let [a, b, c] = [a, b, c].map(|bytes| Field::from_limbs(element(&bytes)));
        prop_assert!(a.multiply(&b).multiply(&c).equals(&a.multiply(&b.multiply(&c))));
        prop_assert!(a.multiply(&b.add(&c)).equals(&a.multiply(&b).add(&a.multiply(&c))));
        prop_assert!(a.multiply(&b.subtract(&c)).equals(&a.multiply(&b).subtract(&a.multiply(&c))));
        prop_assert!(a.square().equals(&a.multiply(&a)));
        prop_assert!(a.add(&a.negate()).is_zero());
        prop_assert!(a.three_halves().double().equals(&a.double().add(&a)));
        prop_assert!(portable::borrowing_subtract(&a.add(&b).to_montgomery(), &constants::P).1);
        prop_assert!(Field::from_bytes(&a.to_bytes()).unwrap().equals(&a));
        let root = a.square().square_root().unwrap();
        prop_assert!(root.equals(&a) || root.equals(&a.negate()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn inverses(a in number(), b in number()) {
        let (x, rx) = (Scalar::reduce(&a), reference(&a));
        let expected: Option<Reference> = rx.invert().into();
        prop_assert_eq!(x.invert().to_bytes(), bytes(expected.unwrap_or(Reference::ZERO)));
        let mut values = [a, [0; 32], b].map(|bytes| Field::from_limbs(element(&bytes)));
        let [a, _, b] = values;
        Field::invert_all(&mut values);
        prop_assert!(values[1].is_zero());
        for (value, inverse) in [(a, values[0]), (b, values[2])] {
            prop_assert!(value.invert().equals(&inverse));
            prop_assert!(value.is_zero() || value.multiply(&inverse).equals(&Field::ONE));
        }
    }

    #[test]
    fn points_equal_the_reference(secret in number(), k in number(), other in number()) {
        let point = ProjectivePoint::GENERATOR * reference(&secret);
        prop_assume!(!bool::from(point.is_identity()));
        let base = affine(point);
        let own = Point::from(base);
        let (scalar, rk) = (Scalar::reduce(&k), reference(&k));
        let expected = coordinates(point * rk);

        prop_assert_eq!(own.mul(&scalar).to_affine(), expected);
        prop_assert_eq!(Point::from(Jacobian::multiple(&base, &scalar)).to_affine(), expected);
        prop_assert_eq!(
            Point::mul_base(&scalar).to_affine(),
            coordinates(ProjectivePoint::GENERATOR * rk)
        );
        let sum = GENERATOR.add_multiple(&Jacobian::multiple(&base, &scalar), &Scalar::reduce(&other));
        let expected = coordinates(point * rk + ProjectivePoint::GENERATOR * reference(&other));
        prop_assert_eq!(Point::from(sum).to_affine(), expected);
        if let Some((x, _)) = expected {
            prop_assert!(sum.has_x(&Scalar::reduce(&x)));
            prop_assert!(!sum.has_x(&Scalar::reduce(&x).add(&Scalar::ONE)));
        }
    }

    #[test]
    fn coordinates_are_accepted_as_the_reference_does(x in number(), y in number(), odd: bool) {
        let encoded = Sec1Point::from_affine_coordinates(&x.into(), &y.into(), false);
        let expected: Option<AffinePoint> = AffinePoint::from_sec1_point(&encoded).into();
        prop_assert_eq!(Point::from_affine(&x, &y).is_some(), expected.is_some());

        use ::sm2::elliptic_curve::point::DecompressPoint;
        let expected: Option<AffinePoint> =
            AffinePoint::decompress(&x.into(), u8::from(odd).into()).into();
        let own = Point::decompress(&x, odd).and_then(Point::to_affine);
        prop_assert_eq!(own, expected.and_then(|point| coordinates(point.into())));
    }
}

/// Every scalar near a power of two or near 0 and n, where windows carry and additions could meet their own operand.
fn edges() -> Vec<[u8; 32]> {
    let mut edges: Vec<_> = (0..=130_u64).map(Reference::from).map(bytes).collect();
    edges.extend((1..=130_u64).map(|small| bytes(-Reference::from(small))));
    let mut power = Reference::ONE;
    for _ in 0..256 {
        power += power;
        edges.extend([power, power - Reference::ONE, -power].map(bytes));
    }
    edges.push([0xff; 32]);
    edges
}

#[test]
fn multiplications_at_the_edges() {
    let point = ProjectivePoint::GENERATOR * reference(&[0x5a; 32]);
    let base = affine(point);
    let comb = Comb::new(&base);
    for k in edges() {
        let scalar = Scalar::reduce(&k);
        let expected = coordinates(point * reference(&k));
        let public = comb.add_multiple(&Jacobian::INFINITY, &scalar);
        for own in [comb.multiply(&scalar), public, Jacobian::multiple(&base, &scalar)] {
            assert_eq!(Point::from(own).to_affine(), expected, "{k:02x?}");
        }
        assert_eq!(Point::from(base).mul(&scalar).to_affine(), expected, "{k:02x?}");
        let expected = coordinates(ProjectivePoint::GENERATOR * reference(&k));
        assert_eq!(Point::mul_base(&scalar).to_affine(), expected, "{k:02x?}");
    }
}

#[test]
fn additions_without_exception() {
    let base = Affine::GENERATOR;
    let (one, negative) = (Point::GENERATOR, Point::from(base.negate()));
    let reference = |factor: u64| coordinates(ProjectivePoint::GENERATOR * Reference::from(factor));
    assert_eq!(one.add(&one).to_affine(), reference(2));
    assert_eq!(one.double().to_affine(), reference(2));
    assert!(one.add(&negative).is_infinity());
    assert_eq!(one.add(&Point::INFINITY).to_affine(), reference(1));
    assert_eq!(Point::INFINITY.add(&one).to_affine(), reference(1));
    assert!(Point::INFINITY.add(&Point::INFINITY).is_infinity());
    assert!(Point::INFINITY.double().is_infinity());
    assert_eq!(Point::INFINITY.to_affine(), None);

    let jacobian = Jacobian::from(base);
    let infinity = jacobian.add_affine(&base.negate());
    assert!(Point::from(infinity).is_infinity());
    assert!(Point::from(infinity.double()).is_infinity());
    assert!(Point::from(infinity.add(&Jacobian::INFINITY)).is_infinity());
    assert!(!infinity.has_x(&Scalar::ZERO));
    for sum in [jacobian.add_affine(&base), jacobian.add(&jacobian), jacobian.double()] {
        assert_eq!(Point::from(sum).to_affine(), reference(2));
    }
    assert_eq!(Point::from(infinity.add(&jacobian)).to_affine(), reference(1));
    assert_eq!(Point::from(jacobian.add(&infinity)).to_affine(), reference(1));
}

/// x of a point may lie in \[n, p): then x modulo n is not x, and both candidates must be tried.
#[test]
fn a_coordinate_not_below_the_order_is_recognised() {
    let mut found = 0;
    for low in 0..200_u64 {
        let limbs = [constants::N[0] + low, constants::N[1], constants::N[2], constants::N[3]];
        let x = field::bytes_of_limbs(&limbs);
        let Some((x, y)) = Point::decompress(&x, false).and_then(Point::to_affine) else {
            continue;
        };
        let point = Jacobian::from(Affine::from_bytes(&x, &y).unwrap());
        let doubled_z =
            point.add(&Jacobian::from(Affine::GENERATOR)).add_affine(&Affine::GENERATOR.negate());
        let mut expected = [0; 32];
        expected[24..].copy_from_slice(&low.to_be_bytes());
        for point in [point, doubled_z] {
            assert!(point.has_x(&Scalar::reduce(&expected)));
            assert!(!point.has_x(&Scalar::reduce(&expected).add(&Scalar::ONE)));
        }
        found += 1;
    }
    assert!(found > 50, "{found}");
}

/// The whole of signing and verifying without any kernel. Other tests may run meanwhile: results must not depend on it.
#[test]
fn portable_and_kernel_give_the_same_points() {
    let results = [true, false].map(|portable| {
        crate::cpu::force_portable(portable);
        let comb = Comb::new(&Affine::GENERATOR);
        edges()
            .iter()
            .step_by(7)
            .map(|k| Point::from(comb.multiply(&Scalar::reduce(k))).to_affine())
            .collect::<Vec<_>>()
    });
    crate::cpu::force_portable(false);
    assert_eq!(results[0], results[1]);
}

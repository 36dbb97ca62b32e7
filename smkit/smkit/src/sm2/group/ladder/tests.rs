use proptest::prelude::*;

use super::*;

fn scalar(bytes: [u8; 32]) -> Option<Scalar> {
    Scalar::from_bytes(&bytes)
}

/// Double and add with complete formulas, bit by bit.
fn plainly(point: &Point, k: &Scalar) -> Point {
    let limbs = k.to_limbs();
    (0..256).rev().fold(Point::INFINITY, |sum, bit| {
        let sum = sum.double();
        if limbs[bit / 64] >> (bit % 64) & 1 == 1 { sum.add(point) } else { sum }
    })
}

fn small(value: u64) -> Scalar {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&value.to_be_bytes());
    scalar(bytes).unwrap()
}

#[test]
fn small_scalars_and_those_near_the_order() {
    let point = Point::mul_base(&small(12_345));
    for value in 0..200 {
        let k = small(value);
        assert_eq!(point.mul(&k).to_affine(), plainly(&point, &k).to_affine(), "{value}");
        // n − value; n − 6 is the one whose last addition is a doubling.
        let k = k.neg();
        assert_eq!(point.mul(&k).to_affine(), plainly(&point, &k).to_affine(), "n - {value}");
    }
}

#[test]
fn powers_of_two_and_their_neighbours() {
    let point = Point::GENERATOR;
    let mut power = Scalar::ONE;
    for bit in 0..256 {
        for k in [power, power.add(&Scalar::ONE), power.sub(&Scalar::ONE), power.neg()] {
            assert_eq!(point.mul(&k).to_affine(), plainly(&point, &k).to_affine(), "2^{bit}");
        }
        power = power.add(&power);
    }
}

#[test]
fn infinity_stays_infinity() {
    assert!(Point::INFINITY.mul(&small(7)).is_infinity());
    assert!(Point::GENERATOR.mul(&Scalar::ZERO).is_infinity());
}

#[test]
fn a_point_whose_z_is_not_one() {
    let point = Point::GENERATOR.double();
    let k = small(0xdead_beef_0000_0001);
    assert_eq!(point.mul(&k).to_affine(), plainly(&point, &k).to_affine());
}

proptest! {
    #[test]
    fn agrees_with_double_and_add(k: [u8; 32], p: [u8; 32]) {
        let (Some(k), Some(p)) = (scalar(k), scalar(p)) else { return Ok(()) };
        let point = Point::mul_base(&p);
        prop_assert_eq!(point.mul(&k).to_affine(), plainly(&point, &k).to_affine());
    }

    #[test]
    fn digits_give_the_scalar_back(k: [u8; 32]) {
        let Some(k) = scalar(k) else { return Ok(()) };
        let base = small(32);
        let value = Digits::new(&k).0.iter().rev().fold(Scalar::ZERO, |value, digit| {
            let magnitude = small(u64::from(digit.unsigned_abs()));
            let digit = if *digit < 0 { magnitude.neg() } else { magnitude };
            value.mul(&base).add(&digit)
        });
        prop_assert_eq!(value.to_limbs(), k.to_limbs());
    }
}

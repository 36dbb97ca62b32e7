//! Points in affine and Jacobian coordinates: fewer multiplications than [`super::Point`], at the price of exceptions.

use alloc::vec::Vec;

use super::{Field, Scalar, field, point::B, scalar};

/// A point other than infinity.
#[derive(Clone, Copy)]
pub(crate) struct Affine {
    pub(crate) x: Field,
    pub(crate) y: Field,
}

/// A point of the curve, infinity (Z = 0) included; x = X/Z², y = Y/Z³.
#[derive(Clone, Copy)]
pub(crate) struct Jacobian {
    pub(crate) x: Field,
    pub(crate) y: Field,
    pub(crate) z: Field,
}

/// A Jacobian point other than infinity, ready to be added often.
#[derive(Clone, Copy)]
struct Cached {
    point: Jacobian,
    z2: Field,
    z3: Field,
}

impl Affine {
    pub(crate) const GENERATOR: Self = Self {
        x: Field::from_montgomery([
            0x6132_8990_f418_029e,
            0x3e79_81ed_dca6_c050,
            0xd6a1_ed99_ac24_c3c3,
            0x9116_7a5e_e1c1_3b05,
        ]),
        y: Field::from_montgomery([
            0xc135_4e59_3c2d_0ddd,
            0xc1f5_e578_8d32_95fa,
            0x8d4c_fb06_6e2a_48f8,
            0x63cd_65d4_81d7_35bd,
        ]),
    };

    /// The point with these big-endian coordinates; `None` when one is not below p or the point is off the curve.
    pub(crate) fn from_bytes(x: &[u8; 32], y: &[u8; 32]) -> Option<Self> {
        let (x, y) = (Field::from_bytes(x)?, Field::from_bytes(y)?);
        y.square().equals(&Self::curve_at(&x)).then_some(Self { x, y })
    }

    /// x³ − 3x + b.
    pub(super) fn curve_at(x: &Field) -> Field {
        x.square().multiply(x).subtract(&x.double().add(x)).add(&B)
    }

    pub(crate) fn negate(&self) -> Self {
        Self { x: self.x, y: self.y.negate() }
    }
}

impl Jacobian {
    pub(crate) const INFINITY: Self = Self { x: Field::ONE, y: Field::ONE, z: Field::ZERO };

    /// dbl-2001-b with Z₃ = 2YZ. Right for infinity; no point has order 2.
    pub(crate) fn double(&self) -> Self {
        let zz = self.z.square();
        let yy2 = self.y.square().double();
        let slope = self.x.subtract(&zz).multiply(&self.x.add(&zz));
        let slope = slope.double().add(&slope);
        let xyy4 = self.x.multiply(&yy2).double();
        let z = self.y.multiply(&self.z).double();
        let x = slope.square().subtract(&xyy4).subtract(&xyy4);
        let y = slope.multiply(&xyy4.subtract(&x)).subtract(&yy2.square().double());
        Self { x, y, z }
    }

    /// self + other, in a time that depends on both: for public points.
    pub(crate) fn add_affine(&self, other: &Affine) -> Self {
        if self.z.is_zero() {
            return Self::from(*other);
        }
        let (sum, difference) = self.add_affine_unchecked(other);
        if difference.x.is_zero() {
            return if difference.y.is_zero() { self.double() } else { Self::INFINITY };
        }
        sum
    }

    /// self + other unless either is infinity or both have the same x; the differences of x and y tell the latter.
    #[inline]
    pub(super) fn add_affine_unchecked(&self, other: &Affine) -> (Self, Affine) {
        let zz = self.z.square();
        let dx = other.x.multiply(&zz).subtract(&self.x);
        let dy = other.y.multiply(&zz.multiply(&self.z)).subtract(&self.y);
        let dx2 = dx.square();
        let dx3 = dx2.multiply(&dx);
        let v = self.x.multiply(&dx2);
        let x = dy.square().subtract(&dx3).subtract(&v).subtract(&v);
        let y = dy.multiply(&v.subtract(&x)).subtract(&self.y.multiply(&dx3));
        let z = self.z.multiply(&dx);
        (Self { x, y, z }, Affine { x: dx, y: dy })
    }

    /// self + other, in a time that depends on both: for public points.
    fn add_cached(&self, other: &Cached, negative: bool) -> Self {
        let y2 = if negative { other.point.y.negate() } else { other.point.y };
        if self.z.is_zero() {
            return Self { y: y2, ..other.point };
        }
        let zz = self.z.square();
        let x1 = self.x.multiply(&other.z2);
        let y1 = self.y.multiply(&other.z3);
        let dx = other.point.x.multiply(&zz).subtract(&x1);
        let dy = y2.multiply(&zz.multiply(&self.z)).subtract(&y1);
        if dx.is_zero() {
            return if dy.is_zero() { self.double() } else { Self::INFINITY };
        }
        let dx2 = dx.square();
        let dx3 = dx2.multiply(&dx);
        let v = x1.multiply(&dx2);
        let x = dy.square().subtract(&dx3).subtract(&v).subtract(&v);
        let y = dy.multiply(&v.subtract(&x)).subtract(&y1.multiply(&dx3));
        let z = self.z.multiply(&other.point.z).multiply(&dx);
        Self { x, y, z }
    }

    /// self + other, in a time that depends on both: for public points.
    pub(crate) fn add(&self, other: &Self) -> Self {
        if other.z.is_zero() { *self } else { self.add_cached(&Cached::from(*other), false) }
    }

    /// \[scalar\]point, in a time that depends on both: for public numbers. Signed odd digits below 16 (w-NAF).
    pub(crate) fn multiple(point: &Affine, scalar: &Scalar) -> Self {
        let first = Self::from(*point);
        let twice = Cached::from(first.double());
        let mut last = first;
        let odd: [Cached; 8] = core::array::from_fn(|at| {
            if at > 0 {
                last = last.add_cached(&twice, false);
            }
            Cached::from(last)
        });
        let mut sum = Self::INFINITY;
        for digit in signed_odd_digits(scalar).iter().rev() {
            sum = sum.double();
            let magnitude = usize::from(digit.unsigned_abs());
            // Digits are odd or zero: 1, 3, 5, … are at 0, 1, 2, …
            if let Some(entry) = odd.get(magnitude / 2)
                && magnitude != 0
            {
                sum = sum.add_cached(entry, *digit < 0);
            }
        }
        sum
    }

    /// Whether x modulo n is this number; false for infinity. Needs no inversion: compares c·Z² with X for both c below p.
    pub(crate) fn has_x(&self, expected: &Scalar) -> bool {
        if self.z.is_zero() {
            return false;
        }
        let zz = self.z.square();
        let matches = |limbs| Field::from_limbs(limbs).multiply(&zz).equals(&self.x);
        let least = expected.to_limbs();
        if matches(least) {
            return true;
        }
        // n < p < 2n: one more candidate, when it is below p.
        let (more, carry) = super::portable::carrying_add(&least, &scalar::N);
        let (_, below) = super::portable::borrowing_subtract(&more, &field::P);
        !carry && below && matches(more)
    }

    /// The affine forms, with one inversion for all; none may be infinity.
    pub(crate) fn normalize_all(points: &[Self]) -> Vec<Affine> {
        let mut inverses: Vec<Field> = points.iter().map(|point| point.z).collect();
        Field::invert_all(&mut inverses);
        let affine = |(point, inverse): (&Self, &Field)| {
            let square = inverse.square();
            Affine { x: point.x.multiply(&square), y: point.y.multiply(&square.multiply(inverse)) }
        };
        points.iter().zip(&inverses).map(affine).collect()
    }
}

impl From<Affine> for Jacobian {
    fn from(Affine { x, y }: Affine) -> Self {
        Self { x, y, z: Field::ONE }
    }
}

impl From<Jacobian> for Cached {
    fn from(point: Jacobian) -> Self {
        let z2 = point.z.square();
        Self { point, z2, z3: z2.multiply(&point.z) }
    }
}

/// The digits of a scalar to the base 2, lowest first: zero or odd in −15..=15, and nonzero ones at least five apart.
fn signed_odd_digits(scalar: &Scalar) -> [i8; DIGITS] {
    let [l0, l1, l2, l3] = scalar.to_limbs();
    let limbs = [l0, l1, l2, l3, 0, 0];
    let bits = |at: usize, width: usize| {
        let limb = |at: usize| u128::from(limbs.get(at).copied().unwrap_or(0));
        let pair = limb(at / 64) | limb(at / 64 + 1) << 64;
        let [low, ..] = (pair >> (at % 64)).to_le_bytes();
        low & ((1 << width) - 1)
    };
    let mut digits = [0; DIGITS];
    let (mut at, mut carry) = (0, 0);
    while at < DIGITS {
        if bits(at, 1) == carry {
            at += 1;
            continue;
        }
        let value = bits(at, 5) + carry;
        carry = value >> 4 & 1;
        if let Some(digit) = digits.get_mut(at) {
            *digit = value.cast_signed() - (carry << 5).cast_signed();
        }
        at += 5;
    }
    digits
}

/// 256 bits and the last carry.
const DIGITS: usize = 257;

//! Points in affine and Jacobian coordinates: fewer multiplications than [`super::Point`], at the price of exceptions.

use alloc::vec::Vec;

use zeroize::{Zeroize, Zeroizing};

use super::{
    Field, Scalar, constants,
    point::B,
    sum::{Cached, Sum},
};

/// A point other than infinity.
#[derive(Clone, Copy)]
pub(crate) struct Affine {
    pub(crate) x: Field,
    pub(crate) y: Field,
}

/// A point of the curve, infinity (Z = 0) included; x = X/Z², y = Y/Z³.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Jacobian {
    pub(crate) x: Field,
    pub(crate) y: Field,
    pub(crate) z: Field,
}

impl Affine {
    pub(crate) const GENERATOR: Self =
        Self { x: Field::constant(&constants::G_X), y: Field::constant(&constants::G_Y) };

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

    pub(crate) fn double(&self) -> Self {
        let mut sum = Sum::new(*self);
        sum.double();
        sum.point
    }

    /// self + other, in a time that depends on both: for public points.
    pub(crate) fn add_affine(&self, other: &Affine) -> Self {
        let mut sum = PublicSum::new(self);
        sum.add_affine(other, false);
        sum.point()
    }

    /// self + other, in a time that depends on both: for public points.
    pub(crate) fn add(&self, other: &Self) -> Self {
        if other.z.is_zero() {
            return *self;
        }
        let mut sum = PublicSum::new(self);
        sum.add(&Cached::from(*other), false);
        sum.point()
    }

    /// \[scalar\]point, in a time that depends on both: for public numbers. Signed odd digits below 16 (w-NAF).
    pub(crate) fn multiple(point: &Affine, scalar: &Scalar) -> Self {
        let odd = odd_multiples(point);
        let mut sum = PublicSum::new(&Self::INFINITY);
        for digit in signed_odd_digits(scalar).iter().rev() {
            sum.double();
            let magnitude = usize::from(digit.unsigned_abs());
            // Digits are odd or zero: 1, 3, 5, … are at 0, 1, 2, …
            if let Some(entry) = odd.get(magnitude / 2)
                && magnitude != 0
            {
                sum.add(entry, *digit < 0);
            }
        }
        sum.point()
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
        let (more, carry) = super::portable::carrying_add(&least, &constants::N);
        let (_, below) = super::portable::borrowing_subtract(&more, &constants::P);
        !carry && below && matches(more)
    }

    /// Big-endian x; `None` for infinity. In the same time for every other point.
    pub(crate) fn affine_x(&self) -> Option<[u8; 32]> {
        if self.z.is_zero() {
            return None;
        }
        // Z would tell about the scalar that led here.
        let inverse = Zeroizing::new(self.z.invert());
        Some(self.x.multiply(&inverse.square()).to_bytes())
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

impl Zeroize for Jacobian {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.z.zeroize();
    }
}

/// A sum of public points. It answers for every exception, in a time that depends on the points.
pub(super) struct PublicSum {
    /// Means nothing while the sum is infinity.
    sum: Sum,
    is_infinity: bool,
}

impl PublicSum {
    pub(super) fn new(point: &Jacobian) -> Self {
        Self { sum: Sum::new(*point), is_infinity: point.z.is_zero() }
    }

    pub(super) const fn point(&self) -> Jacobian {
        if self.is_infinity { Jacobian::INFINITY } else { self.sum.point }
    }

    #[inline]
    pub(super) fn double(&mut self) {
        if !self.is_infinity {
            self.sum.double();
        }
    }

    /// Adds the point or its negative.
    #[inline]
    pub(super) fn add_affine(&mut self, point: &Affine, negative: bool) {
        self.sum.term.point = Jacobian::from(*point);
        self.sum.term.point.y.negate_if(negative);
        if self.is_infinity {
            return self.take_term();
        }
        self.sum.add_affine();
        self.settle();
    }

    /// Adds the point or its negative.
    #[inline]
    pub(super) fn add(&mut self, point: &Cached, negative: bool) {
        self.sum.term = *point;
        self.sum.term.point.y.negate_if(negative);
        if self.is_infinity {
            return self.take_term();
        }
        self.sum.add_term();
        self.settle();
    }

    /// After an addition: of a point to itself, a doubling should have been; to its negative, infinity is the sum.
    #[inline]
    fn settle(&mut self) {
        if self.sum.met_same_x() {
            self.is_infinity = !self.sum.met_same_y();
            self.sum.point = self.sum.term.point;
            self.sum.double();
        }
    }

    const fn take_term(&mut self) {
        self.sum.point = self.sum.term.point;
        self.is_infinity = false;
    }
}

/// P, 3P, … 15P. The order of P is a large prime: no addition here meets its own term.
fn odd_multiples(point: &Affine) -> [Cached; 8] {
    let mut sum = Sum::new(Jacobian::from(*point));
    let first = Cached::from(sum.point);
    sum.double();
    sum.term = Cached::from(sum.point);
    sum.point = first.point;
    let mut odd = [first; 8];
    for entry in odd.iter_mut().skip(1) {
        sum.add_term();
        *entry = Cached::from(sum.point);
    }
    odd
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

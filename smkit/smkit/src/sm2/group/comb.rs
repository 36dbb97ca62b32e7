//! Multiples of a fixed point from a table of all d·64^w·P: additions only, no doubling.

use alloc::vec::Vec;

use zeroize::Zeroize;

use super::{Affine, Field, Jacobian, Scalar, jacobian::PublicSum, sum::Sum};
use crate::once::LazyLock;

/// d·64^w·P for d in 1..=32, one row for each window w; 86 KiB.
pub(crate) struct Comb(Vec<[Affine; DIGIT_MAX]>);

/// The table of the base point.
pub(crate) static GENERATOR: LazyLock<Comb> = LazyLock::new(|| Comb::new(&Affine::GENERATOR));

impl Comb {
    /// The table of a point; costs about as much as nine verifications. For public points.
    ///
    /// No multiple here is infinity, and none is added to itself or its negative: the order is a prime far above 64, and
    /// d·64^w is no multiple of it.
    pub(crate) fn new(point: &Affine) -> Self {
        let mut sum = Sum::new(Jacobian::from(*point));
        let mut bases = Vec::with_capacity(WINDOWS);
        for _ in 0..WINDOWS {
            bases.push(sum.point);
            (0..WINDOW_BITS).for_each(|_| sum.double());
        }
        let mut points = Vec::with_capacity(WINDOWS * DIGIT_MAX);
        for base in Jacobian::normalize_all(&bases) {
            let mut sum = Sum::new(Jacobian::from(base));
            sum.term.point = sum.point;
            points.push(sum.point);
            sum.double();
            points.push(sum.point);
            for _ in 2..DIGIT_MAX {
                sum.add_affine();
                points.push(sum.point);
            }
        }
        Self(Jacobian::normalize_all(&points).as_chunks().0.to_vec())
    }

    /// d·64^w·P at row w, place d − 1.
    pub(crate) fn rows(&self) -> &[[Affine; DIGIT_MAX]] {
        &self.0
    }

    /// sum + \[scalar\]P, in a time that depends on everything: for public numbers.
    pub(crate) fn add_multiple(&self, sum: &Jacobian, scalar: &Scalar) -> Jacobian {
        let digits = Digits::new(scalar);
        let mut sum = PublicSum::new(sum);
        for (row, digit) in self.0.iter().zip(digits.0) {
            let magnitude = usize::from(digit.unsigned_abs());
            if let Some(multiple) = magnitude.checked_sub(1).and_then(|at| row.get(at)) {
                sum.add_affine(multiple, digit < 0);
            }
        }
        sum.point()
    }

    /// \[scalar\]P, in the same time for every scalar.
    ///
    /// Each step adds D = d·64^w·P to the sum S of the steps below, which is a smaller multiple of P. As numbers
    /// |S| ≤ 32·(64^w − 1)/63 < 64^w ≤ |D| for d ≠ 0, so S ≠ ±D over the integers, and modulo n neither: below the
    /// top window |S| + |D| < n. In the top one (w = 42, 0 ≤ d ≤ 16) S + D is the scalar k itself, in [0, n), and
    /// D − S = 2D − k would have to be n (2n is beyond it but for d = 16, and then k = 2²⁵⁷ − 2n is too small for
    /// that digit): that needs S = D − n with |S| < 64⁴², hence d = 16 and k = 2²⁵⁷ − n > n. So the only exceptions
    /// are an S at infinity and d = 0, and both are masked.
    pub(crate) fn multiply(&self, scalar: &Scalar) -> Jacobian {
        let mut digits = Digits::new(scalar);
        let mut sum = Sum::new(Jacobian::INFINITY);
        let mut before = sum.point;
        let mut sum_is_infinity = u64::MAX;
        for (row, digit) in self.0.iter().zip(&digits.0) {
            let digit = core::hint::black_box(i64::from(*digit));
            let sign = (digit >> 63).cast_unsigned();
            let magnitude = (digit.cast_unsigned() ^ sign).wrapping_sub(sign);
            let Affine { x, y } = look_up(row, magnitude);
            let y = Field::select(&y.negate(), &y, sign);
            sum.term.point = Jacobian::from(Affine { x, y });
            let digit_is_zero = (magnitude.wrapping_sub(1) >> 63).wrapping_neg();

            before = sum.point;
            sum.add_affine();
            let added = Jacobian::select(&sum.term.point, &sum.point, sum_is_infinity);
            sum.point = Jacobian::select(&before, &added, digit_is_zero);
            sum_is_infinity &= digit_is_zero;
        }
        digits.0.zeroize();
        before.zeroize();
        let result = sum.point;
        sum.zeroize();
        result
    }
}

impl Jacobian {
    /// `a` where the mask is all ones, `b` where it is zero.
    #[inline]
    pub(super) fn select(a: &Self, b: &Self, mask: u64) -> Self {
        Self {
            x: Field::select(&a.x, &b.x, mask),
            y: Field::select(&a.y, &b.y, mask),
            z: Field::select(&a.z, &b.z, mask),
        }
    }
}

/// A scalar in digits −31..=32 to the base 64, lowest first, found without branching on it.
struct Digits([i8; WINDOWS]);

impl Digits {
    fn new(scalar: &Scalar) -> Self {
        let [l0, l1, l2, l3] = scalar.to_limbs();
        let mut limbs = [l0, l1, l2, l3, 0, 0];
        let mut carry = 0;
        let digits = core::array::from_fn(|window| {
            let bit = window * WINDOW_BITS;
            let limb = |at: usize| u128::from(limbs.get(at).copied().unwrap_or(0));
            let pair = limb(bit / 64) | limb(bit / 64 + 1) << 64;
            let [low, ..] = (pair >> (bit % 64)).to_le_bytes();
            let value = (low & 63) + carry;
            // 33..=64 become −31..=0 with a carry.
            carry = 32_u8.wrapping_sub(value) >> 7;
            value.cast_signed() - (carry << 6).cast_signed()
        });
        limbs.zeroize();
        Self(digits)
    }
}

/// The entry of a magnitude in 1..=32, zeros for 0. Reads every entry, so that the digit leaves no trace in the cache.
fn look_up(row: &[Affine; DIGIT_MAX], magnitude: u64) -> Affine {
    let mut entry = Affine { x: Field::ZERO, y: Field::ZERO };
    for (point, at) in row.iter().zip(1_u64..) {
        let mask = ((at ^ magnitude).wrapping_sub(1) >> 63).wrapping_neg();
        entry.x.or_masked(&point.x, mask);
        entry.y.or_masked(&point.y, mask);
    }
    entry
}

const WINDOW_BITS: usize = 6;
/// 43 · 6 = 258 bits: 256 and the last carry.
const WINDOWS: usize = 43;
const DIGIT_MAX: usize = 32;

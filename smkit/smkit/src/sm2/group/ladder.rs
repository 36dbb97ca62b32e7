//! \[k\]P for a secret k and any P: signed windows over Jacobian doublings, at half the price of complete formulas alone.

use zeroize::Zeroize;

use super::{Affine, Field, Jacobian, Point, Scalar, sum::Sum};

impl Point {
    /// \[k\]P, in the same time for every k. Whether P is infinity may show: nobody's secret decides that.
    ///
    /// Each step takes S to 32·S and adds D = d·P, with S = m·P for the digits above. The formula for the addition fails
    /// when one of both is infinity (masked) or when 32·m ≡ ±d modulo n. As numbers 32·m ≥ 32 > |d|; above the lowest
    /// window 32·m + |d| stays below n, and in the lowest, where 32·m + d is k itself, k = n + 2d is left: one scalar,
    /// n − 6. So that window adds with the complete formula.
    pub(crate) fn mul(&self, k: &Scalar) -> Self {
        if self.is_infinity() {
            return Self::INFINITY;
        }
        let table = self.multiples();
        let mut digits = Digits::new(k);
        let mut sum = Sum::new(Jacobian::INFINITY);
        let mut before = sum.point;
        let mut sum_is_infinity = u64::MAX;
        let (lowest, higher) = match digits.0.split_first() {
            Some((lowest, higher)) => (*lowest, higher),
            None => (0, [].as_slice()),
        };
        for digit in higher.iter().rev() {
            times_32(&mut sum);
            let (entry, digit_is_zero) = look_up(&table, *digit);
            sum.term.point = Jacobian::from(entry);
            before = sum.point;
            sum.add_affine();
            let added = Jacobian::select(&sum.term.point, &sum.point, sum_is_infinity);
            sum.point = Jacobian::select(&before, &added, digit_is_zero);
            sum_is_infinity &= digit_is_zero;
        }
        times_32(&mut sum);
        let (entry, digit_is_zero) = look_up(&table, lowest);
        let entry = Self::from(entry).or_infinity(digit_is_zero);
        let product = Self::from(sum.point).or_infinity(sum_is_infinity).add(&entry);
        digits.0.zeroize();
        before.zeroize();
        sum.zeroize();
        product
    }

    /// P, 2P … 16P; P is not infinity, so none is.
    fn multiples(&self) -> [Affine; DIGIT_MAX] {
        let mut last = *self;
        let points: [Self; DIGIT_MAX] = core::array::from_fn(|at| {
            if at > 0 {
                last = last.add(self);
            }
            last
        });
        let mut inverses = points.map(|point| point.z);
        Field::invert_all(&mut inverses);
        let mut affine = [Affine { x: Field::ZERO, y: Field::ZERO }; DIGIT_MAX];
        for ((to, point), inverse) in affine.iter_mut().zip(&points).zip(&inverses) {
            *to = Affine { x: point.x.multiply(inverse), y: point.y.multiply(inverse) };
        }
        affine
    }

    /// Infinity where the mask is all ones.
    fn or_infinity(&self, mask: u64) -> Self {
        Self {
            x: Field::select(&Self::INFINITY.x, &self.x, mask),
            y: Field::select(&Self::INFINITY.y, &self.y, mask),
            z: Field::select(&Self::INFINITY.z, &self.z, mask),
        }
    }
}

fn times_32(sum: &mut Sum) {
    for _ in 0..WINDOW_BITS {
        sum.double();
    }
}

/// The multiple of a digit, and all ones if the digit is zero (the multiple then means nothing). Reads every entry, so
/// that the digit leaves no trace in the cache.
fn look_up(table: &[Affine; DIGIT_MAX], digit: i8) -> (Affine, u64) {
    let digit = core::hint::black_box(i64::from(digit));
    let sign = (digit >> 63).cast_unsigned();
    let magnitude = (digit.cast_unsigned() ^ sign).wrapping_sub(sign);
    let mut entry = Affine { x: Field::ZERO, y: Field::ZERO };
    for (point, at) in table.iter().zip(1_u64..) {
        let mask = ((at ^ magnitude).wrapping_sub(1) >> 63).wrapping_neg();
        entry.x.or_masked(&point.x, mask);
        entry.y.or_masked(&point.y, mask);
    }
    entry.y = Field::select(&entry.y.negate(), &entry.y, sign);
    (entry, (magnitude.wrapping_sub(1) >> 63).wrapping_neg())
}

/// A scalar in digits −15..=16 to the base 32, lowest first, found without branching on it.
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
            let value = (low & 31) + carry;
            // 17..=32 become −15..=0 with a carry.
            carry = 16_u8.wrapping_sub(value) >> 7;
            value.cast_signed() - (carry << 5).cast_signed()
        });
        limbs.zeroize();
        Self(digits)
    }
}

const WINDOW_BITS: usize = 5;
/// 52 · 5 = 260 bits: 256 and the last carry.
const WINDOWS: usize = 52;
const DIGIT_MAX: usize = 16;

#[cfg(test)]
mod tests;

//! Numbers modulo p, the prime of the curve, in Montgomery form: a stands for a·2⁻²⁵⁶.

use alloc::vec::Vec;

#[cfg(target_arch = "x86_64")]
use super::kernel;
use super::{
    constants::{self, P},
    portable,
};

/// a^(p−2) of anything with `multiply` and `square_times`: 256 squarings and 15 multiplications.
macro_rules! power_p_minus_2 {
    ($a:expr) => {{
        // a_n is a^(2^n − 1). From the top, p − 2 has 31 ones, a zero, 128 ones, 32 zeros, 62 ones, 0, 1.
        let a = $a;
        let a2 = a.square_times(1).multiply(&a);
        let a3 = a2.square_times(1).multiply(&a);
        let a6 = a3.square_times(3).multiply(&a3);
        let a12 = a6.square_times(6).multiply(&a6);
        let a15 = a12.square_times(3).multiply(&a3);
        let a30 = a15.square_times(15).multiply(&a15);
        let a31 = a30.square_times(1).multiply(&a);
        let a32 = a31.square_times(1).multiply(&a);
        let power = a31.square_times(33).multiply(&a32);
        let power = power.square_times(32).multiply(&a32);
        let power = power.square_times(32).multiply(&a32);
        let power = power.square_times(32).multiply(&a32);
        let power = power.square_times(64).multiply(&a32);
        power.square_times(30).multiply(&a30).square_times(2).multiply(&a)
    }};
}
pub(in crate::sm2) use power_p_minus_2;

/// A number modulo p; the limbs, lowest first, are always below p. Every operation takes the same time for every value.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Field([u64; 4]);

impl Field {
    pub(crate) const ZERO: Self = Self([0; 4]);
    pub(crate) const ONE: Self = Self(MONTGOMERY_ONE);

    /// A number below p, for constants.
    pub(crate) const fn constant(limbs: &[u64; 4]) -> Self {
        Self(constants::to_montgomery(limbs, &P))
    }

    /// Takes limbs in Montgomery form, below p.
    pub(crate) const fn from_montgomery(limbs: [u64; 4]) -> Self {
        Self(limbs)
    }

    /// The limbs in Montgomery form.
    pub(crate) const fn to_montgomery(self) -> [u64; 4] {
        self.0
    }

    /// 32 big-endian bytes below p.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let limbs = limbs_of_bytes(bytes);
        let (_, below) = portable::borrowing_subtract(&limbs, &P);
        below.then(|| Self::from_limbs(limbs))
    }

    /// Limbs of a number below p, lowest first.
    pub(crate) fn from_limbs(limbs: [u64; 4]) -> Self {
        Self(limbs).multiply(&Self(R_SQUARED))
    }

    /// The limbs of the number itself, lowest first.
    pub(crate) fn to_limbs(self) -> [u64; 4] {
        self.multiply(&Self([1, 0, 0, 0])).0
    }

    pub(crate) fn to_bytes(self) -> [u8; 32] {
        bytes_of_limbs(&self.to_limbs())
    }

    #[inline]
    pub(crate) fn add(&self, other: &Self) -> Self {
        Self(portable::add(&self.0, &other.0, &P))
    }

    #[inline]
    pub(crate) fn double(&self) -> Self {
        self.add(self)
    }

    #[inline]
    pub(crate) fn subtract(&self, other: &Self) -> Self {
        Self(portable::subtract(&self.0, &other.0, &P))
    }

    #[inline]
    pub(crate) fn negate(&self) -> Self {
        Self::ZERO.subtract(self)
    }

    #[inline]
    pub(crate) fn multiply(&self, other: &Self) -> Self {
        #[cfg(target_arch = "x86_64")]
        return Self(kernel::multiply(&self.0, &other.0));
        #[cfg(not(target_arch = "x86_64"))]
        Self(portable::multiply(&self.0, &other.0, &P))
    }

    #[inline]
    pub(crate) fn square(&self) -> Self {
        #[cfg(target_arch = "x86_64")]
        return Self(kernel::square(&self.0));
        #[cfg(not(target_arch = "x86_64"))]
        Self(portable::multiply(&self.0, &self.0, &P))
    }

    fn square_times(mut self, times: u32) -> Self {
        #[cfg(target_arch = "x86_64")]
        kernel::square_times(&mut self.0, times);
        #[cfg(not(target_arch = "x86_64"))]
        (0..times).for_each(|_| self = self.square());
        self
    }

    /// 3/2 of it.
    #[inline]
    pub(crate) fn three_halves(&self) -> Self {
        self.add(&Self(portable::halve(&self.0, &P)))
    }

    /// The inverse by Fermat, a^(p−2); zero gives zero.
    pub(crate) fn invert(&self) -> Self {
        power_p_minus_2!(*self)
    }

    /// The square root a^((p+1)/4), if there is one. Takes longer for none: for public numbers.
    pub(crate) fn square_root(&self) -> Option<Self> {
        let root = SQUARE_ROOT_EXPONENT.iter().rev().fold(Self::ONE, |power, limb| {
            (0..64).rev().fold(power, |power, bit| {
                let square = power.square();
                if limb >> bit & 1 == 1 { square.multiply(self) } else { square }
            })
        });
        root.square().equals(self).then_some(root)
    }

    pub(crate) fn equals(&self, other: &Self) -> bool {
        self.subtract(other).is_zero()
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.zero_mask() != 0
    }

    /// Zero for zero alone.
    pub(super) fn bits(&self) -> u64 {
        self.0.iter().fold(0, |bits, limb| bits | limb)
    }

    /// Becomes its negative, or stays, without a branch.
    #[inline]
    pub(super) fn negate_if(&mut self, negative: bool) {
        *self = Self::select(&self.negate(), self, u64::from(negative).wrapping_neg());
    }

    /// All ones for zero, else zero.
    pub(crate) fn zero_mask(&self) -> u64 {
        portable::zero_mask(&self.0)
    }

    /// `a` where the mask is all ones, `b` where it is zero.
    #[inline]
    pub(crate) fn select(a: &Self, b: &Self, mask: u64) -> Self {
        Self(portable::select(&a.0, &b.0, mask))
    }

    /// `self` becomes its bitwise or with `other` under the mask: one step of a masked table look-up.
    #[inline(always)]
    pub(crate) fn or_masked(&mut self, other: &Self, mask: u64) {
        for (limb, other) in self.0.iter_mut().zip(other.0) {
            *limb |= other & mask;
        }
    }

    /// Inverts all, at the price of one inversion and three multiplications each; zeros stay zeros.
    pub(crate) fn invert_all(values: &mut [Self]) {
        let mut product = Self::ONE;
        let before: Vec<Self> = values
            .iter()
            .map(|value| {
                let before = product;
                product = product.multiply(&value.one_if_zero());
                before
            })
            .collect();
        let mut inverse = product.invert();
        for (value, before) in values.iter_mut().zip(before).rev() {
            let one = inverse.multiply(&before);
            inverse = inverse.multiply(&value.one_if_zero());
            *value = Self::select(&Self::ZERO, &one, value.zero_mask());
        }
    }

    fn one_if_zero(&self) -> Self {
        Self::select(&Self::ONE, self, self.zero_mask())
    }
}

impl zeroize::Zeroize for Field {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

/// Big-endian bytes as limbs, lowest first.
pub(crate) fn limbs_of_bytes(bytes: &[u8; 32]) -> [u64; 4] {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().rev().zip(bytes.as_chunks::<8>().0) {
        *limb = u64::from_be_bytes(*chunk);
    }
    limbs
}

/// Limbs, lowest first, as big-endian bytes.
pub(crate) fn bytes_of_limbs(limbs: &[u64; 4]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (limb, chunk) in limbs.iter().rev().zip(bytes.as_chunks_mut::<8>().0) {
        *chunk = limb.to_be_bytes();
    }
    bytes
}

/// 2²⁵⁶ modulo p.
const MONTGOMERY_ONE: [u64; 4] = constants::to_montgomery(&[1, 0, 0, 0], &P);
/// 2⁵¹² modulo p.
const R_SQUARED: [u64; 4] = constants::to_montgomery(&MONTGOMERY_ONE, &P);
const SQUARE_ROOT_EXPONENT: [u64; 4] = constants::quarter_above(&P);

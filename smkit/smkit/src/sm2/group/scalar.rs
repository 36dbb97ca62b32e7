//! Numbers modulo n, the order of the group.

use zeroize::Zeroize;

use super::{
    constants::{self, N},
    field::{bytes_of_limbs, limbs_of_bytes},
    portable,
};

/// A number modulo n, in Montgomery form, always below n. Every operation takes the same time for every value.
#[derive(Clone, Copy)]
pub(crate) struct Scalar([u64; 4]);

impl Scalar {
    pub(crate) const ZERO: Self = Self([0; 4]);
    pub(crate) const ONE: Self = Self(MONTGOMERY_ONE);

    /// 32 big-endian bytes below n.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let limbs = limbs_of_bytes(bytes);
        let (_, below) = portable::borrowing_subtract(&limbs, &N);
        below.then(|| Self::from_limbs(limbs))
    }

    /// Any 32 big-endian bytes, modulo n.
    pub(crate) fn reduce(bytes: &[u8; 32]) -> Self {
        // 2²⁵⁶ is below 2n.
        Self::from_limbs(portable::subtract_once(&limbs_of_bytes(bytes), false, &N))
    }

    fn from_limbs(limbs: [u64; 4]) -> Self {
        Self(limbs).mul(&Self(R_SQUARED))
    }

    /// The limbs of the number itself, lowest first.
    pub(crate) fn to_limbs(self) -> [u64; 4] {
        self.mul(&Self([1, 0, 0, 0])).0
    }

    /// 32 big-endian bytes.
    pub(crate) fn to_bytes(self) -> [u8; 32] {
        bytes_of_limbs(&self.to_limbs())
    }

    pub(crate) fn add(&self, other: &Self) -> Self {
        Self(portable::add(&self.0, &other.0, &N))
    }

    pub(crate) fn sub(&self, other: &Self) -> Self {
        Self(portable::subtract(&self.0, &other.0, &N))
    }

    pub(crate) fn mul(&self, other: &Self) -> Self {
        Self(portable::multiply_modulo(&self.0, &other.0, &N, N_INVERSE))
    }

    pub(crate) fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    /// The inverse by Fermat, a^(n−2); zero gives zero.
    pub(crate) fn invert(&self) -> Self {
        // Four bits of the exponent, which is no secret, at a time.
        let mut powers = [Self::ONE; 16];
        let mut last = Self::ONE;
        for power in powers.iter_mut().skip(1) {
            last = last.mul(self);
            *power = last;
        }
        let mut result = Self::ONE;
        for limb in N_MINUS_2.iter().rev() {
            for nibble in (0..16).rev() {
                result = (0..4).fold(result, |power, _| power.mul(&power));
                let digit = usize::try_from(limb >> (4 * nibble) & 15).unwrap_or(0);
                result = result.mul(powers.get(digit).unwrap_or(&Self::ONE));
            }
        }
        powers.zeroize();
        result
    }

    pub(crate) fn is_zero(&self) -> bool {
        portable::zero_mask(&self.0) != 0
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.sub(other).is_zero()
    }
}

impl Eq for Scalar {}

impl Zeroize for Scalar {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

const N_INVERSE: u64 = constants::negative_inverse(&N);
const N_MINUS_2: [u64; 4] = constants::less(&N, 2);
/// 2²⁵⁶ modulo n.
const MONTGOMERY_ONE: [u64; 4] = constants::to_montgomery(&[1, 0, 0, 0], &N);
/// 2⁵¹² modulo n.
const R_SQUARED: [u64; 4] = constants::to_montgomery(&MONTGOMERY_ONE, &N);

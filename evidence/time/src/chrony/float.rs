//! Numbers of the command protocol.

use std::fmt;

/// A number as chronyd sends it: 7 bits of signed exponent, 25 bits of signed coefficient, the value being
/// coefficient · 2^(exponent − 25). Equal where the bits are equal.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct ChronyFloat(pub u32);

impl ChronyFloat {
    /// The nearest number to `value` that has this form, for tests and simulated peers; zero for what has none.
    #[must_use]
    pub fn from_nanos(value: i64) -> Self {
        let mut coefficient = i128::from(value) << 60;
        coefficient /= 1_000_000_000;
        let mut exponent = COEFFICIENT_BITS - 60;
        while coefficient.abs() >= 1 << (COEFFICIENT_BITS - 1) {
            coefficient >>= 1;
            exponent += 1;
        }
        let (Ok(coefficient), Ok(exponent)) = (i32::try_from(coefficient), i8::try_from(exponent))
        else {
            return Self::default();
        };
        let low = u32::from_be_bytes(coefficient.to_be_bytes()) & COEFFICIENT_MASK;
        let high = u32::from(u8::from_be_bytes(exponent.to_be_bytes())) << COEFFICIENT_BITS;
        Self(high | low)
    }

    /// The value. Exact.
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from(self.coefficient()) * f64::from(self.exponent() - COEFFICIENT_BITS).exp2()
    }

    /// The value without its sign, in billionths, rounded up: nanoseconds of a number of seconds.
    #[must_use]
    pub fn nanos_up(self) -> u64 {
        // At most 2^24 · 2^30 · 2^38.
        let billionths = u128::from(self.coefficient().unsigned_abs()) * 1_000_000_000;
        let shift = self.exponent() - COEFFICIENT_BITS;
        let value = if shift >= 0 {
            billionths << shift
        } else {
            let below = 1_u128 << shift.unsigned_abs();
            billionths.div_ceil(below)
        };
        u64::try_from(value).unwrap_or(u64::MAX)
    }

    /// Whether it is below zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.coefficient() < 0
    }

    fn coefficient(self) -> i32 {
        // Shifting left and back extends the sign.
        i32::from_be_bytes((self.0 << EXPONENT_BITS).to_be_bytes()) >> EXPONENT_BITS
    }

    fn exponent(self) -> i32 {
        i32::from_be_bytes(self.0.to_be_bytes()) >> COEFFICIENT_BITS
    }
}

impl fmt::Debug for ChronyFloat {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.value())
    }
}

const EXPONENT_BITS: i32 = 7;
const COEFFICIENT_BITS: i32 = 25;
const COEFFICIENT_MASK: u32 = (1 << COEFFICIENT_BITS) - 1;

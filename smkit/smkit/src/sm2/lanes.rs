//! Eight SM2 operations at a time, one in each 64-bit lane of an AVX-512 register (IFMA, limbs of 52 bits).
//!
//! The formulas are not complete, but they cannot be wrong unnoticed: adding a point to itself or to its negative makes
//! Z = 0, and Z stays 0 from there on. A lane that ends with Z = 0 has no answer here and is given to the scalar path.

#![allow(unsafe_code, reason = "the entry to code compiled for AVX-512")]

mod field;
mod point;

use alloc::{vec, vec::Vec};

use zeroize::Zeroizing;

use crate::{
    cpu,
    sm2::{
        group::{Affine, Comb, Field, Scalar},
        verifying::Claim,
    },
};

/// Operations in one register.
pub(super) const LANES: usize = 8;

/// The point whose multiple a verification needs, as what is known of it.
#[derive(Clone, Copy)]
pub(super) enum Keys<'a> {
    /// Points without tables.
    Points(&'a [Affine; LANES]),
    /// Tables.
    Combs(&'a [&'a Comb; LANES]),
}

/// Whether the processor has what this module needs.
pub(super) fn available() -> bool {
    cpu::has_avx512_ifma()
}

/// Eight verdicts; `None` where the scalar path must decide. All `None` when not [`available`]. For public numbers.
pub(super) fn verify(keys: Keys<'_>, claims: &[&Claim; LANES]) -> [Option<bool>; LANES] {
    if !available() {
        return [None; LANES];
    }
    // SAFETY: `available` has just found AVX-512 F and IFMA.
    let (valid, unknown) = unsafe { point::verify(keys, claims) };
    let mut lane = 0;
    claims.map(|claim| {
        let bit = 1_u8 << lane;
        lane += 1;
        // x of the point may also be expected + n when that is below p: once in 2¹²⁸, and not worth a lane.
        let certain = unknown & bit == 0 && !second_x(&claim.expected);
        certain.then_some(valid & bit != 0)
    })
}

/// x of \[k\]G for each k, in the same time for every k; `None` where the scalar path must say, always for k = 0.
pub(super) fn base_x(scalars: &[Scalar]) -> Vec<Option<Zeroizing<[u8; 32]>>> {
    if !available() {
        return vec![None; scalars.len()];
    }
    // SAFETY: `available` has just found AVX-512 F and IFMA.
    unsafe { point::base_x(scalars) }
}

/// Whether x + n is below p.
fn second_x(x: &Scalar) -> bool {
    let [_, _, middle, high] = x.to_limbs();
    // p − n is below 2¹²⁸.
    middle == 0 && high == 0
}

/// A number modulo n as one modulo p.
fn as_field(scalar: &Scalar) -> Field {
    // n is below p.
    Field::from_limbs(scalar.to_limbs())
}

#[cfg(test)]
mod tests;

//! The group of the SM2 curve and the numbers modulo its order n: the arithmetic under everything in [`crate::sm2`].
//!
//! [`Point`] is for secrets (complete formulas, constant time), [`Jacobian`] for public points (verification),
//! [`Comb`] for fixed points, both ways.

#![allow(dead_code, reason = "the whole interface, whoever uses it")]

mod comb;
pub(in crate::sm2) mod constants;
mod field;
mod jacobian;
#[cfg(target_arch = "x86_64")]
mod kernel;
mod ladder;
mod point;
mod portable;
mod scalar;
mod sum;

pub(crate) use comb::{Comb, GENERATOR};
pub(crate) use field::Field;
#[cfg(target_arch = "x86_64")]
pub(in crate::sm2) use field::power_p_minus_2;
pub(crate) use jacobian::{Affine, Jacobian};
pub(crate) use point::Point;
pub(crate) use scalar::Scalar;

#[cfg(test)]
mod tests;

//! GHASH with the carry-less multiplication of Armv8, computed as POLYVAL of reversed bytes (RFC 8452 appendix A).
#![allow(unsafe_code, reason = "kernel module: vector loads, stores and feature-gated calls")]

use core::arch::aarch64::*;

use super::Block;
use crate::cpu;

/// The first eight powers of x·H, the highest first: the order in which blocks meet them.
pub(super) type Powers = [[u64; 2]; POWERS];

/// Blocks for each reduction.
const POWERS: usize = 8;

pub(super) fn available() -> bool {
    cpu::has_arm_pmull()
}

// SAFETY of every `_checked` function: only reached with `Multiplier::Pmull`, which is only made by
// `Multiplier::detect` and by tests that ask it.

pub(super) fn powers_checked(subkey: &Block) -> Powers {
    // SAFETY: see above, the processor has the features.
    unsafe { powers(subkey) }
}

pub(super) fn update_checked(powers: &Powers, hash: &mut Block, blocks: &[Block]) {
    // SAFETY: see above, the processor has the features.
    unsafe { update(powers, hash, blocks) }
}

#[target_feature(enable = "neon,aes")]
fn powers(subkey: &Block) -> Powers {
    let first = load(super::polyval_key(subkey));
    let mut powers = [[0; 2]; POWERS];
    let mut power = first;
    for slot in powers.iter_mut().rev() {
        *slot = [vgetq_lane_u64::<0>(power), vgetq_lane_u64::<1>(power)];
        power = Product::of(power, first).reduce();
    }
    powers
}

#[target_feature(enable = "neon,aes")]
fn update(powers: &Powers, hash: &mut Block, blocks: &[Block]) {
    let mut sum = reversed(hash);
    for step in blocks.chunks(POWERS) {
        // The first block of a step carries the hash so far and meets the highest power.
        let powers = powers.iter().skip(POWERS - step.len());
        let zero = vdupq_n_u64(0);
        let mut product = Product { low: zero, middle: zero, high: zero };
        let mut carried = sum;
        for (block, power) in step.iter().zip(powers) {
            let data = veorq_u64(reversed(block), carried);
            carried = zero;
            product = product.add(Product::of(data, load(*power)));
        }
        sum = product.reduce();
    }
    let bytes = vrev64q_u8(vreinterpretq_u8_u64(sum));
    // SAFETY: a block has 16 bytes; the store needs no alignment.
    unsafe { vst1q_u8(hash.as_mut_ptr(), vextq_u8::<8>(bytes, bytes)) };
}

/// An unreduced product, its middle part not yet folded in.
#[derive(Clone, Copy)]
struct Product {
    low: uint64x2_t,
    middle: uint64x2_t,
    high: uint64x2_t,
}

impl Product {
    #[target_feature(enable = "neon,aes")]
    #[inline]
    fn of(a: uint64x2_t, b: uint64x2_t) -> Self {
        let crossed = vextq_u64::<1>(b, b);
        Self {
            low: low(a, b),
            middle: veorq_u64(low(a, crossed), high(a, crossed)),
            high: high(a, b),
        }
    }

    #[target_feature(enable = "neon,aes")]
    #[inline]
    fn add(self, other: Self) -> Self {
        Self {
            low: veorq_u64(self.low, other.low),
            middle: veorq_u64(self.middle, other.middle),
            high: veorq_u64(self.high, other.high),
        }
    }

    /// Montgomery's reduction: divides by x^128 modulo x^128 + x^127 + x^126 + x^121 + 1.
    #[target_feature(enable = "neon,aes")]
    #[inline]
    fn reduce(self) -> uint64x2_t {
        let zero = vdupq_n_u64(0);
        let polynomial = vdupq_n_u64(0xc200_0000_0000_0000);
        let low_half = veorq_u64(self.low, vextq_u64::<1>(zero, self.middle));
        let high_half = veorq_u64(self.high, vextq_u64::<1>(self.middle, zero));
        let turn = |value| veorq_u64(vextq_u64::<1>(value, value), low(value, polynomial));
        veorq_u64(high_half, turn(turn(low_half)))
    }
}

/// The product of the lower halves.
#[target_feature(enable = "neon,aes")]
#[inline]
fn low(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t {
    let product = vmull_p64(vgetq_lane_u64::<0>(a), vgetq_lane_u64::<0>(b));
    vreinterpretq_u64_p128(product)
}

/// The product of the upper halves.
#[target_feature(enable = "neon,aes")]
#[inline]
fn high(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t {
    vreinterpretq_u64_p128(vmull_high_p64(vreinterpretq_p64_u64(a), vreinterpretq_p64_u64(b)))
}

/// Two halves, the lower first.
#[target_feature(enable = "neon")]
#[inline]
fn load(halves: [u64; 2]) -> uint64x2_t {
    // SAFETY: two halves are 16 bytes; the load needs no alignment.
    unsafe { vld1q_u64(halves.as_ptr()) }
}

/// A block with its bytes in reverse order.
#[target_feature(enable = "neon")]
#[inline]
fn reversed(block: &Block) -> uint64x2_t {
    // SAFETY: a block has 16 bytes; the load needs no alignment.
    let bytes = vrev64q_u8(unsafe { vld1q_u8(block.as_ptr()) });
    vreinterpretq_u64_u8(vextq_u8::<8>(bytes, bytes))
}

//! One stream with the SM3 instructions of Armv8.2: a round is three of them, four message words two.

#![allow(unsafe_code, reason = "vector loads, stores and instructions without intrinsics")]
#![allow(clippy::indexing_slicing, reason = "constant indices into arrays of fixed length")]

use core::arch::{aarch64::*, asm};

use super::compress::{BLOCK, K, State};
use crate::cpu;

/// Whether this processor runs [`compress`].
#[inline]
pub(super) fn available() -> bool {
    cpu::has_arm_sm()
}

/// Runs `state` over whole blocks.
///
/// # Panics
/// If the processor has no SM3 instructions.
pub(super) fn compress(state: &mut State, blocks: &[[u8; BLOCK]]) {
    assert!(cpu::runs_arm_sm(), "invariant: the kernel is chosen by detection");
    // SAFETY: the processor has the instructions, as just asserted.
    unsafe { compress_blocks(state, blocks) }
}

/// Registers A to D, or E to H, as the instructions want them: the first in the highest lane.
type Half = uint32x4_t;

#[target_feature(enable = "neon,sm4")]
fn compress_blocks(state: &mut State, blocks: &[[u8; BLOCK]]) {
    let (mut abcd, mut efgh) = (reverse(load_words(&state[..4])), reverse(load_words(&state[4..])));
    for block in blocks {
        let (before_abcd, before_efgh) = (abcd, efgh);
        let mut w = [0, 1, 2, 3].map(|quad| load_bytes(&block[16 * quad..]));
        for quad in 0..16 {
            let [w0, w1, w2, w3] = w;
            let wx = veorq_u32(w0, w1);
            macro_rules! round {
                ($lane:literal) => {
                    let k = vdupq_n_u32(K[4 * quad + $lane]);
                    let ss1 = ss1(abcd, efgh, k);
                    if quad < 4 {
                        abcd = tt1a::<$lane>(abcd, ss1, wx);
                        efgh = tt2a::<$lane>(efgh, ss1, w0);
                    } else {
                        abcd = tt1b::<$lane>(abcd, ss1, wx);
                        efgh = tt2b::<$lane>(efgh, ss1, w0);
                    }
                };
            }
            round!(0);
            round!(1);
            round!(2);
            round!(3);
            w = [w1, w2, w3, expand(w0, w1, w2, w3)];
        }
        abcd = veorq_u32(abcd, before_abcd);
        efgh = veorq_u32(efgh, before_efgh);
    }
    // SAFETY: each half of the state has four words; the stores need no alignment.
    unsafe {
        vst1q_u32(state[..4].as_mut_ptr(), reverse(abcd));
        vst1q_u32(state[4..].as_mut_ptr(), reverse(efgh));
    }
}

/// The four message words after the sixteen given (GB/T 32905-2016 §5.3.2).
#[target_feature(enable = "neon,sm4")]
#[inline]
fn expand(w0: uint32x4_t, w1: uint32x4_t, w2: uint32x4_t, w3: uint32x4_t) -> uint32x4_t {
    let w_7 = vextq_u32::<3>(w1, w2);
    let (w_3, w_10) = (vextq_u32::<3>(w0, w1), vextq_u32::<2>(w2, w3));
    part_w2(part_w1(w0, w_7, w3), w_10, w_3)
}

/// A function around one instruction with these operands: the first is also the result.
macro_rules! instruction {
    ($(#[$doc:meta])* $name:ident $(<$lane:ident>)?, $text:literal) => {
        $(#[$doc])*
        #[target_feature(enable = "neon,sm4")]
        #[inline]
        fn $name $(<const $lane: u32>)? (mut d: uint32x4_t, n: uint32x4_t, m: uint32x4_t) -> uint32x4_t {
            // SAFETY: reads and writes nothing but its registers.
            unsafe {
                asm!(
                    $text,
                    d = inout(vreg) d,
                    n = in(vreg) n,
                    m = in(vreg) m,
                    $(lane = const $lane,)?
                    options(pure, nomem, nostack, preserves_flags),
                );
            }
            d
        }
    };
}

instruction!(
    /// First half of the expansion: all but W_{j−13} and W_{j−6}. `core` has none of these intrinsics stably.
    part_w1, "sm3partw1 {d:v}.4s, {n:v}.4s, {m:v}.4s"
);
instruction!(
    /// Second half of the expansion.
    part_w2, "sm3partw2 {d:v}.4s, {n:v}.4s, {m:v}.4s"
);
instruction!(
    /// TT1 of rounds 0 to 15 and the move of A to D.
    tt1a<LANE>, "sm3tt1a {d:v}.4s, {n:v}.4s, {m:v}.s[{lane}]"
);
instruction!(
    /// TT1 of rounds 16 to 63 and the move of A to D.
    tt1b<LANE>, "sm3tt1b {d:v}.4s, {n:v}.4s, {m:v}.s[{lane}]"
);
instruction!(
    /// TT2 of rounds 0 to 15 and the move of E to H.
    tt2a<LANE>, "sm3tt2a {d:v}.4s, {n:v}.4s, {m:v}.s[{lane}]"
);
instruction!(
    /// TT2 of rounds 16 to 63 and the move of E to H.
    tt2b<LANE>, "sm3tt2b {d:v}.4s, {n:v}.4s, {m:v}.s[{lane}]"
);

/// SS1 in the highest lane, from A, E and the constant there.
#[target_feature(enable = "neon,sm4")]
#[inline]
fn ss1(abcd: Half, efgh: Half, k: uint32x4_t) -> uint32x4_t {
    let out: uint32x4_t;
    // SAFETY: reads and writes nothing but its registers.
    unsafe {
        asm!(
            "sm3ss1 {out:v}.4s, {abcd:v}.4s, {efgh:v}.4s, {k:v}.4s",
            out = lateout(vreg) out,
            abcd = in(vreg) abcd,
            efgh = in(vreg) efgh,
            k = in(vreg) k,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    out
}

/// The four words in reverse order.
#[target_feature(enable = "neon")]
#[inline]
fn reverse(words: uint32x4_t) -> Half {
    let halves = vrev64q_u32(words);
    vextq_u32::<2>(halves, halves)
}

#[target_feature(enable = "neon")]
#[inline]
fn load_words(words: &[u32]) -> uint32x4_t {
    assert!(words.len() >= 4, "four words");
    // SAFETY: there are four words; the load needs no alignment.
    unsafe { vld1q_u32(words.as_ptr()) }
}

/// Four big-endian words.
#[target_feature(enable = "neon")]
#[inline]
fn load_bytes(bytes: &[u8]) -> uint32x4_t {
    assert!(bytes.len() >= 16, "four words");
    // SAFETY: there are 16 bytes; the load needs no alignment.
    vreinterpretq_u32_u8(vrev32q_u8(unsafe { vld1q_u8(bytes.as_ptr()) }))
}

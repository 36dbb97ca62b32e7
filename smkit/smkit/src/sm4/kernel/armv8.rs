//! SM4 with the instructions of Armv8.2: each does four rounds of one block, so several blocks go side by side.
#![allow(
    unsafe_code,
    reason = "kernel module: vector loads, stores and instructions without intrinsics"
)]

use core::arch::{aarch64::*, asm};

use super::{Block, RoundKeys, in_steps};

/// Blocks in flight.
const WIDE: usize = 8;

/// Round keys, four to a register as the instruction takes them.
type Quads = [uint32x4_t; 8];

#[target_feature(enable = "neon,sm4")]
pub(super) fn expand(key: &Block) -> RoundKeys {
    const FK: [u32; 4] = [0xa3b1_bac6, 0x56aa_3350, 0x677d_9197, 0xb270_22dc];
    let mut quad = veorq_u32(swap(load(key)), words(&FK));
    let mut keys = [0; 32];
    for (keys, constants) in keys.as_chunks_mut::<4>().0.iter_mut().zip(CK.as_chunks().0) {
        quad = sm4ekey(quad, words(constants));
        // SAFETY: four words are 16 bytes; the store needs no alignment.
        unsafe { vst1q_u32(keys.as_mut_ptr(), quad) };
    }
    keys
}

#[target_feature(enable = "neon,sm4")]
pub(super) fn crypt(keys: &RoundKeys, blocks: &mut [Block]) {
    let quads = quads(keys);
    if let [block] = blocks {
        *block = store(rounds(&quads, [swap(load(block))])[0]);
        return;
    }
    in_steps::<{ 16 * WIDE }>(blocks.as_flattened_mut(), 16 * WIDE, |data| {
        if let Some(blocks) = data.as_chunks_mut::<16>().0.first_chunk_mut::<WIDE>() {
            let state = rounds(&quads, blocks.each_ref().map(|block| swap(load(block))));
            *blocks = state.map(|block| store(block));
        }
    });
}

#[target_feature(enable = "neon,sm4")]
pub(super) fn cbc_encrypt(keys: &RoundKeys, chain: &mut Block, blocks: &mut [Block]) {
    let quads = quads(keys);
    let mut last = swap(load(chain));
    for block in blocks {
        [last] = rounds(&quads, [veorq_u32(last, swap(load(block)))]);
        *block = store(last);
    }
    *chain = store(last);
}

/// All 32 rounds and the reversal of the words (GB/T 32907-2016 §7.1).
#[target_feature(enable = "neon,sm4")]
#[inline]
fn rounds<const N: usize>(keys: &Quads, mut state: [uint32x4_t; N]) -> [uint32x4_t; N] {
    for quad in keys {
        for block in &mut state {
            *block = sm4e(*block, *quad);
        }
    }
    state.map(|block| {
        let halves = vrev64q_u32(block);
        vextq_u32::<2>(halves, halves)
    })
}

#[target_feature(enable = "neon,sm4")]
#[inline]
fn quads(keys: &RoundKeys) -> Quads {
    let mut quads = [vdupq_n_u32(0); 8];
    for (to, from) in quads.iter_mut().zip(keys.as_chunks().0) {
        *to = words(from);
    }
    quads
}

/// Four rounds. `core` has the intrinsic only unstably (`stdarch_neon_sm4`).
#[target_feature(enable = "neon,sm4")]
#[inline]
fn sm4e(mut state: uint32x4_t, keys: uint32x4_t) -> uint32x4_t {
    // SAFETY: reads and writes nothing but its registers.
    unsafe {
        asm!(
            "sm4e {state:v}.4s, {keys:v}.4s",
            state = inout(vreg) state,
            keys = in(vreg) keys,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    state
}

/// Four steps of the key schedule.
#[target_feature(enable = "neon,sm4")]
#[inline]
fn sm4ekey(quad: uint32x4_t, constants: uint32x4_t) -> uint32x4_t {
    let next: uint32x4_t;
    // SAFETY: reads and writes nothing but its registers.
    unsafe {
        asm!(
            "sm4ekey {next:v}.4s, {quad:v}.4s, {constants:v}.4s",
            next = lateout(vreg) next,
            quad = in(vreg) quad,
            constants = in(vreg) constants,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    next
}

/// Big-endian words to words, and back.
#[target_feature(enable = "neon")]
#[inline]
fn swap(words: uint32x4_t) -> uint32x4_t {
    vreinterpretq_u32_u8(vrev32q_u8(vreinterpretq_u8_u32(words)))
}

#[target_feature(enable = "neon")]
#[inline]
fn load(block: &Block) -> uint32x4_t {
    // SAFETY: a block has 16 bytes; the load needs no alignment.
    vreinterpretq_u32_u8(unsafe { vld1q_u8(block.as_ptr()) })
}

#[target_feature(enable = "neon")]
#[inline]
fn store(words: uint32x4_t) -> Block {
    let mut block = [0; 16];
    // SAFETY: a block has 16 bytes; the store needs no alignment.
    unsafe { vst1q_u8(block.as_mut_ptr(), vreinterpretq_u8_u32(swap(words))) };
    block
}

#[target_feature(enable = "neon")]
#[inline]
fn words(quad: &[u32; 4]) -> uint32x4_t {
    // SAFETY: four words are 16 bytes; the load needs no alignment.
    unsafe { vld1q_u32(quad.as_ptr()) }
}

/// Byte j of `CK_i` is 7·(4i + j) mod 256 (GB/T 32907-2016 §7.3).
const CK: [u32; 32] = {
    let mut constants = [0x0007_0e15_u32; 32];
    let mut i = 1;
    while i < 32 {
        let [a, b, c, d] = constants[i - 1].to_be_bytes();
        constants[i] = u32::from_be_bytes([
            a.wrapping_add(28),
            b.wrapping_add(28),
            c.wrapping_add(28),
            d.wrapping_add(28),
        ]);
        i += 1;
    }
    constants
};

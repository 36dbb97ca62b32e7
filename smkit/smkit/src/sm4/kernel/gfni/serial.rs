//! One block at a time, for the modes in which each waits for the one before: what counts is the way through a round.
//!
//! Between the rounds every word stays in the field of AES, y = PRE·x. A round is then y ← y ⊕ PRE·L·POST·inv(u), where
//! PRE·L·POST, a map of four bytes, is a circulant of 8×8 matrices: C0, C1, C1, C3 for the same byte and the three
//! above it. Each is applied in the instruction that inverts, so a round is one such instruction, one rotation and two
//! sums long, where the S-box and L one after the other would be ten steps.

use core::arch::x86_64::*;

use zeroize::Zeroizing;

use super::{PRE, PRE_CONSTANT, RoundKeys, from_register, swap_bytes_one, to_register};
use crate::sm4::kernel::Block;

/// PRE backwards.
const LEAVE: i64 = 0xb3a4_f586_3284_728b_u64.cast_signed();
const C0: i64 = 0x040d_b891_e9a4_81b7;
const C1: i64 = 0x2c02_0425_1620_40ad;
const C3: i64 = 0x280f_bcb4_ff84_c11a;
/// PRE·L of the constant of the S-box in all four bytes.
const CONSTANT: i32 = 0x63;

/// The words of a block between rounds, each in the lowest place of its register.
type Words = [__m128i; 4];

/// Round keys in the field of AES with the constant before the inversion, and one that is never needed.
pub(super) struct Serial(Zeroizing<[u32; 33]>);

impl Serial {
    #[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
    pub(super) fn new(keys: &RoundKeys) -> Self {
        let mut entered = Zeroizing::new([0; 33]);
        let (halves, _) = entered.as_chunks_mut::<16>();
        for (to, from) in halves.iter_mut().zip(keys.as_chunks::<16>().0) {
            // SAFETY: sixteen words are 64 bytes; the load and the store need no alignment.
            unsafe {
                let keys = _mm512_loadu_si512(from.as_ptr().cast());
                let keys =
                    _mm512_gf2p8affine_epi64_epi8::<PRE_CONSTANT>(keys, _mm512_set1_epi64(PRE));
                _mm512_storeu_si512(to.as_mut_ptr().cast(), keys);
            }
        }
        Self(entered)
    }

    #[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
    pub(super) fn one(&self, block: &mut Block) {
        *block = from_register(leave(self.rounds(enter(to_register(block)))));
    }

    #[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
    pub(super) fn cbc(&self, chain: &mut Block, blocks: &mut [Block]) {
        // The chain never leaves the field: each block's way in and out lies beside the rounds.
        let mut last = enter(to_register(chain));
        for block in blocks.iter_mut() {
            for (last, word) in last.iter_mut().zip(enter(to_register(block))) {
                *last = _mm_xor_si128(*last, word);
            }
            last = self.rounds(last);
            *block = from_register(leave(last));
        }
        if let Some(last) = blocks.last() {
            *chain = *last;
        }
    }

    /// All 32 rounds and the reversal of the words (GB/T 32907-2016 §7.1).
    #[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
    #[inline]
    fn rounds(&self, mut x: Words) -> Words {
        let [first, later @ ..] = &*self.0;
        let key = |key: &u32| _mm_cvtsi32_si128(key.cast_signed());
        let mut u = _mm_xor_si128(_mm_ternarylogic_epi32::<0x96>(x[1], x[2], x[3]), key(first));
        for quad in later.as_chunks::<4>().0 {
            for (step, next) in quad.iter().enumerate() {
                let [a, _, c, d] = [0, 1, 2, 3].map(|word| x[(word + step) % 4]);
                // What the next round adds to the new word is summed while this one inverts.
                let ready = _mm_ternarylogic_epi32::<0x96>(c, d, key(next));
                let t0 = _mm_gf2p8affineinv_epi64_epi8::<CONSTANT>(u, _mm_set1_epi64x(C0));
                let t1 = _mm_gf2p8affineinv_epi64_epi8::<0>(u, _mm_set1_epi64x(C1));
                let t3 = _mm_gf2p8affineinv_epi64_epi8::<0>(u, _mm_set1_epi64x(C3));
                let far = _mm_ternarylogic_epi32::<0x96>(
                    _mm_rol_epi32::<8>(t1),
                    _mm_rol_epi32::<16>(t1),
                    _mm_rol_epi32::<24>(t3),
                );
                x[step] = _mm_ternarylogic_epi32::<0x96>(a, t0, far);
                u = _mm_xor_si128(_mm_ternarylogic_epi32::<0x96>(ready, a, t0), far);
            }
        }
        let [a, b, c, d] = x;
        [d, c, b, a]
    }
}

#[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
#[inline]
fn enter(block: __m128i) -> Words {
    let block = _mm_shuffle_epi8(block, swap_bytes_one());
    let a = _mm_gf2p8affine_epi64_epi8::<0>(block, _mm_set1_epi64x(PRE));
    [a, _mm_srli_si128::<4>(a), _mm_srli_si128::<8>(a), _mm_srli_si128::<12>(a)]
}

#[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
#[inline]
fn leave([a, b, c, d]: Words) -> __m128i {
    let block = _mm_unpacklo_epi64(_mm_unpacklo_epi32(a, b), _mm_unpacklo_epi32(c, d));
    let block = _mm_gf2p8affine_epi64_epi8::<0>(block, _mm_set1_epi64x(LEAVE));
    _mm_shuffle_epi8(block, swap_bytes_one())
}

//! SM4 with GFNI and AVX-512: sixteen blocks per register set, four sets in flight to hide the latency.
#![allow(unsafe_code, reason = "kernel module: vector loads, stores and feature-gated calls")]
#![allow(
    clippy::indexing_slicing,
    reason = "indices are loop counters below constant array lengths"
)]

use core::arch::x86_64::*;

use super::{Block, RoundKeys, in_steps};

mod serial;

use serial::Serial;

/// Row i of an 8×8 bit matrix in byte 7 − i: into the field of AES, SM4's first affine map included.
const PRE: i64 = 0x4c28_7db9_1a22_505d;
const PRE_CONSTANT: i32 = 0x3e;
/// Back from the field of AES, SM4's second affine map included.
const POST: i64 = 0xf3ab_34a9_74a6_b589_u64.cast_signed();
const POST_CONSTANT: i32 = 0xd3;

/// A state of 16·`SETS` blocks: word w of each block in register w of its set.
type State<const SETS: usize> = [[__m512i; 4]; SETS];

#[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
pub(super) fn expand(key: &Block) -> RoundKeys {
    super::expand(key, |word| {
        _mm_cvtsi128_si32(tau(_mm_cvtsi32_si128(word.cast_signed()))).cast_unsigned()
    })
}

#[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
pub(super) fn crypt(keys: &RoundKeys, blocks: &mut [Block]) {
    if let [block] = blocks {
        return Serial::new(keys).one(block);
    }
    in_steps::<1024>(blocks.as_flattened_mut(), 256, |data| match data.len() {
        256 => crypt_sets::<1>(keys, data),
        _ => crypt_sets::<4>(keys, data),
    });
}

#[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
pub(super) fn cbc_encrypt(keys: &RoundKeys, chain: &mut Block, blocks: &mut [Block]) {
    Serial::new(keys).cbc(chain, blocks);
}

#[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
pub(super) fn ctr32(keys: &RoundKeys, counter: &Block, data: &mut [u8]) {
    let [a, b, c, mut count] = super::words(counter);
    let fixed = [a, b, c].map(|word| _mm512_set1_epi32(word.cast_signed()));
    in_steps::<1024>(data, 256, |data| {
        match data.len() {
            256 => ctr_sets::<1>(keys, &fixed, count, data),
            _ => ctr_sets::<4>(keys, &fixed, count, data),
        }
        // Only the last step is a short one, and nothing counts after it.
        count = count.wrapping_add(64);
    });
}

/// `data` has 256·`SETS` bytes.
#[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
fn crypt_sets<const SETS: usize>(keys: &RoundKeys, data: &mut [u8]) {
    assert_eq!(data.len(), 256 * SETS, "whole sets");
    let mut state: State<SETS> = [[_mm512_setzero_si512(); 4]; SETS];
    for (set, bytes) in state.iter_mut().zip(data.chunks_exact(256)) {
        for (register, bytes) in set.iter_mut().zip(bytes.chunks_exact(64)) {
            // SAFETY: `bytes` has 64 bytes; the load needs no alignment.
            let loaded = unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) };
            *register = _mm512_shuffle_epi8(loaded, swap_bytes());
        }
        *set = transpose(*set);
    }
    rounds(keys, &mut state);
    for (set, bytes) in state.iter().zip(data.chunks_exact_mut(256)) {
        for (register, bytes) in finish(*set).iter().zip(bytes.chunks_exact_mut(64)) {
            // SAFETY: `bytes` has 64 bytes; the store needs no alignment.
            unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), *register) };
        }
    }
}

/// `data` has 256·`SETS` bytes.
#[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
fn ctr_sets<const SETS: usize>(
    keys: &RoundKeys,
    fixed: &[__m512i; 3],
    count: u32,
    data: &mut [u8],
) {
    assert_eq!(data.len(), 256 * SETS, "whole sets");
    // After `transpose`, lane l of register j is block 4j + l: the same order seen from the words.
    let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    let mut next = _mm512_add_epi32(_mm512_set1_epi32(count.cast_signed()), order);
    let mut state: State<SETS> = [[_mm512_setzero_si512(); 4]; SETS];
    for set in &mut state {
        *set = [fixed[0], fixed[1], fixed[2], next];
        next = _mm512_add_epi32(next, _mm512_set1_epi32(16));
    }
    rounds(keys, &mut state);
    for (set, bytes) in state.iter().zip(data.chunks_exact_mut(256)) {
        for (register, bytes) in finish(*set).iter().zip(bytes.chunks_exact_mut(64)) {
            let place = bytes.as_mut_ptr();
            // SAFETY: `bytes` has 64 bytes; the load and the store need no alignment.
            unsafe {
                let text = _mm512_loadu_si512(place.cast());
                _mm512_storeu_si512(place.cast(), _mm512_xor_si512(text, *register));
            }
        }
    }
}

#[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
#[inline]
fn rounds<const SETS: usize>(keys: &RoundKeys, state: &mut State<SETS>) {
    for quad in keys.as_chunks::<4>().0 {
        for (step, key) in quad.iter().enumerate() {
            let key = _mm512_set1_epi32(key.cast_signed());
            for set in state.iter_mut() {
                let [a, b, c, d] = [0, 1, 2, 3].map(|word| set[(word + step) % 4]);
                let x = _mm512_xor_si512(_mm512_ternarylogic_epi32::<0x96>(b, c, d), key);
                let x = _mm512_gf2p8affine_epi64_epi8::<PRE_CONSTANT>(x, _mm512_set1_epi64(PRE));
                let s =
                    _mm512_gf2p8affineinv_epi64_epi8::<POST_CONSTANT>(x, _mm512_set1_epi64(POST));
                let (s2, s10) = (_mm512_rol_epi32::<2>(s), _mm512_rol_epi32::<10>(s));
                let (s18, s24) = (_mm512_rol_epi32::<18>(s), _mm512_rol_epi32::<24>(s));
                let near = _mm512_ternarylogic_epi32::<0x96>(a, s, s2);
                let far = _mm512_ternarylogic_epi32::<0x96>(s10, s18, s24);
                set[step] = _mm512_xor_si512(near, far);
            }
        }
    }
}

/// From words back to blocks in memory order, the words reversed as §7.2 wants.
#[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
#[inline]
fn finish([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
    let [a, b, c, d] = transpose([d, c, b, a]);
    let swap = swap_bytes();
    [
        _mm512_shuffle_epi8(a, swap),
        _mm512_shuffle_epi8(b, swap),
        _mm512_shuffle_epi8(c, swap),
        _mm512_shuffle_epi8(d, swap),
    ]
}

/// 4×4 words within each 128-bit lane; its own inverse.
#[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
#[inline]
fn transpose([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
    let (ab, cd) = (_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d));
    let (ab_high, cd_high) = (_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d));
    [
        _mm512_unpacklo_epi64(ab, cd),
        _mm512_unpackhi_epi64(ab, cd),
        _mm512_unpacklo_epi64(ab_high, cd_high),
        _mm512_unpackhi_epi64(ab_high, cd_high),
    ]
}

#[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
#[inline]
fn swap_bytes() -> __m512i {
    _mm512_broadcast_i32x4(swap_bytes_one())
}

#[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
#[inline]
fn tau(word: __m128i) -> __m128i {
    let x = _mm_gf2p8affine_epi64_epi8::<PRE_CONSTANT>(word, _mm_set1_epi64x(PRE));
    _mm_gf2p8affineinv_epi64_epi8::<POST_CONSTANT>(x, _mm_set1_epi64x(POST))
}

#[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
#[inline]
fn swap_bytes_one() -> __m128i {
    _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)
}

#[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
#[inline]
fn to_register(block: &Block) -> __m128i {
    // SAFETY: a block has 16 bytes; the load needs no alignment.
    unsafe { _mm_loadu_si128(block.as_ptr().cast()) }
}

#[target_feature(enable = "gfni,avx512f,avx512bw,avx512vl")]
#[inline]
fn from_register(register: __m128i) -> Block {
    let mut block = [0; 16];
    // SAFETY: a block has 16 bytes; the store needs no alignment.
    unsafe { _mm_storeu_si128(block.as_mut_ptr().cast(), register) };
    block
}

//! SM4 with AES-NI and AVX2: the inversion comes from AES's S-box, the affine maps around it from byte shuffles.
#![allow(unsafe_code, reason = "kernel module: vector loads, stores and feature-gated calls")]
#![allow(
    clippy::indexing_slicing,
    reason = "indices are loop counters below constant array lengths"
)]

use core::arch::x86_64::*;

use super::{Block, RoundKeys, in_steps};

mod serial;

use serial::Serial;

/// An affine map of bytes: its values on low half-bytes (with the constant, if any) and on high ones.
type Map = [[u8; 16]; 2];

/// Into the field of AES, SM4's first affine map included.
const PRE: Map = [
    *b"\x3e\xb2\x0e\x82\xbb\x37\x8b\x07\xa1\x2d\x91\x1d\x24\xa8\x14\x98",
    *b"\x00\xdc\x2e\xf2\xc5\x19\xeb\x37\x08\xd4\x26\xfa\xcd\x11\xe3\x3f",
];
/// From AES's S-box to SM4's: back from the field, both second affine maps included.
const POST: Map = [
    *b"\x6c\xd4\xa6\x1e\x52\xea\x98\x20\x0b\xb3\xc1\x79\x35\x8d\xff\x47",
    *b"\x00\xe0\x50\xb0\x9d\x7d\xcd\x2d\xc0\x20\x90\x70\x5d\xbd\x0d\xed",
];

#[target_feature(enable = "aes,avx2")]
pub(super) fn expand(key: &Block) -> RoundKeys {
    super::expand(key, |word| tau(word))
}

#[target_feature(enable = "aes,avx2")]
pub(super) fn crypt(keys: &RoundKeys, blocks: &mut [Block]) {
    if let [block] = blocks {
        return Serial::new(keys).one(block);
    }
    in_steps::<512>(blocks.as_flattened_mut(), 128, |data| match data.len() {
        128 => crypt_sets::<1>(keys, data),
        _ => crypt_sets::<4>(keys, data),
    });
}

#[target_feature(enable = "aes,avx2")]
pub(super) fn cbc_encrypt(keys: &RoundKeys, chain: &mut Block, blocks: &mut [Block]) {
    Serial::new(keys).cbc(chain, blocks);
}

/// `data` has 128·`N` bytes.
#[target_feature(enable = "aes,avx2")]
fn crypt_sets<const N: usize>(keys: &RoundKeys, data: &mut [u8]) {
    assert_eq!(data.len(), 128 * N, "whole sets");
    let swap = both(swap_bytes());
    let mut state = [[_mm256_setzero_si256(); 4]; N];
    for (set, bytes) in state.iter_mut().zip(data.chunks_exact(128)) {
        for (register, bytes) in set.iter_mut().zip(bytes.chunks_exact(32)) {
            // SAFETY: `bytes` has 32 bytes; the load needs no alignment.
            let loaded = unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) };
            *register = _mm256_shuffle_epi8(loaded, swap);
        }
        *set = transpose(*set);
    }
    for quad in keys.as_chunks::<4>().0 {
        for (step, key) in quad.iter().enumerate() {
            let key = _mm256_set1_epi32(key.cast_signed());
            for set in &mut state {
                let [a, b, c, d] = [0, 1, 2, 3].map(|word| set[(word + step) % 4]);
                let x = _mm256_xor_si256(_mm256_xor_si256(b, c), _mm256_xor_si256(d, key));
                set[step] = _mm256_xor_si256(a, substitute_and_mix(x));
            }
        }
    }
    for (set, bytes) in state.iter().zip(data.chunks_exact_mut(128)) {
        let [a, b, c, d] = *set;
        for (register, bytes) in transpose([d, c, b, a]).iter().zip(bytes.chunks_exact_mut(32)) {
            let swapped = _mm256_shuffle_epi8(*register, swap);
            // SAFETY: `bytes` has 32 bytes; the store needs no alignment.
            unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), swapped) };
        }
    }
}

/// L(τ(x)) of GB/T 32907-2016 §6.2.
#[target_feature(enable = "aes,avx2")]
#[inline]
fn substitute_and_mix(x: __m256i) -> __m256i {
    let x = affine_wide(x, &PRE);
    let zero = _mm_setzero_si128();
    let low = _mm_aesenclast_si128(_mm256_castsi256_si128(x), zero);
    let high = _mm_aesenclast_si128(_mm256_extracti128_si256::<1>(x), zero);
    let s = affine_wide(_mm256_set_m128i(high, low), &POST);
    // AES's ShiftRows is undone in the same shuffles that turn each word by whole bytes.
    let s0 = _mm256_shuffle_epi8(
        s,
        both(_mm_setr_epi8(0, 13, 10, 7, 4, 1, 14, 11, 8, 5, 2, 15, 12, 9, 6, 3)),
    );
    let s8 = _mm256_shuffle_epi8(
        s,
        both(_mm_setr_epi8(7, 0, 13, 10, 11, 4, 1, 14, 15, 8, 5, 2, 3, 12, 9, 6)),
    );
    let s16 = _mm256_shuffle_epi8(
        s,
        both(_mm_setr_epi8(10, 7, 0, 13, 14, 11, 4, 1, 2, 15, 8, 5, 6, 3, 12, 9)),
    );
    let s24 = _mm256_shuffle_epi8(
        s,
        both(_mm_setr_epi8(13, 10, 7, 0, 1, 14, 11, 4, 5, 2, 15, 8, 9, 6, 3, 12)),
    );
    let sum = _mm256_xor_si256(_mm256_xor_si256(s0, s8), s16);
    let turned = _mm256_or_si256(_mm256_slli_epi32::<2>(sum), _mm256_srli_epi32::<30>(sum));
    _mm256_xor_si256(_mm256_xor_si256(s0, s24), turned)
}

/// An affine map of each byte.
#[target_feature(enable = "aes,avx2")]
#[inline]
fn affine_wide(x: __m256i, [low, high]: &Map) -> __m256i {
    let half = _mm256_set1_epi8(0x0f);
    let low_half = _mm256_and_si256(x, half);
    let high_half = _mm256_and_si256(_mm256_srli_epi32::<4>(x), half);
    _mm256_xor_si256(
        _mm256_shuffle_epi8(both(table(low)), low_half),
        _mm256_shuffle_epi8(both(table(high)), high_half),
    )
}

/// An affine map of each byte.
#[target_feature(enable = "aes,avx2")]
#[inline]
fn affine(x: __m128i, [low, high]: &Map) -> __m128i {
    let half = _mm_set1_epi8(0x0f);
    let low_half = _mm_and_si128(x, half);
    let high_half = _mm_and_si128(_mm_srli_epi32::<4>(x), half);
    _mm_xor_si128(_mm_shuffle_epi8(table(low), low_half), _mm_shuffle_epi8(table(high), high_half))
}

#[target_feature(enable = "aes,avx2")]
#[inline]
fn table(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: there are 16 bytes; the load needs no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "aes,avx2")]
#[inline]
fn swap_bytes() -> __m128i {
    _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)
}

#[target_feature(enable = "aes,avx2")]
#[inline]
fn both(half: __m128i) -> __m256i {
    _mm256_broadcastsi128_si256(half)
}

/// 4×4 words within each 128-bit lane; its own inverse.
#[target_feature(enable = "aes,avx2")]
#[inline]
fn transpose([a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
    let (ab, cd) = (_mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, d));
    let (ab_high, cd_high) = (_mm256_unpackhi_epi32(a, b), _mm256_unpackhi_epi32(c, d));
    [
        _mm256_unpacklo_epi64(ab, cd),
        _mm256_unpackhi_epi64(ab, cd),
        _mm256_unpacklo_epi64(ab_high, cd_high),
        _mm256_unpackhi_epi64(ab_high, cd_high),
    ]
}

/// The S-boxes of one word, which fills the register so that AES's shift of rows moves nothing.
#[target_feature(enable = "aes,avx2")]
fn tau(word: u32) -> u32 {
    let x = affine(_mm_set1_epi32(word.cast_signed()), &PRE);
    let s = affine(_mm_aesenclast_si128(x, _mm_setzero_si128()), &POST);
    _mm_cvtsi128_si32(s).cast_unsigned()
}

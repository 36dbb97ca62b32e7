//! SM4 with AES-NI and AVX2: the inversion comes from AES's S-box, the affine maps around it from byte shuffles.
#![allow(unsafe_code, reason = "kernel module: vector loads, stores and feature-gated calls")]
#![allow(
    clippy::indexing_slicing,
    reason = "indices are loop counters below constant array lengths"
)]

use core::arch::x86_64::*;

use super::{Block, RoundKeys};

/// Register sets of eight blocks in flight.
const SETS: usize = 4;

// SAFETY of every `_checked` function: `Kernel::AesNi` is only made by `Kernel::detect` and by tests that ask it.

pub(super) fn expand_checked(key: &Block) -> RoundKeys {
    // SAFETY: see above, the processor has the features.
    unsafe { expand(key) }
}

pub(super) fn crypt_checked(keys: &RoundKeys, blocks: &mut [Block]) {
    // SAFETY: see above, the processor has the features.
    unsafe { crypt(keys, blocks) }
}

pub(super) fn cbc_encrypt_checked(keys: &RoundKeys, chain: &mut Block, blocks: &mut [Block]) {
    // SAFETY: see above, the processor has the features.
    unsafe { cbc_encrypt(keys, chain, blocks) }
}

#[target_feature(enable = "aes,avx2")]
fn expand(key: &Block) -> RoundKeys {
    super::expand(key, |word| tau(word))
}

#[target_feature(enable = "aes,avx2")]
fn crypt(keys: &RoundKeys, blocks: &mut [Block]) {
    let (groups, rest) = blocks.as_chunks_mut::<{ 8 * SETS }>();
    for group in groups {
        crypt_sets::<SETS>(keys, group.as_flattened_mut());
    }
    match rest.len() {
        0 => {}
        1..=8 => crypt_rest::<1>(keys, rest),
        _ => crypt_rest::<SETS>(keys, rest),
    }
}

#[target_feature(enable = "aes,avx2")]
fn crypt_rest<const N: usize>(keys: &RoundKeys, rest: &mut [Block]) {
    let mut padded = [[0; 16]; 8 * SETS];
    padded[..rest.len()].copy_from_slice(rest);
    crypt_sets::<N>(keys, padded[..8 * N].as_flattened_mut());
    rest.copy_from_slice(&padded[..rest.len()]);
}

/// `data` has 128·`N` bytes.
#[target_feature(enable = "aes,avx2")]
fn crypt_sets<const N: usize>(keys: &RoundKeys, data: &mut [u8]) {
    assert_eq!(data.len(), 128 * N, "whole sets");
    let swap = both(_mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
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
    let x = affine(
        x,
        _mm_setr_epi8(
            0x3e, -0x4e, 0x0e, -0x7e, -0x45, 0x37, -0x75, 0x07, -0x5f, 0x2d, -0x6f, 0x1d, 0x24,
            -0x58, 0x14, -0x68,
        ),
        _mm_setr_epi8(
            0x00, -0x24, 0x2e, -0x0e, -0x3b, 0x19, -0x15, 0x37, 0x08, -0x2c, 0x26, -0x06, -0x33,
            0x11, -0x1d, 0x3f,
        ),
    );
    let zero = _mm_setzero_si128();
    let low = _mm_aesenclast_si128(_mm256_castsi256_si128(x), zero);
    let high = _mm_aesenclast_si128(_mm256_extracti128_si256::<1>(x), zero);
    let s = affine(
        _mm256_set_m128i(high, low),
        _mm_setr_epi8(
            0x6c, -0x2c, -0x5a, 0x1e, 0x52, -0x16, -0x68, 0x20, 0x0b, -0x4d, -0x3f, 0x79, 0x35,
            -0x73, -0x01, 0x47,
        ),
        _mm_setr_epi8(
            0x00, -0x20, 0x50, -0x50, -0x63, 0x7d, -0x33, 0x2d, -0x40, 0x20, -0x70, 0x70, 0x5d,
            -0x43, 0x0d, -0x13,
        ),
    );
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

/// An affine map of each byte, from its values on the low and on the high half-byte.
#[target_feature(enable = "aes,avx2")]
#[inline]
fn affine(x: __m256i, low: __m128i, high: __m128i) -> __m256i {
    let half = _mm256_set1_epi8(0x0f);
    let low_half = _mm256_and_si256(x, half);
    let high_half = _mm256_and_si256(_mm256_srli_epi32::<4>(x), half);
    _mm256_xor_si256(
        _mm256_shuffle_epi8(both(low), low_half),
        _mm256_shuffle_epi8(both(high), high_half),
    )
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

/// The S-boxes of one word: the wide form without its linear part, which the low word undoes.
#[target_feature(enable = "aes,avx2")]
fn tau(word: u32) -> u32 {
    let mixed = mix(word);
    unmix(mixed)
}

/// L(τ(word)).
#[target_feature(enable = "aes,avx2")]
#[inline]
fn mix(word: u32) -> u32 {
    let wide = substitute_and_mix(_mm256_set1_epi32(word.cast_signed()));
    _mm256_cvtsi256_si32(wide).cast_unsigned()
}

/// The inverse of L.
///
/// L is a polynomial in x = ⋘1 of odd weight, and x^32 = 1. Squaring doubles its exponents, so L^32 is the identity
/// and L^31 the inverse: L^1, L^2, L^4, L^8 and L^16, one after the other.
const fn unmix(mixed: u32) -> u32 {
    let mut out = mixed;
    let mut step = 1;
    while step < 32 {
        out = out
            ^ out.rotate_left(2 * step)
            ^ out.rotate_left(10 * step % 32)
            ^ out.rotate_left(18 * step % 32)
            ^ out.rotate_left(24 * step % 32);
        step *= 2;
    }
    out
}

#[target_feature(enable = "aes,avx2")]
fn cbc_encrypt(keys: &RoundKeys, chain: &mut Block, blocks: &mut [Block]) {
    for block in blocks {
        super::xor_in_place(block, chain);
        let mut x = super::words(block);
        for key in keys {
            let [a, b, c, d] = x;
            x = [b, c, d, a ^ mix(b ^ c ^ d ^ key)];
        }
        let [a, b, c, d] = x;
        *block = super::bytes([d, c, b, a]);
        *chain = *block;
    }
}

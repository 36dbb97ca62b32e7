//! Eight messages in the eight 32-bit lanes of a 256-bit vector.

#![allow(unsafe_code, reason = "SIMD intrinsics behind runtime detection")]
#![allow(clippy::indexing_slicing, reason = "constant indices into arrays of fixed length")]

use core::arch::x86_64::{
    __m256i, _mm_cvtsi32_si128, _mm_loadu_si128, _mm256_add_epi32, _mm256_and_si256,
    _mm256_andnot_si256, _mm256_broadcastsi128_si256, _mm256_loadu_si256, _mm256_or_si256,
    _mm256_permute2x128_si256, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_sll_epi32, _mm256_srl_epi32, _mm256_storeu_si256, _mm256_unpackhi_epi32,
    _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64, _mm256_xor_si256,
};

use super::{Registers, kernel::rounds};
use crate::{
    cpu,
    sm3::compress::{BLOCK, K},
};

/// Messages at once.
pub(super) const LANES: usize = 8;

/// Runs each lane over the first `count` blocks of its input.
///
/// # Panics
/// If the processor lacks AVX2 or an input is shorter than `count` blocks.
pub(super) fn compress(
    registers: &mut Registers<LANES>,
    inputs: &[&[[u8; BLOCK]]; LANES],
    count: usize,
) {
    assert!(cpu::runs_avx2(), "invariant: the kernel is chosen by detection");
    assert!(inputs.iter().all(|input| input.len() >= count), "invariant: inputs are long enough");
    // SAFETY: AVX2 is present and every input has `count` blocks, as just asserted.
    unsafe { run(registers, inputs, count) }
}

/// # Safety
/// Every input has at least `count` blocks.
#[target_feature(enable = "avx2")]
unsafe fn run(registers: &mut Registers<LANES>, inputs: &[&[[u8; BLOCK]]; LANES], count: usize) {
    let mut v = [_mm256_setzero_si256(); 8];
    for (vector, row) in v.iter_mut().zip(&registers.0) {
        // SAFETY: a row is 32 bytes.
        *vector = unsafe { _mm256_loadu_si256(row.as_ptr().cast()) };
    }
    let pointers = inputs.map(<[_]>::as_ptr);
    for at in 0..count {
        let mut w = [_mm256_setzero_si256(); 16];
        let (low, high) = w.split_at_mut(8);
        // SAFETY: `at` is below `count`, so block `at` of every input exists.
        unsafe {
            low.copy_from_slice(&load(&pointers, at, 0));
            high.copy_from_slice(&load(&pointers, at, 32));
        }
        rounds!(v, w);
    }
    for (vector, row) in v.iter().zip(&mut registers.0) {
        // SAFETY: a row is 32 bytes.
        unsafe { _mm256_storeu_si256(row.as_mut_ptr().cast(), *vector) };
    }
}

/// Eight words, from byte `from` (0 or 32), of every lane's block: an 8 × 8 transposition.
///
/// # Safety
/// Block `at` exists behind every pointer and `from` is at most 32.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load(pointers: &[*const [u8; BLOCK]; LANES], at: usize, from: usize) -> [__m256i; 8] {
    // SAFETY: SWAP is 16 bytes.
    let swap = _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(super::SWAP.as_ptr().cast()) });
    let mut rows = [_mm256_setzero_si256(); LANES];
    for (row, pointer) in rows.iter_mut().zip(pointers) {
        // SAFETY: the caller vouches for the block of 64 bytes and for `from`; no alignment is needed.
        let bytes = unsafe { _mm256_loadu_si256(pointer.add(at).byte_add(from).cast()) };
        *row = _mm256_shuffle_epi8(bytes, swap);
    }
    let mut groups = [[_mm256_setzero_si256(); 4]; 2];
    for (group, four) in groups.iter_mut().zip(rows.as_chunks::<4>().0) {
        let (low01, high01) =
            (_mm256_unpacklo_epi32(four[0], four[1]), _mm256_unpackhi_epi32(four[0], four[1]));
        let (low23, high23) =
            (_mm256_unpacklo_epi32(four[2], four[3]), _mm256_unpackhi_epi32(four[2], four[3]));
        *group = [
            _mm256_unpacklo_epi64(low01, low23),
            _mm256_unpackhi_epi64(low01, low23),
            _mm256_unpacklo_epi64(high01, high23),
            _mm256_unpackhi_epi64(high01, high23),
        ];
    }
    let mut words = [_mm256_setzero_si256(); 8];
    for c in 0..4 {
        words[c] = _mm256_permute2x128_si256::<0x20>(groups[0][c], groups[1][c]);
        words[4 + c] = _mm256_permute2x128_si256::<0x31>(groups[0][c], groups[1][c]);
    }
    words
}

macro_rules! primitive {
    ($(fn $name:ident $(<const $by:ident: i32>)? ($($argument:ident),+) = $body:expr;)+) => {$(
        #[inline]
        #[target_feature(enable = "avx2")]
        fn $name $(<const $by: i32>)? ($($argument: __m256i),+) -> __m256i {
            $body
        }
    )+};
}

primitive! {
    fn add(a, b) = _mm256_add_epi32(a, b);
    fn xor(a, b) = _mm256_xor_si256(a, b);
    fn xor3(a, b, c) = xor(xor(a, b), c);
    fn majority(a, b, c) = _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(_mm256_or_si256(a, b), c));
    fn choose(e, f, g) = xor(_mm256_and_si256(e, f), _mm256_andnot_si256(e, g));
    // Counts from a constant register become immediates when compiled.
    fn rol<const BY: i32>(a) = _mm256_or_si256(
        _mm256_sll_epi32(a, _mm_cvtsi32_si128(BY)),
        _mm256_srl_epi32(a, _mm_cvtsi32_si128(32 - BY)),
    );
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat(word: u32) -> __m256i {
    _mm256_set1_epi32(word.cast_signed())
}

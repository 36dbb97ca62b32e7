//! Sixteen messages in the sixteen 32-bit lanes of a 512-bit vector.

#![allow(unsafe_code, reason = "SIMD intrinsics behind runtime detection")]
#![allow(clippy::indexing_slicing, reason = "constant indices into arrays of fixed length")]

use core::arch::x86_64::{
    __m512i, _mm_loadu_si128, _mm512_add_epi32, _mm512_broadcast_i32x4, _mm512_loadu_si512,
    _mm512_rol_epi32, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_shuffle_epi8,
    _mm512_shuffle_i32x4, _mm512_storeu_si512, _mm512_ternarylogic_epi32, _mm512_unpackhi_epi32,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64, _mm512_xor_si512,
};

use super::{Registers, kernel::rounds};
use crate::{
    cpu,
    sm3::compress::{BLOCK, K},
};

/// Messages at once.
pub(super) const LANES: usize = 16;

/// Runs each lane over the first `count` blocks of its input.
///
/// # Panics
/// If the processor lacks AVX-512 or an input is shorter than `count` blocks.
pub(super) fn compress(
    registers: &mut Registers<LANES>,
    inputs: &[&[[u8; BLOCK]]; LANES],
    count: usize,
) {
    assert!(cpu::runs_avx512(), "invariant: the kernel is chosen by detection");
    assert!(inputs.iter().all(|input| input.len() >= count), "invariant: inputs are long enough");
    // SAFETY: F, BW, DQ and VL are present, and every input has `count` blocks, as just asserted.
    unsafe { run(registers, inputs, count) }
}

/// # Safety
/// Every input has at least `count` blocks.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn run(registers: &mut Registers<LANES>, inputs: &[&[[u8; BLOCK]]; LANES], count: usize) {
    let mut v = [_mm512_setzero_si512(); 8];
    for (vector, row) in v.iter_mut().zip(&registers.0) {
        // SAFETY: a row is 64 bytes.
        *vector = unsafe { _mm512_loadu_si512(row.as_ptr().cast()) };
    }
    let pointers = inputs.map(<[_]>::as_ptr);
    for at in 0..count {
        // SAFETY: `at` is below `count`, so block `at` of every input exists.
        let mut w = unsafe { load(&pointers, at) };
        rounds!(v, w);
    }
    for (vector, row) in v.iter().zip(&mut registers.0) {
        // SAFETY: a row is 64 bytes.
        unsafe { _mm512_storeu_si512(row.as_mut_ptr().cast(), *vector) };
    }
}

/// Word j of every lane's block in vector j: a 16 × 16 transposition.
///
/// # Safety
/// Block `at` exists behind every pointer.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn load(pointers: &[*const [u8; BLOCK]; LANES], at: usize) -> [__m512i; 16] {
    // SAFETY: SWAP is 16 bytes.
    let swap = _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(super::SWAP.as_ptr().cast()) });
    let mut rows = [_mm512_setzero_si512(); LANES];
    for (row, pointer) in rows.iter_mut().zip(pointers) {
        // SAFETY: the caller vouches for the block, which is 64 bytes; no alignment is needed.
        *row = _mm512_shuffle_epi8(unsafe { _mm512_loadu_si512(pointer.add(at).cast()) }, swap);
    }
    // Column c of quarter L of four rows, for each group of four rows.
    let mut groups = [[_mm512_setzero_si512(); 4]; 4];
    for (group, four) in groups.iter_mut().zip(rows.as_chunks::<4>().0) {
        let (low01, high01) =
            (_mm512_unpacklo_epi32(four[0], four[1]), _mm512_unpackhi_epi32(four[0], four[1]));
        let (low23, high23) =
            (_mm512_unpacklo_epi32(four[2], four[3]), _mm512_unpackhi_epi32(four[2], four[3]));
        *group = [
            _mm512_unpacklo_epi64(low01, low23),
            _mm512_unpackhi_epi64(low01, low23),
            _mm512_unpacklo_epi64(high01, high23),
            _mm512_unpackhi_epi64(high01, high23),
        ];
    }
    let mut words = [_mm512_setzero_si512(); 16];
    for c in 0..4 {
        let even01 = _mm512_shuffle_i32x4::<0x88>(groups[0][c], groups[1][c]);
        let even23 = _mm512_shuffle_i32x4::<0x88>(groups[2][c], groups[3][c]);
        let odd01 = _mm512_shuffle_i32x4::<0xdd>(groups[0][c], groups[1][c]);
        let odd23 = _mm512_shuffle_i32x4::<0xdd>(groups[2][c], groups[3][c]);
        words[c] = _mm512_shuffle_i32x4::<0x88>(even01, even23);
        words[4 + c] = _mm512_shuffle_i32x4::<0x88>(odd01, odd23);
        words[8 + c] = _mm512_shuffle_i32x4::<0xdd>(even01, even23);
        words[12 + c] = _mm512_shuffle_i32x4::<0xdd>(odd01, odd23);
    }
    words
}

macro_rules! primitive {
    ($(fn $name:ident $(<const $by:ident: i32>)? ($($argument:ident),+) = $body:expr;)+) => {$(
        #[inline]
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
        fn $name $(<const $by: i32>)? ($($argument: __m512i),+) -> __m512i {
            $body
        }
    )+};
}

primitive! {
    fn add(a, b) = _mm512_add_epi32(a, b);
    fn xor(a, b) = _mm512_xor_si512(a, b);
    fn xor3(a, b, c) = _mm512_ternarylogic_epi32::<0x96>(a, b, c);
    fn majority(a, b, c) = _mm512_ternarylogic_epi32::<0xe8>(a, b, c);
    fn choose(e, f, g) = _mm512_ternarylogic_epi32::<0xca>(e, f, g);
    fn rol<const BY: i32>(a) = _mm512_rol_epi32::<BY>(a);
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn splat(word: u32) -> __m512i {
    _mm512_set1_epi32(word.cast_signed())
}

//! GHASH with carry-less multiplication, computed as POLYVAL of reversed bytes (RFC 8452 appendix A).
#![allow(unsafe_code, reason = "kernel module: vector loads and feature-gated calls")]
#![allow(
    clippy::indexing_slicing,
    reason = "indices are loop counters below constant array lengths"
)]

use core::arch::x86_64::*;

use super::Block;
use crate::cpu;

/// x·H, and its first sixteen powers, the highest first: the order in which blocks meet them.
pub(super) type Powers = [[u64; 2]; POWERS];

const POWERS: usize = 16;
/// Blocks of one narrow step.
const NARROW: usize = 8;

pub(super) fn has_wide() -> bool {
    cpu::has_vpclmul()
}

pub(super) fn has_narrow() -> bool {
    cpu::has_pclmul() && cpu::has_avx2()
}

// SAFETY of every `_checked` function: only reached with a `Multiplier` other than `Soft`, which is only made by
// `Multiplier::detect` and by tests that ask it.

pub(super) fn powers_checked(subkey: &Block) -> Powers {
    // SAFETY: see above, the processor has the features.
    unsafe { powers(subkey) }
}

pub(super) fn wide_checked(powers: &Powers, hash: &mut Block, blocks: &[Block]) {
    // SAFETY: see above, the processor has the features.
    unsafe { wide(powers, hash, blocks) }
}

pub(super) fn narrow_checked(powers: &Powers, hash: &mut Block, blocks: &[Block]) {
    // SAFETY: see above, the processor has the features.
    unsafe { narrow(powers, hash, blocks) }
}

#[target_feature(enable = "pclmulqdq,avx2")]
fn powers(subkey: &Block) -> Powers {
    let first = power(&[super::polyval_key(subkey)], 0);
    let mut powers = [[0; 2]; POWERS];
    let mut power = first;
    for slot in powers.iter_mut().rev() {
        *slot = [
            _mm_cvtsi128_si64(power).cast_unsigned(),
            _mm_extract_epi64::<1>(power).cast_unsigned(),
        ];
        let product = Product::of(power, first);
        power = product.reduce();
    }
    powers
}

/// An unreduced product, its middle part not yet folded in.
#[derive(Clone, Copy)]
struct Product {
    low: __m128i,
    middle: __m128i,
    high: __m128i,
}

impl Product {
    #[target_feature(enable = "pclmulqdq,avx2")]
    #[inline]
    fn of(a: __m128i, b: __m128i) -> Self {
        Self {
            low: _mm_clmulepi64_si128::<0x00>(a, b),
            middle: _mm_xor_si128(
                _mm_clmulepi64_si128::<0x01>(a, b),
                _mm_clmulepi64_si128::<0x10>(a, b),
            ),
            high: _mm_clmulepi64_si128::<0x11>(a, b),
        }
    }

    #[target_feature(enable = "pclmulqdq,avx2")]
    #[inline]
    fn add(self, other: Self) -> Self {
        Self {
            low: _mm_xor_si128(self.low, other.low),
            middle: _mm_xor_si128(self.middle, other.middle),
            high: _mm_xor_si128(self.high, other.high),
        }
    }

    /// Montgomery's reduction: divides by x^128 modulo x^128 + x^127 + x^126 + x^121 + 1.
    #[target_feature(enable = "pclmulqdq,avx2")]
    #[inline]
    fn reduce(self) -> __m128i {
        let polynomial = _mm_set_epi64x(0, 0xc200_0000_0000_0000_u64.cast_signed());
        let low = _mm_xor_si128(self.low, _mm_slli_si128::<8>(self.middle));
        let high = _mm_xor_si128(self.high, _mm_srli_si128::<8>(self.middle));
        let once = _mm_xor_si128(
            _mm_shuffle_epi32::<0x4e>(low),
            _mm_clmulepi64_si128::<0x00>(low, polynomial),
        );
        let twice = _mm_xor_si128(
            _mm_shuffle_epi32::<0x4e>(once),
            _mm_clmulepi64_si128::<0x00>(once, polynomial),
        );
        _mm_xor_si128(high, twice)
    }
}

#[target_feature(enable = "pclmulqdq,avx2")]
fn narrow(powers: &Powers, hash: &mut Block, blocks: &[Block]) {
    let mut sum = load_reversed(hash);
    for step in blocks.chunks(NARROW) {
        // The first block of a step carries the hash so far and meets the highest power.
        let powers = &powers[POWERS - step.len()..];
        let mut product =
            Product::of(_mm_xor_si128(sum, load_reversed(&step[0])), power(powers, 0));
        for (index, block) in step.iter().enumerate().skip(1) {
            product = product.add(Product::of(load_reversed(block), power(powers, index)));
        }
        sum = product.reduce();
    }
    *hash = store_reversed(sum);
}

#[target_feature(enable = "pclmulqdq,vpclmulqdq,avx2,avx512f,avx512bw")]
fn wide(powers: &Powers, hash: &mut Block, blocks: &[Block]) {
    if blocks.len() < NARROW {
        return narrow(powers, hash, blocks);
    }
    let mut registers = [_mm512_setzero_si512(); 4];
    for (register, power) in registers.iter_mut().zip(powers.chunks_exact(4)) {
        // SAFETY: four powers are 64 bytes; the load needs no alignment.
        *register = unsafe { _mm512_loadu_si512(power.as_ptr().cast()) };
    }
    let mut sum = load_reversed(hash);
    // Leading zero blocks change nothing, so the short step goes first, and the hash enters where the data begin.
    let (short, steps) = blocks.as_rchunks::<POWERS>();
    if !short.is_empty() {
        let mut padded = [[0; 16]; POWERS];
        let start = POWERS - short.len();
        padded[start..].copy_from_slice(short);
        padded[start] = store_reversed(_mm_xor_si128(sum, load_reversed(&short[0])));
        sum = wide_step(&registers, _mm_setzero_si128(), &padded);
    }
    for step in steps {
        sum = wide_step(&registers, sum, step);
    }
    *hash = store_reversed(sum);
}

#[target_feature(enable = "pclmulqdq,vpclmulqdq,avx2,avx512f,avx512bw")]
#[inline]
fn wide_step(powers: &[__m512i; 4], sum: __m128i, blocks: &[Block; POWERS]) -> __m128i {
    let reverse = _mm512_broadcast_i32x4(reversed());
    let zero = _mm512_setzero_si512();
    let (mut low, mut middle, mut high) = (zero, zero, zero);
    // Placed in the first lane only; the other lanes of the first register start from zero.
    let mut carried = _mm512_zextsi128_si512(sum);
    for (power, quad) in powers.iter().zip(blocks.as_chunks::<4>().0) {
        // SAFETY: four blocks are 64 bytes; the load needs no alignment.
        let data = unsafe { _mm512_loadu_si512(quad.as_ptr().cast()) };
        let data = _mm512_xor_si512(_mm512_shuffle_epi8(data, reverse), carried);
        carried = zero;
        low = _mm512_xor_si512(low, _mm512_clmulepi64_epi128::<0x00>(data, *power));
        high = _mm512_xor_si512(high, _mm512_clmulepi64_epi128::<0x11>(data, *power));
        middle = _mm512_ternarylogic_epi64::<0x96>(
            middle,
            _mm512_clmulepi64_epi128::<0x01>(data, *power),
            _mm512_clmulepi64_epi128::<0x10>(data, *power),
        );
    }
    Product { low: fold(low), middle: fold(middle), high: fold(high) }.reduce()
}

/// The sum of the four lanes.
#[target_feature(enable = "avx2,avx512f")]
#[inline]
fn fold(register: __m512i) -> __m128i {
    let half = _mm256_xor_si256(
        _mm512_castsi512_si256(register),
        _mm512_extracti64x4_epi64::<1>(register),
    );
    _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half))
}

#[target_feature(enable = "pclmulqdq,avx2")]
#[inline]
fn power(powers: &[[u64; 2]], index: usize) -> __m128i {
    let [low, high] = powers[index];
    _mm_set_epi64x(high.cast_signed(), low.cast_signed())
}

#[target_feature(enable = "avx2")]
#[inline]
fn reversed() -> __m128i {
    _mm_setr_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
}

#[target_feature(enable = "avx2")]
#[inline]
fn load(block: &Block) -> __m128i {
    // SAFETY: a block has 16 bytes; the load needs no alignment.
    unsafe { _mm_loadu_si128(block.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn load_reversed(block: &Block) -> __m128i {
    _mm_shuffle_epi8(load(block), reversed())
}

#[target_feature(enable = "avx2")]
#[inline]
fn store_reversed(register: __m128i) -> Block {
    let mut block = [0; 16];
    let register = _mm_shuffle_epi8(register, reversed());
    // SAFETY: a block has 16 bytes; the store needs no alignment.
    unsafe { _mm_storeu_si128(block.as_mut_ptr().cast(), register) };
    block
}

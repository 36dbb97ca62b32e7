//! One stream on x86-64: message words four at a time in a vector, rounds in scalar registers beside it.

#![allow(unsafe_code, reason = "SIMD intrinsics behind runtime detection")]
#![allow(clippy::indexing_slicing, reason = "constant indices into arrays of fixed length")]

use core::arch::x86_64::{
    __m128i, _mm_alignr_epi8, _mm_loadu_si128, _mm_rol_epi32, _mm_set_epi8, _mm_shuffle_epi8,
    _mm_slli_si128, _mm_srli_si128, _mm_ternarylogic_epi32, _mm_xor_si128,
};

use super::compress::{BLOCK, K, State, early, four_rounds, late, round};
use crate::cpu;

/// Whether this processor runs [`compress`].
#[inline]
pub(super) fn available() -> bool {
    cpu::has_avx512() && cpu::has_bmi2_adx()
}

/// Runs `state` over whole blocks.
///
/// # Panics
/// If the processor lacks AVX-512, BMI1 or BMI2.
pub(super) fn compress(state: &mut State, blocks: &[[u8; BLOCK]]) {
    assert!(cpu::runs_avx512() && cpu::runs_bmi(), "invariant: the kernel is chosen by detection");
    // SAFETY: the features named by `compress_avx512` are present, as just asserted.
    unsafe { compress_avx512(state, blocks) }
}

#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,bmi1,bmi2")]
fn compress_avx512(state: &mut State, blocks: &[[u8; BLOCK]]) {
    let mut words = Words([[[0; 4]; 2]; 16]);
    for block in blocks {
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
        let (mut x0, mut x1, mut x2, mut x3) =
            (load::<0>(block), load::<16>(block), load::<32>(block), load::<48>(block));
        macro_rules! word {
            ($i:literal, $quad:literal) => {
                (words.0[$quad][0][$i], words.0[$quad][1][$i])
            };
        }
        macro_rules! quad {
            ($ff:ident, $quad:literal, $x0:ident, $x1:ident, $x2:ident, $x3:ident) => {
                words.put($quad, $x0, _mm_xor_si128($x0, $x1));
                $x0 = expand($x0, $x1, $x2, $x3);
                four_rounds!($ff, [a b c d e f g h], 4 * $quad, word, $quad);
            };
        }
        // The last three need no further words.
        macro_rules! last {
            ($quad:literal, $x0:ident, $x1:ident) => {
                words.put($quad, $x0, _mm_xor_si128($x0, $x1));
                four_rounds!(late, [a b c d e f g h], 4 * $quad, word, $quad);
            };
        }
        quad!(early, 0, x0, x1, x2, x3);
        quad!(early, 1, x1, x2, x3, x0);
        quad!(early, 2, x2, x3, x0, x1);
        quad!(early, 3, x3, x0, x1, x2);
        quad!(late, 4, x0, x1, x2, x3);
        quad!(late, 5, x1, x2, x3, x0);
        quad!(late, 6, x2, x3, x0, x1);
        quad!(late, 7, x3, x0, x1, x2);
        quad!(late, 8, x0, x1, x2, x3);
        quad!(late, 9, x1, x2, x3, x0);
        quad!(late, 10, x2, x3, x0, x1);
        quad!(late, 11, x3, x0, x1, x2);
        quad!(late, 12, x0, x1, x2, x3);
        last!(13, x1, x2);
        last!(14, x2, x3);
        last!(15, x3, x0);
        for (old, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *old ^= new;
        }
    }
}

/// Wⱼ and Wⱼ ⊕ Wⱼ₊₄ of four rounds each, in memory: the way from vectors to scalar registers.
struct Words([[[u32; 4]; 2]; 16]);

impl Words {
    #[inline(always)]
    fn put(&mut self, quad: usize, words: __m128i, later: __m128i) {
        let slots: *mut __m128i = self.0[quad].as_mut_ptr().cast();
        // SAFETY: the two slots are exclusively borrowed and 16 bytes long each. The empty instruction may change all
        // memory for all the compiler knows, so that the words are read back from there, each as an operand of its
        // addition, and not by lane extractions of two operations each.
        unsafe {
            slots.write_unaligned(words);
            slots.add(1).write_unaligned(later);
            core::arch::asm!("/* {0} */", in(reg) slots, options(nostack, preserves_flags));
        }
    }
}

/// The sum, in a register: no order of additions goes past this.
#[inline(always)]
fn keep(mut sum: u32) -> u32 {
    // SAFETY: no instruction at all.
    unsafe {
        core::arch::asm!("/* {0:e} */", inout(reg) sum, options(pure, nomem, nostack, preserves_flags));
    }
    sum
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,bmi1,bmi2")]
fn load<const AT: usize>(block: &[u8; BLOCK]) -> __m128i {
    const { assert!(AT + 16 <= BLOCK) };
    let swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    // SAFETY: 16 bytes from AT lie inside the block; the load needs no alignment.
    let bytes = unsafe { _mm_loadu_si128(block.as_ptr().add(AT).cast()) };
    _mm_shuffle_epi8(bytes, swap)
}

/// Words j to j+3 from the sixteen before them.
///
/// Word j+3 needs word j (through j+3−3). P1 is linear, so that share is added when word j is known.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,bmi1,bmi2")]
fn expand(x0: __m128i, x1: __m128i, x2: __m128i, x3: __m128i) -> __m128i {
    let minus9 = _mm_alignr_epi8::<12>(x2, x1);
    let minus13 = _mm_alignr_epi8::<12>(x1, x0);
    let minus6 = _mm_alignr_epi8::<8>(x3, x2);
    let minus3 = _mm_srli_si128::<4>(x3);
    let x = xor3(x0, minus9, _mm_rol_epi32::<15>(minus3));
    let p1 = xor3(x, _mm_rol_epi32::<15>(x), _mm_rol_epi32::<23>(x));
    let words = xor3(p1, _mm_rol_epi32::<7>(minus13), minus6);
    let first = _mm_slli_si128::<12>(words);
    // P1(w ⋘ 15) = w ⋘ 15 ⊕ w ⋘ 30 ⊕ w ⋘ 38
    let late =
        xor3(_mm_rol_epi32::<15>(first), _mm_rol_epi32::<30>(first), _mm_rol_epi32::<6>(first));
    _mm_xor_si128(words, late)
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,bmi1,bmi2")]
fn xor3(a: __m128i, b: __m128i, c: __m128i) -> __m128i {
    _mm_ternarylogic_epi32::<0x96>(a, b, c)
}

//! Eight numbers modulo p, in Montgomery form: a stands for a·2⁻²⁶⁰.
//!
//! A number is *tight* when its limbs are in [0, 2⁵²) and its value is below 1.1·p: what every operation here returns
//! unless it says otherwise, and takes. The product of a and b is below
//! a·b/2²⁶⁰ + p, so tight times tight is tight.

#![allow(unsafe_code, reason = "the loads of AVX-512")]
#![allow(
    clippy::indexing_slicing,
    reason = "arrays of five and ten, by constants and loop counters"
)]

use core::arch::x86_64::{
    __m512i, __mmask8, _mm512_add_epi64, _mm512_and_si512, _mm512_cmpeq_epi64_mask,
    _mm512_loadu_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_blend_epi64,
    _mm512_or_si512, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_slli_epi64, _mm512_srai_epi64,
    _mm512_srli_epi64, _mm512_storeu_si512, _mm512_sub_epi64,
};

use super::LANES;
use crate::sm2::group::{Field, constants, power_p_minus_2};

/// Eight numbers: limb by limb, lowest first, each limb of all lanes in one register.
#[derive(Clone, Copy)]
pub(super) struct Numbers(pub(super) [__m512i; 5]);

impl Numbers {
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn zero() -> Self {
        Self([_mm512_setzero_si512(); 5])
    }

    /// 1, in every lane.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn one() -> Self {
        Self::from_words(broadcast(Field::ONE))
    }

    /// Becomes zero, and not only in the eyes of the compiler.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn wipe(&mut self) {
        *self = Self::zero();
        core::hint::black_box(self);
    }

    /// Fields in their own Montgomery form with four limbs of 64 bits; sixteen times that number is the form here.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn from_words([w0, w1, w2, w3]: [__m512i; 4]) -> Self {
        let mask = _mm512_set1_epi64(MASK);
        let join = |low, high| _mm512_and_si512(_mm512_or_si512(low, high), mask);
        Self([
            _mm512_and_si512(_mm512_slli_epi64::<4>(w0), mask),
            join(_mm512_srli_epi64::<48>(w0), _mm512_slli_epi64::<16>(w1)),
            join(_mm512_srli_epi64::<36>(w1), _mm512_slli_epi64::<28>(w2)),
            join(_mm512_srli_epi64::<24>(w2), _mm512_slli_epi64::<40>(w3)),
            _mm512_srli_epi64::<12>(w3),
        ])
        .tighten()
    }

    /// One field in each lane.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn from_fields(fields: &[Field; LANES]) -> Self {
        let limbs = fields.map(Field::to_montgomery);
        let row = |limb: usize| load(&limbs.map(|limbs| limbs[limb]));
        Self::from_words([row(0), row(1), row(2), row(3)])
    }

    /// The numbers themselves, 32 big-endian bytes each, below p.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn to_bytes(self) -> [[u8; 32]; LANES] {
        let mut one = Self::zero();
        one.0[0] = _mm512_set1_epi64(1);
        // The factor of 1 leaves a value of at most p.
        let plain = self.multiply(&one);
        let value_is_p = plain.equal_limbs(&Self::p());
        let plain = Self::select(value_is_p, &Self::zero(), &plain).0;
        let mut limbs = [[0; LANES]; 5];
        for (to, from) in limbs.iter_mut().zip(plain) {
            store(to, from);
        }
        core::array::from_fn(|lane| {
            let [l0, l1, l2, l3, l4] = limbs.map(|limb| limb[lane]);
            let words =
                [l3 >> 36 | l4 << 16, l2 >> 24 | l3 << 28, l1 >> 12 | l2 << 40, l0 | l1 << 52];
            let mut bytes = [0; 32];
            for (to, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
                *to = word.to_be_bytes();
            }
            bytes
        })
    }

    /// `a` where the mask is set, `b` elsewhere.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn select(mask: __mmask8, a: &Self, b: &Self) -> Self {
        let mut limbs = a.0;
        for (limb, b) in limbs.iter_mut().zip(b.0) {
            *limb = _mm512_mask_blend_epi64(mask, b, *limb);
        }
        Self(limbs)
    }

    /// The lanes that are 0 modulo p.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn zeros(&self) -> __mmask8 {
        // A tight number is below 2p.
        self.equal_limbs(&Self::zero()) | self.equal_limbs(&Self::p())
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn double(&self) -> Self {
        self.add(self)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn add(&self, other: &Self) -> Self {
        self.plus(other).tighten()
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn subtract(&self, other: &Self) -> Self {
        self.plus_p::<4>().minus(other).tighten()
    }

    /// a − b − 2c.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn subtract_two(&self, b: &Self, c: &Self) -> Self {
        self.plus_p::<4>().minus(b).minus(c).minus(c).tighten()
    }

    /// The negative where the mask is set, the number itself elsewhere.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn negate_where(&self, mask: __mmask8) -> Self {
        Self::select(mask, &Self::zero().subtract(self), self)
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn multiply(&self, other: &Self) -> Self {
        let (a, b) = (&self.0, &other.0);
        let mut t = [_mm512_setzero_si512(); 10];
        for i in 0..5 {
            for j in 0..5 {
                t[i + j] = _mm512_madd52lo_epu64(t[i + j], a[i], b[j]);
                t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], a[i], b[j]);
            }
        }
        Self::montgomery(t)
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn square(&self) -> Self {
        let a = &self.0;
        let mut t = [_mm512_setzero_si512(); 10];
        for i in 0..5 {
            for j in i + 1..5 {
                t[i + j] = _mm512_madd52lo_epu64(t[i + j], a[i], a[j]);
                t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], a[i], a[j]);
            }
        }
        for column in &mut t {
            *column = _mm512_add_epi64(*column, *column);
        }
        for i in 0..5 {
            t[2 * i] = _mm512_madd52lo_epu64(t[2 * i], a[i], a[i]);
            t[2 * i + 1] = _mm512_madd52hi_epu64(t[2 * i + 1], a[i], a[i]);
        }
        Self::montgomery(t)
    }

    /// The inverse by Fermat, a^(p−2); zero gives zero.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn invert(&self) -> Self {
        power_p_minus_2!(*self)
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    fn square_times(&self, times: u32) -> Self {
        let mut power = *self;
        for _ in 0..times {
            power = power.square();
        }
        power
    }

    /// t·2⁻²⁶⁰. Since p ≡ −1 modulo 2⁵², the quotient digit of a limb is the limb itself.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn montgomery(mut t: [__m512i; 10]) -> Self {
        let mask = _mm512_set1_epi64(MASK);
        // p + 1 = P1·2⁵² − 2¹⁰⁴ + P4·2²⁰⁸; columns may be negative meanwhile, hence the arithmetic shifts.
        let (p1, p4) = (_mm512_set1_epi64(P1), _mm512_set1_epi64(P4));
        for i in 0..5 {
            let digit = _mm512_and_si512(t[i], mask);
            t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srai_epi64::<52>(t[i]));
            t[i + 1] = _mm512_madd52lo_epu64(t[i + 1], digit, p1);
            t[i + 2] = _mm512_madd52hi_epu64(_mm512_sub_epi64(t[i + 2], digit), digit, p1);
            t[i + 4] = _mm512_madd52lo_epu64(t[i + 4], digit, p4);
            t[i + 5] = _mm512_madd52hi_epu64(t[i + 5], digit, p4);
        }
        Self([t[5], t[6], t[7], t[8], t[9]]).carry()
    }

    /// Brings a value in [0, 16p] with any limbs (signed, below 2⁵⁶) below 2²⁵⁶ + 2²³⁰ and its limbs in range.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn tighten(mut self) -> Self {
        let t = &mut self.0;
        // value − q·p for q = ⌊highest limb / 2⁴⁸⌋. The lower limbs count for less than 2²¹³, so the value is not
        // negative: each q > 0 adds 2²²⁴ − 2⁶⁴… back, and q = −1 adds p.
        let q = _mm512_srai_epi64::<48>(t[4]);
        let top = _mm512_and_si512(t[4], _mm512_set1_epi64((1 << 48) - 1));
        t[4] = _mm512_add_epi64(top, _mm512_slli_epi64::<16>(q));
        t[1] = _mm512_add_epi64(t[1], _mm512_slli_epi64::<44>(q));
        t[1] = _mm512_sub_epi64(t[1], _mm512_slli_epi64::<12>(q));
        t[0] = _mm512_add_epi64(t[0], q);
        self.carry()
    }

    /// The same value, not negative and below 2²⁶⁰, with limbs in range.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn carry(mut self) -> Self {
        let mask = _mm512_set1_epi64(MASK);
        let t = &mut self.0;
        for i in 0..4 {
            t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srai_epi64::<52>(t[i]));
            t[i] = _mm512_and_si512(t[i], mask);
        }
        self
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn plus(mut self, other: &Self) -> Self {
        for (limb, other) in self.0.iter_mut().zip(other.0) {
            *limb = _mm512_add_epi64(*limb, other);
        }
        self
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn minus(mut self, other: &Self) -> Self {
        for (limb, other) in self.0.iter_mut().zip(other.0) {
            *limb = _mm512_sub_epi64(*limb, other);
        }
        self
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn plus_p<const TIMES: i64>(mut self) -> Self {
        for (limb, p) in self.0.iter_mut().zip(P) {
            *limb = _mm512_add_epi64(*limb, _mm512_set1_epi64(TIMES * p));
        }
        self
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    fn p() -> Self {
        Self::zero().plus_p::<1>()
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    fn equal_limbs(&self, other: &Self) -> __mmask8 {
        let mut equal = 0xff;
        for (a, b) in self.0.into_iter().zip(other.0) {
            equal &= _mm512_cmpeq_epi64_mask(a, b);
        }
        equal
    }
}

/// One word in each lane.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn load(words: &[u64; LANES]) -> __m512i {
    // SAFETY: the array has 64 bytes, and the load takes any alignment.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn store(words: &mut [u64; LANES], from: __m512i) {
    // SAFETY: the array has 64 bytes, and the store takes any alignment.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), from) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn broadcast(field: Field) -> [__m512i; 4] {
    let [w0, w1, w2, w3] = field.to_montgomery();
    [
        _mm512_set1_epi64(w0.cast_signed()),
        _mm512_set1_epi64(w1.cast_signed()),
        _mm512_set1_epi64(w2.cast_signed()),
        _mm512_set1_epi64(w3.cast_signed()),
    ]
}

const MASK: i64 = (1 << 52) - 1;
/// p.
const P: [i64; 5] = constants::limbs_of_52(&constants::P);
/// p + 1 is P1·2⁵² − 2¹⁰⁴ + P4·2²⁰⁸.
const P1: i64 = P[1] + 1;
const P4: i64 = P[4] + 1;
const _: () = assert!(P[0] == MASK && P[2] == MASK && P[3] == MASK);

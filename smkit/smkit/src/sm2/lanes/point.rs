//! Points in Jacobian coordinates in eight lanes, and the three multiplications made of them.

#![allow(unsafe_code, reason = "the loads of AVX-512")]
#![allow(clippy::indexing_slicing, reason = "tables of fixed size, by constants and loop counters")]

use alloc::{vec, vec::Vec};
use core::arch::x86_64::{
    __m512i, __mmask8, _mm_set_epi64x, _mm512_abs_epi64, _mm512_cmpeq_epi64_mask,
    _mm512_cmplt_epi64_mask, _mm512_cvtepi8_epi64, _mm512_mask_mov_epi64, _mm512_set1_epi64,
    _mm512_setzero_si512,
};

use zeroize::{Zeroize, Zeroizing};

use super::{
    Keys, LANES, as_field,
    field::{Numbers, load},
};
use crate::sm2::{
    group::{Affine, Comb, Field, GENERATOR, Scalar},
    verifying::Claim,
};

/// Eight points.
#[derive(Clone, Copy)]
struct Points {
    x: Numbers,
    y: Numbers,
    z: Numbers,
}

/// Eight points with the powers of Z that an addition needs.
#[derive(Clone, Copy)]
struct Cached {
    points: Points,
    zz: Numbers,
    zzz: Numbers,
}

/// A sum under construction; lanes in `empty` are infinity, and their coordinates mean nothing.
struct Sum {
    points: Points,
    empty: __mmask8,
}

/// The lanes whose claim holds, and those the scalar path must decide.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn verify(keys: Keys<'_>, claims: &[&Claim; LANES]) -> (__mmask8, __mmask8) {
    let t = claims.map(|claim| claim.t);
    let s = claims.map(|claim| claim.s);
    let mut sum = Sum { points: Points::start(), empty: 0xff };
    match keys {
        Keys::Points(points) => sum.multiply(points, &t),
        Keys::Combs(combs) => sum.add_multiples(combs, &t),
    }
    sum.add_multiples(&[&*GENERATOR; LANES], &s);

    let Points { x, z, .. } = &sum.points;
    let expected = Numbers::from_fields(&claims.map(|claim| as_field(&claim.expected)));
    let valid = expected.multiply(&z.square()).subtract(x).zeros();
    (valid, z.zeros() | sum.empty)
}

/// x of each \[k\]G; every group of eight shares its inversion with the others.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn base_x(scalars: &[Scalar]) -> Vec<Option<Zeroizing<[u8; 32]>>> {
    let mut groups = Vec::with_capacity(scalars.len().div_ceil(LANES));
    let mut product = Numbers::one();
    for chunk in scalars.chunks(LANES) {
        let mut group = [Scalar::ONE; LANES];
        group.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        let mut sum = Sum { points: Points::start(), empty: 0xff };
        sum.add_base_secret(&group);
        group.zeroize();
        let unknown = sum.empty | sum.points.z.zeros();
        let z = Numbers::select(unknown, &Numbers::one(), &sum.points.z);
        groups.push(Multiples { x: sum.points.x, z, unknown, before: product });
        product = product.multiply(&z);
    }
    let mut inverse = product.invert();
    let mut results = vec![None; scalars.len()];
    for (group, to) in groups.iter_mut().zip(results.chunks_mut(LANES)).rev() {
        let z_inverse = inverse.multiply(&group.before);
        inverse = inverse.multiply(&group.z);
        let bytes = Zeroizing::new(group.x.multiply(&z_inverse.square()).to_bytes());
        for (lane, (to, bytes)) in to.iter_mut().zip(bytes.iter()).enumerate() {
            *to = (group.unknown >> lane & 1 == 0).then(|| Zeroizing::new(*bytes));
        }
        group.wipe();
    }
    results
}

/// Eight multiples of G that wait for an inverse, in memory of the heap.
struct Multiples {
    x: Numbers,
    /// Never zero; 1 in lanes that are unknown.
    z: Numbers,
    unknown: __mmask8,
    /// The product of all z before this one.
    before: Numbers,
}

impl Multiples {
    /// Z tells about the scalar.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn wipe(&mut self) {
        for numbers in [&mut self.x, &mut self.z, &mut self.before] {
            numbers.wipe();
        }
    }
}

impl Points {
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn start() -> Self {
        Self { x: Numbers::one(), y: Numbers::one(), z: Numbers::zero() }
    }

    /// dbl-2001-b with Z₃ = 2YZ. Right for every point: none has order 2.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn double(&self) -> Self {
        let zz = self.z.square();
        let yy2 = self.y.square().double();
        let slope = self.x.subtract(&zz).multiply(&self.x.add(&zz));
        let slope = slope.double().add(&slope);
        let xyy4 = self.x.multiply(&yy2).double();
        let z = self.y.multiply(&self.z).double();
        let x = slope.square().subtract_two(&Numbers::zero(), &xyy4);
        let y = slope.multiply(&xyy4.subtract(&x)).subtract(&yy2.square().double());
        Self { x, y, z }
    }

    /// Adds affine points. Z₃ = Z₁·H is zero when Z₁ is, or when both have one x.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn add_affine(&self, x: &Numbers, y: &Numbers) -> Self {
        let zz = self.z.square();
        let h = x.multiply(&zz).subtract(&self.x);
        let r = y.multiply(&zz.multiply(&self.z)).subtract(&self.y);
        Self::finish(&self.x, &self.y, &h, &r, self.z.multiply(&h))
    }

    /// Adds points whose Z is not zero; Z₃ = Z₁·Z₂·H.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn add(&self, other: &Cached) -> Self {
        let zz = self.z.square();
        let u = self.x.multiply(&other.zz);
        let s = self.y.multiply(&other.zzz);
        let h = other.points.x.multiply(&zz).subtract(&u);
        let r = other.points.y.multiply(&zz.multiply(&self.z)).subtract(&s);
        Self::finish(&u, &s, &h, &r, self.z.multiply(&other.points.z).multiply(&h))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn finish(u: &Numbers, s: &Numbers, h: &Numbers, r: &Numbers, z: Numbers) -> Self {
        let hh = h.square();
        let hhh = h.multiply(&hh);
        let v = u.multiply(&hh);
        let x = r.square().subtract_two(&hhh, &v);
        let y = r.multiply(&v.subtract(&x)).subtract(&s.multiply(&hhh));
        Self { x, y, z }
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    fn cached(&self) -> Cached {
        let zz = self.z.square();
        Cached { points: *self, zz, zzz: zz.multiply(&self.z) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn select(mask: __mmask8, a: &Self, b: &Self) -> Self {
        Self {
            x: Numbers::select(mask, &a.x, &b.x),
            y: Numbers::select(mask, &a.y, &b.y),
            z: Numbers::select(mask, &a.z, &b.z),
        }
    }
}

impl Sum {
    /// Takes `added`, which is this plus `term`, except in lanes where this was empty (there `term` alone) or the term is
    /// infinity.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn take(&mut self, added: &Points, term: &Points, term_is_infinity: __mmask8) {
        let added = Points::select(self.empty, term, added);
        self.points = Points::select(term_is_infinity, &self.points, &added);
        self.empty &= term_is_infinity;
    }

    /// The sum becomes \[t\]P; it must be empty. Signed windows of five bits.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn multiply(&mut self, points: &[Affine; LANES], t: &[Scalar; LANES]) {
        let point = Points {
            x: Numbers::from_fields(&points.map(|point| point.x)),
            y: Numbers::from_fields(&points.map(|point| point.y)),
            z: Numbers::one(),
        };
        // Small multiples of a point of prime order: no addition here meets its own point or its negative.
        let mut table = [point.cached(); 16];
        for multiple in 2..=16 {
            let next = if multiple % 2 == 0 {
                table[multiple / 2 - 1].points.double()
            } else {
                table[multiple - 2].points.add_affine(&point.x, &point.y)
            };
            table[multiple - 1] = next.cached();
        }
        for row in Digits::<5, 52>::new(t).0.iter().rev() {
            for _ in 0..5 {
                self.points = self.points.double();
            }
            let digits = widen(row);
            let (magnitudes, negative) = split(digits);
            let mut term = table[0];
            for (entry, at) in table.iter().zip(1..).skip(1) {
                term.replace(_mm512_cmpeq_epi64_mask(magnitudes, _mm512_set1_epi64(at)), entry);
            }
            term.points.y = term.points.y.negate_where(negative);
            let added = self.points.add(&term);
            let is_zero = _mm512_cmpeq_epi64_mask(digits, _mm512_setzero_si512());
            self.take(&added, &term.points, is_zero);
        }
    }

    /// Adds multiples of the points the tables belong to. For public numbers.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn add_multiples(&mut self, combs: &[&Comb; LANES], scalars: &[Scalar; LANES]) {
        let rows = combs.map(Comb::rows);
        let digits = Digits::<6, 43>::new(scalars);
        let nowhere = Affine { x: Field::ZERO, y: Field::ZERO };
        for (window, row) in digits.0.iter().enumerate() {
            let entry = |lane: usize| {
                let place = usize::from(row[lane].unsigned_abs()).checked_sub(1);
                place.map_or(&nowhere, |place| &rows[lane][window][place])
            };
            let words = transpose(core::array::from_fn(|lane| words(entry(lane))));
            self.add_entries(words, widen(row));
        }
    }

    /// Adds \[k\]G, reading every entry of the table, so that k leaves no trace in the cache.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn add_base_secret(&mut self, scalars: &[Scalar; LANES]) {
        let mut digits = Digits::<6, 43>::new(scalars);
        for (row, digits) in GENERATOR.rows().iter().zip(&digits.0) {
            let digits = widen(digits);
            let (magnitudes, _) = split(digits);
            let mut words = [_mm512_setzero_si512(); 8];
            for (entry, at) in row.iter().zip(1..) {
                let here = _mm512_cmpeq_epi64_mask(magnitudes, _mm512_set1_epi64(at));
                for (word, limb) in words.iter_mut().zip(self::words(entry)) {
                    let limb = _mm512_set1_epi64(limb.cast_signed());
                    *word = _mm512_mask_mov_epi64(*word, here, limb);
                }
            }
            self.add_entries(words, digits);
        }
        digits.0.zeroize();
    }

    /// Adds the table entries with these limbs, x then y, negated where the digit is negative, left out where it is zero.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn add_entries(&mut self, words: [__m512i; 8], digits: __m512i) {
        let [x0, x1, x2, x3, y0, y1, y2, y3] = words;
        let (_, negative) = split(digits);
        let x = Numbers::from_words([x0, x1, x2, x3]);
        let y = Numbers::from_words([y0, y1, y2, y3]).negate_where(negative);
        let added = self.points.add_affine(&x, &y);
        let term = Points { x, y, z: Numbers::one() };
        let is_zero = _mm512_cmpeq_epi64_mask(digits, _mm512_setzero_si512());
        self.take(&added, &term, is_zero);
    }
}

impl Cached {
    /// Takes `other` where the mask is set.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn replace(&mut self, mask: __mmask8, other: &Self) {
        self.points = Points::select(mask, &other.points, &self.points);
        self.zz = Numbers::select(mask, &other.zz, &self.zz);
        self.zzz = Numbers::select(mask, &other.zzz, &self.zzz);
    }
}

/// Scalars in digits −2^(BITS−1) + 1 ..= 2^(BITS−1) to the base 2^BITS, lowest first, found without branching on them.
struct Digits<const BITS: usize, const WINDOWS: usize>([[i8; LANES]; WINDOWS]);

impl<const BITS: usize, const WINDOWS: usize> Digits<BITS, WINDOWS> {
    fn new(scalars: &[Scalar; LANES]) -> Self {
        let mut digits = [[0; LANES]; WINDOWS];
        for (lane, scalar) in scalars.iter().enumerate() {
            let [l0, l1, l2, l3] = scalar.to_limbs();
            let mut limbs = [l0, l1, l2, l3, 0, 0];
            let mut carry = 0;
            for (window, digits) in digits.iter_mut().enumerate() {
                let bit = window * BITS;
                let pair = u128::from(limbs[bit / 64]) | u128::from(limbs[bit / 64 + 1]) << 64;
                let [low, ..] = (pair >> (bit % 64)).to_le_bytes();
                let value = (low & ((1 << BITS) - 1)) + carry;
                // Above half the base: less the base, with a carry.
                carry = (1_u8 << (BITS - 1)).wrapping_sub(value) >> 7;
                digits[lane] = value.cast_signed() - (carry << BITS).cast_signed();
            }
            limbs.zeroize();
        }
        Self(digits)
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn widen(digits: &[i8; LANES]) -> __m512i {
    let packed = i64::from_le_bytes(digits.map(i8::cast_unsigned));
    _mm512_cvtepi8_epi64(_mm_set_epi64x(0, packed))
}

/// Magnitudes, and the lanes that are negative.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn split(digits: __m512i) -> (__m512i, __mmask8) {
    (_mm512_abs_epi64(digits), _mm512_cmplt_epi64_mask(digits, _mm512_setzero_si512()))
}

/// The limbs of x, then those of y.
#[inline]
fn words(point: &Affine) -> [u64; 8] {
    let [x0, x1, x2, x3] = point.x.to_montgomery();
    let [y0, y1, y2, y3] = point.y.to_montgomery();
    [x0, x1, x2, x3, y0, y1, y2, y3]
}

/// Rows to columns.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn transpose(rows: [[u64; 8]; LANES]) -> [__m512i; 8] {
    let mut columns = [_mm512_setzero_si512(); 8];
    for (column, at) in columns.iter_mut().zip(0..) {
        *column = load(&rows.map(|row| row[at]));
    }
    columns
}

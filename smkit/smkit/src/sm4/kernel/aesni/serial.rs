//! One block at a time, for the modes in which each waits for the one before; see the serial path of GFNI.
//!
//! Every word fills its register four times over, so that the shift of rows in AES's last round moves nothing. The
//! matrices C0, C1 and C3, here after the affine map of AES, are looked up by half-bytes in registers.

use core::arch::x86_64::*;

use zeroize::Zeroizing;

use super::{Map, RoundKeys, affine, swap_bytes, table};
use crate::sm4::kernel::Block;

/// The words of a block between rounds.
type Words = [__m128i; 4];

/// PRE of the serial path of GFNI, without its constant.
const ENTER: Map = [
    *b"\x00\x8c\x30\xbc\x85\x09\xb5\x39\x9f\x13\xaf\x23\x1a\x96\x2a\xa6",
    *b"\x00\xdc\x2e\xf2\xc5\x19\xeb\x37\x08\xd4\x26\xfa\xcd\x11\xe3\x3f",
];
/// The same backwards.
const LEAVE: Map = [
    *b"\x00\x85\xd9\x5c\x2e\xab\xf7\x72\x80\x05\x59\xdc\xae\x2b\x77\xf2",
    *b"\x00\x55\x57\x02\x44\x11\x13\x46\xaf\xfa\xf8\xad\xeb\xbe\xbc\xe9",
];
/// The constant of PRE, added to the round keys.
const BEFORE: u32 = 0x3e3e_3e3e;
const C0: Map = [
    *b"\x76\xf0\xa5\x23\x0e\x88\xdd\x5b\x6a\xec\xb9\x3f\x12\x94\xc1\x47",
    *b"\x00\xeb\xdc\x37\xf0\x1b\x2c\xc7\xcd\x26\x11\xfa\x3d\xd6\xe1\x0a",
];
const C1: Map = [
    *b"\x00\xd3\x0d\xde\xa0\x73\xad\x7e\x42\x91\x4f\x9c\xe2\x31\xef\x3c",
    *b"\x00\xb4\x49\xfd\x82\x36\xcb\x7f\xbc\x08\xf5\x41\x3e\x8a\x77\xc3",
];
const C3: Map = [
    *b"\x00\x55\xde\x8b\xd8\x8d\x06\x53\x5e\x0b\x80\xd5\x86\xd3\x58\x0d",
    *b"\x00\x5f\x95\xca\x72\x2d\xe7\xb8\x71\x2e\xe4\xbb\x03\x5c\x96\xc9",
];

/// Round keys in the field of AES with the constant before the inversion, and one that is never needed.
pub(super) struct Serial(Zeroizing<[u32; 33]>);

impl Serial {
    #[target_feature(enable = "aes,avx2")]
    pub(super) fn new(keys: &RoundKeys) -> Self {
        let mut entered = Zeroizing::new([0; 33]);
        for (to, from) in entered.iter_mut().zip(keys) {
            let key = affine(_mm_cvtsi32_si128(from.cast_signed()), &ENTER);
            *to = _mm_cvtsi128_si32(key).cast_unsigned() ^ BEFORE;
        }
        Self(entered)
    }

    #[target_feature(enable = "aes,avx2")]
    pub(super) fn one(&self, block: &mut Block) {
        *block = leave(self.rounds(enter(block)));
    }

    #[target_feature(enable = "aes,avx2")]
    pub(super) fn cbc(&self, chain: &mut Block, blocks: &mut [Block]) {
        // The chain never leaves the field: each block's way in and out lies beside the rounds.
        let mut last = enter(chain);
        for block in blocks.iter_mut() {
            for (last, word) in last.iter_mut().zip(enter(block)) {
                *last = _mm_xor_si128(*last, word);
            }
            last = self.rounds(last);
            *block = leave(last);
        }
        if let Some(last) = blocks.last() {
            *chain = *last;
        }
    }

    /// All 32 rounds and the reversal of the words (GB/T 32907-2016 §7.1).
    #[target_feature(enable = "aes,avx2")]
    #[inline]
    fn rounds(&self, mut x: Words) -> Words {
        let [first, later @ ..] = &*self.0;
        let key = |key: &u32| _mm_set1_epi32(key.cast_signed());
        let mut u = _mm_xor_si128(_mm_xor_si128(x[1], x[2]), _mm_xor_si128(x[3], key(first)));
        for quad in later.as_chunks::<4>().0 {
            for (step, next) in quad.iter().enumerate() {
                let [a, _, c, d] = [0, 1, 2, 3].map(|word| x[(word + step) % 4]);
                let s = _mm_aesenclast_si128(u, _mm_setzero_si128());
                let mixed = mix(s);
                x[step] = _mm_xor_si128(a, mixed);
                // What the next round adds to the new word is summed while this one inverts.
                let ready = _mm_xor_si128(_mm_xor_si128(a, c), _mm_xor_si128(d, key(next)));
                u = _mm_xor_si128(ready, mixed);
            }
        }
        let [a, b, c, d] = x;
        [d, c, b, a]
    }
}

/// PRE·L·POST on what AES's S-box gave.
#[target_feature(enable = "aes,avx2")]
#[inline]
fn mix(s: __m128i) -> __m128i {
    let (t0, t1, t3) = (affine(s, &C0), affine(s, &C1), affine(s, &C3));
    let rol_8 = _mm_setr_epi8(3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14);
    let rol_16 = _mm_setr_epi8(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
    let rol_24 = _mm_setr_epi8(1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
    _mm_xor_si128(
        _mm_xor_si128(t0, _mm_shuffle_epi8(t1, rol_8)),
        _mm_xor_si128(_mm_shuffle_epi8(t1, rol_16), _mm_shuffle_epi8(t3, rol_24)),
    )
}

#[target_feature(enable = "aes,avx2")]
#[inline]
fn enter(block: &Block) -> Words {
    let x = affine(_mm_shuffle_epi8(table(block), swap_bytes()), &ENTER);
    [
        _mm_shuffle_epi32::<0x00>(x),
        _mm_shuffle_epi32::<0x55>(x),
        _mm_shuffle_epi32::<0xaa>(x),
        _mm_shuffle_epi32::<0xff>(x),
    ]
}

#[target_feature(enable = "aes,avx2")]
#[inline]
fn leave([a, b, c, d]: Words) -> Block {
    let block = _mm_unpacklo_epi64(_mm_unpacklo_epi32(a, b), _mm_unpacklo_epi32(c, d));
    let block = _mm_shuffle_epi8(affine(block, &LEAVE), swap_bytes());
    let mut out = [0; 16];
    // SAFETY: a block has 16 bytes; the store needs no alignment.
    unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), block) };
    out
}

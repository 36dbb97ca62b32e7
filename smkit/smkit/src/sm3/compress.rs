//! The compression function (GB/T 32905-2016 §5.3): portable, and by a kernel where the processor has one.

#![allow(clippy::indexing_slicing, reason = "constant indices into arrays of fixed length")]

use crate::cpu::Path;

/// Chaining value: registers A to H.
pub(super) type State = [u32; 8];

/// Bytes in a block.
pub(super) const BLOCK: usize = 64;

/// GB/T 32905-2016 §4.1.
pub(super) const IV: State = [
    0x7380_166f,
    0x4914_b2b9,
    0x1724_42d7,
    0xda8a_0600,
    0xa96f_30bc,
    0x1631_38aa,
    0xe38d_ee4d,
    0xb0fb_0e4e,
];

/// Tⱼ rotated left by j, for each round (§4.2).
pub(super) const K: [u32; 64] = round_constants();

/// Runs `state` over whole blocks.
pub(super) fn compress(state: &mut State, blocks: &[[u8; BLOCK]]) {
    #[cfg(target_arch = "x86_64")]
    if super::stream_x86::available() {
        return super::stream_x86::compress(state, blocks);
    }
    #[cfg(target_arch = "aarch64")]
    if super::stream_armv8::available() {
        return super::stream_armv8::compress(state, blocks);
    }
    compress_portable(state, blocks);
}

/// What [`compress`] runs.
pub(super) fn path() -> Path {
    #[cfg(target_arch = "x86_64")]
    if super::stream_x86::available() {
        return Path::Avx512;
    }
    #[cfg(target_arch = "aarch64")]
    if super::stream_armv8::available() {
        return Path::Armv8Sm;
    }
    Path::Portable
}

/// One round on registers that are renamed instead of moved: the caller rotates the argument list.
///
/// The chain from E to the next E is what bounds a round: seven operations one after the other. So sums start with what was
/// known longest, and `keep`, which the caller's module defines, keeps the compiler from adding the constant last.
macro_rules! round {
    ($ff:ident, [$a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident], $k:expr, $w:expr, $wx:expr) => {
        let a12 = $a.rotate_left(12);
        let ss1 = $e.wrapping_add(keep(a12.wrapping_add($k))).rotate_left(7);
        let (ff, gg) = $ff!($a, $b, $c, $e, $f, $g);
        $h = $h.wrapping_add($w).wrapping_add(gg).wrapping_add(ss1);
        $h = $h ^ $h.rotate_left(9) ^ $h.rotate_left(17);
        $d = $d.wrapping_add($wx).wrapping_add(ff).wrapping_add(ss1 ^ a12);
        $b = $b.rotate_left(9);
        $f = $f.rotate_left(19);
    };
}

/// FF and GG of rounds 0 to 15 (§4.3).
macro_rules! early {
    ($a:ident, $b:ident, $c:ident, $e:ident, $f:ident, $g:ident) => {
        ($a ^ $b ^ $c, $e ^ $f ^ $g)
    };
}

/// FF and GG of rounds 16 to 63.
macro_rules! late {
    ($a:ident, $b:ident, $c:ident, $e:ident, $f:ident, $g:ident) => {
        (($a & $b) | (($a | $b) & $c), $g ^ ($e & ($f ^ $g)))
    };
}

/// Four rounds from number `$j`, after which every register is back under its own name. `$words!(i, t)` gives Wⱼ and
/// Wⱼ ⊕ Wⱼ₊₄ of the i-th of them.
macro_rules! four_rounds {
    ($ff:ident, [$a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident], $j:expr, $words:ident, $t:tt) => {
        let j: usize = $j;
        let (w, wx) = $words!(0, $t);
        round!($ff, [$a $b $c $d $e $f $g $h], K[j], w, wx);
        let (w, wx) = $words!(1, $t);
        round!($ff, [$d $a $b $c $h $e $f $g], K[j + 1], w, wx);
        let (w, wx) = $words!(2, $t);
        round!($ff, [$c $d $a $b $g $h $e $f], K[j + 2], w, wx);
        let (w, wx) = $words!(3, $t);
        round!($ff, [$b $c $d $a $f $g $h $e], K[j + 3], w, wx);
    };
}

#[cfg(target_arch = "x86_64")]
pub(super) use {early, four_rounds, late, round};

/// Nothing portable holds the compiler to an order of additions.
#[inline(always)]
const fn keep(sum: u32) -> u32 {
    sum
}

/// On any processor.
pub(super) fn compress_portable(state: &mut State, blocks: &[[u8; BLOCK]]) {
    blocks.iter().for_each(|block| compress_block(state, block));
}

#[inline(always)]
fn compress_block(state: &mut State, block: &[u8; BLOCK]) {
    // A ring: slot j mod 16 holds Wⱼ until Wⱼ₊₁₆ takes its place, four rounds before it is needed.
    let mut w = [0u32; 16];
    for (word, bytes) in w.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    macro_rules! given {
        ($i:literal, $t:tt) => {
            (w[$t + $i], w[$t + $i] ^ w[$t + $i + 4])
        };
    }
    macro_rules! expanded {
        ($i:literal, $t:tt) => {{
            let (now, at) = (w[($t + $i) % 16], ($t + $i + 4) % 16);
            let x = w[at] ^ w[(at + 7) % 16] ^ w[(at + 13) % 16].rotate_left(15);
            let p1 = x ^ (x ^ x.rotate_left(8)).rotate_left(15);
            w[at] = p1 ^ w[(at + 3) % 16].rotate_left(7) ^ w[(at + 10) % 16];
            (now, now ^ w[at])
        }};
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    four_rounds!(early, [a b c d e f g h], 0, given, 0);
    four_rounds!(early, [a b c d e f g h], 4, given, 4);
    four_rounds!(early, [a b c d e f g h], 8, given, 8);
    four_rounds!(early, [a b c d e f g h], 12, expanded, 12);
    macro_rules! late_rounds {
        ($($from:literal)+) => {
            $(four_rounds!(late, [a b c d e f g h], $from, expanded, $from);)+
        };
    }
    late_rounds!(16 20 24 28 32 36 40 44 48 52 56 60);
    for (old, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *old ^= new;
    }
}

const fn round_constants() -> [u32; 64] {
    let mut constants = [0; 64];
    let mut j = 0;
    while j < 64 {
        let t: u32 = if j < 16 { 0x79cc_4519 } else { 0x7a87_9d8a };
        #[expect(clippy::cast_possible_truncation, reason = "below 32")]
        let by = (j % 32) as u32;
        constants[j] = t.rotate_left(by);
        j += 1;
    }
    constants
}

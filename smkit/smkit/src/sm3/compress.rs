//! The compression function (GB/T 32905-2016 §5.3): portable, and by a kernel where the processor has one.

#![allow(clippy::indexing_slicing, reason = "constant indices into arrays of fixed length")]

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
    blocks.iter().for_each(|block| compress_portable(state, block));
}

/// One round on registers that are renamed instead of moved: the caller rotates the argument list.
///
/// Sums start with what was known longest, so that the chain from A and E stays short; FF and GG are written as
/// sums of terms with disjoint bits.
macro_rules! round {
    ($ff:ident, $a:ident, $b:ident, $c:ident, $d:ident, $e:ident, $f:ident, $g:ident, $h:ident, $k:expr, $w:expr, $wx:expr) => {
        let a12 = $a.rotate_left(12);
        let ss1 = $e.wrapping_add($k).wrapping_add(a12).rotate_left(7);
        let (ff, gg) = $ff!($a, $b, $c, $e, $f, $g);
        $d = $d.wrapping_add($wx).wrapping_add(ff).wrapping_add(ss1 ^ a12);
        $h = $h.wrapping_add($w).wrapping_add(gg).wrapping_add(ss1);
        $h = $h ^ $h.rotate_left(9) ^ $h.rotate_left(17);
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
        (($a & $b).wrapping_add(($a ^ $b) & $c), ($e & $f).wrapping_add(!$e & $g))
    };
}

/// Four rounds, after which every register is back under its own name.
macro_rules! four_rounds {
    ($ff:ident, [$a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident], $j:expr, $w:expr, $wx:expr) => {
        let (j, w, wx): (usize, &[u32; 4], &[u32; 4]) = ($j, $w, $wx);
        round!($ff, $a, $b, $c, $d, $e, $f, $g, $h, K[j], w[0], wx[0]);
        round!($ff, $d, $a, $b, $c, $h, $e, $f, $g, K[j + 1], w[1], wx[1]);
        round!($ff, $c, $d, $a, $b, $g, $h, $e, $f, K[j + 2], w[2], wx[2]);
        round!($ff, $b, $c, $d, $a, $f, $g, $h, $e, K[j + 3], w[3], wx[3]);
    };
}

#[cfg(target_arch = "x86_64")]
pub(super) use {early, four_rounds, late, round};

/// One block, on any processor.
pub(super) fn compress_portable(state: &mut State, block: &[u8; BLOCK]) {
    let mut w = [0u32; 68];
    for (word, bytes) in w.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    for j in 16..68 {
        let x = w[j - 16] ^ w[j - 9] ^ w[j - 3].rotate_left(15);
        let p1 = x ^ x.rotate_left(15) ^ x.rotate_left(23);
        w[j] = p1 ^ w[j - 13].rotate_left(7) ^ w[j - 6];
    }
    let words = w.as_chunks::<4>().0;
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for quad in 0..4 {
        let (now, next) = (&words[quad], &words[quad + 1]);
        let wx = [now[0] ^ next[0], now[1] ^ next[1], now[2] ^ next[2], now[3] ^ next[3]];
        four_rounds!(early, [a b c d e f g h], 4 * quad, now, &wx);
    }
    for quad in 4..16 {
        let (now, next) = (&words[quad], &words[quad + 1]);
        let wx = [now[0] ^ next[0], now[1] ^ next[1], now[2] ^ next[2], now[3] ^ next[3]];
        four_rounds!(late, [a b c d e f g h], 4 * quad, now, &wx);
    }
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

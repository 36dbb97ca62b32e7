//! SM4 without any special instruction: S-boxes as Boolean circuits, so neither keys nor data choose an address.
//!
//! Bulk work is bit-sliced, sixteen blocks at a time; one or two blocks go word by word through the same circuit.

use zeroize::Zeroize;

use super::{Block, RoundKeys, in_steps, sbox::sbox};

/// Folds the circuit's input constant into a round key; see [`sbox`].
const FOLD: u32 = 0x7575_7575;
/// Fewer blocks than this cost less one by one.
const BULK_MIN: usize = 3;

/// Round keys.
pub(super) fn expand(key: &Block) -> RoundKeys {
    super::expand(key, tau)
}

/// Encrypts (or, with reversed keys, decrypts) each block by itself.
pub(super) fn crypt(keys: &RoundKeys, blocks: &mut [Block]) {
    if blocks.len() < BULK_MIN {
        for block in blocks {
            crypt_one(keys, block);
        }
        return;
    }
    let mut masks = [[0_u64; 8]; 32];
    for (mask, key) in masks.iter_mut().zip(keys) {
        *mask = key_planes(key ^ FOLD);
    }
    in_steps::<256>(blocks.as_flattened_mut(), 256, |data| {
        if let Some(blocks) = data.as_chunks_mut().0.first_chunk_mut() {
            crypt_sixteen(&masks, blocks);
        }
    });
    masks.as_flattened_mut().zeroize();
}

/// CBC, which is serial when it encrypts; `chain` leaves as the last ciphertext block.
pub(super) fn cbc_encrypt(keys: &RoundKeys, chain: &mut Block, blocks: &mut [Block]) {
    for block in blocks {
        super::xor_in_place(block, chain);
        crypt_one(keys, block);
        *chain = *block;
    }
}

/// The four S-boxes of one word.
fn tau(word: u32) -> u32 {
    const LOW: u32 = 0x0101_0101;
    let word = word ^ FOLD;
    let [p0, p1, p2, p3, p4, p5, p6, p7] = sbox([
        word & LOW,
        (word >> 1) & LOW,
        (word >> 2) & LOW,
        (word >> 3) & LOW,
        (word >> 4) & LOW,
        (word >> 5) & LOW,
        (word >> 6) & LOW,
        (word >> 7) & LOW,
    ])
    .map(|plane| plane & LOW);
    p0 | p1 << 1 | p2 << 2 | p3 << 3 | p4 << 4 | p5 << 5 | p6 << 6 | p7 << 7
}

fn crypt_one(keys: &RoundKeys, block: &mut Block) {
    let mut x = super::words(block);
    for key in keys {
        let [a, b, c, d] = x;
        let s = tau(b ^ c ^ d ^ key);
        let mixed =
            s ^ s.rotate_left(2) ^ s.rotate_left(10) ^ s.rotate_left(18) ^ s.rotate_left(24);
        x = [b, c, d, a ^ mixed];
    }
    let [a, b, c, d] = x;
    *block = super::bytes([d, c, b, a]);
}

/// Sixteen blocks; plane j of a state word holds bit j of its bytes, byte i of block b at bit 16·i + b′.
fn crypt_sixteen(masks: &[[u64; 8]; 32], blocks: &mut [Block; 16]) {
    let words = blocks.map(|block| super::words(&block));
    let (low, high) = words.split_at(8);
    let mut state = [[0_u64; 8]; 4];
    for (low, (high, g)) in low.iter().zip(high.iter().zip(0..8)) {
        for (planes, (low, high)) in state.iter_mut().zip(low.iter().zip(high)) {
            if let Some(plane) = planes.get_mut(g) {
                *plane = spread(*low) | spread(*high) << 8;
            }
        }
    }
    state.iter_mut().for_each(orthogonalize);
    let [mut a, mut b, mut c, mut d] = state;
    let (quads, _) = masks.as_chunks::<4>();
    for [k0, k1, k2, k3] in quads {
        round(&mut a, &b, &c, &d, k0);
        round(&mut b, &c, &d, &a, k1);
        round(&mut c, &d, &a, &b, k2);
        round(&mut d, &a, &b, &c, k3);
    }
    let mut state = [d, c, b, a];
    state.iter_mut().for_each(orthogonalize);
    let [a, b, c, d] = state;
    let (low, high) = blocks.split_at_mut(8);
    for (((a, b), (c, d)), (low, high)) in
        a.iter().zip(&b).zip(c.iter().zip(&d)).zip(low.iter_mut().zip(high))
    {
        *low = super::bytes([a, b, c, d].map(|plane| gather(*plane)));
        *high = super::bytes([a, b, c, d].map(|plane| gather(plane >> 8)));
    }
}

#[inline(always)]
fn round(a: &mut [u64; 8], b: &[u64; 8], c: &[u64; 8], d: &[u64; 8], key: &[u64; 8]) {
    let mut x = [0; 8];
    for (x, (((b, c), d), k)) in x.iter_mut().zip(b.iter().zip(c).zip(d).zip(key)) {
        *x = b ^ c ^ d ^ k;
    }
    let s = sbox(x);
    // L(B) = B ⊕ B⋘24 ⊕ (B ⊕ B⋘8 ⊕ B⋘16)⋘2: whole bytes turn the planes, the two bits rename them.
    let [t0, t1, t2, t3, t4, t5, t6, t7] =
        s.map(|plane| plane ^ plane.rotate_left(16) ^ plane.rotate_left(32));
    let turned = [t6.rotate_left(16), t7.rotate_left(16), t0, t1, t2, t3, t4, t5];
    for (a, (s, t)) in a.iter_mut().zip(s.iter().zip(turned)) {
        *a ^= s ^ s.rotate_left(48) ^ t;
    }
}

fn key_planes(key: u32) -> [u64; 8] {
    let spread = spread(key);
    [0, 1, 2, 3, 4, 5, 6, 7].map(|bit| ((spread >> bit) & 0x0001_0001_0001_0001) * 0xffff)
}

/// Byte i of the word to bits 16·i…16·i+7.
const fn spread(word: u32) -> u64 {
    let wide = word as u64;
    let wide = (wide | wide << 16) & 0x0000_ffff_0000_ffff;
    (wide | wide << 8) & 0x00ff_00ff_00ff_00ff
}

/// The inverse of [`spread`]; other bits are ignored.
#[expect(clippy::cast_possible_truncation, reason = "the low half holds the four bytes")]
const fn gather(wide: u64) -> u32 {
    let wide = wide & 0x00ff_00ff_00ff_00ff;
    let wide = (wide | wide >> 8) & 0x0000_ffff_0000_ffff;
    (wide | wide >> 16) as u32
}

/// Bit j of byte i of word g changes places with bit g of byte i of word j.
#[inline(always)]
fn orthogonalize(q: &mut [u64; 8]) {
    let [q0, q1, q2, q3, q4, q5, q6, q7] = q;
    for (x, y) in [(&mut *q0, &mut *q1), (q2, q3), (q4, q5), (q6, q7)] {
        swap(x, y, 0x5555_5555_5555_5555, 1);
    }
    let [q0, q1, q2, q3, q4, q5, q6, q7] = q;
    for (x, y) in [(&mut *q0, &mut *q2), (q1, q3), (q4, q6), (q5, q7)] {
        swap(x, y, 0x3333_3333_3333_3333, 2);
    }
    let [q0, q1, q2, q3, q4, q5, q6, q7] = q;
    for (x, y) in [(&mut *q0, &mut *q4), (q1, q5), (q2, q6), (q3, q7)] {
        swap(x, y, 0x0f0f_0f0f_0f0f_0f0f, 4);
    }
}

#[inline(always)]
const fn swap(x: &mut u64, y: &mut u64, low: u64, shift: u32) {
    let (a, b) = (*x, *y);
    *x = (a & low) | ((b & low) << shift);
    *y = ((a & !low) >> shift) | (b & !low);
}

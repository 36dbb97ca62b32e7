//! GHASH by integer multiplication, after Pornin's `ghash_ctmul64` of `BearSSL`: every fourth bit carries data, so that
//! the carries of an ordinary product fall into the holes.

use super::Block;

/// Continues `hash` over whole blocks.
pub(super) fn update(subkey: &Block, hash: &mut Block, blocks: &[Block]) {
    let (h1, h0) = halves(subkey);
    let (h1_reversed, h0_reversed) = (h1.reverse_bits(), h0.reverse_bits());
    let (h2, h2_reversed) = (h0 ^ h1, h0_reversed ^ h1_reversed);
    let (mut y1, mut y0) = halves(hash);
    for block in blocks {
        let (x1, x0) = halves(block);
        y1 ^= x1;
        y0 ^= x0;
        let (y1_reversed, y0_reversed) = (y1.reverse_bits(), y0.reverse_bits());
        // Karatsuba; the high half of a product is the low half of the product of the reversed factors, reversed.
        let z0 = multiply(y0, h0);
        let z1 = multiply(y1, h1);
        let z2 = multiply(y0 ^ y1, h2) ^ z0 ^ z1;
        let z0_high = multiply(y0_reversed, h0_reversed);
        let z1_high = multiply(y1_reversed, h1_reversed);
        let z2_high = multiply(y0_reversed ^ y1_reversed, h2_reversed) ^ z0_high ^ z1_high;
        let [z0_high, z1_high, z2_high] =
            [z0_high, z1_high, z2_high].map(|high| high.reverse_bits() >> 1);
        let (v0, v1, v2, v3) = (z0, z0_high ^ z2, z1 ^ z2_high, z1_high);
        // GHASH writes polynomials mirrored: one place to the left puts 255 bits where 256 are.
        let v3 = (v3 << 1) | (v2 >> 63);
        let v2 = (v2 << 1) | (v1 >> 63);
        let v1 = (v1 << 1) | (v0 >> 63);
        let v0 = v0 << 1;
        // x^128 = x^7 + x^2 + x + 1, twice.
        let v2 = v2 ^ v0 ^ (v0 >> 1) ^ (v0 >> 2) ^ (v0 >> 7);
        let v1 = v1 ^ (v0 << 63) ^ (v0 << 62) ^ (v0 << 57);
        y1 = v3 ^ v1 ^ (v1 >> 1) ^ (v1 >> 2) ^ (v1 >> 7);
        y0 = v2 ^ (v1 << 63) ^ (v1 << 62) ^ (v1 << 57);
    }
    *hash = ((u128::from(y1) << 64) | u128::from(y0)).to_be_bytes();
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves of 128 bits")]
const fn halves(block: &Block) -> (u64, u64) {
    let value = u128::from_be_bytes(*block);
    ((value >> 64) as u64, value as u64)
}

/// The low 64 bits of a carry-less product.
const fn multiply(x: u64, y: u64) -> u64 {
    const M0: u64 = 0x1111_1111_1111_1111;
    const M1: u64 = M0 << 1;
    const M2: u64 = M0 << 2;
    const M3: u64 = M0 << 3;
    let (x0, x1, x2, x3) = (x & M0, x & M1, x & M2, x & M3);
    let (y0, y1, y2, y3) = (y & M0, y & M1, y & M2, y & M3);
    let z0 = x0.wrapping_mul(y0) ^ x1.wrapping_mul(y3) ^ x2.wrapping_mul(y2) ^ x3.wrapping_mul(y1);
    let z1 = x0.wrapping_mul(y1) ^ x1.wrapping_mul(y0) ^ x2.wrapping_mul(y3) ^ x3.wrapping_mul(y2);
    let z2 = x0.wrapping_mul(y2) ^ x1.wrapping_mul(y1) ^ x2.wrapping_mul(y0) ^ x3.wrapping_mul(y3);
    let z3 = x0.wrapping_mul(y3) ^ x1.wrapping_mul(y2) ^ x2.wrapping_mul(y1) ^ x3.wrapping_mul(y0);
    (z0 & M0) | (z1 & M1) | (z2 & M2) | (z3 & M3)
}

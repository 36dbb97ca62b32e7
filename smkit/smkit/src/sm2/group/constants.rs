//! Numbers of the curve (GB/T 32918.5-2017 §2), and what the compiler makes of them. All limbs are lowest first.

/// p = 2²⁵⁶ − 2²²⁴ − 2⁹⁶ + 2⁶⁴ − 1.
pub(in crate::sm2) const P: [u64; 4] =
    [0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_ffff, 0xffff_fffe_ffff_ffff];
/// n, the order of the group.
pub(in crate::sm2) const N: [u64; 4] =
    [0x53bb_f409_39d5_4123, 0x7203_df6b_21c6_052b, 0xffff_ffff_ffff_ffff, 0xffff_fffe_ffff_ffff];
/// b of the curve y² = x³ − 3x + b.
pub(super) const B: [u64; 4] =
    [0xddbc_bd41_4d94_0e93, 0xf397_89f5_15ab_8f92, 0x4d5a_9e4b_cf65_09a7, 0x28e9_fa9e_9d9f_5e34];
/// x of the base point.
pub(super) const G_X: [u64; 4] =
    [0x715a_4589_334c_74c7, 0x8fe3_0bbf_f266_0be1, 0x5f99_0446_6a39_c994, 0x32c4_ae2c_1f19_8119];
/// y of the base point.
pub(super) const G_Y: [u64; 4] =
    [0x02df_32e5_2139_f0a0, 0xd0a9_877c_c62a_4740, 0x59bd_cee3_6b69_2153, 0xbc37_36a2_f4f6_779c];

/// a·2²⁵⁶ modulo m, for a below m: its Montgomery form. For constants: slow.
pub(super) const fn to_montgomery(a: &[u64; 4], m: &[u64; 4]) -> [u64; 4] {
    let mut product = *a;
    let mut bit = 0;
    while bit < 256 {
        product = double(&product, m);
        bit += 1;
    }
    product
}

/// −m⁻¹ modulo 2⁶⁴, for an odd m, by Newton's iteration: each step doubles the bits that are right.
pub(super) const fn negative_inverse([m, ..]: &[u64; 4]) -> u64 {
    let mut inverse = *m;
    let mut bits = 3;
    while bits < 64 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(m.wrapping_mul(inverse)));
        bits *= 2;
    }
    inverse.wrapping_neg()
}

/// The number less a small one, at most its lowest limb.
pub(super) const fn less([l0, l1, l2, l3]: &[u64; 4], small: u64) -> [u64; 4] {
    [*l0 - small, *l1, *l2, *l3]
}

/// (m + 1)/4, for an m that is 3 modulo 4 and whose lowest limb is all ones.
pub(super) const fn quarter_above([l0, l1, l2, l3]: &[u64; 4]) -> [u64; 4] {
    assert!(*l0 == u64::MAX && *l1 < u64::MAX);
    // The lowest limb overflows to zero, with a carry.
    let l1 = *l1 + 1;
    [l1 << 62, l1 >> 2 | *l2 << 62, *l2 >> 2 | *l3 << 62, *l3 >> 2]
}

/// The same number in five limbs of 52 bits.
pub(in crate::sm2) const fn limbs_of_52([l0, l1, l2, l3]: &[u64; 4]) -> [i64; 5] {
    const MASK: u64 = (1 << 52) - 1;
    [
        (*l0 & MASK).cast_signed(),
        ((*l0 >> 52 | *l1 << 12) & MASK).cast_signed(),
        ((*l1 >> 40 | *l2 << 24) & MASK).cast_signed(),
        ((*l2 >> 28 | *l3 << 36) & MASK).cast_signed(),
        (*l3 >> 16).cast_signed(),
    ]
}

/// 2a modulo m, for a below m.
const fn double([a0, a1, a2, a3]: &[u64; 4], [m0, m1, m2, m3]: &[u64; 4]) -> [u64; 4] {
    let doubled = [*a0 << 1, *a1 << 1 | *a0 >> 63, *a2 << 1 | *a1 >> 63, *a3 << 1 | *a2 >> 63];
    let [d0, d1, d2, d3] = doubled;
    let (r0, borrow) = subtract(d0, *m0, false);
    let (r1, borrow) = subtract(d1, *m1, borrow);
    let (r2, borrow) = subtract(d2, *m2, borrow);
    let (r3, borrow) = subtract(d3, *m3, borrow);
    if borrow && *a3 >> 63 == 0 { doubled } else { [r0, r1, r2, r3] }
}

const fn subtract(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (less, first) = a.overflowing_sub(b);
    let (less, second) = less.overflowing_sub(borrow as u64);
    (less, first || second)
}

//! Arithmetic on four 64-bit limbs, lowest first, for every processor. Nothing branches on or indexes by a value.

/// a + b modulo m, for a and b below m.
#[inline]
pub(super) fn add(a: &[u64; 4], b: &[u64; 4], m: &[u64; 4]) -> [u64; 4] {
    // Less m less b: cheaper than a comparison with m.
    subtract(a, &borrowing_subtract(m, b).0, m)
}

/// a − b modulo m, for a below m and b at most m.
#[inline]
pub(super) fn subtract(a: &[u64; 4], b: &[u64; 4], m: &[u64; 4]) -> [u64; 4] {
    let (difference, borrow) = borrowing_subtract(a, b);
    let mask = 0_u64.wrapping_sub(u64::from(borrow));
    carrying_add(&difference, &m.map(|limb| limb & mask)).0
}

/// a/2 modulo an odd m.
#[inline]
pub(super) fn halve(a: &[u64; 4], m: &[u64; 4]) -> [u64; 4] {
    let [lowest, ..] = *a;
    // An odd number plus m is even.
    let mask = 0_u64.wrapping_sub(lowest & 1);
    let ([s0, s1, s2, s3], carry) = carrying_add(a, &m.map(|limb| limb & mask));
    [s0 >> 1 | s1 << 63, s1 >> 1 | s2 << 63, s2 >> 1 | s3 << 63, s3 >> 1 | u64::from(carry) << 63]
}

/// a·b·2⁻²⁵⁶ modulo p.
#[inline]
pub(super) fn multiply(a: &[u64; 4], b: &[u64; 4], p: &[u64; 4]) -> [u64; 4] {
    let ([mut t0, mut t1, mut t2, mut t3], high) = wide(a, b);
    // See `kernel`: m·p needs no multiplication.
    for _ in 0..4 {
        let (low, high) = (t0 << 32, t0 >> 32);
        let (sum, _) = carrying_add(&[t1, t2, t3, 0], &[t0, 0, 0, t0]);
        ([t0, t1, t2, t3], _) = borrowing_subtract(&sum, &[low, high, low, high]);
    }
    let (sum, carry) = carrying_add(&[t0, t1, t2, t3], &high);
    subtract_once(&sum, carry, p)
}

/// a·b·2⁻²⁵⁶ modulo an odd m, with `inverse` = −m⁻¹ modulo 2⁶⁴.
#[inline]
pub(super) fn multiply_modulo(a: &[u64; 4], b: &[u64; 4], m: &[u64; 4], inverse: u64) -> [u64; 4] {
    let ([mut t0, mut t1, mut t2, mut t3], high) = wide(a, b);
    let [m0, m1, m2, m3] = *m;
    for _ in 0..4 {
        let quotient = t0.wrapping_mul(inverse);
        let (_, carry) = quotient.carrying_mul_add(m0, t0, 0);
        (t0, t1, t2, t3) = {
            let (s1, carry) = quotient.carrying_mul_add(m1, t1, carry);
            let (s2, carry) = quotient.carrying_mul_add(m2, t2, carry);
            let (s3, carry) = quotient.carrying_mul_add(m3, t3, carry);
            (s1, s2, s3, carry)
        };
    }
    let (sum, carry) = carrying_add(&[t0, t1, t2, t3], &high);
    subtract_once(&sum, carry, m)
}

/// The value, with `carry` as its fifth limb and below 2m, less m unless it is below m.
#[inline]
pub(super) fn subtract_once(value: &[u64; 4], carry: bool, m: &[u64; 4]) -> [u64; 4] {
    let (less, borrow) = borrowing_subtract(value, m);
    select(value, &less, 0_u64.wrapping_sub(u64::from(borrow & !carry)))
}

/// Bits of `a` under the mask, of `b` elsewhere.
#[inline]
pub(super) fn select(a: &[u64; 4], b: &[u64; 4], mask: u64) -> [u64; 4] {
    let [a0, a1, a2, a3] = *a;
    let [b0, b1, b2, b3] = *b;
    let mask = core::hint::black_box(mask);
    let pick = |a: u64, b: u64| b ^ ((a ^ b) & mask);
    [pick(a0, b0), pick(a1, b1), pick(a2, b2), pick(a3, b3)]
}

/// All ones when every limb is zero, else zero.
#[inline]
pub(super) fn zero_mask(a: &[u64; 4]) -> u64 {
    let any = a.iter().fold(0, |any, limb| any | limb);
    // The top bit of any | −any tells whether it is nonzero.
    ((any | any.wrapping_neg()) >> 63).wrapping_sub(1)
}

#[inline]
pub(super) fn carrying_add(a: &[u64; 4], b: &[u64; 4]) -> ([u64; 4], bool) {
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (*a, *b);
    let (r0, carry) = a0.carrying_add(b0, false);
    let (r1, carry) = a1.carrying_add(b1, carry);
    let (r2, carry) = a2.carrying_add(b2, carry);
    let (r3, carry) = a3.carrying_add(b3, carry);
    ([r0, r1, r2, r3], carry)
}

#[inline]
pub(super) fn borrowing_subtract(a: &[u64; 4], b: &[u64; 4]) -> ([u64; 4], bool) {
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (*a, *b);
    let (r0, borrow) = a0.borrowing_sub(b0, false);
    let (r1, borrow) = a1.borrowing_sub(b1, borrow);
    let (r2, borrow) = a2.borrowing_sub(b2, borrow);
    let (r3, borrow) = a3.borrowing_sub(b3, borrow);
    ([r0, r1, r2, r3], borrow)
}

/// The 512-bit product, low half first.
#[inline]
fn wide(a: &[u64; 4], b: &[u64; 4]) -> ([u64; 4], [u64; 4]) {
    let [b0, b1, b2, b3] = *b;
    let (r0, row) = add_row(a, b0, [0; 4]);
    let (r1, row) = add_row(a, b1, row);
    let (r2, row) = add_row(a, b2, row);
    let (r3, row) = add_row(a, b3, row);
    ([r0, r1, r2, r3], row)
}

/// a·b + sum: the lowest limb and the four above.
#[inline]
fn add_row(a: &[u64; 4], b: u64, sum: [u64; 4]) -> (u64, [u64; 4]) {
    let ([a0, a1, a2, a3], [s0, s1, s2, s3]) = (*a, sum);
    let (r0, carry) = a0.carrying_mul_add(b, s0, 0);
    let (r1, carry) = a1.carrying_mul_add(b, s1, carry);
    let (r2, carry) = a2.carrying_mul_add(b, s2, carry);
    let (r3, carry) = a3.carrying_mul_add(b, s3, carry);
    (r0, [r1, r2, r3, carry])
}

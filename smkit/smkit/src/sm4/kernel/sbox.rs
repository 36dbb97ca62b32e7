//! The SM4 S-box as a Boolean circuit of 128 gates.
//!
//! The S-box is an inversion in GF(2^8) between two affine maps, so it is the AES inversion circuit of Boyar and Peralta
//! (“A depth-16 circuit for the AES S-box”, 2011) between other linear layers. Those layers were found by computer:
//! the best of the eight isomorphisms of the field, then Paar's greedy elimination of common terms.

use core::ops::{BitAnd, BitXor, Not};

/// S(x ⊕ 0x75) for each bit position of eight planes, least significant plane first.
///
/// The constant keeps the first layer linear; callers fold it into the round key.
#[inline(always)]
#[rustfmt::skip]
pub(super) fn sbox<W>([x0, x1, x2, x3, x4, x5, x6, x7]: [W; 8]) -> [W; 8]
where
    W: Copy + BitXor<Output = W> + BitAnd<Output = W> + Not<Output = W>,
{
    let a0 = x2 ^ x4;
    let a1 = x0 ^ x3;
    let a2 = x1 ^ a1;
    let a3 = x5 ^ a0;
    let a4 = x6 ^ x7;
    let a5 = x2 ^ x6;
    let a6 = x5 ^ a2;
    let a7 = x7 ^ a2;
    let a8 = x4 ^ a4;
    let a9 = x1 ^ x7;
    let a10 = x7 ^ a0;
    let a11 = a3 ^ a4;
    let a12 = x0 ^ a10;
    let a13 = x3 ^ a3;
    let a14 = a0 ^ a1;
    let a15 = x1 ^ a5;
    let a16 = a4 ^ a14;
    let a17 = x0 ^ x1;
    let a18 = a5 ^ a6;
    let a19 = x4 ^ a7;
    let a20 = x1 ^ a11;
    let a21 = x5 ^ x7;
    let a22 = a6 ^ a8;
    let a23 = x3 ^ a9;
    let a24 = a8 ^ a17;
    let a25 = x2 ^ x7;
    let a26 = a2 ^ a3;
    let a27 = a1 ^ a3;
    let a28 = a3 ^ a9;
    let a29 = a0 ^ a2;
    let a30 = x3 ^ a21;
    let t2 = a20 & a28;
    let t3 = a6 & a13;
    let t4 = t3 ^ t2;
    let t5 = a16 & a23;
    let t6 = t5 ^ t2;
    let t7 = x1 & a27;
    let t8 = a5 & a30;
    let t9 = t8 ^ t7;
    let t10 = a15 & a12;
    let t11 = t10 ^ t7;
    let t12 = a19 & a29;
    let t13 = a11 & a7;
    let t14 = t13 ^ t12;
    let t15 = a18 & a10;
    let t16 = t15 ^ t12;
    let t17 = t4 ^ t14;
    let t18 = t6 ^ t16;
    let t19 = t9 ^ t14;
    let t20 = t11 ^ t16;
    let t21 = t17 ^ a25;
    let t22 = t18 ^ a22;
    let t23 = t19 ^ a26;
    let t24 = t20 ^ a24;
    let t25 = t21 ^ t22;
    let t26 = t21 & t23;
    let t27 = t24 ^ t26;
    let t28 = t25 & t27;
    let t29 = t28 ^ t22;
    let t30 = t23 ^ t24;
    let t31 = t22 ^ t26;
    let t32 = t31 & t30;
    let t33 = t32 ^ t24;
    let t34 = t23 ^ t33;
    let t35 = t27 ^ t33;
    let t36 = t24 & t35;
    let t37 = t36 ^ t34;
    let t38 = t27 ^ t36;
    let t39 = t29 & t38;
    let t40 = t25 ^ t39;
    let t41 = t40 ^ t37;
    let t42 = t29 ^ t33;
    let t43 = t29 ^ t40;
    let t44 = t33 ^ t37;
    let t45 = t42 ^ t41;
    let z0 = t44 & a28;
    let z1 = t37 & a13;
    let z2 = t33 & a23;
    let z3 = t43 & a27;
    let z4 = t40 & a30;
    let z5 = t29 & a12;
    let z6 = t42 & a29;
    let z7 = t45 & a7;
    let z8 = t41 & a10;
    let z9 = t44 & a20;
    let z10 = t37 & a6;
    let z11 = t33 & a16;
    let z12 = t43 & x1;
    let z13 = t40 & a5;
    let z14 = t29 & a15;
    let z15 = t42 & a19;
    let z16 = t45 & a11;
    let z17 = t41 & a18;
    let b0 = z9 ^ z15;
    let b1 = z6 ^ z10;
    let b2 = z0 ^ z5;
    let b3 = z14 ^ b1;
    let b4 = z13 ^ b3;
    let b5 = z17 ^ b0;
    let b6 = z1 ^ b2;
    let b7 = z8 ^ b6;
    let b8 = z4 ^ b4;
    let b9 = z7 ^ b5;
    let b10 = z16 ^ b7;
    let b11 = b0 ^ b10;
    let b12 = z11 ^ b8;
    let b13 = z13 ^ z16;
    let b14 = z4 ^ b1;
    let b15 = z1 ^ b9;
    let b16 = z3 ^ z7;
    let b17 = z2 ^ b12;
    let b18 = z0 ^ b15;
    let b19 = z12 ^ z15;
    let b20 = b4 ^ b18;
    let b21 = b13 ^ b19;
    let b22 = z10 ^ b16;
    let b23 = z7 ^ b2;
    let b24 = b17 ^ b23;
    let b25 = z3 ^ b8;
    let b26 = b9 ^ b25;
    let b27 = b7 ^ b12;
    let b28 = b11 ^ b22;
    let b29 = b11 ^ b14;
    let b30 = z11 ^ b5;
    [!b28, !b27, b26, b30, !b29, b20, !b24, !b21]
}

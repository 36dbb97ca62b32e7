//! The point formulas of [`Sum`](crate::sm2::group::sum::Sum) as straight-line programs on its fields.
//!
//! Numbers stay in registers between a product and what is subtracted from it, and nothing is copied by the compiler, whose
//! vector moves would wait for our scalar stores. The formulas are those of `sum`, step by step.

use core::arch::asm;

use crate::sm2::group::sum::Sum;

/// Where each field of [`Sum`] lies, from rdi; `sum` asserts it.
#[rustfmt::skip]
macro_rules! at {
    (X) => { "rdi" };
    (Y) => { "rdi + 32" };
    (Z) => { "rdi + 64" };
    (X2) => { "rdi + 96" };
    (Y2) => { "rdi + 128" };
    (Z2) => { "rdi + 160" };
    (ZZ2) => { "rdi + 192" };
    (ZZZ2) => { "rdi + 224" };
    (T0) => { "rdi + 256" };
    (T1) => { "rdi + 288" };
    (T2) => { "rdi + 320" };
    (T3) => { "rdi + 352" };
    (DX_BITS) => { "rdi + 384" };
    (DY_BITS) => { "rdi + 392" };
}

/// A program in terms of those names: `T1 = load(X) sub(T0);` is T1 = X − T0. Each line goes through the accumulator.
macro_rules! program {
    ($($to:ident = $($op:ident($($from:ident),*))+;)+) => {
        concat!($($($op!($(at!($from)),*),)+ store!(at!($to)),)+)
    };
}

/// The end of an addition: the points (X, Y) and term at one Z, to which Z is already brought, differ by (T2, T3).
macro_rules! end_of_addition {
    () => {
        program! {
            T0 = sqr(T2);
            T1 = mul(T0, T2);
            T2 = mul(X, T0);
            T0 = mul(Y, T1);
            X = sqr(T3) sub(T1) sub(T2) sub(T2);
            T2 = load(T2) sub(X);
            Y = mul(T3, T2) sub(T0);
        }
    };
}

/// Runs a program on a sum.
macro_rules! run {
    ($sum:ident, $($program:expr),+) => {
        // SAFETY: the caller vouches for the instructions. The program touches memory at the fixed offsets of `at` alone,
        // which lie inside the exclusively borrowed sum; every register it touches is declared.
        unsafe {
            asm!(
                "mov esi, 32",
                $($program,)+
                in("rdi") core::ptr::from_mut::<Sum>($sum),
                out("rsi") _, out("rax") _, out("rcx") _, out("rdx") _,
                out("r8") _, out("r9") _, out("r10") _, out("r11") _,
                out("r12") _, out("r13") _, out("r14") _, out("r15") _,
                options(nostack),
            );
        }
    };
}

/// The sum, twice.
///
/// # Safety
/// The processor has BMI2.
#[inline(never)]
pub(super) unsafe fn double(sum: &mut Sum) {
    run!(
        sum,
        program! {
            T0 = sqr(Z);
            T3 = sqr(Y);
            T1 = load(X) sub(T0);
            T2 = load(X) add(T0);
            T0 = mul(T1, T2) three_halves();
            Z = mul(Y, Z);
            T2 = mul(X, T3);
            T3 = sqr(T3);
            X = sqr(T0) sub(T2) sub(T2);
            T2 = load(T2) sub(X);
            Y = mul(T0, T2) sub(T3);
        }
    );
}

/// The sum plus the affine term (x2, y2).
///
/// # Safety
/// The processor has BMI2.
#[inline(never)]
pub(super) unsafe fn add_affine(sum: &mut Sum) {
    run!(
        sum,
        program! {
            T0 = sqr(Z);
            T1 = mul(Z, T0);
            T2 = mul(X2, T0) sub(X) bits(DX_BITS);
            T3 = mul(Y2, T1) sub(Y) bits(DY_BITS);
            Z = mul(Z, T2);
        },
        end_of_addition!()
    );
}

/// The sum plus the whole term.
///
/// # Safety
/// The processor has BMI2.
#[inline(never)]
pub(super) unsafe fn add_term(sum: &mut Sum) {
    run!(
        sum,
        program! {
            T0 = sqr(Z);
            T1 = mul(Z, T0);
            X = mul(X, ZZ2);
            Y = mul(Y, ZZZ2);
            T2 = mul(X2, T0) sub(X) bits(DX_BITS);
            T3 = mul(Y2, T1) sub(Y) bits(DY_BITS);
            Z = mul(Z, Z2);
            Z = mul(Z, T2);
        },
        end_of_addition!()
    );
}

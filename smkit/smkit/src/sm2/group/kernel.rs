//! Arithmetic modulo p with MULX, SHLX and SHRX: straight-line code, the same time for all numbers.
//!
//! p = 2²⁵⁶ − 2²²⁴ − 2⁹⁶ + 2⁶⁴ − 1, so −p⁻¹ modulo 2⁶⁴ is 1: a reduction step takes the lowest limb m as it is and adds
//! m·p, which needs one small product and shifts by 32. Four steps turn the low half of the product into a number V of at
//! most p. The upper half starts 2²⁵⁶ − p too high, so that adding V carries exactly when the sum has reached p and is
//! already reduced; without a carry p is added back. A processor without these instructions takes the portable path.

#![allow(unsafe_code, reason = "carry chains that no intrinsic expresses")]

use core::arch::asm;

use super::{constants::P, portable, sum::Sum};

#[macro_use]
mod limbs;
mod points;

/// a·b·2⁻²⁵⁶ modulo p, below p when a and b are.
#[inline]
pub(super) fn multiply(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
    if !available() {
        return portable::multiply(a, b, &P);
    }
    let (r0, r1, r2, r3): (u64, u64, u64, u64);
    // SAFETY: the processor has the instructions; this reads 32 bytes behind each reference, writes no memory, and declares every register it touches.
    unsafe {
        asm!(
            product!("rsi", "rdi"),
            "mov esi, 32",
            reduce!(""),
            inout("rsi") a.as_ptr() => _,
            in("rdi") b.as_ptr(),
            out("rax") _, out("rcx") _, out("rdx") _,
            out("r8") r0, out("r9") r1, out("r10") r2, out("r11") r3,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _,
            options(pure, readonly, nostack),
        );
    }
    [r0, r1, r2, r3]
}

/// a²·2⁻²⁵⁶ modulo p, below p when a is.
#[inline]
pub(super) fn square(a: &[u64; 4]) -> [u64; 4] {
    if !available() {
        return portable::multiply(a, a, &P);
    }
    let (r0, r1, r2, r3): (u64, u64, u64, u64);
    // SAFETY: the processor has the instructions; this reads 32 bytes behind the reference, writes no memory, and declares every register it touches.
    unsafe {
        asm!(
            "mov esi, 32",
            sqr!("rdi"),
            in("rdi") a.as_ptr(),
            out("rsi") _, out("rax") _, out("rcx") _, out("rdx") _,
            out("r8") r0, out("r9") r1, out("r10") r2, out("r11") r3,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _,
            options(pure, readonly, nostack),
        );
    }
    [r0, r1, r2, r3]
}

/// Squares `times` times over, in place. The count is no secret.
pub(super) fn square_times(a: &mut [u64; 4], times: u32) {
    if !available() {
        return (0..times).for_each(|_| *a = portable::multiply(a, a, &P));
    }
    if times == 0 {
        return;
    }
    // SAFETY: the processor has the instructions; this reads and writes the 32 bytes behind the exclusive reference, and declares every register it touches.
    unsafe {
        asm!(
            "mov esi, 32",
            "2:",
            sqr!("rdi"),
            store!("rdi"),
            "dec {times:e}",
            "jnz 2b",
            times = inout(reg) times => _,
            in("rdi") a.as_mut_ptr(),
            out("rsi") _, out("rax") _, out("rcx") _, out("rdx") _,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _,
            options(nostack),
        );
    }
}

/// The formulas of [`Sum`] by kernel; `false`, and nothing done, when the processor lacks the instructions.
pub(super) fn double(sum: &mut Sum) -> bool {
    // SAFETY: the processor has the instructions.
    available()
        && unsafe {
            points::double(sum);
            true
        }
}

/// As [`double`].
pub(super) fn add_affine(sum: &mut Sum) -> bool {
    // SAFETY: the processor has the instructions.
    available()
        && unsafe {
            points::add_affine(sum);
            true
        }
}

/// As [`double`].
pub(super) fn add_term(sum: &mut Sum) -> bool {
    // SAFETY: the processor has the instructions.
    available()
        && unsafe {
            points::add_term(sum);
            true
        }
}

#[inline]
fn available() -> bool {
    crate::cpu::has_bmi2_adx()
}

//! Montgomery multiplication modulo p with MULX, ADCX and ADOX: straight-line code, the same time for all numbers.
//!
//! p = 2²⁵⁶ − 2²²⁴ − 2⁹⁶ + 2⁶⁴ − 1, so −p⁻¹ modulo 2⁶⁴ is 1: a reduction step takes the lowest limb m as it is and adds
//! m·p, which needs shifts by 32 instead of multiplications. Four steps turn the low half of the product into a number
//! below 2²⁵⁶; with the high half the sum is below 2p, so one conditional subtraction ends it. A processor without
//! these instructions takes the portable path.

#![allow(unsafe_code, reason = "carry chains that no intrinsic expresses")]

use core::arch::asm;

use super::{field::P, portable};

/// One reduction step on four limbs, lowest first; the lowest becomes the highest of the result.
macro_rules! step {
    ($t0:literal, $t1:literal, $t2:literal, $t3:literal) => {
        concat!(
            "mov rax, ",
            $t0,
            "\n shl rax, 32\n mov rcx, ",
            $t0,
            "\n shr rcx, 32\n",
            "add ",
            $t1,
            ", ",
            $t0,
            "\n adc ",
            $t2,
            ", 0\n adc ",
            $t3,
            ", 0\n adc ",
            $t0,
            ", 0\n",
            "sub ",
            $t1,
            ", rax\n sbb ",
            $t2,
            ", rcx\n sbb ",
            $t3,
            ", rax\n sbb ",
            $t0,
            ", rcx\n",
        )
    };
}

/// The product in r8–r15 reduced into r8–r11.
macro_rules! reduce {
    () => {
        concat!(
            step!("r8", "r9", "r10", "r11"),
            step!("r9", "r10", "r11", "r8"),
            step!("r10", "r11", "r8", "r9"),
            step!("r11", "r8", "r9", "r10"),
            "xor eax, eax\n",
            "add r8, r12\n adc r9, r13\n adc r10, r14\n adc r11, r15\n adc rax, 0\n",
            "mov rdx, 0xffffffff00000000\n mov rcx, 0xfffffffeffffffff\n",
            "mov r12, r8\n mov r13, r9\n mov r14, r10\n mov r15, r11\n",
            "sub r12, -1\n sbb r13, rdx\n sbb r14, -1\n sbb r15, rcx\n sbb rax, 0\n",
            "cmovnc r8, r12\n cmovnc r9, r13\n cmovnc r10, r14\n cmovnc r11, r15\n",
        )
    };
}

/// One further row of the product: b·a added at `$r0`, with a fresh limb `$r4`.
macro_rules! row {
    ($b:literal, $r0:literal, $r1:literal, $r2:literal, $r3:literal, $r4:literal, $r4d:literal) => {
        concat!(
            "mov rdx, [rdi + ",
            $b,
            "]\n xor ",
            $r4d,
            ", ",
            $r4d,
            "\n",
            "mulx rcx, rax, [rsi]\n adcx ",
            $r0,
            ", rax\n adox ",
            $r1,
            ", rcx\n",
            "mulx rcx, rax, [rsi + 8]\n adcx ",
            $r1,
            ", rax\n adox ",
            $r2,
            ", rcx\n",
            "mulx rcx, rax, [rsi + 16]\n adcx ",
            $r2,
            ", rax\n adox ",
            $r3,
            ", rcx\n",
            "mulx rcx, rax, [rsi + 24]\n adcx ",
            $r3,
            ", rax\n adox ",
            $r4,
            ", rcx\n",
            "mov eax, 0\n adcx ",
            $r4,
            ", rax\n",
        )
    };
}

/// a·b·2⁻²⁵⁶ modulo p, below p when a and b are.
#[inline]
pub(super) fn multiply(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
    if !crate::cpu::has_bmi2_adx() {
        return portable::multiply(a, b, &P);
    }
    let (r0, r1, r2, r3): (u64, u64, u64, u64);
    // SAFETY: the processor has the instructions; this reads 32 bytes behind each reference, writes no memory, and declares every register it touches.
    unsafe {
        asm!(
            "mov rdx, [rdi]",
            "mulx r9, r8, [rsi]",
            "mulx r10, rax, [rsi + 8]",
            "add r9, rax",
            "mulx r11, rax, [rsi + 16]",
            "adc r10, rax",
            "mulx r12, rax, [rsi + 24]",
            "adc r11, rax",
            "adc r12, 0",
            row!("8", "r9", "r10", "r11", "r12", "r13", "r13d"),
            row!("16", "r10", "r11", "r12", "r13", "r14", "r14d"),
            row!("24", "r11", "r12", "r13", "r14", "r15", "r15d"),
            reduce!(),
            in("rsi") a.as_ptr(),
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
    if !crate::cpu::has_bmi2_adx() {
        return portable::multiply(a, a, &P);
    }
    let (r0, r1, r2, r3): (u64, u64, u64, u64);
    // SAFETY: the processor has the instructions; this reads 32 bytes behind the reference, writes no memory, and declares every register it touches.
    unsafe {
        asm!(
            // The products of different limbs,
            "mov rdx, [rsi]",
            "mulx r10, r9, [rsi + 8]",
            "mulx r11, rax, [rsi + 16]",
            "add r10, rax",
            "mulx r12, rax, [rsi + 24]",
            "adc r11, rax",
            "adc r12, 0",
            "mov rdx, [rsi + 8]",
            "xor r13d, r13d",
            "mulx rcx, rax, [rsi + 16]",
            "adcx r11, rax",
            "adox r12, rcx",
            "mulx rcx, rax, [rsi + 24]",
            "adcx r12, rax",
            "adox r13, rcx",
            "mov eax, 0",
            "adcx r13, rax",
            "mov rdx, [rsi + 16]",
            "mulx r14, rax, [rsi + 24]",
            "add r13, rax",
            "adc r14, 0",
            // doubled, and the squares of the limbs.
            "xor r15d, r15d",
            "mov rdx, [rsi]",
            "mulx rcx, r8, rdx",
            "adcx r9, r9",
            "adox r9, rcx",
            "mov rdx, [rsi + 8]",
            "mulx rcx, rax, rdx",
            "adcx r10, r10",
            "adox r10, rax",
            "adcx r11, r11",
            "adox r11, rcx",
            "mov rdx, [rsi + 16]",
            "mulx rcx, rax, rdx",
            "adcx r12, r12",
            "adox r12, rax",
            "adcx r13, r13",
            "adox r13, rcx",
            "mov rdx, [rsi + 24]",
            "mulx rcx, rax, rdx",
            "adcx r14, r14",
            "adox r14, rax",
            "adcx r15, r15",
            "adox r15, rcx",
            reduce!(),
            in("rsi") a.as_ptr(),
            out("rax") _, out("rcx") _, out("rdx") _,
            out("r8") r0, out("r9") r1, out("r10") r2, out("r11") r3,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _,
            options(pure, readonly, nostack),
        );
    }
    [r0, r1, r2, r3]
}

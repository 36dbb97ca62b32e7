//! The pieces of the field programs, as text for `asm!`.
//!
//! The accumulator is r8–r11, lowest limb first; memory operands are address expressions such as `"rdi + 32"`. rsi must
//! be 32 wherever a piece reduces or corrects. rax, rcx, rdx and r12–r15 are scratch. Nothing here jumps, and no address
//! depends on a number. ADCX and ADOX are avoided on purpose: they run at half the rate of ADC on recent processors.

/// The accumulator from memory.
macro_rules! load {
    ($a:expr) => {
        concat!(
            "mov r8, [",
            $a,
            "]\n mov r9, [",
            $a,
            " + 8]\n",
            "mov r10, [",
            $a,
            " + 16]\n mov r11, [",
            $a,
            " + 24]\n",
        )
    };
}

/// The accumulator to memory.
macro_rules! store {
    ($a:expr) => {
        concat!(
            "mov [",
            $a,
            "], r8\n mov [",
            $a,
            " + 8], r9\n",
            "mov [",
            $a,
            " + 16], r10\n mov [",
            $a,
            " + 24], r11\n",
        )
    };
}

/// The bitwise or of the accumulator's limbs to memory: zero for the number zero alone.
macro_rules! bits {
    ($a:expr) => {
        concat!("mov rax, r8\n or rax, r9\n or rax, r10\n or rax, r11\n mov [", $a, "], rax\n")
    };
}

/// Adds p to the accumulator where rdx is all ones, nothing where it is zero.
macro_rules! add_p_masked {
    () => {
        concat!(
            "shlx rax, rdx, rsi\n lea rcx, [rdx + rax]\n",
            "add r8, rdx\n adc r9, rax\n adc r10, rdx\n adc r11, rcx\n",
        )
    };
}

/// The accumulator less memory, modulo p.
macro_rules! sub {
    ($b:expr) => {
        concat!(
            "sub r8, [",
            $b,
            "]\n sbb r9, [",
            $b,
            " + 8]\n",
            "sbb r10, [",
            $b,
            " + 16]\n sbb r11, [",
            $b,
            " + 24]\n",
            "sbb rdx, rdx\n",
            add_p_masked!(),
        )
    };
}

/// p less the accumulator, in r12–r15: in (0, p].
macro_rules! p_minus {
    () => {
        concat!(
            "mov r12, -1\n mov r14, -1\n shlx r13, r12, rsi\n lea r15, [r13 + r12]\n",
            "sub r12, r8\n sbb r13, r9\n sbb r14, r10\n sbb r15, r11\n",
        )
    };
}

/// The accumulator less r12–r15, modulo p; they may be p.
macro_rules! sub_registers {
    () => {
        concat!(
            "sub r8, r12\n sbb r9, r13\n sbb r10, r14\n sbb r11, r15\n sbb rdx, rdx\n",
            add_p_masked!(),
        )
    };
}

/// The accumulator plus memory, modulo p: less p less it.
macro_rules! add {
    ($b:expr) => {
        concat!(p_minus!(), load!($b), sub_registers!())
    };
}

/// The accumulator times 3/2, modulo p.
macro_rules! three_halves {
    () => {
        concat!(
            p_minus!(),
            // Half: an odd number plus p is even.
            "mov edx, r8d\n and edx, 1\n neg rdx\n",
            add_p_masked!(),
            "rcr r11, 1\n rcr r10, 1\n rcr r9, 1\n rcr r8, 1\n",
            sub_registers!(),
        )
    };
}

/// One further row of a product: b·a added at `$r0`; `$r4` starts as `$top`.
macro_rules! row {
    ($a:expr, $b:expr, $top:literal, $r0:literal, $r1:literal, $r2:literal, $r3:literal, $r4:literal) => {
        concat!(
            "mov rdx, [",
            $b,
            "]\n",
            $top,
            "\n",
            "mulx rcx, rax, [",
            $a,
            "]\n add ",
            $r0,
            ", rax\n adc ",
            $r1,
            ", rcx\n",
            "mulx rcx, rax, [",
            $a,
            " + 16]\n adc ",
            $r2,
            ", rax\n adc ",
            $r3,
            ", rcx\n adc ",
            $r4,
            ", 0\n",
            "mulx rcx, rax, [",
            $a,
            " + 8]\n add ",
            $r1,
            ", rax\n adc ",
            $r2,
            ", rcx\n",
            "mulx rcx, rax, [",
            $a,
            " + 24]\n adc ",
            $r3,
            ", rax\n adc ",
            $r4,
            ", rcx\n",
        )
    };
}

/// a·b + (2²⁵⁶ − p)·2²⁵⁶ in r8–r15. The second term costs nothing as the start of the upper limbs, and [`reduce`] wants it.
macro_rules! product {
    ($a:expr, $b:expr) => {
        concat!(
            "mov rdx, [",
            $b,
            "]\n",
            "mulx r9, r8, [",
            $a,
            "]\n mulx r11, r10, [",
            $a,
            " + 16]\n",
            "mulx rcx, rax, [",
            $a,
            " + 8]\n add r9, rax\n adc r10, rcx\n",
            "mulx r12, rax, [",
            $a,
            " + 24]\n adc r11, rax\n adc r12, 1\n",
            row!($a, concat!($b, " + 8"), "mov r13d, 0xffffffff", "r9", "r10", "r11", "r12", "r13"),
            row!($a, concat!($b, " + 16"), "xor r14d, r14d", "r10", "r11", "r12", "r13", "r14"),
            row!(
                $a,
                concat!($b, " + 24"),
                "mov r15, 0x100000000",
                "r11",
                "r12",
                "r13",
                "r14",
                "r15"
            ),
        )
    };
}

/// a² + (2²⁵⁶ − p)·2²⁵⁶ − 2²⁵⁶ − 2³²⁰ in r8–r15.
macro_rules! square_product {
    ($a:expr) => {
        concat!(
            // The products of different limbs,
            "mov rdx, [", $a, "]\n",
            "mulx r10, r9, [", $a, " + 8]\n",
            "mulx r11, rax, [", $a, " + 16]\n add r10, rax\n",
            "mulx r12, rax, [", $a, " + 24]\n adc r11, rax\n adc r12, 0\n",
            "mov rdx, [", $a, " + 8]\n",
            "mulx r13, r15, [", $a, " + 24]\n",
            "mulx rcx, rax, [", $a, " + 16]\n add r11, rax\n adc r12, rcx\n adc r13, 0x7fffffff\n",
            "mov rdx, [", $a, " + 16]\n",
            "mulx r14, rax, [", $a, " + 24]\n",
            "add r12, r15\n adc r13, rax\n adc r14, 0\n mov r15, 0x80000000\n",
            // doubled, and the squares of the limbs.
            "add r9, r9\n adc r10, r10\n adc r11, r11\n adc r12, r12\n adc r13, r13\n adc r14, r14\n adc r15, r15\n",
            "mov rdx, [", $a, "]\n mulx rcx, r8, rdx\n add r9, rcx\n",
            "mov rdx, [", $a, " + 8]\n mulx rcx, rax, rdx\n adc r10, rax\n adc r11, rcx\n",
            "mov rdx, [", $a, " + 16]\n mulx rcx, rax, rdx\n adc r12, rax\n adc r13, rcx\n",
            "mov rdx, [", $a, " + 24]\n mulx rcx, rax, rdx\n adc r14, rax\n adc r15, rcx\n",
        )
    };
}

/// One reduction step on four limbs, lowest first; the lowest becomes the highest of the result. `$more` follows the shift.
///
/// With m the lowest limb, (t + m·p)/2⁶⁴ = (t1, t2, t3, m) − m·(2³² − 1) − (m·2³²)·2¹²⁸.
macro_rules! step {
    ($t0:literal, $t1:literal, $t2:literal, $t3:literal, $more:literal) => {
        concat!(
            "mulx rcx, rax, ",
            $t0,
            "\n sub ",
            $t1,
            ", rax\n sbb ",
            $t2,
            ", rcx\n",
            "shlx rax, ",
            $t0,
            ", rsi\n shrx rcx, ",
            $t0,
            ", rsi\n",
            $more,
            "\n",
            "sbb ",
            $t3,
            ", rax\n sbb ",
            $t0,
            ", rcx\n",
        )
    };
}

/// r8–r15, which hold t + (2²⁵⁶ − p)·2²⁵⁶ (less what `$more` adds), as t·2⁻²⁵⁶ modulo p in r8–r11.
macro_rules! reduce {
    ($more:literal) => {
        concat!(
            "mov edx, 0xffffffff\n",
            step!("r8", "r9", "r10", "r11", $more),
            step!("r9", "r10", "r11", "r8", $more),
            step!("r10", "r11", "r8", "r9", ""),
            step!("r11", "r8", "r9", "r10", ""),
            "mov rdx, -1\n",
            "add r8, r12\n adc r9, r13\n adc r10, r14\n adc r11, r15\n adc rdx, 0\n",
            add_p_masked!(),
        )
    };
}

/// The accumulator becomes a·b.
macro_rules! mul {
    ($a:expr, $b:expr) => {
        concat!(product!($a, $b), reduce!(""))
    };
}

/// The accumulator becomes a².
macro_rules! sqr {
    ($a:expr) => {
        concat!(square_product!($a), reduce!("lea rcx, [rcx - 1]"))
    };
}

//! What Valgrind and the tracer are told from inside.

/// Marks bytes as undefined.
pub(crate) fn hide(bytes: &mut [u8]) {
    request(MAKE_MEM_UNDEFINED, bytes);
}

/// Marks bytes as defined: they are public from here on.
pub(crate) fn show(bytes: &[u8]) {
    request(MAKE_MEM_DEFINED, bytes);
}

/// A client request to Valgrind (valgrind.h, memcheck.h); does nothing outside Valgrind.
fn request(code: u64, bytes: &[u8]) {
    let arguments = [code, bytes.as_ptr() as u64, bytes.len() as u64, 0, 0, 0];
    // SAFETY: the rotations add up to 128 bits and the exchange is with itself, so that the processor changes nothing but
    // flags; under Valgrind only the shadow state of `bytes` and rdx change. Both are declared.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") arguments.as_ptr(),
            inout("rdx") 0_u64 => _,
            inout("rdi") 0_u64 => _,
            options(nostack),
        );
    }
}

/// Stops for the tracer; without one, the process ends here.
pub(crate) fn breakpoint() {
    // SAFETY: the processor stops and goes on; no register or memory changes.
    unsafe { std::arch::asm!("int3") };
}

const MAKE_MEM_UNDEFINED: u64 = 0x4d43_0001;
const MAKE_MEM_DEFINED: u64 = 0x4d43_0002;

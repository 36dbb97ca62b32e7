//! Does a branch or an address of the generated code depend on a secret? Asked in two ways, each of which sees what the
//! other cannot; `cargo xtask ctgrind` runs both.
//!
//! * `valgrind OPERATION PATH`, under Valgrind: A. Langley's ctgrind. The secret's bytes are marked as undefined memory, and
//!   memcheck reports every jump and every address that is computed from them. What becomes public is marked defined again.
//!   One run speaks for all secrets, but Valgrind 3.19 does not know AVX-512.
//! * `trace OPERATION PATH`: the operation runs once for each of several secrets, one instruction after the other, and the
//!   addresses of all instructions and of all their memory operands must be the same. That works for every instruction
//!   the processor has, and speaks for the secrets that were tried.

mod marks;
mod operations;
mod tlcp;
mod trace;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["list"] => {
            operations::ALL.iter().for_each(|(name, _)| println!("{name}"));
            ExitCode::SUCCESS
        }
        ["valgrind", operation, path] => {
            take(path);
            let mut secret = [7; 32];
            marks::hide(&mut secret);
            operations::prepare(operation, &secret)();
            ExitCode::SUCCESS
        }
        ["trace", operation, path] => trace::compare(operation, path),
        // What `trace` starts: one secret, between two breakpoints.
        ["traced", operation, path, secret] => {
            take(path);
            let operation = operations::prepare(operation, &trace::secret(secret));
            // Once outside: tables are made and the allocator has its memory.
            operation();
            marks::breakpoint();
            operation();
            marks::breakpoint();
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("usage: smkit-ctgrind list | valgrind OPERATION PATH | trace OPERATION PATH");
            eprintln!("paths: newest, avx2, portable");
            ExitCode::from(2)
        }
    }
}

/// Chooses the kernels, and proves that they work.
fn take(path: &str) {
    match path {
        "newest" => smkit::cpu::force_portable(false),
        "avx2" => smkit::cpu::force_avx2(true),
        "portable" => smkit::cpu::force_portable(true),
        other => panic!("unknown path {other}"),
    }
    assert!(smkit::selftest::run().all(), "the kit's own self-test");
}

//! Benchmarks of the house, each beside a peer measured in the same run.
//!
//! `cargo xtask bench main` prints one JSON object a line. Timings on shared machines are noisy:
//! compare medians and ratios, and read `conditions`.
#![expect(clippy::print_stdout, reason = "results go to standard output")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time and owns its tasks")]
#![expect(clippy::expect_used, reason = "a benchmark may stop when its machine fails it")]
#![expect(clippy::cast_possible_truncation, reason = "figures for people")]

use std::process::ExitCode;

mod library;
mod load;
mod main_suite;
mod report;
mod rest;
mod sqlite;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["main"] => main_suite::run(&main_suite::Scale::FULL),
        ["main", "--quick"] => main_suite::run(&main_suite::Scale::QUICK),
        _ => {
            eprintln!("suites: main [--quick]");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

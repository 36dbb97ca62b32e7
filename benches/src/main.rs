//! Benchmarks of the house, each beside a peer measured in the same run.
//!
//! `cargo xtask bench main`, `… smkit` and `… pki` print one JSON object a line. Timings on shared machines are noisy:
//! compare medians and ratios, and read `conditions`.
#![expect(clippy::print_stdout, reason = "results go to standard output")]
#![allow(clippy::indexing_slicing, reason = "a benchmark that indexes wrongly should end")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time and owns its tasks")]
#![expect(clippy::expect_used, reason = "a benchmark may stop when its machine fails it")]
#![expect(clippy::cast_possible_truncation, reason = "figures for people")]

use std::process::ExitCode;

#[cfg(feature = "node")]
mod evidence;
mod kit;
#[cfg(feature = "node")]
mod library;
#[cfg(feature = "node")]
mod load;
#[cfg(feature = "node")]
mod main_suite;
#[cfg(feature = "node")]
mod network_suite;
mod peers;
mod pki_suite;
mod report;
#[cfg(feature = "node")]
mod rest;
mod rustcrypto;
mod sampling;
mod smkit_suite;
#[cfg(feature = "node")]
mod sqlite;
#[cfg(feature = "portable-only")]
mod timing;
mod tlcp_suite;
mod tls_suite;
mod tongsuo;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["smkit"] => smkit_suite::run(&smkit_suite::Scale::FULL),
        ["smkit", "--quick"] => smkit_suite::run(&smkit_suite::Scale::QUICK),
        ["pki"] => pki_suite::run(&smkit_suite::Scale::FULL),
        ["pki", "--quick"] => pki_suite::run(&smkit_suite::Scale::QUICK),
        ["tls"] => {
            tls_suite::run(&tls_suite::Scale::FULL);
            tlcp_suite::run(3.0);
        }
        ["tls", "--quick"] => {
            tls_suite::run(&tls_suite::Scale::QUICK);
            tlcp_suite::run(0.4);
        }
        #[cfg(feature = "portable-only")]
        ["timing"] => return timing::run(&timing::Effort::FULL),
        #[cfg(feature = "portable-only")]
        ["timing", "--quick"] => return timing::run(&timing::Effort::QUICK),
        #[cfg(feature = "node")]
        ["main"] => main_suite::run(&main_suite::Scale::FULL),
        #[cfg(feature = "node")]
        ["main", "--quick"] => main_suite::run(&main_suite::Scale::QUICK),
        #[cfg(feature = "node")]
        ["evidence", words @ ..] => return evidence::run(words),
        #[cfg(feature = "node")]
        ["network"] => network_suite::run(&network_suite::Scale::FULL),
        #[cfg(feature = "node")]
        ["network", "--quick"] => network_suite::run(&network_suite::Scale::QUICK),
        #[cfg(feature = "node")]
        ["network", "--growth", records] => match records.parse() {
            Ok(records) => network_suite::growth(records),
            Err(_) => return ExitCode::from(2),
        },
        _ => {
            eprintln!(
                "suites: smkit [--quick], tls [--quick], pki [--quick], timing [--quick], main [--quick] (feature `node`), \
                 evidence [--quick] [PART ...] (feature `node`), \
                 network [--quick | --growth RECORDS] (feature `node`)"
            );
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

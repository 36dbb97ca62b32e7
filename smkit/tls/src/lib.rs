//! GM TLS: TLS 1.3 with the suites of RFC 8998, and TLCP (GB/T 38636-2020).

pub mod peer;
pub mod tlcp;

// The tests' small world is shared with the integration tests, which know this crate by its name.
#[cfg(test)]
extern crate self as smkit_tls;

//! GM TLS: TLS 1.3 with the suites of RFC 8998, and TLCP (GB/T 38636-2020).

pub mod peer;

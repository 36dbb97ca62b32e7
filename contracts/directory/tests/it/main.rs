//! The directory on a ledger in memory: a record that passes, and one refusal for each gate.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod gates;
mod support;

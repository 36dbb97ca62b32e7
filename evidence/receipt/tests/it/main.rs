//! Receipts and bundles as an outsider meets them: made by a real authority, real transactions and real votes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod anchors;
mod batch;
mod bundles;
mod fixture;
mod forgeries;
mod process;
mod tamper;
mod zip_peers;

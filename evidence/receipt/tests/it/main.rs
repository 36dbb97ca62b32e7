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
mod checkpoint;
mod fixture;
mod forgeries;
mod page;
mod process;
mod signed;
mod tamper;
mod trust_file;
mod zip_peers;

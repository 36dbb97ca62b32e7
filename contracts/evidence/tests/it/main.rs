//! The evidence contract on a ledger in memory, alone and under the evidence service.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod create;
mod endorsement;
mod ledger;
mod listing;
mod process;
mod service;
mod support;

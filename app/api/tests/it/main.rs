//! The HTTP surface over the real evidence contract on a ledger in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "tests"
)]

mod access;
mod auth;
mod batch;
mod channels;
mod court;
mod directory;
mod ledger;
mod limits;
mod operations;
mod process;
mod read;
mod submit;
mod verify;
mod world;

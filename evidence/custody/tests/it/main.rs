//! Custody from outside: streams, concurrency, memory, and envelopes that somebody rearranged.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod audit;
mod damage;
mod holding;
mod ipfs;
mod openings;
mod originals;
mod peer;
mod s3;
mod support;

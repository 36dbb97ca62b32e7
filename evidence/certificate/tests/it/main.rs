//! Certificates of a small city's evidence: what they say, and what readers of each format read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

#[path = "../../../receipt/tests/it/fixture.rs"]
#[expect(dead_code, reason = "shared with the receipt's tests, which use all of it")]
mod fixture;

mod facts;
#[path = "../../examples/forgeries/forge.rs"]
mod forge;
mod forgeries;
mod formats;
mod peer;
mod sample;
mod seals;
mod signed;

//! The process log as its users see it: chains, crashes, damage, anchors.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod anchors;
mod chains;
mod damage;
mod support;

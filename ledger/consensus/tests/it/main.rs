//! The engine from outside: one node, four nodes in memory, crashes, traitors, damage.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod certificate;
mod messages;
mod network;
mod nodes;
mod replay;
mod support;

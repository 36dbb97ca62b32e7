//! One channel with a real block log, index and consensus core, driven turn by turn.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod archive;
mod city;
mod commit;
mod config;
mod endorser;
mod gateway;
mod net;
mod network;
mod restart;
mod world;

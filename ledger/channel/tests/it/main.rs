//! One channel with a real block log, index and consensus core, driven turn by turn.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod city;
mod commit;
mod config;
mod endorser;
mod gateway;
mod net;
mod network;
mod restart;
mod world;

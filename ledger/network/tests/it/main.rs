//! Links and drivers over real GM TLS on loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod calls;
mod channels;
mod consortium;
mod dialled;
mod links;
mod openings;
mod stranger;
mod world;

//! Handshakes and records in memory, as they should be and as they should not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::cast_possible_truncation, reason = "tests")]

mod captured;
mod certificates;
mod flips;
mod handshake;
mod records;
mod refusals;
mod sessions;
mod wire;
#[allow(dead_code, unreachable_pub, reason = "the integration tests use all of it")]
#[path = "../../tests/it/tlcp/world.rs"]
pub(crate) mod world;

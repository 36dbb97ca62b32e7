//! Whole handshakes: in memory, over loopback, and with other implementations.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod peer;
mod tlcp;

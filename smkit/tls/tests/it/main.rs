//! Whole handshakes: in memory, over loopback, and with other implementations.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod authority;
#[cfg(feature = "tokio")]
mod flood;
mod foreign;
mod handshake;
#[cfg(feature = "tokio")]
mod link;
mod pair;
#[cfg(feature = "tokio")]
mod peer;
mod records;
mod refusals;
mod resumption;
mod retry;
#[cfg(feature = "tokio")]
mod tlcp;
#[cfg(feature = "tokio")]
mod tongsuo;
mod webpki;

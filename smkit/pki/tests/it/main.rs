//! Certificates of other makers, and other implementations reading ours.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod bouncycastle;
mod foreign;
mod gmssl;
mod openssl;
mod peer;
